import polars as pl

from etlnarr.metrics.hourly import series
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, readings

Point = tuple[int, float | None]


def found(points: list[Point], offset_s: int | None = 0) -> list[dict[str, object]]:
    (rows,) = series(batch(readings(points, offset_s=offset_s)))["series"].to_list()
    return list(rows)


def labels(points: list[Point], offset_s: int | None = 0) -> list[object]:
    return [row["label"] for row in found(points, offset_s)]


def test_an_hour_has_its_count_mean_and_extremes() -> None:
    assert found(at_steps([90.0, 100.0, 140.0], 30 * MINUTE)) == [
        {"label": "2025-03-03 00:00", "n": 2, "mean": 95.0, "lowest": 90.0, "highest": 100.0},
        {"label": "2025-03-03 01:00", "n": 1, "mean": 140.0, "lowest": 140.0, "highest": 140.0},
    ]


def test_hours_are_local() -> None:
    assert labels([(MIDNIGHT, 100.0)], offset_s=-5 * 3600) == ["2025-03-02 19:00"]


def test_values_are_free_of_noise() -> None:
    (row,) = found([(MIDNIGHT, 88.99999999999999)])
    assert (row["mean"], row["lowest"], row["highest"]) == (89.0, 89.0, 89.0)


def test_three_days_are_told_by_the_hour_and_longer_ones_by_the_day() -> None:
    three = [(MIDNIGHT, 100.0), (MIDNIGHT + 3 * DAY, 110.0)]
    longer = [(MIDNIGHT, 100.0), (MIDNIGHT + 3 * DAY + 1, 110.0)]
    assert labels([*three]) == ["2025-03-03 00:00", "2025-03-06 00:00"]
    assert labels([*longer]) == ["2025-03-03", "2025-03-06"]


def test_a_whole_trace_of_three_days_stays_bounded() -> None:
    assert len(found(at_steps([100.0] * 72, HOUR))) == 72


def test_31_days_are_told_by_the_day_and_longer_ones_by_the_week() -> None:
    month = [(MIDNIGHT + day * DAY, 100.0) for day in range(31)]
    assert len(labels([*month])) == 31
    weeks = labels([*month, (MIDNIGHT + 31 * DAY, 100.0)])
    assert weeks == [f"week of 2025-03-{monday:02}" for monday in (3, 10, 17, 24, 31)]


def test_weeks_begin_on_monday() -> None:
    sunday = MIDNIGHT - DAY
    assert labels([(sunday, 100.0), (MIDNIGHT + 40 * DAY, 110.0)]) == ["week of 2025-02-24", "week of 2025-04-07"]


def test_without_a_clock_time_is_counted_from_the_first_reading() -> None:
    start = MIDNIGHT + 90 * MINUTE
    assert labels([(start, 100.0), (start + 59 * MINUTE, 100.0), (start + HOUR, 100.0)], None) == ["hour 1", "hour 2"]
    assert labels([(start, 100.0), (start + 4 * DAY, 100.0)], None) == ["day 1", "day 5"]
    assert labels([(start, 100.0), (start + 40 * DAY, 100.0)], None) == ["week 1", "week 6"]


def test_every_subject_has_its_own_table() -> None:
    frame = series(
        batch(readings([(MIDNIGHT, 100.0)], 1), readings([(MIDNIGHT, 110.0), (MIDNIGHT + 9 * DAY, 90.0)], 2))
    )
    assert frame.select("subject", pl.col("series").list.len()).rows() == [(1, 1), (2, 2)]


def test_readings_without_a_value_are_left_out() -> None:
    (row,) = found([(MIDNIGHT, None), (MIDNIGHT + MINUTE, 100.0)])
    assert row["n"] == 1
