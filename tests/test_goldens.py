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
WINDOWS = {
    "BloodGlucoseRecord": ("2025-11-08", "2025-W46", "2025-11"),
    "HeartRateRecord": ("2025-11-08", "2025-W45", "2025-11"),
    "SleepSessionRecord": ("2025-11-15", "2025-W46", "2025-11"),
    "StepsRecord": ("2025-11-14", "2025-W46", "2025-11"),
    "ActiveCaloriesBurnedRecord": ("2025-11-14", "2025-W46", "2025-11"),
    "HeartRateVariabilityRmssdRecord": ("2025-11-15", "2025-W47", "2025-11"),
}
"""A day or night, a week and a month of each record type."""


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


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Every narrative of a window of the synthetic uploads, by its record type and its name."""
    lake = tmp_path_factory.mktemp("windows")
    kinds = [word for kind in ("day", "night", "week", "month") for word in ("--per", kind)]
    etlnarr("build", SAMPLES, *kinds, "--month", "2025-11", "--lake", lake)
    return {(row["metadata"]["record_type"], row["metadata"]["subject"]["key"]): page(row) for row in rows(lake)}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in WINDOWS[kind]])
def test_narrative_of_a_window(
    kind: str, name: str, windows: dict[tuple[str, str], str], snapshot: SnapshotAssertion
) -> None:
    assert windows[kind, name] == snapshot(extension_class=Narrative)


@pytest.mark.parametrize("kind", KINDS)
def test_narrative_of_a_case(kind: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    case = json.loads((CASES / f"{kind}.json").read_text(encoding="utf-8"))
    upload = uploads.write(tmp_path / f"{kind}_1763380800000.avro", kind, case)
    row = json.loads(etlnarr("inspect", upload, "--json").stdout)["example"]
    assert page(row) == snapshot(extension_class=Narrative)
