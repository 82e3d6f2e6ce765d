"""Every reason for quarantine, brought about; and what a note must hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etlnarr.model import Json
from etlnarr.quality import COMMON_RULES, HARMLESS
from etlnarr.records import RECORD_TYPES
from tests import uploads
from tests.command import built, etlnarr, fingerprint
from tests.uploads import DAY, HOUR, MINUTE, T0

Row = dict[str, Json]
TRACE = [(T0 + n * 5 * MINUTE, 110.0 + n % 7) for n in range(40)]


def changed(row: Row, **fields: Json) -> Row:
    return {**row, **fields}


def night(start: int = T0) -> Row:
    return uploads.sleep(start, [(240, "LIGHT"), (240, "DEEP")])


def pulse(samples: list[Json]) -> list[Row]:
    row = {name: value for name, value in uploads.steps([(T0, T0 + HOUR, 1)])[0].items() if name != "count"}
    return [{**row, "samples": samples}]


def energy(value: float) -> list[Row]:
    row = {name: inner for name, inner in uploads.steps([(T0, T0 + DAY, 1)])[0].items() if name != "count"}
    return [{**row, "energyInKilocalories": value}]


def vagal(value: float) -> list[Row]:
    point = ("metadata", "timeEpochMillis", "zoneOffsetId", "appRecordFetchTimeEpochMillis")
    row = uploads.glucose([(T0, 1.0)])[0]
    return [{**{name: row[name] for name in point}, "heartRateVariabilityRmssd": value}]


def staged(*stages: tuple[int, int]) -> list[Row]:
    parts: list[Json] = [
        {"startTimeEpochMillis": T0 + a * HOUR, "endTimeEpochMillis": T0 + b * HOUR, "stage": "LIGHT"}
        for a, b in stages
    ]
    return [changed(night(), stages=parts)]


DAYS = [(T0 + d * DAY, T0 + (d + 1) * DAY - 1, 5_000) for d in range(2)]
NAN = float("nan")
CASES: dict[str, tuple[str, Callable[[], list[Row]]]] = {
    "time_missing": ("BloodGlucoseRecord", lambda: uploads.glucose([(-5, 100.0)] * 3)),
    "end_before_start": ("StepsRecord", lambda: uploads.steps([(T0, T0 - HOUR, 10)])),
    "starts_in_future": ("StepsRecord", lambda: uploads.steps([(T0 + 9 * DAY, T0 + 10 * DAY, 10)])),
    "glucose_out_of_range": ("BloodGlucoseRecord", lambda: uploads.glucose([(t, 19.9) for t, _ in TRACE])),
    "heart_rate_out_of_range": (
        "HeartRateRecord",
        lambda: pulse([{"timeEpochMillis": T0 + n * MINUTE, "beatsPerMinute": 221} for n in range(9)]),
    ),
    "samples_missing": ("HeartRateRecord", lambda: pulse([])),
    "value_missing": ("BloodGlucoseRecord", lambda: uploads.glucose([(t, None) for t, _ in TRACE[:1]])),
    "sample_time_missing": ("HeartRateRecord", lambda: pulse([{"timeEpochMillis": -5, "beatsPerMinute": 60}])),
    "stage_time_missing": (
        "SleepSessionRecord",
        lambda: [changed(night(), stages=[{"startTimeEpochMillis": -5, "endTimeEpochMillis": -4, "stage": "LIGHT"}])],
    ),
    "sleep_duration_out_of_range": (
        "SleepSessionRecord",
        lambda: [uploads.sleep(T0, [(10, "LIGHT"), (19, "DEEP")])],
    ),
    "interval_too_long": ("StepsRecord", lambda: uploads.steps([(T0 - 3 * DAY, T0 - DAY + 1, 9_000)])),
    "sample_outside_record": (
        "HeartRateRecord",
        lambda: pulse([{"timeEpochMillis": T0 - DAY + n * MINUTE, "beatsPerMinute": 60} for n in range(9)]),
    ),
    "steps_out_of_range": ("StepsRecord", lambda: uploads.steps([(a, b, 100_001) for a, b, _ in DAYS])),
    "calories_out_of_range": ("ActiveCaloriesBurnedRecord", lambda: energy(10_000.5)),
    "rmssd_out_of_range": ("HeartRateVariabilityRmssdRecord", lambda: vagal(300.5)),
}


@pytest.mark.parametrize("reason", CASES)
def test_every_rule_that_rejects_is_a_reason(reason: str, tmp_path: Path) -> None:
    kind, rows = CASES[reason]
    upload = uploads.write(tmp_path / f"{kind}_1763380800000.avro", kind, rows())
    lake = tmp_path / "lake"
    report = built(lake, upload)
    assert report["status"]["quarantined"] == {reason: 1}
    folder = lake / f"quarantine/{kind}/2025/11/17"
    assert (folder / f"{kind}_1763380800000.avro").read_bytes() == upload.read_bytes()
    note = json.loads((folder / f"{kind}_1763380800000.metadata.json").read_text())
    assert note["quarantine_reason"] == reason
    assert note["rules"][reason] > 0
    assert note["errors"]
    assert 0 <= note["quality_score"] < 1
    assert note["quarantined_utc"] == "2025-12-01T00:00:00Z"


COUNTED: dict[str, list[Row]] = {
    "overlapping_stages": staged((0, 4), (3, 8)),
    "stage_outside_session": staged((0, 8), (8, 9)),
    "stage_end_before_start": staged((0, 8), (8, 7)),
}
"""Rules that drop a row and never a whole upload, unless nothing is left of it."""


@pytest.mark.parametrize("rule", COUNTED)
def test_every_rule_counts_the_rows_that_fail_it(rule: str, tmp_path: Path) -> None:
    upload = uploads.write(tmp_path / "SleepSessionRecord_1763380800000.avro", "SleepSessionRecord", COUNTED[rule])
    quality = json.loads(etlnarr("inspect", upload, "--json").stdout)["quality"]
    assert (quality["state"], quality["scores"]["rules"]) == ("accepted", {rule: 1})


def test_no_rule_is_left_without_a_case() -> None:
    names = {rule.name for kind in RECORD_TYPES for rule in kind.rules} | {rule.name for rule in COMMON_RULES}
    assert names - HARMLESS == {*CASES, *COUNTED}


BYTES: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "empty_file": ("StepsRecord_1763380800000.avro", b"", {}),
    "not_avro": ("StepsRecord_1763380800000.avro", b"no Avro at all", {}),
    "truncated": ("StepsRecord_1763380800000.avro", b"Obj\x01\x04", {}),
}


@pytest.mark.parametrize("reason", BYTES)
def test_bytes_that_cannot_be_read_are_kept_beside_the_reason(reason: str, tmp_path: Path) -> None:
    name, body, env = BYTES[reason]
    (tmp_path / name).write_bytes(body)
    lake = tmp_path / "lake"
    assert built(lake, tmp_path / name, **env)["status"]["quarantined"] == {reason: 1}
    kept = lake / "quarantine/StepsRecord/2025/11/17/StepsRecord_1763380800000.avro"
    assert kept.read_bytes() == body


@pytest.mark.parametrize(
    ("reason", "env"),
    [
        ("too_large", {"ETL_MAX_FILE_SIZE_MB": "0.0005"}),
        ("too_many_records", {"ETL_MAX_RECORDS_PER_FILE": "39"}),
        ("timed_out", {"ETL_PROCESSING_TIMEOUT_SECONDS": "0"}),
        ("low_quality", {"ETL_QUALITY_THRESHOLD": "1"}),
    ],
)
def test_limits_come_from_the_settings(reason: str, env: dict[str, str], tmp_path: Path) -> None:
    late = uploads.glucose([*TRACE[1:], TRACE[0]])
    upload = uploads.write(tmp_path / "BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", late)
    assert built(tmp_path / "lake", upload, **env)["status"]["quarantined"] == {reason: 1}
    assert built(tmp_path / "free", upload)["status"]["quarantined"] == {}


def test_a_type_that_disagrees_with_its_key_or_is_not_known(tmp_path: Path) -> None:
    rows = uploads.glucose(TRACE)
    wrong = uploads.write(tmp_path / "StepsRecord_1763380800000.avro", "BloodGlucoseRecord", rows)
    assert built(tmp_path / "a", wrong)["status"]["quarantined"] == {"record_type_mismatch": 1}
    unknown = tmp_path / "unknown.avro"
    unknown.write_bytes(wrong.read_bytes().replace(b"AvroBloodGlucoseRecord", b"AvroBloodPressuresRcrd"))
    assert built(tmp_path / "b", unknown, month=None)["status"]["quarantined"] == {"unknown_record_type": 1}


def test_a_schema_that_lacks_a_field_names_it(tmp_path: Path) -> None:
    upload = uploads.write(
        tmp_path / "BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", uploads.glucose(TRACE)
    )
    upload.write_bytes(upload.read_bytes().replace(b"levelInMilligramsPerDeciliter", b"levelInMillimolesPerLitersXYZ"))
    report = json.loads(etlnarr("inspect", upload, "--json").stdout)
    assert report["quality"]["quarantine_reason"] == "schema_error"
    assert report["schema"]["missing"] == ["levelInMilligramsPerDeciliter"]
    assert report["example"] is None


def test_without_quarantine_the_rejection_is_recorded_and_nothing_is_copied(tmp_path: Path) -> None:
    (tmp_path / "bad.avro").write_bytes(b"no Avro")
    report = built(tmp_path / "lake", tmp_path / "bad.avro", month=None, ETL_ENABLE_QUARANTINE="false")
    assert report["status"]["quarantined"] == {"not_avro": 1}
    assert fingerprint(tmp_path / "lake") == {}


def test_two_rejected_uploads_of_one_name_are_both_kept(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "StepsRecord_1763380800000.avro").write_bytes(f"not Avro {folder}".encode())
    built(tmp_path / "lake", tmp_path / "a", tmp_path / "b")
    kept = sorted((tmp_path / "lake/quarantine").rglob("*.avro"))
    assert {file.read_bytes() for file in kept} == {b"not Avro a", b"not Avro b"}


def test_a_source_that_is_gone_before_it_is_copied_is_reported(tmp_path: Path) -> None:
    bad = tmp_path / "bad.avro"
    bad.write_bytes(b"no Avro")
    lake = ("--lake", tmp_path / "lake")
    etlnarr("ingest", bad, *lake)
    bad.unlink()
    report: dict[str, Any] = json.loads(etlnarr("validate", *lake, "--json").stdout)
    assert (report["quarantined"], report["lost"]) == (1, 1)
    assert len(list((tmp_path / "lake").rglob("*.metadata.json"))) == 1


def test_a_copy_moves_to_another_prefix_when_its_source_is_gone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.avro").write_bytes(b"no Avro")
    lake = ("--lake", tmp_path / "lake")
    etlnarr("build", tmp_path / "in", *lake)
    (tmp_path / "in/bad.avro").unlink()
    report = json.loads(etlnarr("validate", *lake, "--json", env={"ETL_QUARANTINE_PREFIX": "rejected/"}).stdout)
    assert report["lost"] == 0
    assert [file.read_bytes() for file in (tmp_path / "lake/rejected").rglob("*.avro")] == [b"no Avro"]
    assert not list((tmp_path / "lake/quarantine").rglob("*.*"))


def test_a_value_out_of_range_reaches_no_metric(tmp_path: Path) -> None:
    rows = uploads.glucose([*TRACE, (T0 + 4 * HOUR, 601.0), (T0 + 5 * HOUR, 19.0)])
    upload = uploads.write(tmp_path / "BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", rows)
    found = json.loads(etlnarr("inspect", upload, "--json").stdout)
    assert found["quality"]["scores"]["rules"] == {"glucose_out_of_range": 2}
    assert found["quality"]["scores"]["physiological"] == pytest.approx(40 / 42, abs=1e-6)
    statistics = found["clinical_insights"]["glucose_statistics"]
    assert (statistics["count"], statistics["min"], statistics["max"]) == (40, 110.0, 116.0)


def test_sources_that_interleave_are_in_order_and_one_that_jumps_back_is_not(tmp_path: Path) -> None:
    first = uploads.glucose([(T0, 100.0), (T0 + 2 * HOUR, 101.0)], source="org.example.a")
    second = uploads.glucose([(T0 - HOUR, 100.0), (T0 + HOUR, 101.0)], source="org.example.b")
    woven = [first[0], second[0], first[1], second[1]]
    upload = uploads.write(tmp_path / "BloodGlucoseRecord_1763380800000.avro", "BloodGlucoseRecord", woven)
    assert json.loads(etlnarr("inspect", upload, "--json").stdout)["quality"]["scores"]["rules"] == {}
    uploads.write(upload, "BloodGlucoseRecord", [*first[::-1], *second])
    assert json.loads(etlnarr("inspect", upload, "--json").stdout)["quality"]["scores"]["rules"] == {"out_of_order": 1}


STAGES: list[Json] = [
    {"startTimeEpochMillis": T0 + n * HOUR, "endTimeEpochMillis": T0 + (n + 1) * HOUR, "stage": stage}
    for n, stage in enumerate(("LIGHT", "DEEP", "LIGHT", "REM", "LIGHT", "DEEP", "LIGHT", "LIGHT"))
]


def inspected(folder: Path, stages: list[Json]) -> dict[str, Any]:
    upload = uploads.write(folder / "night.avro", "SleepSessionRecord", [changed(night(), stages=stages)])
    return dict(json.loads(etlnarr("inspect", upload, "--json").stdout))


def test_a_stage_without_a_start_spoils_no_other(tmp_path: Path) -> None:
    lost: Json = {"startTimeEpochMillis": 0, "endTimeEpochMillis": T0 + 8 * HOUR, "stage": "LIGHT"}
    found = inspected(tmp_path, [*STAGES, lost])
    assert found["quality"]["state"] == "accepted"
    assert found["quality"]["scores"]["rules"] == {"stage_time_missing": 1}
    assert found["clinical_insights"] == inspected(tmp_path, STAGES)["clinical_insights"]


def test_which_of_two_stages_of_one_time_counts_does_not_depend_on_their_order(tmp_path: Path) -> None:
    twin: Json = {"startTimeEpochMillis": T0, "endTimeEpochMillis": T0 + HOUR, "stage": "AWAKE"}
    first, last = (inspected(tmp_path, stages) for stages in ([twin, *STAGES], [STAGES[0], twin, *STAGES[1:]]))
    assert first["quality"]["scores"]["rules"] == {"overlapping_stages": 1}
    assert first["clinical_insights"] == last["clinical_insights"]
