"""Days of amounts: cut at midnight, one source, and whether they are whole."""

import polars as pl
import pytest

from etlnarr.metrics import activity, days
from tests.amounts import Amount, a_day, amounts, days_of, slices
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch

RING = "org.example.ring"
WEST = -5 * 3600


def summed(rows: list[Amount], offset_s: int | None = 0) -> dict[str, object]:
    return activity.totals(batch(amounts(rows, offset_s=offset_s))).row(0, named=True)


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
    (found,) = days.days(pl.concat(frames)).to_dicts()
    assert (found["total"], found["ends"], found["complete"]) == (250.0, MIDNIGHT + 25 * HOUR - 1, True)
    (open_day,) = days.days(pl.concat([frames[0], frames[1][:-1]])).to_dicts()
    assert not open_day["complete"]


def test_local_days_of_slices() -> None:
    evening = slices([50.0] * 2, MIDNIGHT - WEST * 1000 - HOUR)  # 23:00 and 00:00 in the west
    found = days.days(batch(amounts(evening, offset_s=WEST)).readings)
    assert found["total"].to_list() == [50.0, 50.0]


def test_one_source_speaks_for_a_day() -> None:
    watch, ring = amounts([a_day(0, 3933.0)]), amounts([a_day(0, 2517.0, begins=4)], source=RING)
    own, others = days.choose(pl.concat([ring, watch]))
    assert (own["value"].to_list(), others["value"].to_list()) == ([3933.0], [2517.0])  # the longer day


def test_a_total_and_its_slices_are_never_added() -> None:
    total, parts = amounts([a_day(0, 2400.0)]), amounts(slices([100.0] * 24))
    own, others = days.choose(pl.concat([total, parts]))
    assert own["value"].sum() == 2400.0
    assert own.height == 24
    assert others.is_empty()


def test_the_priority_decides() -> None:
    frames = pl.concat([amounts([a_day(0, 3933.0)]), amounts([a_day(0, 2517.0, begins=4)], source=RING)])
    own, _ = days.choose(frames.with_columns(place=pl.when(pl.col("source") == RING).then(0)))
    assert own["value"].to_list() == [2517.0]


@pytest.mark.parametrize(("begins", "complete"), [(0, True), (6 * HOUR, True), (6 * HOUR + MINUTE, False)])
def test_a_first_day_is_whole_when_its_records_begin_in_the_night(begins: int, complete: bool) -> None:
    rows = [*slices([100.0], MIDNIGHT + begins, MINUTE), *slices([100.0], MIDNIGHT + DAY + HOUR)]
    first, last = days.days(amounts(rows)).to_dicts()
    assert (first["complete"], first["cut"]) == (complete, not complete)
    assert (last["complete"], last["cut"]) == (False, False)


@pytest.mark.parametrize(("earlier", "complete"), [(MIDNIGHT - MINUTE, True), (MIDNIGHT + 7 * HOUR, False)])
def test_an_earlier_record_of_the_source_makes_a_day_whole(earlier: int, complete: bool) -> None:
    rows = [*slices([5.0], earlier, MINUTE), *slices([100.0], MIDNIGHT + 9 * HOUR), *slices([1.0], MIDNIGHT + DAY)]
    found = days.days(amounts(rows)).filter(pl.col("day") == MIDNIGHT // DAY)
    assert found["complete"].to_list() == [complete]


def test_an_earlier_record_of_another_source_does_not() -> None:
    totals = amounts(days_of(4000.0))
    phone = amounts([*slices([100.0], MIDNIGHT + DAY + 9 * HOUR), *slices([1.0], MIDNIGHT + 2 * DAY)], source=RING)
    found = days.days(pl.concat([totals, phone]))
    assert found["complete"].to_list() == [True, False, False]
    assert found["cut"].to_list() == [False, True, False]


def test_ten_whole_days_by_the_minute_are_ten() -> None:
    rows = [row for day in range(10) for row in slices([20.0] * 60, MIDNIGHT + day * DAY + 5 * HOUR, MINUTE)]
    start, end, value, _ = rows[-1]
    rows[-1] = (start, end, value, MIDNIGHT + 10 * DAY)
    found = summed(rows)
    assert (found["days"], found["complete_days"], found["daily_mean"], found["cut_days"]) == (10, 10, 1200.0, 0)


def pieces(rows: list[Amount], offset_s: int | None = 0) -> list[tuple[object, ...]]:
    found = days.at_midnight(amounts(rows, offset_s=offset_s))
    hour = ((pl.col("start", "end") - MIDNIGHT) / HOUR).round(6)
    return found.select("record", hour, "value").rows()


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (23.5, 24.0, [(0, 23.5, 24.0, 60.0)]),
        (23.5, 24.5, [(0, 23.5, 24.0, 30.0), (0, 24.0, 24.5, 30.0)]),
        (23.75, 24.25, [(0, 23.75, 24.0, 30.0), (0, 24.0, 24.25, 30.0)]),
        (23.5, 25.0, [(0, 23.5, 24.0, 20.0), (0, 24.0, 25.0, 40.0)]),
        (12.0, 36.0, [(0, 12.0, 24.0, 30.0), (0, 24.0, 36.0, 30.0)]),
        (12.0, 52.0, [(0, 12.0, 24.0, 18.0), (0, 24.0, 48.0, 36.0), (0, 48.0, 52.0, 6.0)]),
        (24.0, 24.0, [(0, 24.0, 24.0, 60.0)]),
        (0.0, 24.0, [(0, 0.0, 24.0, 60.0)]),
        (0.0, 25.0, [(0, 0.0, 25.0, 60.0)]),  # a day on which the clock is set back
        (0.0, 30.0, [(0, 0.0, 24.0, 48.0), (0, 24.0, 30.0, 12.0)]),
    ],
)
def test_intervals_are_cut_at_midnight(start: float, end: float, expected: list[tuple[object, ...]]) -> None:
    assert pieces([(MIDNIGHT + round(start * HOUR), MIDNIGHT + round(end * HOUR), 60.0, 0)]) == expected


def test_midnight_is_local_and_must_be_known() -> None:
    late = [(MIDNIGHT + 4 * HOUR + 30 * MINUTE, MIDNIGHT + 5 * HOUR + 30 * MINUTE, 60.0, 0)]
    assert pieces(late) == [(0, 4.5, 5.5, 60.0)]
    assert pieces(late, WEST) == [(0, 4.5, 5.0, 30.0), (0, 5.0, 5.5, 30.0)]
    noon = [(MIDNIGHT + 12 * HOUR, MIDNIGHT + 36 * HOUR, 60.0, 0)]
    assert pieces(noon, None) == [(0, 12.0, 36.0, 60.0)]


def test_the_day_of_a_ring_stays_whole() -> None:
    (own,) = days.choose(amounts([a_day(0, 2517.0, begins=4)]))[0].to_dicts()
    assert (own["start"], own["end"], own["value"]) == (MIDNIGHT + 4 * HOUR, MIDNIGHT + DAY - 1, 2517.0)


def test_a_record_over_midnight_counts_for_each_day_and_once_in_all() -> None:
    night = (MIDNIGHT + DAY - 30 * MINUTE, MIDNIGHT + DAY + 30 * MINUTE, 100.0, MIDNIGHT + 3 * DAY)
    own, _ = days.choose(amounts([*slices([50.0]), night]))
    assert days.days(own).select("n", "total").rows() == [(2, 100.0), (1, 50.0)]
    assert own["record"].n_unique() == 2


def test_totals_from_noon_to_noon_make_whole_days_between_two_halves() -> None:
    rows = [
        (MIDNIGHT + n * DAY + 12 * HOUR, MIDNIGHT + (n + 1) * DAY + 12 * HOUR, 1000.0 * (n + 1), MIDNIGHT + 9 * DAY)
        for n in range(3)
    ]
    found = days.days(days.choose(amounts(rows))[0])
    assert found["total"].to_list() == [500.0, 1500.0, 2500.0, 1500.0]
    assert found["complete"].to_list() == [False, True, True, False]
    assert found["cut"].to_list() == [True, False, False, False]


def test_a_total_that_is_cut_is_not_added_to_the_slices_of_its_app() -> None:
    noon = (MIDNIGHT + 12 * HOUR, MIDNIGHT + 36 * HOUR, 2400.0, MIDNIGHT + 9 * DAY)
    own, others = days.choose(amounts([noon, *slices([100.0] * 24, MIDNIGHT + 12 * HOUR)]))
    assert own["value"].sum() == 2400.0
    assert others.is_empty()


@pytest.mark.parametrize(("hours", "total"), [(0, 300.0), (25, None)])
def test_a_day_of_slices_is_over_when_its_source_wrote_something_after_it(hours: int, total: float | None) -> None:
    """What the source wrote later belongs to another window; that it did so shows that nothing more was to come."""
    rows = amounts([*slices([100.0] * 3, MIDNIGHT)])
    seen = rows.with_columns(seen_from=pl.col("start").min(), seen_to=pl.col("modified").max() + hours * HOUR)
    assert activity.totals(batch(seen))["latest_total"].to_list() == [total]


def test_a_total_written_before_its_end_stays_open_whatever_its_source_wrote_later() -> None:
    rows = amounts([a_day(0, 900.0, written=9.0)])
    seen = rows.with_columns(seen_from=pl.col("start").min(), seen_to=pl.lit(MIDNIGHT + 3 * DAY))
    assert activity.totals(batch(seen))["latest_total"].to_list() == [900.0]
