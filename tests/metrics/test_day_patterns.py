"""Hours, pauses and pace, with sums worked out by hand."""

import pytest

from etlnarr.metrics import day_patterns
from tests.amounts import amounts, slices
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch

WEST = -5 * 3600


def test_the_pattern_of_the_day_is_summed_over_local_hours() -> None:
    rows = [*slices([10.0, 0.0, 30.0]), *slices([5.0], MIDNIGHT + DAY)]
    (found,) = day_patterns.patterns(batch(amounts(rows))).to_dicts()
    assert {hour: value for hour, value in found["hourly_distribution"].items() if value} == {"h00": 15.0, "h02": 30.0}
    assert found["peak_hour"] == 2
    (west,) = day_patterns.patterns(batch(amounts(rows, offset_s=WEST))).to_dicts()
    assert west["peak_hour"] == 21


@pytest.mark.parametrize(("length", "sees"), [(HOUR, 1), (HOUR + 1, 0)])
def test_records_longer_than_an_hour_hide_the_pattern(length: int, sees: int) -> None:
    rows = slices([10.0, 20.0], length=length)
    whole = batch(amounts(rows))
    assert day_patterns.patterns(whole).height == day_patterns.sedentary(whole).height == sees


def test_no_pattern_without_local_time_or_steps() -> None:
    assert day_patterns.patterns(batch(amounts(slices([1.0]), offset_s=None))).is_empty()
    assert day_patterns.patterns(batch(amounts(slices([0.0]))))["peak_hour"].to_list() == [None]


@pytest.mark.parametrize(("pause", "spans"), [(HOUR - MINUTE, 0), (HOUR, 1)])
def test_an_hour_without_a_step_is_a_span(pause: int, spans: int) -> None:
    rows = [*slices([9.0], length=MINUTE), *slices([9.0], MIDNIGHT + MINUTE + pause, MINUTE)]
    (found,) = day_patterns.sedentary(batch(amounts(rows))).to_dicts()
    assert (found["sedentary_spans"], found["longest_span_minutes"]) == (spans, pause / MINUTE)


def test_records_without_steps_do_not_end_a_span_and_midnight_does() -> None:
    still = [*slices([9.0], length=MINUTE), *slices([0.0], MIDNIGHT + 30 * MINUTE, MINUTE)]
    over = [*still, *slices([9.0], MIDNIGHT + HOUR + MINUTE, MINUTE), *slices([9.0], MIDNIGHT + DAY, MINUTE)]
    (found,) = day_patterns.sedentary(batch(amounts(over))).to_dicts()
    assert (found["sedentary_spans"], found["longest_span_minutes"]) == (1, 60.0)


@pytest.mark.parametrize(
    ("steps", "minutes"), [(99.0, (0.0, 0.0)), (100.0, (1.0, 0.0)), (129.0, (1.0, 0.0)), (130.0, (0.0, 1.0))]
)
def test_cadence_bands(steps: float, minutes: tuple[float, float]) -> None:
    (found,) = day_patterns.cadence(batch(amounts(slices([steps], length=MINUTE)))).to_dicts()
    assert found["cadence_highest"] == steps
    assert (found["moderate_minutes"], found["vigorous_minutes"]) == minutes


def test_cadence_is_per_minute_and_needs_fine_records() -> None:
    half = day_patterns.cadence(batch(amounts(slices([60.0], length=30_000))))
    assert half.select("cadence_highest", "moderate_minutes").rows() == [(120.0, 0.5)]
    assert day_patterns.cadence(batch(amounts(slices([60.0], length=90_001)))).is_empty()
    assert day_patterns.cadence(batch(amounts(slices([60.0], length=0)))).is_empty()


def peak(*steps: float) -> int | None:
    (found,) = day_patterns.patterns(batch(amounts(slices(steps)))).to_dicts()
    hour = found["peak_hour"]
    return hour if hour is None else int(hour)


def test_hours_that_share_the_highest_sum_leave_no_peak() -> None:
    assert peak(10.0, 30.0, 30.0) is None
    assert peak(10.0, 30.0, 29.0) == 1
    assert peak(30.0) == 0


def test_equal_sums_of_broken_numbers_are_a_tie() -> None:
    tenths = [(MIDNIGHT + n * MINUTE, MIDNIGHT + (n + 1) * MINUTE, 0.1, MIDNIGHT) for n in range(3)]
    whole = (MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, 0.3, MIDNIGHT)
    (found,) = day_patterns.patterns(batch(amounts([*tenths, whole]))).to_dicts()
    assert found["peak_hour"] is None


@pytest.mark.parametrize(
    ("lengths", "seen"),
    [
        ((10 * MINUTE, 10 * MINUTE), (True, True, True, True)),
        ((10 * MINUTE, 10 * MINUTE + 1), (True, True, True, False)),
        ((HOUR, HOUR), (True, True, False, False)),
        ((HOUR, HOUR + 1), (True, False, False, False)),
        ((2 * HOUR, 2 * HOUR), (False, False, False, False)),
    ],
)
def test_how_finely_time_is_told(lengths: tuple[int, int], seen: tuple[bool, ...]) -> None:
    rows = [(MIDNIGHT + n * DAY, MIDNIGHT + n * DAY + length, 1.0, 0) for n, length in enumerate(lengths)]
    found = day_patterns.sight(batch(amounts(rows)))
    assert found.select("some_in_hour", "all_in_hour", "some_fine", "all_fine").rows() == [seen]
    assert found["clock"].to_list() == [True]
    assert day_patterns.sight(batch(amounts(rows, offset_s=None)))["clock"].to_list() == [False]
