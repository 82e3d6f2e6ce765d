"""What makes an upload pending again: other settings, another user, a place that fits its bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from etlnarr.catalog import open_catalog
from etlnarr.model import Json
from tests import uploads
from tests.command import ROOT, SAMPLES, built, environment, etlnarr, fingerprint, rows
from tests.uploads import DAY, MINUTE, T0

TRACE = uploads.glucose([(T0 + n * 5 * MINUTE, 110.0 + n % 7) for n in range(200)])
SPOTTED = [{**row, "levelInMilligramsPerDeciliter": 700.0} if n % 10 < 3 else row for n, row in enumerate(TRACE)]
NAME = "BloodGlucoseRecord_1763380800000.avro"


def glucose(folder: Path, name: str = NAME, body: list[dict[str, Json]] = TRACE) -> Path:
    return uploads.write(folder / name, "BloodGlucoseRecord", body)


def states(report: dict[str, dict[str, dict[str, dict[str, int]]]]) -> dict[str, int]:
    return report["status"]["uploads"]["BloodGlucoseRecord"]


def test_another_threshold_judges_again_and_takes_its_copy_back(tmp_path: Path) -> None:
    upload, lake = glucose(tmp_path, body=SPOTTED), tmp_path / "lake"
    assert states(built(lake, upload)) == {"accepted": 1}
    told = fingerprint(lake)
    assert states(built(lake, upload, ETL_QUALITY_THRESHOLD="0.99")) == {"quarantined": 1}
    kept = fingerprint(lake)
    assert sorted(Path(name).suffix for name in kept) == [".avro", ".json"]
    etlnarr("validate", "--lake", lake, "--dry-run")
    assert fingerprint(lake) == kept
    assert states(built(lake, upload, ETL_QUALITY_THRESHOLD="0.98")) == {"quarantined": 1}
    assert states(built(lake, upload)) == {"accepted": 1}
    assert fingerprint(lake) == told


def test_an_upload_that_is_judged_out_gives_its_records_to_the_next(tmp_path: Path) -> None:
    glucose(tmp_path / "in", "BloodGlucoseRecord_1763380800000.avro", SPOTTED)
    glucose(tmp_path / "in", "BloodGlucoseRecord_1763380900000.avro", [*SPOTTED[:100], *TRACE[100:150]])
    assert states(built(tmp_path / "lake", tmp_path / "in")) == {"accepted": 1, "superseded": 1}
    report = built(tmp_path / "lake", tmp_path / "in", ETL_QUALITY_THRESHOLD="0.9401")
    assert states(report) == {"accepted": 1, "quarantined": 1}
    assert [row["metadata"]["source_s3_key"] for row in rows(tmp_path / "lake")] == [
        "BloodGlucoseRecord_1763380900000.avro"
    ]


@pytest.mark.parametrize("limit", ["ETL_MAX_FILE_SIZE_MB", "ETL_MAX_RECORDS_PER_FILE"])
def test_a_wider_limit_lets_in_what_a_narrower_one_kept_out(limit: str, tmp_path: Path) -> None:
    upload, lake = glucose(tmp_path), tmp_path / "lake"
    assert states(built(lake, upload, **{limit: "0.01" if "MB" in limit else "9"})) == {"quarantined": 1}
    assert states(built(lake, upload)) == {"accepted": 1}
    assert list(fingerprint(lake, "quarantine")) == []
    report = built(lake, upload)
    assert (report["ingest"]["known"], states(report)) == (1, {"accepted": 1})


def test_a_limit_that_still_keeps_out_asks_no_third_time(tmp_path: Path) -> None:
    upload, lake = glucose(tmp_path), tmp_path / "lake"
    built(lake, upload, ETL_MAX_RECORDS_PER_FILE="8")
    assert built(lake, upload, ETL_MAX_RECORDS_PER_FILE="9")["ingest"]["unreadable"] == 1
    assert built(lake, upload, ETL_MAX_RECORDS_PER_FILE="9")["ingest"]["known"] == 1
    assert len(fingerprint(lake, "quarantine")) == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_bytes_under_the_key_of_another_type_count_once_they_stand_under_their_own(
    order: tuple[int, int], tmp_path: Path
) -> None:
    places = [
        glucose(tmp_path / "a", "StepsRecord_1763380700000.avro"),
        glucose(tmp_path / "b", "BloodGlucoseRecord_1763380800000.avro"),
    ]
    lake = tmp_path / "lake"
    for place in order:
        built(lake, places[place])
    together = built(tmp_path / "together", *places)
    assert states(together) == {"accepted": 1}
    assert fingerprint(lake) == fingerprint(tmp_path / "together")
    assert rows(lake)[0]["metadata"]["source_s3_key"] == "BloodGlucoseRecord_1763380800000.avro"


def test_a_user_that_is_named_takes_over_what_no_key_gives_to_another(tmp_path: Path) -> None:
    glucose(tmp_path / "in")
    glucose(tmp_path / "in", "kim_1763380800_x.avro", TRACE[:150])
    lake = tmp_path / "lake"
    built(lake, tmp_path / "in")
    named = json.loads(etlnarr("build", tmp_path / "in", "--lake", lake, "--user-id", "lee", "--json").stdout)
    assert (named["ingest"]["known"], named["ingest"]["new"]) == (1, 1)
    assert {row["metadata"]["user_id"] for row in rows(lake)} == {"kim", "lee"}
    assert states(built(lake, tmp_path / "in")) == {"accepted": 2}  # nobody is named, all stays as it is
    etlnarr("build", tmp_path / "in", "--lake", tmp_path / "fresh", "--user-id", "lee")
    assert fingerprint(lake) == fingerprint(tmp_path / "fresh")


def test_a_quarantined_upload_is_logged_with_its_correlation_id(tmp_path: Path) -> None:
    upload = glucose(tmp_path, body=uploads.glucose([(T0 - 900 * DAY, 5.0)]))
    log = {"ETL_LOG_LEVEL": "DEBUG"}
    done = etlnarr("build", upload, "--lake", tmp_path / "lake", env=log)
    (line,) = [json.loads(line) for line in done.stderr.splitlines() if '"quarantined"' in line and "reason" in line]
    assert (line["reason"], line["level"]) == ("glucose_out_of_range", "warning")
    done = etlnarr("build", glucose(tmp_path / "good"), "--lake", tmp_path / "lake", env=log)
    told = [json.loads(line) for line in done.stderr.splitlines() if '"told"' in line and "correlation_id" in line]
    assert [entry["correlation_id"] for entry in told] == [rows(tmp_path / "lake")[0]["metadata"]["correlation_id"]]
    assert "sample_data_user" not in done.stderr


def test_what_a_killed_run_stored_in_part_is_not_exported(tmp_path: Path) -> None:
    whole, lake, days = tmp_path / "whole", tmp_path / "lake", ("--per", "day")  # of two months
    built(whole, SAMPLES, *days, month=None)
    before = "import os; from etlnarr.catalog import examples; examples.want = lambda *_: os._exit(9)"
    killed = subprocess.run(
        [sys.executable, "-c", f"{before}\nfrom etlnarr.cli import main\nmain()", "build", SAMPLES, *days, "--lake",
         lake],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == 9
    assert "killed while it stored" in etlnarr("export", "--lake", lake, expect=2).stderr
    assert not (lake / "training").exists()
    assert "of 2025-11; run" in etlnarr("export", "--lake", lake, "--month", "2025-11", expect=2).stderr
    etlnarr("narrate", *days, "--lake", lake, "--month", "2025-11")  # which was but a part of it
    assert "of 2025-10; run" in etlnarr("export", "--lake", lake, expect=2).stderr
    etlnarr("export", "--lake", lake, "--month", "2025-11")
    of_month = {name: content for name, content in fingerprint(whole).items() if "2025_11" in name}
    assert fingerprint(lake) == of_month != fingerprint(whole)
    etlnarr("narrate", *days, "--lake", lake)
    etlnarr("export", "--lake", lake)
    assert fingerprint(lake) == fingerprint(whole) != {}


def test_an_interrupt_of_a_query_is_one_of_the_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_catalog(tmp_path / "catalog.duckdb", 0):
        raise RuntimeError("Query interrupted")  # how the library tells of Ctrl-C, now and then
    with pytest.raises(RuntimeError, match="else"), open_catalog(tmp_path / "catalog.duckdb", 0):
        raise RuntimeError("something else")
