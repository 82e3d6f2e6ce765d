"""What uploads are scored as they are read, and that validation finds the same as from their rows."""

import json
from pathlib import Path

import pytest

from etlnarr import __version__, quality
from etlnarr.catalog import open_catalog
from etlnarr.catalog import quality as decisions
from etlnarr.cli.session import Session, session, settings_from
from etlnarr.stages.ingest import ingest
from etlnarr.stages.validate import validate
from tests.command import SAMPLES

Verdicts = list[tuple[str, str, str | None, str]]


def verdicts(opened: Session) -> Verdicts:
    validate(opened.con, opened.run)
    told = "SELECT content_hash, state, reason, quality FROM uploads ORDER BY content_hash"
    return opened.con.execute(told).fetchall()


def ingested(opened: Session) -> None:
    assert ingest(opened.con, opened.run, [str(SAMPLES)]).new


def test_the_scores_of_what_was_read_are_those_of_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with session(settings_from(lake_url=str(tmp_path / "a"))) as opened:
        ingested(opened)
        opened.con.execute("UPDATE uploads SET scores = NULL").complete()
        slow = verdicts(opened)
    with session(settings_from(lake_url=str(tmp_path / "b"))) as opened:
        ingested(opened)
        with monkeypatch.context() as without:
            without.delattr(decisions, "rows_of")  # none of them needs its rows
            assert verdicts(opened) == slow
        assert opened.con.execute("SELECT count(scores) FROM uploads").fetchall() == [(0,)]
    with open_catalog(tmp_path / "b" / "catalog.duckdb", 0) as con:
        assert con.execute("SELECT count(judged) FROM uploads").fetchall() == [(len(slow),)]


def test_rows_are_read_of_what_another_version_scored(tmp_path: Path) -> None:
    with session(settings_from(lake_url=str(tmp_path))) as opened:
        ingested(opened)
        first, other = opened.con.execute("SELECT no, scores FROM uploads WHERE scores IS NOT NULL LIMIT 2").fetchall()
        mended = json.dumps({**json.loads(first[1]), "usable": 0, quality.BY: "0"})
        opened.con.execute("UPDATE uploads SET scores = ? WHERE no = ?", [mended, first[0]]).complete()
        broken = json.dumps({**json.loads(other[1]), "usable": 0})
        opened.con.execute("UPDATE uploads SET scores = ? WHERE no = ?", [broken, other[0]]).complete()
        verdicts(opened)
        states = dict(opened.con.execute("SELECT no, state FROM uploads").fetchall())
        assert (states[first[0]], states[other[0]]) == ("accepted", "quarantined")


def test_a_document_is_a_line_of_scores() -> None:
    assert quality.scored(None) is None
    assert quality.scored(json.dumps({"usable": 3, quality.BY: f"{__version__}0"})) is None
    assert quality.scored(json.dumps({"usable": 3, quality.BY: __version__})) == {"usable": 3}
