import polars as pl
import pytest

from etlnarr.metrics import clock
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, readings

DECLARED = clock.temporal()


def found(frame: pl.DataFrame) -> dict[str, object]:
    own = frame.group_by("subject").agg(metric.agg.alias(metric.path) for metric in DECLARED if metric.agg is not None)
    row = own.join(clock.distributions(batch(frame)), on="subject", how="left")
    return {path.removeprefix("temporal_patterns."): value for path, value in row.row(0, named=True).items()}


def peak(*frames: pl.DataFrame) -> dict[int, int | None]:
    return dict(clock.peak_hour(pl.concat(frames)).sort("subject").rows())


def test_span_reaches_from_the_first_start_to_the_last_end() -> None:
    frame = readings([(MIDNIGHT, 1.0), (MIDNIGHT + 3 * HOUR, 2.0)])
    ends = frame.with_columns(end=pl.col("start") + 30 * MINUTE)
    assert found(frame)["collection_span_hours"] == 3.0
    assert found(ends)["collection_span_hours"] == 3.5


@pytest.mark.parametrize(
    ("step", "minutes"),
    [(5 * MINUTE, 5.0), (293_700, 5.0), (329_999, 5.0), (330_000, 6.0), (30_000, 1.0), (29_999, 0.5), (5_000, 1 / 12)],
)
def test_interval_is_rounded_to_minutes_and_below_half_a_minute_to_seconds(step: int, minutes: float) -> None:
    assert found(readings(at_steps([1.0, 2.0, 3.0], step)))["interval_minutes"] == pytest.approx(minutes)


def test_readings_of_one_instant_have_no_interval() -> None:
    assert found(readings([(MIDNIGHT, 1.0), (MIDNIGHT, 2.0)]))["interval_minutes"] is None


def test_distributions_follow_the_local_clock() -> None:
    row = found(readings([(MIDNIGHT, 1.0), (MIDNIGHT + 90 * MINUTE, 2.0)], offset_s=-3600))
    hours, days = row["hourly_distribution"], row["weekday_distribution"]
    assert isinstance(hours, dict)
    assert isinstance(days, dict)
    assert len(hours) == 24
    assert {hour: count for hour, count in hours.items() if count} == {"h23": 1, "h00": 1}
    assert days == {"monday": 1, "tuesday": 0, "wednesday": 0, "thursday": 0, "friday": 0, "saturday": 0, "sunday": 1}


def test_one_unknown_offset_silences_the_clock() -> None:
    mixed = pl.concat([readings([(MIDNIGHT, 1.0)]), readings([(MIDNIGHT + HOUR, 2.0)], offset_s=None)])
    row = found(mixed)
    assert (row["hourly_distribution"], row["weekday_distribution"]) == (None, None)
    assert row["collection_span_hours"] == 1.0


def test_peak_hour_needs_nine_of_twelve_readings() -> None:
    # two whole hours, then eight or nine high readings of a third
    eight, nine = ([100.0] * 12 + [120.0] * 12 + [180.0] * n for n in (8, 9))
    assert peak(readings(at_steps(eight))) == {1: 1}
    assert peak(readings(at_steps(nine))) == {1: 2}


def test_one_full_hour_is_no_peak() -> None:
    assert peak(readings(at_steps([100.0] * 12 + [300.0] * 3))) == {1: None}


def test_of_equal_hours_the_first_is_the_peak() -> None:
    assert peak(readings(at_steps([100.0] * 24))) == {1: 0}


def test_peak_hour_is_local_and_pools_the_days() -> None:
    low, high = [100.0] * 12, [150.0] * 12
    first = at_steps(low + high)
    second = at_steps(high + low, start=MIDNIGHT + DAY) + at_steps([160.0] * 12, start=MIDNIGHT + DAY + 2 * HOUR)
    assert peak(readings(first + second, offset_s=-5 * 3600)) == {1: 21}


def test_peak_hour_is_silent_without_a_clock() -> None:
    assert peak(readings(at_steps([100.0] * 12 + [120.0] * 12), offset_s=None)) == {}


def test_sparse_sources_need_what_their_interval_promises() -> None:
    # every 20 minutes: three an hour expected, so two are not enough
    points = at_steps([100.0] * 6, 20 * MINUTE) + at_steps([200.0] * 2, 20 * MINUTE, MIDNIGHT + 2 * HOUR)
    assert peak(readings(points)) == {1: 0}
    assert peak(readings([*points, (MIDNIGHT + 2 * HOUR + 40 * MINUTE, 200.0)])) == {1: 2}
