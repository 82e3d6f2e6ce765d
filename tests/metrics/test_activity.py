from collections.abc import Sequence
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etlnarr.metrics import activity
from etlnarr.model import Batch
from tests.amounts import Amount, a_day, amounts, days_of
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch

RING = "org.example.ring"
WEST = -5 * 3600


def summed(rows: Sequence[Amount], offset_s: int | None = 0) -> dict[str, object]:
    return activity.totals(batch(amounts(rows, offset_s=offset_s))).row(0, named=True)


def both(own: pl.DataFrame, *theirs: pl.DataFrame) -> Batch:
    whole = batch(own)
    return Batch(whole.readings, pl.concat(theirs).sort("subject", "start"), whole.sleep, whole.people)


def slices(
    values: Sequence[float], start: int = MIDNIGHT, length: int = HOUR, modified: int | None = None
) -> list[Amount]:
    """Amounts one after the other, each written at its end, or all at one time."""
    bounds = [(start + n * length, start + (n + 1) * length) for n in range(len(values))]
    return [(s, e, value, e if modified is None else modified) for (s, e), value in zip(bounds, values, strict=True)]


@pytest.mark.parametrize(("late", "complete"), [(-1, 0), (0, 1)])
def test_a_daily_total_is_complete_when_written_at_its_end(late: int, complete: int) -> None:
    start, end, value, _ = a_day(0, 8000.0)
    found = summed([(start, end, value, end + late)])
    assert (found["days"], found["complete_days"]) == (1, complete)
    assert (found["daily_mean"], found["latest_total"]) == ((8000.0, None) if complete else (None, 8000.0))


def test_daily_figures_are_of_complete_days() -> None:
    found = summed([*days_of(4000.0, 6000.0, 11_000.0), a_day(3, 900.0, written=6.0)])
    assert (found["days"], found["complete_days"]) == (4, 3)
    assert (found["daily_mean"], found["daily_min"], found["daily_max"]) == (7000.0, 4000.0, 11_000.0)
    assert found["daily_std"] == pytest.approx(3605.551275)  # squares of 3000, 1000 and 4000 are 26 million
    assert found["latest_total"] == 900.0
    assert found["latest_elapsed_percent"] == pytest.approx(25.0, abs=1e-5)
    assert found["latest_as_of"] == 360.0


def test_an_unfinished_day_that_is_not_the_last_is_no_latest_day() -> None:
    found = summed([a_day(0, 3000.0, written=12.0), a_day(1, 5000.0)])
    assert (found["complete_days"], found["latest_total"]) == (1, None)


def test_one_day_has_no_spread() -> None:
    assert summed(days_of(5000.0))["daily_std"] is None


def test_the_day_of_a_source_may_begin_at_four() -> None:
    found = summed([a_day(0, 124.0, written=14.0, begins=4)])
    assert found["latest_elapsed_percent"] == pytest.approx(50.0, abs=1e-5)
    assert found["latest_as_of"] == 14 * 60


def test_when_the_last_write_is_not_known_nothing_is_complete_or_latest() -> None:
    start, end, value, _ = a_day(0, 8000.0)
    found = summed([(start, end, value, 0)])
    assert (found["complete_days"], found["latest_total"], found["latest_as_of"]) == (0, None, None)


def test_the_clock_of_the_last_write_is_local() -> None:
    found = summed([a_day(0, 100.0, written=10.5, offset_s=WEST)], offset_s=WEST)
    assert found["latest_as_of"] == 630.0


def test_without_an_offset_a_daily_total_still_has_its_own_bounds() -> None:
    found = summed([a_day(0, 100.0, written=12.0)], offset_s=None)
    assert found["latest_elapsed_percent"] == pytest.approx(50.0, abs=1e-5)
    assert found["latest_as_of"] is None
    assert found["weekday_mean"] is None


def test_weekdays_are_averaged_over_complete_days() -> None:
    rows = [a_day(0, 4000.0), a_day(1, 9000.0), a_day(7, 6000.0), a_day(8, 100.0, written=3.0)]  # from a Monday on
    found = summed(rows)["weekday_mean"]
    assert isinstance(found, dict)
    assert (found["monday"], found["tuesday"], found["sunday"]) == (5000.0, 9000.0, None)


def test_weekdays_need_a_complete_day() -> None:
    assert summed([a_day(0, 100.0, written=3.0)])["weekday_mean"] is None


@pytest.mark.parametrize("hours", [24, 23])
def test_a_day_of_slices_is_complete_once_something_is_written_after_it(hours: int) -> None:
    found = summed(slices([100.0] * hours))
    assert found["complete_days"] == (1 if hours == 24 else 0)
    assert found["latest_total"] == (None if hours == 24 else 2300.0)


def test_a_slice_of_the_next_day_ends_a_day() -> None:
    rows = [*slices([100.0] * 20), *slices([7.0], MIDNIGHT + DAY)]
    found = summed(rows)
    assert (found["days"], found["complete_days"], found["daily_mean"]) == (2, 1, 2000.0)
    assert found["latest_total"] == 7.0
    assert found["latest_elapsed_percent"] == pytest.approx(100 / 24, abs=1e-5)


def test_a_first_day_that_begins_late_is_not_complete() -> None:
    found = summed(slices([100.0] * 40, MIDNIGHT + 8 * HOUR))
    assert (found["days"], found["complete_days"], found["daily_mean"]) == (2, 1, 2400.0)


def test_a_slice_that_may_still_grow_leaves_its_day_open() -> None:
    grown = [*slices([100.0] * 24), *slices([100.0] * 24, MIDNIGHT + DAY)]
    start, end, value, _ = grown[5]
    grown[5] = (start, end, value, end - 1)
    assert summed(grown)["complete_days"] == 1


def test_slices_without_local_time_make_no_complete_day() -> None:
    assert summed(slices([100.0] * 48), offset_s=None)["complete_days"] == 0


def test_without_local_time_no_part_of_a_day_has_passed() -> None:
    assert summed(slices([100.0] * 3), offset_s=None)["latest_elapsed_percent"] is None


def test_a_day_may_have_25_hours() -> None:
    summer, winter = slices([10.0] * 2, MIDNIGHT), slices([10.0] * 23, MIDNIGHT + 2 * HOUR)
    frames = amounts(summer, offset_s=0), amounts(winter, offset_s=-3600)
    (found,) = activity.days(pl.concat(frames)).to_dicts()
    assert (found["total"], found["ends"], found["complete"]) == (250.0, MIDNIGHT + 25 * HOUR - 1, True)
    (open_day,) = activity.days(pl.concat([frames[0], frames[1][:-1]])).to_dicts()
    assert not open_day["complete"]


def test_local_days_of_slices() -> None:
    evening = slices([50.0] * 2, MIDNIGHT - WEST * 1000 - HOUR)  # 23:00 and 00:00 in the west
    found = activity.days(batch(amounts(evening, offset_s=WEST)).readings)
    assert found["total"].to_list() == [50.0, 50.0]


@pytest.mark.parametrize(("value", "reached"), [(6999.0, (0, 0)), (7000.0, (1, 0)), (10_000.0, (1, 1))])
def test_goals(value: float, reached: tuple[int, int]) -> None:
    found = activity.goals(batch(amounts([a_day(0, value), a_day(1, 20_000.0, written=12.0)])))
    assert found.select("days_at_least_7000", "days_at_least_10000").rows() == [reached]


def test_goals_need_a_complete_day() -> None:
    assert activity.goals(batch(amounts([a_day(0, 9000.0, written=12.0)]))).is_empty()


def test_one_source_speaks_for_a_day() -> None:
    watch, ring = amounts([a_day(0, 3933.0)]), amounts([a_day(0, 2517.0, begins=4)], source=RING)
    own, others = activity.choose(pl.concat([ring, watch]))
    assert (own["value"].to_list(), others["value"].to_list()) == ([3933.0], [2517.0])  # the longer day


def test_a_total_and_its_slices_are_never_added() -> None:
    total, parts = amounts([a_day(0, 2400.0)]), amounts(slices([100.0] * 24))
    own, others = activity.choose(pl.concat([total, parts]))
    assert own["value"].sum() == 2400.0
    assert own.height == 24
    assert others.is_empty()


def test_the_priority_decides() -> None:
    frames = pl.concat([amounts([a_day(0, 3933.0)]), amounts([a_day(0, 2517.0, begins=4)], source=RING)])
    own, _ = activity.choose(frames, (RING,))
    assert own["value"].to_list() == [2517.0]


def test_the_second_source_is_set_beside_the_first() -> None:
    own = amounts([a_day(0, 4000.0), a_day(1, 6000.0)])
    ring = amounts([a_day(0, 3000.0, begins=4), a_day(1, 5000.0, begins=4), a_day(2, 1000.0, begins=4)], source=RING)
    rare = amounts([a_day(1, 9000.0)], source="org.example.phone")
    (found,) = activity.other_totals(both(own, ring, rare)).to_dicts()
    assert found == {
        "subject": "s",
        "other_source": RING,
        "shared_days": 2,
        "other_total": 8000.0,
        "other_day_start": 240.0,
        "difference_percent": -20.0,
    }


def test_of_two_equally_long_second_sources_the_higher_speaks() -> None:
    own = amounts([a_day(0, 4000.0)])
    theirs = [amounts([a_day(0, 100.0 * n)], source=f"org.example.{n}") for n in (1, 2)]
    assert activity.other_totals(both(own, *theirs))["other_source"].to_list() == ["org.example.2"]


def test_a_total_of_the_second_source_and_its_slices_are_never_added() -> None:
    ring = amounts([a_day(0, 2400.0)], source=RING), amounts(slices([100.0] * 24), source=RING)
    found = activity.other_totals(both(amounts([a_day(0, 3000.0)]), *ring))
    assert found.select("shared_days", "other_total", "difference_percent").rows() == [(1, 2400.0, -20.0)]


@pytest.mark.parametrize(("own", "theirs"), [(17.0, 25.0), (25.0, 16.0), (17.0, 16.0)])
def test_days_that_were_not_over_are_not_compared(own: float, theirs: float) -> None:
    watch = amounts([a_day(0, 5000.0), a_day(1, 3933.0, written=own)])
    ring = amounts([a_day(0, 6000.0), a_day(1, 2517.0, written=theirs)], source=RING)
    (found,) = activity.other_totals(both(watch, ring)).to_dicts()
    assert (found["other_total"], found["difference_percent"]) == (8517.0, 20.0)
    (open_day,) = activity.other_totals(both(watch[1:], ring[1:])).to_dicts()
    assert (open_day["other_total"], open_day["difference_percent"]) == (2517.0, None)


def test_a_day_without_steps_has_no_difference_in_percent() -> None:
    found = activity.other_totals(both(amounts([a_day(0, 0.0)]), amounts([a_day(0, 10.0)], source=RING)))
    assert found["difference_percent"].to_list() == [None]


def test_the_start_of_the_other_day_is_told_when_it_is_one() -> None:
    own = amounts(days_of(4000.0, 4000.0))
    mixed = amounts([a_day(0, 3000.0, begins=4), a_day(1, 3000.0, begins=5)], source=RING)
    assert activity.other_totals(both(own, mixed))["other_day_start"].to_list() == [None]
    parts = amounts(slices([10.0] * 12), source=RING)
    assert activity.other_totals(both(own, parts))["other_day_start"].to_list() == [None]


def test_without_a_second_source_there_is_no_comparison() -> None:
    assert activity.other_totals(batch(amounts(days_of(1.0)))).is_empty()


def test_the_pattern_of_the_day_is_summed_over_local_hours() -> None:
    rows = [*slices([10.0, 0.0, 30.0]), *slices([5.0], MIDNIGHT + DAY)]
    (found,) = activity.patterns(batch(amounts(rows))).to_dicts()
    assert {hour: value for hour, value in found["hourly_distribution"].items() if value} == {"h00": 15.0, "h02": 30.0}
    assert found["peak_hour"] == 2
    (west,) = activity.patterns(batch(amounts(rows, offset_s=WEST))).to_dicts()
    assert west["peak_hour"] == 21


@pytest.mark.parametrize(("length", "sees"), [(HOUR, 1), (HOUR + 1, 0)])
def test_records_longer_than_an_hour_hide_the_pattern(length: int, sees: int) -> None:
    rows = slices([10.0, 20.0], length=length)
    whole = batch(amounts(rows))
    assert activity.patterns(whole).height == activity.sedentary(whole).height == sees


def test_no_pattern_without_local_time_or_steps() -> None:
    assert activity.patterns(batch(amounts(slices([1.0]), offset_s=None))).is_empty()
    assert activity.patterns(batch(amounts(slices([0.0]))))["peak_hour"].to_list() == [None]


@pytest.mark.parametrize(("pause", "spans"), [(HOUR - MINUTE, 0), (HOUR, 1)])
def test_an_hour_without_a_step_is_a_span(pause: int, spans: int) -> None:
    rows = [*slices([9.0], length=MINUTE), *slices([9.0], MIDNIGHT + MINUTE + pause, MINUTE)]
    (found,) = activity.sedentary(batch(amounts(rows))).to_dicts()
    assert (found["sedentary_spans"], found["longest_span_minutes"]) == (spans, pause / MINUTE)


def test_records_without_steps_do_not_end_a_span_and_midnight_does() -> None:
    still = [*slices([9.0], length=MINUTE), *slices([0.0], MIDNIGHT + 30 * MINUTE, MINUTE)]
    over = [*still, *slices([9.0], MIDNIGHT + HOUR + MINUTE, MINUTE), *slices([9.0], MIDNIGHT + DAY, MINUTE)]
    (found,) = activity.sedentary(batch(amounts(over))).to_dicts()
    assert (found["sedentary_spans"], found["longest_span_minutes"]) == (1, 60.0)


@pytest.mark.parametrize(
    ("steps", "minutes"), [(99.0, (0.0, 0.0)), (100.0, (1.0, 0.0)), (129.0, (1.0, 0.0)), (130.0, (0.0, 1.0))]
)
def test_cadence_bands(steps: float, minutes: tuple[float, float]) -> None:
    (found,) = activity.cadence(batch(amounts(slices([steps], length=MINUTE)))).to_dicts()
    assert found["cadence_highest"] == steps
    assert (found["moderate_minutes"], found["vigorous_minutes"]) == minutes


def test_cadence_is_per_minute_and_needs_fine_records() -> None:
    half = activity.cadence(batch(amounts(slices([60.0], length=30_000))))
    assert half.select("cadence_highest", "moderate_minutes").rows() == [(120.0, 0.5)]
    assert activity.cadence(batch(amounts(slices([60.0], length=90_001)))).is_empty()
    assert activity.cadence(batch(amounts(slices([60.0], length=0)))).is_empty()


def test_the_series_has_the_latest_days() -> None:
    rows = [*days_of(*(1000.0 + n for n in range(32))), a_day(32, 5.0, written=3.0)]
    (found,) = activity.series(batch(amounts(rows)))["series"].to_list()
    assert len(found) == 31
    assert found[0] == {"label": "2025-03-05", "n": 1, "total": 1002.0, "complete": True}
    assert found[-1] == {"label": "2025-04-04", "n": 1, "total": 5.0, "complete": False}


def test_days_without_a_date_are_counted() -> None:
    (found,) = activity.series(batch(amounts(days_of(1.0, 2.0), offset_s=None)))["series"].to_list()
    assert [row["label"] for row in found] == ["day 1", "day 2"]


MOMENTS = st.lists(
    st.tuples(st.integers(0, 71), st.sampled_from([15 * MINUTE, HOUR, 20 * HOUR]), st.integers(0, 900), st.booleans()),
    min_size=1,
    max_size=25,
)


def drawn(moments: list[tuple[int, int, int, bool]], subject: str) -> pl.DataFrame:
    rows = [
        (MIDNIGHT + hour * HOUR, MIDNIGHT + hour * HOUR + length, value / 7, MIDNIGHT + (hour + 30) * HOUR)
        for hour, length, value, _ in moments
    ]
    sources = [RING if ring else "org.example.watch" for *_, ring in moments]
    return amounts(rows, subject).with_columns(source=pl.Series(sources))


@given(MOMENTS, MOMENTS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_neither_row_order_nor_company_matters(
    first: list[tuple[int, int, int, bool]], second: list[tuple[int, int, int, bool]], random: Random
) -> None:
    frames = [drawn(first, "a"), drawn(second, "b")]
    alone = [_tables(frame) for frame in frames]
    order = list(range(len(first) + len(second)))
    random.shuffle(order)
    together = _tables(pl.concat(frames)[order])
    for name, frame in together.items():
        apart = pl.concat([tables[name] for tables in alone]).sort("subject")
        assert_frame_equal(frame.sort("subject"), apart, abs_tol=1e-9)


def _tables(readings: pl.DataFrame) -> dict[str, pl.DataFrame]:
    own, others = activity.choose(readings)
    whole = batch(own)
    joined = Batch(whole.readings, others, whole.sleep, whole.people)
    functions = (activity.totals, activity.goals, activity.other_totals, activity.patterns, activity.sedentary)
    return {table.__name__: table(joined) for table in (*functions, activity.cadence, activity.series)}
