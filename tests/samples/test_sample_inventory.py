"""The 26 committed files: how many, of whom, when, and what they show."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import mean, stdev

from etlnarr import container
from etlnarr.samples import write_samples
from tests.samples.default_set import FOLDER, Row, decoded, fetched, files, of, rows, source

SAMSUNG = "com.sec.android.app.shealth"
LEAST_DAYS = 7
WRITE = """
import sys
from pathlib import Path
from etlnarr.samples import write_samples
list(write_samples(Path(sys.argv[1])))
"""


def levels(path: Path) -> list[float]:
    return [round(row["levelInMilligramsPerDeciliter"], 6) for row in rows(path)]


def share(values: list[float], lowest: float, highest: float) -> float:
    return 100 * sum(lowest <= value <= highest for value in values) / len(values)


def test_there_are_26_files_of_six_types() -> None:
    assert Counter(path.name.split("_")[0] for path in files()) == {
        "BloodGlucoseRecord": 5,
        "HeartRateRecord": 5,
        "SleepSessionRecord": 5,
        "StepsRecord": 5,
        "ActiveCaloriesBurnedRecord": 3,
        "HeartRateVariabilityRmssdRecord": 3,
    }


def test_they_are_small_and_of_two_codecs() -> None:
    assert sum(path.stat().st_size for path in files()) < 1_600_000
    assert {container.header(path.read_bytes()).codec for path in files()} == {"null", "snappy"}


def test_all_were_fetched_in_november_at_the_time_of_their_name() -> None:
    for path in files():
        at = datetime.fromtimestamp(fetched(path) / 1000, UTC)
        assert (at.year, at.month) == (2025, 11)
        assert {row["appRecordFetchTimeEpochMillis"] for row in rows(path)} == {fetched(path)}


def test_another_process_writes_the_committed_bytes(tmp_path: Path) -> None:
    abroad = os.environ | {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", WRITE, str(tmp_path)], check=True, env=abroad, cwd=FOLDER.parent)
    assert digests(tmp_path) == digests(FOLDER)


def test_another_seed_writes_other_people(tmp_path: Path) -> None:
    first = next(iter(write_samples(tmp_path, seed=2)))
    assert first.read_bytes() != (FOLDER / first.name).read_bytes()


def digests(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_one_upload_brings_nothing_new_and_several_bring_some() -> None:
    seen: dict[tuple[str, str], int] = {}
    news = {}
    for path in files():
        kind = path.name.split("_")[0]
        newer = 0
        for row in rows(path):
            key = (kind, row["metadata"]["id"])
            modified = row["metadata"]["lastModifiedTimeEpochMillis"]
            newer += modified > seen.get(key, 0)
            seen[key] = max(modified, seen.get(key, 0))
        news[path.name] = (newer, len(rows(path)))
    assert sum(newer == 0 for newer, _ in news.values()) == 1
    assert sum(0 < newer < count for newer, count in news.values()) >= 5


def test_the_five_bands_of_glucose_are_all_peopled_in_one_file() -> None:
    values = levels(of("BloodGlucoseRecord")[1])
    bands = ((0, 53.9), (54, 69.9), (70, 180), (180.1, 250), (250.1, 600))
    assert all(share(values, *band) > 1 for band in bands)


def test_time_in_range_takes_every_class_and_variability_too() -> None:
    in_range = [share(levels(path), 70, 180) for path in of("BloodGlucoseRecord")]
    assert in_range[0] < 30 < in_range[1] < 50 < in_range[2] < 70 < in_range[3]
    variation = [100 * stdev(values) / mean(values) for values in map(levels, of("BloodGlucoseRecord"))]
    assert variation[1] > 50 > variation[2] > 36 > variation[3]


def test_a_sensor_of_a_fortnight_one_of_a_day_and_finger_sticks() -> None:
    sticks, _, _, fortnight, day = of("BloodGlucoseRecord")
    assert {row["specimenSource"] for row in rows(sticks)} == {"CAPILLARY_BLOOD"}
    assert {"BREAKFAST", "LUNCH", "DINNER", "SNACK"} <= {row["mealType"] for row in rows(sticks)}
    assert {row["relationToMeal"] for row in rows(sticks)} == {"FASTING", "BEFORE_MEAL", "AFTER_MEAL", "GENERAL"}
    assert span_days(rows(fortnight)) > 14
    assert len(rows(fortnight)) > 0.9 * 14 * 288
    assert 0.86 < span_days(rows(day)) < 0.88


def span_days(found: list[Row]) -> float:
    times = [row["timeEpochMillis"] for row in found]
    return float((max(times) - min(times)) / 86_400_000)


def test_the_weeks_of_steps_take_the_five_activity_classes() -> None:
    averages = []
    for path in of("StepsRecord"):
        days = complete_days(rows(path))
        assert len(days) >= LEAST_DAYS
        averages.append(mean(days.values()))
    limits = (0, 5_000, 7_500, 10_000, 12_500, 30_000)
    for average, low, high in zip(averages, limits, limits[1:], strict=False):
        assert low <= average < high


def complete_days(found: list[Row]) -> dict[int, int]:
    """Steps by local day of the source that counted most, daily totals only when they were written after their end."""
    counted: dict[tuple[int, str], int] = defaultdict(int)
    for row in found:
        if row["metadata"]["lastModifiedTimeEpochMillis"] >= row["endTimeEpochMillis"]:
            day = (row["startTimeEpochMillis"] - 6 * 3_600_000 + 3_600_000) // 86_400_000
            counted[(day, source(row))] += row["count"]
    days: dict[int, int] = {}
    for (day, _), count in counted.items():
        days[day] = max(count, days.get(day, 0))
    return days


def test_each_variability_file_holds_four_weeks_of_nights() -> None:
    for path in of("HeartRateVariabilityRmssdRecord"):
        nights = {(row["timeEpochMillis"] + 6 * 3_600_000) // 86_400_000 for row in rows(path)}
        assert len(nights) == 28


def test_every_file_decodes_within_physiological_ranges() -> None:
    ranges = {
        "levelInMilligramsPerDeciliter": (20, 600),
        "count": (0, 100_000),
        "energyInKilocalories": (0, 10_000),
        "heartRateVariabilityRmssd": (1, 300),
        "durationMillis": (1_800_000, 57_600_000),
    }
    for path in files():
        for row in decoded(path):
            for name, (low, high) in ranges.items():
                value = row.get(name)
                assert value is None or (isinstance(value, int | float) and low <= value <= high)
    for path in of("HeartRateRecord"):
        assert all(30 <= sample["beatsPerMinute"] <= 220 for row in rows(path) for sample in row["samples"])
