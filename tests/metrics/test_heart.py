from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etlnarr.metrics import heart
from etlnarr.model import Batch
from tests.traces import HOUR, MIDNIGHT, MINUTE, batch, nights, person, readings

NIGHT = (MIDNIGHT, MIDNIGHT + 8 * HOUR)


def samples(points: Sequence[tuple[float, float]], offset_s: int | None = 0) -> pl.DataFrame:
    """Samples by minute after midnight."""
    return readings(
        [(MIDNIGHT + round(minute * MINUTE), value) for minute, value in points], label=None, offset_s=offset_s
    )


def steady(rate: float, minutes: Sequence[int]) -> list[tuple[float, float]]:
    return [(minute, rate) for minute in minutes]


def row(frame: pl.DataFrame) -> Mapping[str, float | None]:
    return frame.row(0, named=True)


def test_a_sample_counts_the_time_to_the_next_at_most_ten_minutes() -> None:
    """Weights 1, 10 and, for the last, the median step of 15.5 min cut to 10: 1,600 beats in 21 of 31 minutes."""
    found = row(heart.rates(batch(samples([(0, 100), (1, 60), (31, 90)]))))
    assert found["time_weighted_mean"] == pytest.approx(76.190476)
    assert found["covered_hours"] == pytest.approx(21 / 60)


def test_the_last_sample_counts_no_more_than_a_hole_leaves_in_mean_and_coverage_alike() -> None:
    """Ten minutes, ten of the eleven to the last, and the one that is left: 600 + 600 + 90 in 21 minutes."""
    found = row(heart.rates(batch(samples([(0, 60), (10, 60), (21, 90)]))))
    assert found["time_weighted_mean"] == pytest.approx(61.428571)
    assert found["covered_hours"] == pytest.approx(21 / 60)


def test_covered_time_is_the_span_of_samples_without_a_hole() -> None:
    assert row(heart.rates(batch(samples(steady(70, range(0, 121, 10))))))["covered_hours"] == 2


def test_one_sample_is_its_own_mean_and_covers_nothing() -> None:
    found = row(heart.rates(batch(samples([(0, 72)]))))
    assert (found["time_weighted_mean"], found["covered_hours"]) == (72, 0)


def test_waking_is_told_apart_only_where_a_night_is_known() -> None:
    points = [*steady(50, range(0, 480, 5)), *[(float(480 + n), 60.0 + n) for n in range(1, 102)]]
    apart = row(heart.rates(batch(samples(points), sleep=nights(NIGHT))))
    assert (apart["readings_awake"], apart["awake_p5"], apart["awake_p95"]) == (101, 66, 156)
    assert apart["awake_hours"] == pytest.approx(100 / 60)
    assert apart["overall_p5"] is None
    unknown = row(heart.rates(batch(samples(points))))
    assert unknown["overall_p5"] == 50
    assert {unknown[name] for name in ("readings_awake", "awake_p5", "awake_p95", "awake_hours")} == {None}


def lowest(points: Sequence[tuple[float, float]]) -> float | None:
    found = heart.lowest_sleeping(batch(samples(points), sleep=nights(NIGHT)))
    return None if found.is_empty() else float(found["lowest_sustained_sleeping"].item())


def test_the_lowest_half_hour_of_sleep() -> None:
    night = [*steady(60, range(100)), *steady(50, range(100, 130)), *steady(60, range(130, 480))]
    assert lowest(night) == 50
    assert lowest([*night, *steady(40, range(500, 560))]) == 50  # awake
    dense_for_ten = [*steady(60, range(100)), *steady(50, range(100, 110)), *steady(60, range(110, 480))]
    assert lowest(dense_for_ten) == pytest.approx((10 * 50 + 20 * 60) / 30)


@pytest.mark.parametrize(("n", "expected"), [(19, None), (20, 55)])
def test_a_half_hour_needs_twenty_samples(n: int, expected: float | None) -> None:
    assert lowest(steady(55, range(10, 10 + n))) == expected


EVENING = range(-960, 0, 10)
SLEEPING = range(0, 480, 10)


def dip(points: Sequence[tuple[float, float]], *more: tuple[int, int]) -> Mapping[str, float | None]:
    return row(heart.nocturnal(batch(samples(points), sleep=nights(NIGHT, *more))))


def test_a_dip_worked_out_by_hand() -> None:
    found = dip([*steady(80, EVENING), *steady(60, SLEEPING)])
    assert found == {
        "subject": 1,
        "sleeping_mean": 60,
        "waking_mean": 80,
        "dip": 25,
        "nights": 1,
        "dip_min": None,
        "dip_max": None,
    }


def test_waking_reaches_back_sixteen_hours() -> None:
    found = dip([*steady(200, range(-1200, -960, 10)), *steady(80, EVENING), *steady(60, SLEEPING)])
    assert found["waking_mean"] == 80


@pytest.mark.parametrize(
    ("evening", "night", "count"),
    [
        (range(-300, 0, 10), range(0, 180, 10), 1),
        (range(-290, 0, 10), range(0, 180, 10), 0),
        (range(-300, 0, 10), range(0, 170, 10), 0),
    ],
)
def test_a_night_counts_with_five_hours_awake_and_three_asleep(evening: range, night: range, count: int) -> None:
    """A sample after the night keeps its last one at ten minutes."""
    found = dip([*steady(80, evening), *steady(60, night), (500, 80.0)])
    assert (found["nights"], found["dip"]) == (count, 25)


def test_nights_are_averaged_by_night_and_poor_ones_left_out() -> None:
    """The second night has a dip of 0 and the third, of 50, no evening of five hours."""
    day = 1440
    points = [*steady(80, EVENING), *steady(60, SLEEPING)]
    points += [*steady(70, range(day - 600, day, 10)), *steady(70, range(day, day + 480, 10))]
    points += [*steady(100, range(2 * day - 60, 2 * day, 10)), *steady(50, range(2 * day, 2 * day + 480, 10))]
    later = [(NIGHT[0] + n * day * MINUTE, NIGHT[1] + n * day * MINUTE) for n in (1, 2)]
    found = dip(points, *later)
    assert (found["nights"], found["dip"], found["waking_mean"], found["sleeping_mean"]) == (2, 12.5, 75, 65)
    assert (found["dip_min"], found["dip_max"]) == (0, 25)


def test_a_dip_is_of_one_device() -> None:
    """The ring reads 20 higher, and has but two hours of the night."""
    ring = samples([*steady(200, range(-600, -400, 10)), *steady(80, range(0, 120, 10))])
    watch = samples([*steady(80, range(-390, 0, 10)), *steady(60, range(120, 480, 10))])
    both = pl.concat([ring.with_columns(source=pl.lit("org.example.ring")), watch]).sort("start")
    found = row(heart.nocturnal(batch(both, sleep=nights(NIGHT))))
    assert (found["waking_mean"], found["sleeping_mean"], found["dip"]) == (80, 60, 25)


def test_no_night_without_samples_on_both_sides() -> None:
    for points in (steady(80, EVENING), steady(60, SLEEPING)):
        assert heart.nocturnal(batch(samples(points), sleep=nights(NIGHT))).is_empty()


def test_the_peak_is_of_hours_that_are_covered() -> None:
    points = [
        *steady(70, range(0, 60, 5)),
        *steady(90, range(60, 120, 5)),
        *steady(150, range(120, 150, 5)),
        (240, 60.0),
    ]
    assert row(heart.peak(batch(samples(points))))["peak_hour"] == 1


def test_the_peak_is_the_mean_over_time() -> None:
    """Hour 0 has a burst of 150 for 5 of 60 minutes, hour 1 a steady 80."""
    burst = [*steady(70, range(0, 55, 5)), *steady(150, range(55, 60)), *steady(80, range(60, 121, 5))]
    assert row(heart.peak(batch(samples(burst))))["peak_hour"] == 1


def test_no_peak_of_hours_that_are_alike() -> None:
    assert row(heart.peak(batch(samples(steady(70, range(0, 120, 5))))))["peak_hour"] is None


def test_no_peak_of_one_hour_or_of_an_unknown_clock() -> None:
    assert row(heart.peak(batch(samples(steady(70, range(0, 60, 5))))))["peak_hour"] is None
    assert heart.peak(batch(samples(steady(70, range(0, 180, 5)), offset_s=None))).is_empty()


def test_the_peak_is_local() -> None:
    points = [*steady(70, range(0, 60, 5)), *steady(90, range(60, 125, 5))]
    assert row(heart.peak(batch(samples(points, offset_s=-5 * 3600))))["peak_hour"] == 20


minutes = st.lists(st.integers(0, 2000), unique=True, min_size=1, max_size=60)


def two(first: list[int], second: list[int]) -> tuple[Batch, Batch]:
    """A batch of two subjects, and the first of them alone."""
    frames = [samples([(m, 60 + m % 90) for m in sorted(points)]) for points in (first, second)]
    other = frames[1].with_columns(subject=pl.lit(2, pl.Int64))
    people = pl.concat([person({}), person({}).with_columns(subject=pl.lit(2, pl.Int64))])
    sleep = pl.concat([nights(NIGHT), nights((NIGHT[0] + HOUR, NIGHT[1] + HOUR), subject=2)])
    alone = batch(frames[0], people=person({}), sleep=nights(NIGHT))
    return batch(frames[0], other, people=people, sleep=sleep), alone


@settings(max_examples=40, deadline=None)
@given(minutes, minutes)
def test_no_subject_touches_another(first: list[int], second: list[int]) -> None:
    together, alone = two(first, second)
    for table in (heart.rates, heart.lowest_sleeping, heart.nocturnal, heart.peak):
        assert_frame_equal(table(together).filter(pl.col("subject") == 1), table(alone), rel_tol=1e-12)


@settings(max_examples=40, deadline=None)
@given(minutes)
def test_the_mean_lies_among_the_samples(points: list[int]) -> None:
    own = two(points, [0])[1]
    found = row(heart.rates(own))
    assert found["time_weighted_mean"] is not None
    low, high = own.readings["value"].min(), own.readings["value"].max()
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low - 1e-9 <= found["time_weighted_mean"] <= high + 1e-9
