"""One bad file stops nothing, and a catalog that has seen much says what a fresh one says."""

import json
import shutil
import time
from pathlib import Path

import pytest

from etlnarr import avro, avro_columns
from etlnarr.errors import UnreadableError
from etlnarr.model import Json
from etlnarr.samples.schemas import SCHEMAS
from tests import uploads
from tests.command import SAMPLES, built, etlnarr, fingerprint, rows
from tests.uploads import DAY, HOUR, MINUTE, T0

TRACE = [(T0 + n * 5 * MINUTE, 110.0 + n % 7) for n in range(40)]
LIMITS = avro.Limits(records=100_000, seconds=30)


def nameless(row: dict[str, Json]) -> dict[str, Json]:
    metadata = row["metadata"]
    assert isinstance(metadata, dict)
    return {**row, "metadata": {**metadata, "id": ""}}


def versioned(row: dict[str, Json], modified: int, version: int) -> dict[str, Json]:
    metadata = row["metadata"]
    assert isinstance(metadata, dict)
    changed: dict[str, Json] = {**metadata, "lastModifiedTimeEpochMillis": modified, "clientRecordVersion": version}
    return {**row, "metadata": changed}


def test_a_record_without_id_and_time_spoils_nothing_but_its_own_file(tmp_path: Path) -> None:
    good, bad = uploads.glucose(TRACE), [nameless(row) for row in uploads.glucose([(-5, 100.0)] * 3)]
    uploads.write(tmp_path / "in/BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", good)
    uploads.write(tmp_path / "in/BloodGlucoseRecord_1763380800001.avro", "BloodGlucoseRecord", bad)
    report = built(tmp_path / "lake", tmp_path / "in")
    assert report["status"]["quarantined"] == {"time_missing": 1}
    assert len(rows(tmp_path / "lake")) == 1


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
def test_extreme_versions_spoil_nothing(number: int, tmp_path: Path) -> None:
    wild = [versioned(row, number, number) for row in uploads.glucose(TRACE)]
    uploads.write(tmp_path / "in/BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", wild)
    built(tmp_path / "lake", tmp_path / "in")
    assert len(rows(tmp_path / "lake")) == 1


def test_an_array_bomb_is_refused_before_it_is_unpacked() -> None:
    sample: Json = {"timeEpochMillis": 0, "beatsPerMinute": 0}
    interval = {name: value for name, value in uploads.steps([(T0, T0 + HOUR, 1)])[0].items() if name != "count"}
    bomb = avro.encode(SCHEMAS["HeartRateRecord"], [{**interval, "samples": [sample] * 600_000}], "deflate", bytes(16))
    assert len(bomb) < 10_000
    start = time.monotonic()
    with pytest.raises(UnreadableError) as caught:
        avro.opened(bomb, LIMITS)
    assert caught.value.reason == "too_large"
    assert time.monotonic() - start < 1
    many = avro.encode(SCHEMAS["HeartRateRecord"], [{**interval, "samples": [sample] * 500}] * 9, "null", bytes(16))
    (fault,) = avro_columns.decode([many], avro.Limits(records=100, seconds=30, items=4_000))
    assert isinstance(fault, UnreadableError)
    assert fault.detail == "the arrays of the file hold more items than an upload may"


def test_a_schema_that_names_itself_over_and_over_is_refused_at_once() -> None:
    inner: Json = "long"
    for depth in range(30):
        twice: list[Json] = [{"name": "a", "type": inner}, {"name": "b", "type": f"N{depth - 1}" if depth else "long"}]
        inner = {"type": "record", "name": f"N{depth}", "fields": twice}
    start = time.monotonic()
    with pytest.raises(UnreadableError) as caught:
        avro.understand(json.dumps(inner).encode())
    assert caught.value.reason == "schema_unreadable"
    assert time.monotonic() - start < 5


def test_an_ingest_that_nothing_followed_takes_nothing_from_an_export(tmp_path: Path) -> None:
    built(tmp_path, SAMPLES)
    before = fingerprint(tmp_path)
    uploads.write(tmp_path / "in/BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", uploads.glucose(TRACE))
    etlnarr("ingest", tmp_path / "in", "--lake", tmp_path)
    assert json.loads(etlnarr("export", "--lake", tmp_path, "--json").stdout)["removed"] == 0
    assert fingerprint(tmp_path) == before


def test_a_copy_of_an_earlier_month_moves_its_row_as_in_a_fresh_catalog(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    november = uploads.write(
        folder / "BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", uploads.glucose(TRACE)
    )
    built(tmp_path / "used", folder)
    assert len(rows(tmp_path / "used")) == 1
    shutil.copy(november, folder / "BloodGlucoseRecord_1760702400000.avro")  # October
    built(tmp_path / "used", folder)
    built(tmp_path / "fresh", folder)
    assert rows(tmp_path / "used") == rows(tmp_path / "fresh") == []
    built(tmp_path / "used", folder, month="2025-10")
    built(tmp_path / "fresh", folder, month="2025-10")
    assert fingerprint(tmp_path / "used") == fingerprint(tmp_path / "fresh") != {}


def test_the_folders_of_a_key_count_however_the_source_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "raw/BloodGlucoseRecord/2025/11/15"
    uploads.write(folder / "user123_1731628800_abc123.avro", "BloodGlucoseRecord", uploads.glucose(TRACE, fetched=T0))
    for number, source in enumerate((tmp_path / "raw", folder, folder / "user123_1731628800_abc123.avro")):
        built(tmp_path / str(number), source)
        (row,) = rows(tmp_path / str(number))
        assert row["metadata"]["upload_timestamp_utc"] == "2025-11-15T10:00:00Z"  # the fetch time, of the key's date
        assert row["metadata"]["user_id"] == "user123"


def test_one_catalog_serves_two_lakes_and_two_prefixes(tmp_path: Path) -> None:
    catalog = ("--catalog", tmp_path / "c.duckdb")
    for lake in ("one", "two"):
        etlnarr("build", SAMPLES, "--lake", tmp_path / lake, *catalog)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two") != {}
    etlnarr("build", SAMPLES, "--lake", tmp_path / "one", *catalog, env={"ETL_TRAINING_DATA_PREFIX": "v2"})
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")
    assert len(fingerprint(tmp_path / "one", "v2")) == 6


def test_a_source_that_changed_before_it_was_copied_is_not_kept_under_another_hash(tmp_path: Path) -> None:
    bad = tmp_path / "bad.avro"
    bad.write_bytes(b"no Avro")
    lake = ("--lake", tmp_path / "lake")
    etlnarr("ingest", bad, *lake)
    bad.write_bytes(b"other bytes")
    assert json.loads(etlnarr("validate", *lake, "--json").stdout)["lost"] == 1
    assert list((tmp_path / "lake/quarantine").rglob("*.avro")) == []


@pytest.mark.parametrize("where", ["nowhere", "in/x.avro", "in/BloodGlucoseRecord_1763380800000.avro/below"])
def test_a_link_to_nothing_is_passed_over(tmp_path: Path, where: str) -> None:
    uploads.write(tmp_path / "in/BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", uploads.glucose(TRACE))
    (tmp_path / "in/x.avro").symlink_to(tmp_path / where)
    report = built(tmp_path / "lake", tmp_path / "in")
    assert (report["ingest"]["found"], report["ingest"]["ignored"]) == (1, 1)


def test_empty_settings_are_no_settings(tmp_path: Path) -> None:
    env = {"ETL_CATALOG_PATH": "", "ETL_AGE": "", "ETL_TEMPLATES_PATH": "", "ETL_TZ": ""}
    assert len(built(tmp_path, SAMPLES, **env)["export"]["written"]) == 6


def test_a_day_that_is_over_in_two_months_belongs_to_the_month_of_its_upload(tmp_path: Path) -> None:
    rows_of_october = uploads.steps([(T0 - 20 * DAY, T0 - 19 * DAY - 1, 4_000)])
    uploads.write(tmp_path / "in/StepsRecord_1763380800000.avro", "StepsRecord", rows_of_october)
    assert len(built(tmp_path / "lake", tmp_path / "in", month="2025-10")["export"]["written"]) == 0
    assert len(built(tmp_path / "lake", tmp_path / "in", month="2025-11")["export"]["written"]) == 1


def test_of_records_with_one_identity_in_one_file_the_last_version_stands(tmp_path: Path) -> None:
    first, second = uploads.glucose([(T0, 100.0), (T0 + 5 * MINUTE, 140.0)])
    metadata = first["metadata"]
    assert isinstance(metadata, dict)
    same = {**second, "metadata": {**metadata, "lastModifiedTimeEpochMillis": T0 + 1}}
    upload = uploads.write(tmp_path / "BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", [same, first])
    found = json.loads(etlnarr("inspect", upload, "--json").stdout)["clinical_insights"]["glucose_statistics"]
    assert (found["count"], found["mean"]) == (1, 140.0)


def test_a_write_later_than_the_fetch_is_not_believed(tmp_path: Path) -> None:
    day = (T0 - 10 * HOUR, T0 + 14 * HOUR - 1, 3_933)
    for name, modified, complete in (("a", T0 + 3 * DAY, 0), ("b", T0 + DAY, 1)):
        rows_of_day = uploads.steps([day], modified=modified, fetched=T0 + DAY)
        upload = uploads.write(tmp_path / name / "StepsRecord_1763380800000.avro", "StepsRecord", rows_of_day)
        found = json.loads(etlnarr("inspect", upload, "--json").stdout)["clinical_insights"]
        assert found["steps_statistics"]["complete_days"] == complete


@pytest.mark.parametrize("stages", [[(60, "LIGHT")], [(60, "LIGHT"), (420, "UNKNOWN")]])
def test_a_night_that_its_stages_do_not_cover_has_no_sleep_time(stages: list[tuple[int, str]], tmp_path: Path) -> None:
    night = {**uploads.sleep(T0, stages), "endTimeEpochMillis": T0 + 8 * HOUR}
    upload = uploads.write(tmp_path / "SleepSessionRecord_1763380800000.avro", "SleepSessionRecord", [night])
    found = json.loads(etlnarr("inspect", upload, "--json").stdout)
    assert found["clinical_insights"]["sleep_statistics"]["total_sleep_time"] is None
    assert "sleep_statistics.total_sleep_time" in {entry["path"] for entry in found["withheld"]}


@pytest.mark.parametrize("zone", ["localtime", "Factory", "Mars/Olympus"])
def test_a_zone_that_names_no_place_is_refused(zone: str, tmp_path: Path) -> None:
    done = etlnarr("build", SAMPLES, "--tz", zone, "--lake", tmp_path, expect=2)
    assert "tz" in done.stderr


def test_inspect_wants_one_upload() -> None:
    assert "one upload" in etlnarr("inspect", SAMPLES, expect=2).stderr
