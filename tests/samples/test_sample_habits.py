"""The synthetic uploads have the habits of the real ones."""

import uuid
from hashlib import md5
from itertools import pairwise
from pathlib import Path

import pytest

from etlnarr.samples.sources import derived_id
from tests.samples.default_set import Row, fetched, files, of, rows, source

CODES = {
    "StepsRecord": 13,
    "ActiveCaloriesBurnedRecord": 67,
    "HeartRateRecord": 56,
    "SleepSessionRecord": 12,
    "BloodGlucoseRecord": 17,
    "HeartRateVariabilityRmssdRecord": 31,
}
SAMSUNG = "com.sec.android.app.shealth"
OURA = "com.ouraring.oura"
MAT = "com.withings.wiscale2"
HOUR = 3_600_000
MINUTE = 60_000


def every(kind: str) -> list[Row]:
    return [row for path in of(kind) for row in rows(path)]


def test_the_derived_ids_of_real_uploads_are_derived_so(real_samples: Path) -> None:
    named = [
        (path.name.split("_")[0], row)
        for path in real_samples.glob("*.avro")
        for row in rows(path)
        if row["metadata"]["clientRecordId"]
    ]
    assert len(named) == 1494
    for kind, row in named:
        assert derived_id(source(row), kind, row["metadata"]["clientRecordId"]) == row["metadata"]["id"]


@pytest.mark.parametrize("kind", CODES)
def test_named_records_have_derived_ids_and_others_random_ones(kind: str) -> None:
    for row in every(kind):
        found, named = uuid.UUID(row["metadata"]["id"]), row["metadata"]["clientRecordId"]
        if named is None:
            assert (source(row), found.version, row["metadata"]["clientRecordVersion"]) == (SAMSUNG, 4, 0)
            continue
        digest = md5(source(row).encode() + CODES[kind].to_bytes(4, "big") + named.encode()).digest()
        assert found == uuid.UUID(bytes=digest, version=3)


def test_no_id_stands_twice_in_a_file() -> None:
    for path in files():
        ids = [row["metadata"]["id"] for row in rows(path)]
        assert len(ids) == len(set(ids))


def test_records_stand_in_order_of_their_start() -> None:
    for path in files():
        starts = [int(row.get("startTimeEpochMillis") or row["timeEpochMillis"]) for row in rows(path)]
        assert starts == sorted(starts)


def test_nothing_was_written_after_it_was_fetched() -> None:
    for path in files():
        assert max(row["metadata"]["lastModifiedTimeEpochMillis"] for row in rows(path)) <= fetched(path)


def test_a_re_upload_repeats_the_records_with_a_new_fetch_time() -> None:
    first, again = of("SleepSessionRecord")[:2]
    assert 0 < fetched(again) - fetched(first) < 5 * MINUTE
    told = [{k: v for k, v in row.items() if k != "appRecordFetchTimeEpochMillis"} for row in rows(first)]
    assert told == [{k: v for k, v in row.items() if k != "appRecordFetchTimeEpochMillis"} for row in rows(again)]


def test_an_hour_of_heart_rate_is_updated_in_place_and_not_only_appended_to() -> None:
    early, late = ({row["metadata"]["id"]: row for row in rows(path)} for path in of("HeartRateRecord")[1:3])
    (changed,) = (name for name in early.keys() & late.keys() if stated(early[name]) != stated(late[name]))
    before, after = early[changed], late[changed]
    assert before["metadata"]["lastModifiedTimeEpochMillis"] < after["metadata"]["lastModifiedTimeEpochMillis"]
    assert before["endTimeEpochMillis"] < after["endTimeEpochMillis"]
    count = len(before["samples"])
    assert before["samples"][:-1] == after["samples"][: count - 1]
    assert before["samples"][-1] != after["samples"][count - 1]


def stated(row: Row) -> tuple[int, int]:
    return row["metadata"]["lastModifiedTimeEpochMillis"], len(row["samples"])


def test_whole_hours_of_heart_rate_end_one_millisecond_early() -> None:
    hours = [row for row in every("HeartRateRecord") if source(row) == SAMSUNG and len(row["samples"]) > 1]
    assert sum(row["endTimeEpochMillis"] % HOUR == HOUR - 1 for row in hours) > 0.9 * len(hours)
    spots = [row for row in every("HeartRateRecord") if source(row) == SAMSUNG and len(row["samples"]) == 1]
    assert sum(row["startTimeEpochMillis"] == row["endTimeEpochMillis"] for row in spots) > 100


def test_sensors_write_z_and_everyone_else_an_offset() -> None:
    for kind in CODES:
        for row in every(kind):
            offset = row.get("zoneOffsetId", row.get("startZoneOffsetId"))
            assert (offset == "Z") == source(row).startswith("com.dexcom.")
            assert offset in {"Z", "-05:00", "-06:00"}


def test_the_stelo_keeps_back_three_hours_and_what_it_may_not_show() -> None:
    path = of("BloodGlucoseRecord")[-1]
    found = rows(path)
    assert {source(row) for row in found} == {"com.dexcom.stelo"}
    assert 3 * HOUR <= fetched(path) - max(row["timeEpochMillis"] for row in found) < 3 * HOUR + 10 * MINUTE
    assert all(70 <= round(row["levelInMilligramsPerDeciliter"], 6) <= 250 for row in found)


def test_glucose_carries_the_rounding_errors_of_its_unit() -> None:
    levels = [row["levelInMilligramsPerDeciliter"] for row in every("BloodGlucoseRecord")]
    noisy = {level for level in levels if level != int(level)}
    assert 88.99999999999999 in noisy
    assert all(abs(level - round(level)) < 1e-9 for level in noisy)


def test_sensor_readings_are_five_minutes_apart() -> None:
    times = [row["timeEpochMillis"] for row in rows(of("BloodGlucoseRecord")[-1])]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) > 293_000
    assert sorted(steps)[len(steps) // 2] == pytest.approx(300_000, abs=1_500)


def test_two_devices_watch_most_nights_and_a_nap_stands_beside_them() -> None:
    (path,) = (path for path in of("SleepSessionRecord") if len(rows(path)) == 3)
    assert {source(row) for row in rows(path)} == {MAT, OURA}
    assert min(row["durationMillis"] for row in rows(path)) < 3 * HOUR
    assert {row["title"] for row in rows(path)} == {None, "Oura"}


def test_stages_tile_their_session() -> None:
    for row in every("SleepSessionRecord"):
        stages = row["stages"]
        assert stages[0]["startTimeEpochMillis"] == row["startTimeEpochMillis"]
        assert stages[-1]["endTimeEpochMillis"] == row["endTimeEpochMillis"]
        assert all(a["endTimeEpochMillis"] == b["startTimeEpochMillis"] for a, b in pairwise(stages))
        assert row["durationMillis"] == row["endTimeEpochMillis"] - row["startTimeEpochMillis"]


def test_samsung_sessions_open_with_light_sleep() -> None:
    nights = [row for row in every("SleepSessionRecord") if source(row) == SAMSUNG]
    assert {row["stages"][0]["stage"] for row in nights} == {"LIGHT"}


def test_an_unfinished_day_ends_in_the_future_and_is_told_again_when_it_is_over() -> None:
    first, second = (rows(path) for path in of("StepsRecord")[1:3])
    open_days = {row["metadata"]["id"]: row for row in first if is_open(row)}
    assert {source(row) for row in open_days.values()} == {SAMSUNG, OURA}
    for row in open_days.values():
        assert row["endTimeEpochMillis"] > row["appRecordFetchTimeEpochMillis"]
    later = {row["metadata"]["id"]: row for row in second}
    for name, row in open_days.items():
        assert later[name]["count"] > row["count"]
        assert not is_open(later[name])


def is_open(row: Row) -> bool:
    return bool(row["metadata"]["lastModifiedTimeEpochMillis"] < row["endTimeEpochMillis"])


def test_the_ring_begins_its_day_at_four_and_counts_less() -> None:
    found = rows(of("StepsRecord")[0])
    ring = {row["startTimeEpochMillis"] - 4 * HOUR: row["count"] for row in found if source(row) == OURA}
    watch = {row["startTimeEpochMillis"]: row["count"] for row in found if source(row) == SAMSUNG}
    assert ring.keys() == watch.keys()
    assert all(count < watch[day] for day, count in ring.items())


def test_a_day_of_25_hours_is_one_day() -> None:
    lengths = {
        row["endTimeEpochMillis"] - row["startTimeEpochMillis"] + 1
        for row in every("StepsRecord")
        if source(row) == SAMSUNG
    }
    assert lengths == {24 * HOUR, 25 * HOUR}
