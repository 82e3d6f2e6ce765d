"""No number without a witness, and no number that the prompt does not hold, read with eyes other than the engine's."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from etlnarr.records import RECORD_TYPES
from tests.command import ROOT, SAMPLES, built, etlnarr, rows

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
CONSTANTS = re.compile(r"\{%-?\s*set constants = (\{.*?\})\s*-?%\}", re.DOTALL)
TEMPLATES = ROOT / "templates"


def declared(template: str) -> set[str]:
    """The numbers of the constants of a template and of the shared wording."""
    texts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in (template, "shared.jinja")]
    return {number for text in texts for found in CONSTANTS.findall(text) for number in NUMBER.findall(found)}


def at(insights: Any, path: str) -> Any:
    for part in path.split("."):
        insights = insights[int(part)] if isinstance(insights, list) else insights[part]
    return insights


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of the synthetic uploads, for a person of whom nothing and one of whom all is known."""
    folder = tmp_path_factory.mktemp("grounding")
    people = folder / "people.csv"
    people.write_text(
        "user_id,birth_year,sex,tz,diabetes,mass_kg,height_cm\nsample_data_user,1980,female,America/Chicago,t1,78,170\n"
    )
    etlnarr("build", SAMPLES, "--lake", folder / "known", "--people", people)
    built(folder / "unknown", SAMPLES)
    return [*rows(folder / "unknown"), *rows(folder / "known")]


def grounded(row: dict[str, Any]) -> None:
    output, told = row["output"], row["metadata"]
    given = set(NUMBER.findall(row["input"])) | declared(told["template"])
    assert set(NUMBER.findall(output)) <= given
    witnessed = [range(entry["start"], entry["end"]) for entry in told["evidence"]]
    for found in NUMBER.finditer(output):
        inside = any(found.start() in span for span in witnessed)
        assert inside or found.group() in declared(told["template"]), told["template"]
    for entry in told["evidence"]:
        assert output[entry["start"] : entry["end"]] == entry["text"]
        within = told["clinical_insights"] if entry["path"].split(".")[0] in told["clinical_insights"] else told
        assert at(within, entry["path"]) == entry["value"], entry["path"]


def test_every_number_of_every_synthetic_row_is_grounded(told: list[dict[str, Any]]) -> None:
    assert len(told) > 40
    for row in told:
        grounded(row)


def test_every_number_of_every_real_row_is_grounded(real_samples: Path, tmp_path: Path) -> None:
    built(tmp_path, real_samples, month="2025-09")
    found = rows(tmp_path)
    assert len(found) == 14
    for row in found:
        grounded(row)


def test_what_is_withheld_is_not_told(told: list[dict[str, Any]]) -> None:
    for row in told:
        withheld = {entry["path"] for entry in row["metadata"]["withheld"]}
        assert not withheld & {entry["path"] for entry in row["metadata"]["evidence"]}
        assert all(entry["reason"] and entry["needs"] for entry in row["metadata"]["withheld"])


def test_every_verdict_word_of_an_output_has_a_witness(told: list[dict[str, Any]]) -> None:
    verdicts = {kind.name: {verdict.path for verdict in kind.verdicts} for kind in RECORD_TYPES}
    spoken = {
        entry["path"]
        for row in told
        for entry in row["metadata"]["evidence"]
        if entry["path"] in verdicts[row["metadata"]["record_type"]]
    }
    assert len(spoken) >= 12


def test_rows_do_not_begin_alike(told: list[dict[str, Any]]) -> None:
    for kind in RECORD_TYPES:
        openings = {tuple(row["output"].split()[:5]) for row in told if row["metadata"]["record_type"] == kind.name}
        assert len(openings) > 1, kind.name


@pytest.mark.parametrize("stray", ["7 of them", "twelve of them"])
@pytest.mark.parametrize("kind", RECORD_TYPES, ids=[kind.name for kind in RECORD_TYPES])
def test_a_template_that_prints_a_stray_number_fails_the_build(kind: Any, stray: str, tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    edited = tmp_path / "templates" / kind.template
    text = edited.read_text(encoding="utf-8")
    edited.write_text(re.sub(r"(\{% block output %\})", rf"\1 {stray} ", text), encoding="utf-8")
    lake = tmp_path / "lake"
    done = etlnarr("build", SAMPLES, "--lake", lake, env={"ETL_TEMPLATES_PATH": str(tmp_path / "templates")}, expect=4)
    assert kind.template in done.stderr
    assert stray.split(maxsplit=1)[0] in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (lake / "training").exists()


def test_an_edited_template_makes_its_rows_pending_again(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    env = {"ETL_TEMPLATES_PATH": str(tmp_path / "templates")}
    before = built(tmp_path / "lake", SAMPLES, **env)
    with (tmp_path / "templates" / "steps.jinja").open("a") as stream:
        stream.write("{# reworded #}\n")
    after = built(tmp_path / "lake", SAMPLES, **env)
    steps = before["status"]["examples"]["2025-11"]["physical_activity"]
    unchanged = before["narrate"]["told"] - steps
    assert after["narrate"] == {"told": steps, "replaced": steps, "unchanged": unchanged}
    assert json.loads(etlnarr("status", "--lake", tmp_path / "lake", "--json").stdout)["examples"]
