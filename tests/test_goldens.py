"""One readable file per narrative; `just goldens` writes them anew, to be read before they are committed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from etlnarr.records import RECORD_TYPES
from tests import uploads
from tests.command import SAMPLES, built, etlnarr, rows

CASES = Path(__file__).parent / "cases"
KINDS = [kind.name for kind in RECORD_TYPES]


class Narrative(SingleFileSnapshotExtension):
    """A golden is a text file."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def page(row: Mapping[str, Any]) -> str:
    """Lay a row out for a reader."""
    withheld = "\n".join(f"{entry['path']}: {entry['reason']}" for entry in row["metadata"]["withheld"])
    parts = {name: row[name] for name in ("instruction", "input", "output")}
    return "".join(f"## {name}\n\n{text}\n\n" for name, text in {**parts, "withheld": withheld}.items())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every narrative of the synthetic uploads, by the name of its upload."""
    lake = tmp_path_factory.mktemp("lake")
    built(lake, SAMPLES)
    return {Path(row["metadata"]["source_s3_key"]).stem: page(row) for row in rows(lake)}


@pytest.mark.parametrize("name", sorted(file.stem for file in SAMPLES.glob("*.avro")))
def test_narrative_of_a_synthetic_upload(name: str, told: dict[str, str], snapshot: SnapshotAssertion) -> None:
    assert told.get(name, "superseded: brings nothing new\n") == snapshot(extension_class=Narrative)


@pytest.mark.parametrize("kind", KINDS)
def test_narrative_of_a_case(kind: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    case = json.loads((CASES / f"{kind}.json").read_text(encoding="utf-8"))
    upload = uploads.write(tmp_path / f"{kind}_1763380800000.avro", kind, case)
    row = json.loads(etlnarr("inspect", upload, "--json").stdout)["example"]
    assert page(row) == snapshot(extension_class=Narrative)
