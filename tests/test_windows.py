"""Days, nights, weeks and months: the records of a person, whatever uploads brought them."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from etlnarr.model import Json
from etlnarr.records import by_name
from tests import uploads
from tests.command import SAMPLES, etlnarr, fingerprint, rows
from tests.traces import reference
from tests.uploads import DAY, HOUR, MINUTE

Row = dict[str, Any]
OF_UPLOADS = (
    *("source_s3_key", "source_bucket", "upload_timestamp_utc", "uploads", "data_quality_score", "validation_warnings"),
)
"""What names the uploads behind a window."""


def built(lake: Path, *arguments: object, month: str | None = "2025-09", **env: str) -> Row:
    months = ["--month", month] if month else []
    return dict(json.loads(etlnarr("build", *arguments, *months, "--lake", lake, "--json", env=env).stdout))


def per(*kinds: str) -> list[str]:
    return [word for kind in kinds for word in ("--per", kind)]


def about(lake: Path, record_type: str, kind: str, key: str | None = None) -> list[Row]:
    found = [row for row in rows(lake) if row["metadata"]["record_type"] == record_type]
    of_kind = [row for row in found if row["metadata"]["subject"]["kind"] == kind]
    return [row for row in of_kind if key in (None, row["metadata"]["subject"]["key"])]


def insight(row: Row, path: str) -> Any:
    node = row["metadata"]["clinical_insights"]
    for part in path.split("."):
        node = node[part]
    return node


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_the_real_nights_are_told_once_with_both_devices_named(real_samples: Path, tmp_path: Path) -> None:
    kinds = per("upload", "night", "day", "month")
    built(tmp_path, real_samples, *kinds)
    (night,) = about(tmp_path, "SleepSessionRecord", "night", "2025-09-20")
    assert insight(night, "sleep_statistics.total_sleep_time") == 370
    assert "Samsung Health" in night["output"]
    assert "Oura" in night["output"]
    assert "695" not in json.dumps(night)
    assert {row["metadata"]["subject"]["key"] for row in about(tmp_path, "SleepSessionRecord", "night")} == {
        "2025-09-20",
        "2025-09-21",
        "2025-09-22",
    }
    for row in (*about(tmp_path, "BloodGlucoseRecord", "day"), *about(tmp_path, "BloodGlucoseRecord", "month")):
        assert row["metadata"]["period"]["offset"] == "UTC-05:00"
        assert row["metadata"]["period"]["offset_source"] == "inferred"
    (month,) = about(tmp_path, "BloodGlucoseRecord", "month")
    assert insight(month, "glucose_statistics.count") == 707
    assert insight(month, "glucose_statistics.coverage.active_percent") == pytest.approx(94.9, abs=0.05)
    assert sum(upload["records"] for upload in month["metadata"]["uploads"]) == 707
    preferred = built(tmp_path, real_samples, *kinds, "--source-priority", "com.ouraring.oura")
    assert preferred["narrate"]["replaced"] > 0
    (night,) = about(tmp_path, "SleepSessionRecord", "night", "2025-09-20")
    assert insight(night, "sleep_statistics.total_sleep_time") == 325
    (own,) = [row for row in about(tmp_path, "SleepSessionRecord", "upload") if row["metadata"]["sources"]["others"]][
        :1
    ]
    for row in (night, own):
        asked = ("explain", row["metadata"]["example_id"], "--source-priority", "com.ouraring.oura", "--json")
        done = json.loads(etlnarr(*asked, "--lake", tmp_path).stdout)
        places = {one["package"]: (one["chosen"], one["preferred"]) for one in done["sources"]}
        assert places == {"com.ouraring.oura": (True, 0), "com.sec.android.app.shealth": (False, None)}


SLEEP = "sleep_statistics"
OF_REFERENCE = {
    "TIB_min": f"{SLEEP}.time_in_bed",
    "TST_min": f"{SLEEP}.total_sleep_time",
    "SE_pct": f"{SLEEP}.efficiency",
    "SOL_min": f"{SLEEP}.sleep_onset_latency",
    "SPT_min": f"{SLEEP}.sleep_period_time",
    "WASO_within_SPT_min": f"{SLEEP}.waso",
    "REM_latency_from_onset_min": f"{SLEEP}.rem_latency",
    "light_pct": f"{SLEEP}.stages.light_percent",
    "deep_pct": f"{SLEEP}.stages.deep_percent",
    "rem_pct": f"{SLEEP}.stages.rem_percent",
    "awakenings_ge_5min": f"{SLEEP}.awakenings",
}


@pytest.mark.parametrize(
    ("source", "session"),
    [
        ("com.sec.android.app.shealth", "2025-09-20T01:56:00_sec"),
        ("com.ouraring.oura", "2025-09-20T02:39:30_ouraring"),
    ],
)
def test_the_real_night_agrees_with_the_toolboxes(
    source: str, session: str, real_samples: Path, tmp_path: Path
) -> None:
    built(tmp_path, real_samples, *per("night"), "--source-priority", source)
    (night,) = about(tmp_path, "SleepSessionRecord", "night", "2025-09-20")
    expected = reference("real_sleep_2025-09-20", "sessions", session, "own")
    assert isinstance(expected, dict)
    for name, path in OF_REFERENCE.items():
        assert insight(night, path) == pytest.approx(expected[name], rel=1e-6, abs=0.5 if name.endswith("_min") else 0)
    agreement = reference("real_sleep_2025-09-20", "samsung_vs_oura")
    assert isinstance(agreement, dict)
    assert insight(night, "device_agreement.sleep_wake_kappa") == pytest.approx(agreement["kappa_sleep_wake"], abs=0.01)
    assert insight(night, "device_agreement.stage_kappa") == pytest.approx(agreement["kappa_4stage"], abs=0.005)


@pytest.mark.parametrize(
    ("source", "own", "total"),
    [("com.sec.android.app.shealth", 3_933, 3_933), ("com.ouraring.oura", 2_517, 3_172.5)],
)
def test_the_real_steps_are_added_as_health_connect_does(
    source: str, own: int, total: float, real_samples: Path, tmp_path: Path
) -> None:
    built(tmp_path, *sorted(real_samples.glob("Steps*")), *per("day"), "--source-priority", source)
    (day,) = about(tmp_path, "StepsRecord", "day", "2025-09-20")
    assert insight(day, "device_agreement.combined_total") == pytest.approx(total, abs=0.1)
    assert insight(day, "steps_statistics.total") == own


def test_a_window_whose_records_stay_is_not_told_again(tmp_path: Path) -> None:
    first = built(tmp_path, SAMPLES, *per("month"), month="2025-11")
    assert (first["narrate"]["told"], first["narrate"]["replaced"]) == (6, 0)
    before = fingerprint(tmp_path)
    again = built(tmp_path, SAMPLES, *per("month"), month="2025-11")
    assert (again["analyse"]["analysed"], again["narrate"]["told"], again["export"]["written"]) == (0, 0, [])
    days = [(ms("2025-11-30T08:00:00"), ms("2025-11-30T09:00:00"), 9_000)]
    late = uploads.steps(days, fetched=ms("2025-12-02T00:00:00"), modified=ms("2025-11-30T09:00:00"))
    more = uploads.write(tmp_path / "in/StepsRecord_1764633600000.avro", "StepsRecord", late)
    changed = built(tmp_path, SAMPLES, more, *per("month"), month="2025-11")
    assert (changed["narrate"]["told"], changed["narrate"]["replaced"]) == (1, 1)
    assert fingerprint(tmp_path) != before


def test_a_row_stays_short_enough_to_be_read(tmp_path: Path) -> None:
    built(tmp_path, SAMPLES, *per("upload", "day", "night", "week", "month"), month=None)
    told = rows(tmp_path)
    assert len(told) > 200
    for row in told:
        words = [word for word in row["output"].split() if any(sign.isalpha() for sign in word)]
        assert len(words) <= 180, row["output"]


def test_what_was_asked_for_decides_what_is_exported(tmp_path: Path) -> None:
    built(tmp_path / "used", SAMPLES, month="2025-11")
    built(tmp_path / "used", SAMPLES, *per("week", "month"), month="2025-11")
    built(tmp_path / "fresh", SAMPLES, *per("month", "week"), month="2025-11")
    assert fingerprint(tmp_path / "used") == fingerprint(tmp_path / "fresh")
    built(tmp_path / "used", SAMPLES, month="2025-11")
    built(tmp_path / "plain", SAMPLES, month="2025-11")
    assert fingerprint(tmp_path / "used") == fingerprint(tmp_path / "plain")


def test_a_window_belongs_to_the_month_of_its_last_local_day(tmp_path: Path) -> None:
    start = ms("2025-10-30T06:00:00")
    days = [(start + n * DAY, start + n * DAY + HOUR, 1_000 + n) for n in range(4)]
    walked = uploads.steps(days, fetched=ms("2025-12-20T00:00:00"), modified=ms("2025-11-10T00:00:00"))
    upload = uploads.write(tmp_path / "in/StepsRecord_1766188800000.avro", "StepsRecord", walked)
    built(tmp_path / "lake", upload, *per("week", "month", "day"), month="2025-11")
    keys = [row["metadata"]["subject"]["key"] for row in about(tmp_path / "lake", "StepsRecord", "week")]
    assert keys == ["2025-W44"]  # from 27 October to 2 November
    assert len(about(tmp_path / "lake", "StepsRecord", "day")) == 2
    (month,) = about(tmp_path / "lake", "StepsRecord", "month")
    assert insight(month, "steps_statistics.total") == 1_002 + 1_003
    assert month["metadata"]["subject"] == {
        "kind": "month", "key": "2025-11", "start": "2025-11-01T00:00:00", "end": "2025-12-01T00:00:00",
    }  # fmt: skip


def test_a_day_at_a_clock_change_has_its_own_length(tmp_path: Path) -> None:
    midnight = ms("2025-11-02T05:00:00")  # in Chicago, where the day has 25 hours
    points = [(midnight + n * 5 * MINUTE, 100.0) for n in range(-12, 25 * 12 + 12)]
    readings = uploads.glucose(points, offset="Z", source="com.dexcom.g7", fetched=ms("2025-11-05T00:00:00"))
    upload = uploads.write(tmp_path / "in/BloodGlucoseRecord_1762300800000.avro", "BloodGlucoseRecord", readings)
    built(tmp_path / "lake", upload, *per("day"), "--tz", "America/Chicago", month="2025-11")
    (day,) = about(tmp_path / "lake", "BloodGlucoseRecord", "day", "2025-11-02")
    assert insight(day, "glucose_statistics.count") == 25 * 12
    assert day["metadata"]["period"]["offset"] == "UTC-05:00 and UTC-06:00"
    assert day["metadata"]["period"]["offset_source"] == "setting"


def test_an_unfinished_month_says_how_far_it_has_come(tmp_path: Path) -> None:
    days = [(ms(f"2025-11-{n:02}T00:00:00"), ms(f"2025-11-{n:02}T23:59:59"), 8_000) for n in range(1, 11)]
    walked = uploads.steps(days, fetched=ms("2025-11-10T10:30:00"), modified=ms("2025-11-10T10:25:00"))
    upload = uploads.write(tmp_path / "in/StepsRecord_1762770600000.avro", "StepsRecord", walked)
    built(tmp_path / "lake", upload, *per("month"), month="2025-11")
    (month,) = about(tmp_path / "lake", "StepsRecord", "month")
    assert month["metadata"]["period"]["as_of"] == "2025-11-10T10:25:00"
    assert "so far, as of 10:25 on 10 November" in month["output"]
    later = uploads.steps(days[:1], fetched=ms("2025-12-01T10:30:00"), modified=ms("2025-11-10T10:25:00"))
    upload = uploads.write(tmp_path / "in/StepsRecord_1764585000000.avro", "StepsRecord", later)
    report = built(tmp_path / "lake", tmp_path / "in", *per("month"), month="2025-11")
    assert report["narrate"]["replaced"] == 1
    (month,) = about(tmp_path / "lake", "StepsRecord", "month")
    assert month["metadata"]["period"]["as_of"] is None


def test_a_record_across_midnight_is_of_both_days(tmp_path: Path) -> None:
    """600 steps from 23:30 to 00:30, between days of 8 to 22 o'clock; a day is whole when it was fetched much later."""
    hours = [
        (ms(f"2025-11-{day:02}T{hour:02}:00:00"), ms(f"2025-11-{day:02}T{hour + 1:02}:00:00"), 100)
        for day in range(3, 8)
        for hour in range(8, 22)
    ]
    late = (ms("2025-11-04T23:30:00"), ms("2025-11-05T00:30:00"), 600)
    walked = uploads.steps([*hours, late], fetched=ms("2025-11-20T00:00:00"), modified=ms("2025-11-20T00:00:00"))
    upload = uploads.write(tmp_path / "in/StepsRecord_1763596800000.avro", "StepsRecord", walked)
    built(tmp_path / "lake", upload, *per("day", "week"), month="2025-11")
    days = {row["metadata"]["subject"]["key"]: row for row in about(tmp_path / "lake", "StepsRecord", "day")}
    totals = {key: insight(row, "steps_statistics.total") for key, row in days.items()}
    assert totals == {f"2025-11-0{day}": 1_400 + (300 if day in (4, 5) else 0) for day in range(3, 8)}
    for key, row in days.items():  # the first may be cut off at its start
        whole = int(key > "2025-11-03")
        assert (insight(row, "steps_statistics.days"), insight(row, "steps_statistics.complete_days")) == (1, whole)
    (week,) = about(tmp_path / "lake", "StepsRecord", "week")
    assert insight(week, "steps_statistics.total") == sum(totals.values())


def test_a_time_zone_that_came_and_went_leaves_nothing(tmp_path: Path) -> None:
    for tz, month in (("Europe/Paris", "2025-11"), ("America/Chicago", None), ("Europe/Paris", "2025-11")):
        built(tmp_path / "used", SAMPLES, *per("day", "night"), "--tz", tz, month=month)
    built(tmp_path / "used", SAMPLES, *per("day", "night"), "--tz", "Europe/Paris", month=None)
    built(tmp_path / "fresh", SAMPLES, *per("day", "night"), "--tz", "Europe/Paris", month=None)
    assert fingerprint(tmp_path / "used") == fingerprint(tmp_path / "fresh")


def test_a_version_that_moved_far_away_takes_its_record_along(tmp_path: Path) -> None:
    def upload(name: str, day: str, modified: str) -> Path:
        start = ms(f"{day}T00:00:00")
        walked = uploads.steps([(start, start + DAY - 1, 9_000)], fetched=ms(modified), modified=ms(modified))
        record = {**walked[0], "metadata": uploads.metadata("moved", modified=ms(modified))}
        return uploads.write(tmp_path / f"in/{name}.avro", "StepsRecord", [record])

    first = upload("StepsRecord_1759708800000", "2025-10-05", "2025-10-06T00:00:00")
    built(tmp_path / "lake", first, *per("day"), month="2025-10")
    assert len(about(tmp_path / "lake", "StepsRecord", "day")) == 1
    second = upload("StepsRecord_1796083200000", "2026-11-30", "2026-12-01T00:00:00")
    built(tmp_path / "lake", second, *per("day"), month="2025-10")
    assert about(tmp_path / "lake", "StepsRecord", "day") == []


def test_one_record_id_of_two_people_is_two_records(tmp_path: Path) -> None:
    for user, count in (("ann", 6_000), ("bob", 9_000)):
        day = [(ms("2025-11-03T00:00:00"), ms("2025-11-03T23:59:59"), count)]
        walked = uploads.steps(day, fetched=ms("2025-11-05T00:00:00"), modified=ms("2025-11-04T10:00:00"))
        uploads.write(tmp_path / f"in/{user}_1762300800_a.avro", "StepsRecord", walked)
    report = built(tmp_path / "lake", tmp_path / "in", *per("day"), month="2025-11")
    found = about(tmp_path / "lake", "StepsRecord", "day")
    totals = {row["metadata"]["user_id"]: insight(row, "steps_statistics.total") for row in found}
    assert totals == {"ann": 6_000, "bob": 9_000}
    assert report["status"]["shared_ids"] == 1


def test_an_upload_that_is_judged_out_takes_its_windows_along(tmp_path: Path) -> None:
    days = [(ms("2025-11-03T00:00:00"), ms("2025-11-03T23:59:59"), 6_000)]
    days.append((ms("2025-11-04T00:00:00"), ms("2025-11-04T23:59:59"), 200_000))
    walked = uploads.steps(days, fetched=ms("2025-11-06T00:00:00"), modified=ms("2025-11-05T10:00:00"))
    upload = uploads.write(tmp_path / "in/StepsRecord_1762387200000.avro", "StepsRecord", walked)
    built(tmp_path / "lake", upload, *per("day"), month="2025-11")
    assert len(about(tmp_path / "lake", "StepsRecord", "day")) == 1
    built(tmp_path / "lake", upload, *per("day"), month="2025-11", ETL_QUALITY_THRESHOLD="0.95")
    assert rows(tmp_path / "lake") == []


def pulse(start: int, minutes: int, fetched: int) -> list[dict[str, Json]]:
    shape = {name: value for name, value in uploads.steps([(start, start + HOUR, 1)])[0].items() if name != "count"}
    found: list[dict[str, Json]] = []
    for hour in range(minutes // 60):
        at = start + hour * HOUR
        samples: list[Json] = [
            {"timeEpochMillis": at + n * MINUTE, "beatsPerMinute": 60 + (hour * 7 + n) % 40} for n in range(60)
        ]
        bounds: dict[str, Json] = {"startTimeEpochMillis": at, "endTimeEpochMillis": at + HOUR - 1, "samples": samples}
        own = uploads.metadata(f"pulse-{at}")
        found.append({**shape, **bounds, "metadata": own, "appRecordFetchTimeEpochMillis": fetched})
    return found


def test_any_order_and_any_cut_of_the_uploads_give_the_same_windows(tmp_path: Path) -> None:
    start, fetched = ms("2025-11-03T00:00:00"), ms("2025-11-20T00:00:00")
    whole: Mapping[str, Sequence[Mapping[str, Json]]] = {
        "BloodGlucoseRecord": uploads.glucose(
            [(start + n * 15 * MINUTE, 90.0 + n % 50) for n in range(4 * 96)], fetched=fetched
        ),
        "SleepSessionRecord": [
            uploads.sleep(start + n * DAY + 22 * HOUR, [(90, "LIGHT"), (60, "DEEP"), (120, "REM")], fetched=fetched)
            for n in range(4)
        ],
        "HeartRateRecord": pulse(start, 4 * 24 * 60, fetched),
    }
    chance = random.Random(11)
    told = []
    for round_ in range(3):
        lake, folder = tmp_path / f"lake{round_}", tmp_path / f"in{round_}"
        files = []
        for kind, body in whole.items():
            parts: list[list[Mapping[str, Json]]] = [[] for _ in range(1 if not round_ else chance.randrange(2, 5))]
            for record in body:
                parts[chance.randrange(len(parts))].append(record)
                if round_ and chance.random() < 0.2:
                    parts[chance.randrange(len(parts))].append(record)
            for number, part in enumerate(parts):
                once = list({str(record["metadata"]): record for record in part}.values())
                name = f"{kind}_{1763596800000 + number * 1000}.avro"
                files.append(uploads.write(folder / name, kind, once))
        chance.shuffle(files)
        cut = chance.randrange(1, len(files))
        for batch in (files[:cut], files[cut:]):
            built(lake, *batch, *per("day", "night", "week", "month"), month="2025-11")
        told.append([{**row, "metadata": without_uploads(row["metadata"])} for row in rows(lake)])
    assert len(told[0]) > 15
    assert told[1] == told[0]
    assert told[2] == told[0]


def without_uploads(metadata: Row) -> Row:
    return {name: value for name, value in metadata.items() if name not in OF_UPLOADS}


@pytest.mark.parametrize("kind", ["upload", "month"])
def test_a_row_can_be_explained_down_to_every_number(kind: str, tmp_path: Path) -> None:
    built(tmp_path, SAMPLES, *per(kind), month="2025-11")
    for row in (rows(tmp_path)[0], rows(tmp_path)[-1]):
        metadata = row["metadata"]
        done = json.loads(etlnarr("explain", metadata["example_id"], "--lake", tmp_path, "--json").stdout)
        assert [number["text"] for number in done["numbers"]] == [entry["text"] for entry in metadata["evidence"]]
        assert done["uploads"] == metadata["uploads"]
        assert done["withheld"] == metadata["withheld"]
        assert {one["package"] for one in done["sources"] if one["chosen"]} == {
            one["package"] for one in metadata["sources"]["chosen"]
        }
        declared = {metric.path: metric for metric in by_name[metadata["record_type"]].metrics}
        for number in done["numbers"]:
            metric = declared.get(number["path"])
            assert metric is None or (number["unit"], number["definition"]) == (metric.unit, metric.definition)
            assert number["inputs"]
    text = etlnarr("explain", metadata["example_id"], "--lake", tmp_path).stdout
    assert metadata["template_hash"] in text
    assert "no row" in etlnarr("explain", "nothing", "--lake", tmp_path, expect=2).stderr


def test_every_person_gets_an_hba1c_estimate_or_the_sentence_that_says_why_not(tmp_path: Path) -> None:
    etlnarr("samples", "--out", tmp_path / "in", "--users", 6, "--days", 16)
    built(tmp_path / "lake", tmp_path / "in", *per("month"), month="2025-11")
    found = about(tmp_path / "lake", "BloodGlucoseRecord", "month")
    assert len({row["metadata"]["user_id"] for row in found}) == len(found) > 3
    estimated = 0
    for row in found:
        covered = insight(row, "glucose_statistics.coverage")
        enough = covered["days"] is not None and covered["days"] >= 10 and covered["active_percent"] >= 70
        paths = {entry["path"] for entry in row["metadata"]["evidence"]}
        assert ("glucose_statistics.gmi" in paths) == enough
        assert enough or "HbA1c" in row["output"]
        estimated += enough
    assert estimated > 0
