from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etlnarr.metrics import effort
from tests.traces import HOUR, MIDNIGHT, MINUTE, batch, nights, person, readings

AGED_40 = person({"age": 40})  # a maximum of 180
AGED_70 = person({"age": 70})  # a maximum of 159, of which 64 % are 101.8
NIGHT = (MIDNIGHT, MIDNIGHT + 8 * HOUR)


def samples(points: Sequence[tuple[float, float]]) -> pl.DataFrame:
    """Samples by minute after midnight."""
    return readings([(MIDNIGHT + round(minute * MINUTE), value) for minute, value in points], label=None)


def steady(rate: float, minutes: Sequence[int]) -> list[tuple[float, float]]:
    return [(minute, rate) for minute in minutes]


def row(frame: pl.DataFrame) -> Mapping[str, float | None]:
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("rate", "zone"),
    [
        (89, "below_zone_1"),
        *((90, "zone_1"), (107, "zone_1"), (108, "zone_2"), (125, "zone_2"), (126, "zone_3"), (143, "zone_3")),
        *((144, "zone_4"), (161, "zone_4"), (162, "zone_5"), (180, "zone_5"), (200, "zone_5")),
    ],
)
def test_zones_have_two_sides(rate: float, zone: str) -> None:
    found = row(effort.zones(batch(samples(steady(rate, range(5))), people=AGED_40)))
    shares = {name: value for name, value in found.items() if "zone" in name}
    assert shares == {name: 100.0 if name == zone else 0.0 for name in shares}
    assert len(shares) == 6


def test_zones_share_out_covered_time_not_samples() -> None:
    """The first sample covers ten minutes, the next ten one minute each, the last nothing."""
    points = [(0.0, 95.0), *steady(150, range(10, 21))]
    found = row(effort.zones(batch(samples(points), people=AGED_40)))
    assert (found["zone_1"], found["zone_4"]) == (50, 50)
    assert (found["moderate_minutes"], found["vigorous_minutes"]) == (0, 10)


@pytest.mark.parametrize(
    ("rate", "moderate", "vigorous"), [(115, 0, 0), (116, 10, 0), (138, 10, 0), (139, 0, 10), (190, 0, 10)]
)
def test_exertion_has_limits(rate: float, moderate: float, vigorous: float) -> None:
    """64 and 77 % of 180 are 115.2 and 138.6."""
    found = row(effort.zones(batch(samples(steady(rate, range(11))), people=AGED_40)))
    assert (found["moderate_minutes"], found["vigorous_minutes"]) == (moderate, vigorous)


def test_no_age_no_zones() -> None:
    assert effort.zones(batch(samples(steady(100, range(5))))).is_empty()


def test_samples_at_one_moment_have_no_shares() -> None:
    assert row(effort.zones(batch(samples([(0, 150)]), people=AGED_40)))["zone_4"] is None


def stretched(points: Sequence[tuple[float, float]], **facts: pl.DataFrame) -> Mapping[str, float | None]:
    return row(effort.stretches(batch(samples(points), **facts)))


@pytest.mark.parametrize(("minutes", "count"), [(9, 0), (10, 1)])
def test_ten_minutes_make_a_bout(minutes: int, count: int) -> None:
    points = [*steady(70, range(20)), *steady(120, range(20, 20 + minutes)), *steady(70, range(20 + minutes, 60))]
    found = stretched(points, people=AGED_40)
    assert (found["exertion_bouts"], found["exertion_bouts_minutes"]) == (count, minutes if count else 0)
    assert (found["fast_bouts"], found["fast_bouts_minutes"]) == (count, minutes if count else 0)


def test_a_rate_of_100_is_not_above_100() -> None:
    assert stretched(steady(100, range(60)))["fast_bouts"] == 0
    assert stretched(steady(101, range(60)))["fast_bouts"] == 1


def test_without_an_age_there_is_no_exertion() -> None:
    found = stretched(steady(150, range(60)))
    assert (found["exertion_bouts"], found["exertion_bouts_minutes"]) == (None, None)


def test_a_gap_of_more_than_two_minutes_ends_a_bout() -> None:
    assert stretched([*steady(120, range(8)), *steady(120, range(9, 17))])["fast_bouts_minutes"] == 16
    assert stretched([*steady(120, range(8)), *steady(120, range(10, 18))])["fast_bouts"] == 0


def test_what_is_fast_in_sleep_does_not_count_as_fast() -> None:
    assert stretched(steady(120, range(60)), sleep=nights(NIGHT))["fast_bouts"] == 0


@pytest.mark.parametrize(("minutes", "expected"), [(69, None), (70, 0)])
def test_none_found_means_none_only_where_samples_are_dense(minutes: int, expected: int | None) -> None:
    """Of 100 minutes so many are sampled by the minute."""
    found = stretched([*steady(70, range(minutes + 1)), (100, 70)], people=AGED_40)
    assert (found["fast_bouts"], found["exertion_bouts"], found["fast_bouts_minutes"]) == (expected,) * 3


def test_a_bout_found_counts_though_samples_are_sparse() -> None:
    found = stretched([*steady(120, range(12)), (400, 70), (800, 70)], people=AGED_40)
    assert (found["fast_bouts"], found["exertion_bouts"]) == (1, 1)


def test_minutes_of_exertion_leave_sleep_out() -> None:
    """Of 20 minutes at 150 the first ten are asleep."""
    found = row(
        effort.zones(
            batch(samples(steady(150, range(470, 491))), people=AGED_40, sleep=nights((NIGHT[0], NIGHT[1] - 1)))
        )
    )
    assert (found["vigorous_minutes"], found["zone_4"]) == (10, 100)


@pytest.mark.parametrize(("age", "rate", "above"), [(40, 180, 0), (40, 181, 2), (41, 180, 0), (41, 181, 2)])
def test_samples_above_the_estimate_are_above_it_in_whole_beats(age: int, rate: float, above: int) -> None:
    """The estimates are 180 and 179.3."""
    found = row(effort.zones(batch(samples([(0, rate), (1, rate), (2, 60)]), people=person({"age": age}))))
    assert found["readings_above_hr_max"] == above


@pytest.mark.parametrize(
    ("rate", "zone"),
    [
        *((40, "very_light"), (95, "very_light"), (96, "light"), (107, "light"), (108, "moderate"), (131, "moderate")),
        *((132, "vigorous"), (167, "vigorous"), (168, "near_maximal"), (200, "near_maximal")),
    ],
)
def test_zones_of_the_reserve_have_two_sides(rate: float, zone: str) -> None:
    """From 60 to 180 the limits at 30, 40, 60 and 90 % are 96, 108, 132 and 168; half the time is asleep at 60."""
    points = [*steady(60, range(440, 480)), *steady(rate, range(480, 521))]
    found = row(effort.reserve_zones(batch(samples(points), people=AGED_40, sleep=nights((NIGHT[0], NIGHT[1] - 1)))))
    shares = {name: share for name, share in found.items() if name != "subject"}
    expected = {"very_light": 50.0} | {zone: 100.0 if zone == "very_light" else 50.0}
    assert shares == dict.fromkeys(shares, 0.0) | expected
    assert list(shares) == ["very_light", "light", "moderate", "vigorous", "near_maximal"]


def test_without_age_or_lowest_rate_there_is_no_reserve() -> None:
    points = samples(steady(60, range(60)))
    assert effort.reserve_zones(batch(points, sleep=nights(NIGHT))).is_empty()
    assert effort.reserve_zones(batch(points, people=AGED_40)).is_empty()
    above = batch(samples(steady(190, range(60))), people=AGED_40, sleep=nights(NIGHT))
    assert effort.reserve_zones(above).is_empty()


def test_what_is_fast_in_sleep_is_no_exertion() -> None:
    found = stretched(steady(120, range(440, 520)), people=AGED_40, sleep=nights((NIGHT[0], NIGHT[1] - 1)))
    assert (found["exertion_bouts"], found["exertion_bouts_minutes"]) == (1, 39)
    assert (found["fast_bouts"], found["fast_bouts_minutes"]) == (1, 39)


def test_a_fever_is_a_stretch_at_a_rate_and_no_exercise() -> None:
    """From 107 asleep to a maximum of 159, 40 % of the reserve are 127.8."""
    found = stretched(steady(107, range(1440)), people=AGED_70, sleep=nights((NIGHT[0], NIGHT[1] - 1)))
    assert (found["exertion_bouts"], found["exertion_bouts_minutes"]) == (1, 959)
    assert (found["exercise_bouts"], found["exercise_bouts_minutes"]) == (0, 0)
    assert found["reserve_bouts"] == 0


@pytest.mark.parametrize(
    ("rate", "exertion", "reserve", "exercise"), [(107, 0, 0, 0), (108, 0, 1, 0), (115, 0, 1, 0), (116, 1, 1, 1)]
)
def test_exercise_is_high_by_maximum_and_by_reserve(rate: float, exertion: int, reserve: int, exercise: int) -> None:
    """From 60 to 180, 40 % of the reserve are 108, and 64 % of the maximum 115.2."""
    asleep = nights((NIGHT[0], NIGHT[1] - 1))
    found = stretched([*steady(60, range(440, 480)), *steady(rate, range(480, 500))], people=AGED_40, sleep=asleep)
    assert [found[f"{name}_bouts"] for name in ("exertion", "reserve", "exercise")] == [exertion, reserve, exercise]


def test_without_a_lowest_rate_exercise_is_not_known() -> None:
    found = stretched(steady(150, range(60)), people=AGED_40)
    assert (found["exertion_bouts"], found["reserve_bouts"], found["exercise_bouts_minutes"]) == (1, None, None)


@pytest.mark.parametrize(("rate", "minutes", "count"), [(50, 60, 0), (49, 60, 1), (49, 9, 0), (49, 10, 1)])
def test_a_slow_stretch_is_below_50_for_ten_minutes(rate: float, minutes: int, count: int) -> None:
    found = stretched([*steady(rate, range(minutes)), *steady(70, range(minutes, 100))])
    assert (found["slow_bouts"], found["slow_bouts_minutes"]) == (count, minutes if count else 0)


def test_what_is_slow_in_sleep_does_not_count_and_a_gap_ends_a_stretch() -> None:
    assert stretched(steady(45, range(60)), sleep=nights(NIGHT))["slow_bouts"] == 0
    assert stretched([*steady(45, range(8)), *steady(45, range(9, 17))])["slow_bouts_minutes"] == 16
    assert stretched([*steady(45, range(8)), *steady(45, range(10, 18))])["slow_bouts"] == 0
    assert stretched([*steady(70, range(70)), (100, 70)])["slow_bouts"] is None


minutes = st.lists(st.integers(0, 2000), unique=True, min_size=1, max_size=60)


@settings(max_examples=40, deadline=None)
@given(minutes, minutes)
def test_no_subject_touches_another(first: list[int], second: list[int]) -> None:
    frames = [samples([(m, 60 + m % 90) for m in sorted(points)]) for points in (first, second)]
    people = pl.concat([AGED_40, AGED_70.with_columns(subject=pl.lit(2, pl.Int64))])
    sleep = pl.concat([nights(NIGHT), nights((NIGHT[0] + HOUR, NIGHT[1] + HOUR), subject=2)])
    together = batch(frames[0], frames[1].with_columns(subject=pl.lit(2, pl.Int64)), people=people, sleep=sleep)
    alone = batch(frames[0], people=AGED_40, sleep=nights(NIGHT))
    for table in (effort.zones, effort.reserve_zones, effort.stretches):
        assert_frame_equal(table(together).filter(pl.col("subject") == 1), table(alone), rel_tol=1e-12)


@settings(max_examples=40, deadline=None)
@given(minutes)
def test_zones_make_the_whole(points: list[int]) -> None:
    own = batch(samples([(m, 60 + m % 90) for m in sorted(points)]), people=AGED_40)
    shares = [value for name, value in row(effort.zones(own)).items() if "zone" in name]
    assert shares == [None] * 6 or sum(share or 0 for share in shares) == pytest.approx(100)
