from collections.abc import Sequence
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etlnarr.metrics import activity, day_patterns, days
from etlnarr.model import Batch
from tests.amounts import Amount, a_day, amounts, days_of, slices
from tests.traces import HOUR, MIDNIGHT, MINUTE, batch

RING = "org.example.ring"
WEST = -5 * 3600


def summed(rows: Sequence[Amount], offset_s: int | None = 0) -> dict[str, object]:
    return activity.totals(batch(amounts(rows, offset_s=offset_s))).row(0, named=True)


def both(own: pl.DataFrame, *theirs: pl.DataFrame) -> Batch:
    whole = batch(own)
    return Batch(whole.readings, pl.concat(theirs).sort("subject", "start"), whole.sleep, whole.people)


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


@pytest.mark.parametrize(("value", "reached"), [(6999.0, (0, 0)), (7000.0, (1, 0)), (10_000.0, (1, 1))])
def test_goals(value: float, reached: tuple[int, int]) -> None:
    found = activity.goals(batch(amounts([a_day(0, value), a_day(1, 20_000.0, written=12.0)])))
    assert found.select("days_at_least_7000", "days_at_least_10000").rows() == [reached]


def test_goals_need_a_complete_day() -> None:
    assert activity.goals(batch(amounts([a_day(0, 9000.0, written=12.0)]))).is_empty()


def test_the_second_source_is_set_beside_the_first() -> None:
    own = amounts([a_day(0, 4000.0), a_day(1, 6000.0)])
    ring = amounts([a_day(0, 3000.0, begins=4), a_day(1, 5000.0, begins=4), a_day(2, 1000.0, begins=4)], source=RING)
    rare = amounts([a_day(1, 9000.0)], source="org.example.phone")
    (found,) = activity.other_totals(both(own, ring, rare)).to_dicts()
    assert found == {
        "subject": 1,
        "other_source": RING,
        "shared_days": 2,
        "compared_days": 2,
        "other_total": 8000.0,
        "other_day_start": 240.0,
        "difference_percent": -20.0,
    }


@pytest.mark.parametrize(("value", "low"), [(499.0, 1), (500.0, 0)])
def test_low_days_are_complete_days_below_the_limit(value: float, low: int) -> None:
    whole = batch(amounts([a_day(0, value), a_day(1, 8000.0), a_day(2, 20.0, written=12.0)]))
    assert activity.low_days(whole, 500)["low_days"].to_list() == [low]


def test_low_days_need_a_complete_day() -> None:
    assert activity.low_days(batch(amounts([a_day(0, 20.0, written=12.0)])), 500).is_empty()


def test_days_that_may_be_cut_off_are_counted_and_the_earliest_named() -> None:
    found = summed(slices([100.0] * 40, MIDNIGHT + 8 * HOUR))
    assert (found["cut_days"], found["cut_day"]) == (1, "2025-03-03")
    whole = summed(days_of(5000.0))
    assert (whole["cut_days"], whole["cut_day"]) == (0, None)


@pytest.mark.parametrize(
    ("written", "known", "not_over"), [(0.0, False, None), (20.0, True, True), (25.0, True, False)]
)
def test_the_last_day_says_what_is_known_of_its_end(written: float, known: bool, not_over: bool | None) -> None:
    start, end, value, modified = a_day(0, 8000.0, written)
    found = summed([(start, end, value, modified if written else 0)])
    assert (found["last_dated"], found["last_open"]) == (known, not_over)


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


def drawn(moments: list[tuple[int, int, int, bool]], subject: int) -> pl.DataFrame:
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
    frames = [drawn(first, 1), drawn(second, 2)]
    alone = [_tables(frame) for frame in frames]
    order = list(range(len(first) + len(second)))
    random.shuffle(order)
    together = _tables(pl.concat(frames)[order])
    for name, frame in together.items():
        apart = pl.concat([tables[name] for tables in alone]).sort("subject")
        assert_frame_equal(frame.sort("subject"), apart, abs_tol=1e-9)


def _tables(readings: pl.DataFrame) -> dict[str, pl.DataFrame]:
    own, others = days.choose(readings)
    whole = batch(own)
    joined = Batch(whole.readings, others, whole.sleep, whole.people)
    functions = (activity.totals, activity.goals, activity.other_totals, day_patterns.patterns, day_patterns.sedentary)
    return {table.__name__: table(joined) for table in (*functions, day_patterns.cadence, activity.series)}
