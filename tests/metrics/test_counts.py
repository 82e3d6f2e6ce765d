"""What a metric was worked out from is counted: readings, pairs, excursions, nights, days."""

from math import exp

import polars as pl

from etlnarr.metrics import activity, grid, heart, hrv, mage, nights, risk
from etlnarr.metrics.agreement import stage_agreement
from etlnarr.metrics.coverage import coverage
from etlnarr.metrics.episodes import hyperglycemia, hypoglycemia
from etlnarr.model import Batch
from tests import traces
from tests.amounts import a_day, amounts, days_of
from tests.sessions import session, unstaged
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, readings

BED = MIDNIGHT + 23 * HOUR
RING = "org.example.ring"


def only(frame: pl.DataFrame) -> dict[str, object]:
    return frame.row(0, named=True)


def beside(own: pl.DataFrame, others: pl.DataFrame) -> Batch:
    plain = batch(own)
    return Batch(plain.readings, others, plain.sleep, plain.people)


def test_pairs_are_grid_values_with_one_so_many_hours_before() -> None:
    """A reading every 5 min from midnight to 03:00: the grid has the 36 of them that follow one, from 00:05 on."""
    found = only(grid.between_hours(batch(readings(at_steps([100.0 + n for n in range(37)])))))
    assert [found[f"pairs_{hours}"] for hours in (1, 2, 4, 24)] == [24, 12, None, None]


def test_excursions_are_the_changes_that_mage_averages() -> None:
    """An hour each of 80 and 160 mg/dL, over and over: the means lag, and at either end a change may be lost."""
    levels = [80.0 if n // 12 % 2 else 160.0 for n in range(12 * 48)]
    found = only(mage.mage(batch(readings(at_steps(levels)))))
    assert found["mage"] == 80
    assert found["excursions"] in range(44, 48)
    (single,) = mage.mage(batch(readings(at_steps([100.0 + n for n in range(48)])))).to_dicts()
    assert single["excursions"] == 1


def test_days_of_the_daily_range_are_local_days_with_a_reading() -> None:
    points = [(MIDNIGHT, 100.0), (MIDNIGHT + 2 * DAY, 120.0), (MIDNIGHT + 2 * DAY + HOUR, 130.0)]
    assert only(risk.daily_range(batch(readings(points))))["adrr_days"] == 2


def test_readings_of_the_last_fortnight_are_those_of_the_percentage() -> None:
    found = only(coverage(batch(readings(at_steps([100.0] * (15 * 96), 15 * MINUTE)))))
    assert (found["readings_14d"], found["active_percent_14d"]) == (14 * 96, 100)


def test_episodes_that_ended_are_those_whose_minutes_are_added() -> None:
    values = [100.0] * 12 + [60.0] * 4 + [100.0] * 6 + [60.0] * 6
    low = only(hypoglycemia(batch(readings(at_steps(values)))))
    assert (low["hypo_level_1"], low["hypo_ended"], low["hypo_ongoing"], low["hypo_minutes"]) == (2, 1, 1, 20)
    assert only(hyperglycemia(batch(readings(at_steps(values)))))["hyper_ended"] == 0


def test_nights_of_the_lowest_rate_are_those_with_a_half_hour_of_samples() -> None:
    """The second night has a sample in every third minute alone."""
    spans = [(MIDNIGHT + day * DAY, MIDNIGHT + day * DAY + 6 * HOUR) for day in (0, 1, 2)]
    steps = {0: 1, 1: 3, 2: 1}
    points = [
        (start + minute * MINUTE, 60.0) for day, (start, _) in enumerate(spans) for minute in range(0, 360, steps[day])
    ]
    found = only(heart.lowest_sleeping(batch(readings(points), sleep=traces.nights(*spans))))
    assert found["sleeping_nights"] == 2


def test_readings_of_the_latest_night_are_those_of_its_logarithm() -> None:
    points = [(MIDNIGHT + n * 5 * MINUTE, 30.0) for n in range(40)]
    points += [(MIDNIGHT + DAY + n * 5 * MINUTE, exp(3)) for n in range(31)]
    spans = [(MIDNIGHT + day * DAY, MIDNIGHT + day * DAY + 7 * HOUR) for day in (0, 1)]
    found = only(hrv.nightly(batch(readings(points), sleep=traces.nights(*spans))))
    assert (found["nights"], found["latest_readings"]) == (2, 31)


def test_nights_are_counted_by_how_much_their_stages_tell() -> None:
    whole = pl.concat(
        [
            session(BED, [("LIGHT", 300), ("REM", 60), ("DEEP", 60)], record=0),
            session(BED + DAY, [("LIGHT", 300), ("DEEP", 120)], record=1),
            session(BED + 2 * DAY, [("SLEEPING", 420)], record=2),
            unstaged(BED + 3 * DAY, 420, record=3),
        ]
    )
    found = only(nights.night_means(batch(whole)))
    counts = [found[name] for name in ("nights", "staged_nights", "detailed_nights", "rem_nights")]
    assert counts == [4, 3, 2, 1]


def test_minutes_of_stages_leave_out_what_one_device_calls_sleep_alone() -> None:
    own = session(BED, [("LIGHT", 240), ("SLEEPING", 60), ("DEEP", 60)])
    found = only(stage_agreement(beside(own, session(BED, [("LIGHT", 360)], RING))))
    assert (found["overlap_minutes"], found["stage_minutes"]) == (360, 300)


def test_a_difference_is_of_days_that_were_over_in_both() -> None:
    own = amounts([*days_of(4000.0, 6000.0), a_day(2, 900.0, written=6.0)])
    ring = amounts([*days_of(5000.0, 5000.0), a_day(2, 800.0)], source=RING)
    found = only(activity.other_totals(beside(own, ring)))
    assert (found["shared_days"], found["compared_days"], found["difference_percent"]) == (3, 2, 0)


def test_records_of_the_last_day_are_those_of_its_sum_so_far() -> None:
    part = [(MIDNIGHT + DAY + n * HOUR, MIDNIGHT + DAY + (n + 1) * HOUR, 100.0, MIDNIGHT + 34 * HOUR) for n in range(3)]
    found = only(activity.totals(batch(amounts([*days_of(4000.0), *part]))))
    assert (found["latest_records"], found["latest_total"]) == (3, 300)
