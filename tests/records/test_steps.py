from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etlnarr import insights
from etlnarr.model import Batch
from etlnarr.records.steps import RULES, STEPS_RECORD
from tests.amounts import Amount, a_day, amounts, chosen, days_of, uploaded
from tests.traces import HOUR, MIDNIGHT, MINUTE, batch, person

STATISTICS = "steps_statistics"
PATTERNS = "temporal_patterns"
ASSESSMENT = "clinical_assessment"
AGREEMENT = "device_agreement"
SAMSUNG = "com.sec.android.app.shealth"
OURA = "com.ouraring.oura"
OUT_OF_RANGE = next(rule for rule in RULES if rule.name == "steps_out_of_range")


def row_of(whole: Batch) -> dict[str, object]:
    """The row of the only subject."""
    return insights.evaluate(STEPS_RECORD, whole, ()).row(0, named=True)


def silences(whole: Batch) -> dict[str, str]:
    """Reasons by the path that is withheld."""
    (found,) = insights.unfold(STEPS_RECORD, insights.evaluate(STEPS_RECORD, whole, ()), ())
    return {entry.path: entry.reason for entry in found.withheld}


def advice(whole: Batch) -> list[str]:
    (found,) = insights.unfold(STEPS_RECORD, insights.evaluate(STEPS_RECORD, whole, ()), ())
    return found.recommendations


def of_days(*totals: float, age: int | None = None) -> Batch:
    return batch(amounts(days_of(*totals)), people=person({"age": age}))


def of_upload(folder: Path, stamp: str) -> Batch:
    readings = uploaded(folder, f"StepsRecord_{stamp}", STEPS_RECORD)
    people = person({})
    return chosen(STEPS_RECORD, readings, people=people)


@pytest.mark.parametrize(
    ("total", "level"),
    [
        (4999.0, "sedentary"),
        (5000.0, "low_active"),
        (7499.0, "low_active"),
        (7500.0, "somewhat_active"),
        (9999.0, "somewhat_active"),
        (10_000.0, "active"),
        (12_499.0, "active"),
        (12_500.0, "highly_active"),
    ],
)
def test_bands_of_activity(total: float, level: str) -> None:
    assert row_of(of_days(*[total] * 3))[f"{ASSESSMENT}.activity_level"] == level


@pytest.mark.parametrize(("total", "word"), [(6999.0, "not_reached"), (7000.0, "reached")])
def test_guideline(total: float, word: str) -> None:
    assert row_of(of_days(*[total] * 7))[f"{ASSESSMENT}.guideline"] == word


@pytest.mark.parametrize(("number", "said"), [(2, False), (3, True)])
def test_an_average_needs_three_complete_days(number: int, said: bool) -> None:
    withheld = silences(of_days(*[4000.0] * number))
    for path in (f"{STATISTICS}.daily_mean", f"{ASSESSMENT}.activity_level"):
        assert (path in withheld) != said
    assert f"{STATISTICS}.daily_max" not in withheld


@pytest.mark.parametrize(("number", "said"), [(6, False), (7, True)])
def test_the_guideline_needs_a_week(number: int, said: bool) -> None:
    assert (f"{ASSESSMENT}.guideline" in silences(of_days(*[4000.0] * number))) != said


@pytest.mark.parametrize(("age", "said"), [(17, False), (18, True), (None, True)])
def test_levels_are_of_adults(age: int | None, said: bool) -> None:
    withheld = silences(of_days(*[4000.0] * 7, age=age))
    assert (f"{ASSESSMENT}.activity_level" in withheld) != said
    assert (f"{ASSESSMENT}.guideline" in withheld) != said


def test_an_unfinished_day_has_no_total_and_no_level() -> None:
    whole = batch(amounts([a_day(0, 1210.0, written=10.4)]))
    withheld = silences(whole)
    assert row_of(whole)[f"{STATISTICS}.latest.total"] == 1210.0
    for name in ("daily_mean", "daily_min", "daily_max"):
        assert f"{STATISTICS}.{name}" in withheld
    assert withheld[f"{ASSESSMENT}.activity_level"] == "fewer than 3 complete days"
    assert "sync_after_the_day" in advice(whole)


def test_a_finished_day_has_no_latest() -> None:
    whole = of_days(8000.0)
    assert row_of(whole)[f"{STATISTICS}.latest.total"] is None
    assert "sync_after_the_day" not in advice(whole)


@pytest.mark.parametrize(("total", "number", "given"), [(6999.0, 3, True), (7000.0, 3, False), (6999.0, 2, False)])
def test_more_steps_follow_from_an_average(total: float, number: int, given: bool) -> None:
    assert ("more_steps" in advice(of_days(*[total] * number))) == given


@pytest.mark.parametrize(("number", "given"), [(6, True), (7, False)])
def test_more_days_are_asked_for_below_a_week(number: int, given: bool) -> None:
    assert ("record_more_days" in advice(of_days(*[9000.0] * number))) == given


def by_the_minute(*steps: float) -> list[Amount]:
    bounds = [(MIDNIGHT + n * MINUTE, MIDNIGHT + (n + 1) * MINUTE) for n in range(len(steps))]
    return [(start, end, value, end) for (start, end), value in zip(bounds, steps, strict=True)]


def test_daily_totals_show_neither_hours_nor_cadence_nor_sitting() -> None:
    withheld = silences(of_days(8000.0))
    for path in ("cadence.highest", "sedentary.spans", "cadence.moderate_minutes"):
        assert f"{STATISTICS}.{path}" in withheld
    assert {f"{PATTERNS}.hourly_distribution", f"{PATTERNS}.peak_hour"} <= set(withheld)


def test_minutes_show_hours_and_cadence_but_not_whether_the_device_was_worn() -> None:
    rows = [
        *by_the_minute(110.0, 140.0),
        (MIDNIGHT + 2 * HOUR, MIDNIGHT + 2 * HOUR + MINUTE, 90.0, MIDNIGHT + 3 * HOUR),
    ]
    whole = batch(amounts(rows))
    row, withheld = row_of(whole), silences(whole)
    assert row[f"{STATISTICS}.cadence.highest"] == 140.0
    assert (row[f"{STATISTICS}.cadence.moderate_minutes"], row[f"{STATISTICS}.cadence.vigorous_minutes"]) == (1.0, 1.0)
    assert row[f"{PATTERNS}.peak_hour"] == 0
    assert row[f"{STATISTICS}.sedentary.spans"] == 1
    assert "worn" in withheld[f"{STATISTICS}.sedentary.spans"]
    assert f"{STATISTICS}.cadence.highest" not in withheld


def test_a_child_is_advised_nothing() -> None:
    assert "more_steps" in advice(of_days(*[4000.0] * 7, age=18))
    assert "more_steps" not in advice(of_days(*[4000.0] * 7, age=12))


@pytest.mark.parametrize(("lowest", "low"), [(499.0, 1), (500.0, 0)])
def test_days_on_which_the_device_may_not_have_been_worn_silence_the_level(lowest: float, low: int) -> None:
    whole = of_days(*[4000.0] * 7, lowest)
    withheld = silences(whole)
    assert row_of(whole)[f"{STATISTICS}.low_days"] == low
    for name in ("activity_level", "guideline"):
        path = f"{ASSESSMENT}.{name}"
        assert (withheld.get(path) == "the average includes days of fewer than 500 steps") == bool(low)
    assert ("more_steps" in advice(whole)) != bool(low)
    assert f"{STATISTICS}.daily_mean" not in withheld


def test_an_unfinished_day_of_few_steps_silences_nothing() -> None:
    whole = batch(amounts([*days_of(*[4000.0] * 7), a_day(7, 20.0, written=3.0)]))
    assert row_of(whole)[f"{STATISTICS}.low_days"] == 0
    assert f"{ASSESSMENT}.activity_level" not in silences(whole)


UNKNOWN = "the local time of these readings is not known"


@pytest.mark.parametrize(
    ("lengths", "offset_s", "reason"),
    [
        ((HOUR, HOUR), 0, None),
        ((HOUR, HOUR), None, UNKNOWN),
        ((HOUR, 2 * HOUR), 0, "some records are longer than an hour"),
        ((2 * HOUR, 2 * HOUR), 0, "the records are longer than an hour"),
        ((HOUR, 2 * HOUR), None, f"records are longer than an hour, and {UNKNOWN}"),
    ],
)
def test_what_keeps_the_hours_silent_is_named_alone(
    lengths: tuple[int, ...], offset_s: int | None, reason: str | None
) -> None:
    starts = [MIDNIGHT, MIDNIGHT + 5 * HOUR]
    rows = [(start, start + length, 9.0 + start % 7, 0) for start, length in zip(starts, lengths, strict=True)]
    withheld = silences(batch(amounts(rows, offset_s=offset_s)))
    assert withheld.get(f"{PATTERNS}.hourly_distribution") == reason
    worn = "whether the device was worn is not known"
    assert withheld[f"{STATISTICS}.sedentary.spans"] == (worn if reason is None else reason)


def test_hours_that_share_the_highest_sum_have_their_own_reason() -> None:
    rows = [(MIDNIGHT + n * HOUR, MIDNIGHT + (n + 1) * HOUR, 50.0, 0) for n in range(2)]
    withheld = silences(batch(amounts(rows)))
    assert withheld[f"{PATTERNS}.peak_hour"] == "several hours share the highest sum"
    assert f"{PATTERNS}.hourly_distribution" not in withheld


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (0.0, "when the last day was last written is not known"),
        (25.0, "the last day was over when it was last written"),
    ],
)
def test_why_there_is_no_unfinished_day(written: float, reason: str) -> None:
    start, end, value, modified = a_day(0, 8000.0, written)
    withheld = silences(batch(amounts([(start, end, value, modified if written else 0)])))
    assert {withheld[f"{STATISTICS}.latest.{name}"] for name in ("total", "day_elapsed_percent", "as_of")} == {reason}


def test_a_record_over_midnight_is_one_record() -> None:
    rows: list[Amount] = [(MIDNIGHT + 23 * HOUR, MIDNIGHT + 25 * HOUR, 100.0, MIDNIGHT + 30 * HOUR)]
    row = row_of(chosen(STEPS_RECORD, amounts(rows), people=person({})))
    assert (row[f"{STATISTICS}.count"], row[f"{STATISTICS}.days"], row[f"{STATISTICS}.total"]) == (1, 2, 100.0)
    assert row[f"{PATTERNS}.interval_minutes"] is None


@pytest.mark.parametrize(("value", "fails"), [(-1.0, True), (0.0, False), (100_000.0, False), (100_001.0, True)])
def test_range(value: float, fails: bool) -> None:
    assert pl.DataFrame({"value": [value]}).select(OUT_OF_RANGE.fails).item() == fails


@pytest.mark.parametrize("stamp", ["1758407139312", "1758407245091", "1758407386729"])
def test_the_real_day_of_two_devices(real_samples: Path, stamp: str) -> None:
    whole = of_upload(real_samples, stamp)
    row, withheld = row_of(whole), silences(whole)
    assert row["source"] == SAMSUNG
    assert row[f"{STATISTICS}.latest.total"] == 3933
    assert row[f"{STATISTICS}.latest.day_elapsed_percent"] == pytest.approx(71.6, abs=0.05)
    assert row[f"{STATISTICS}.latest.as_of"] == pytest.approx(17 * 60 + 10 + 56 / 60, abs=0.01)
    assert row[f"{AGREEMENT}.other_total"] == 2517
    assert row[f"{AGREEMENT}.other_day_start"] == 240
    assert "was over" in withheld[f"{AGREEMENT}.difference_percent"]
    assert f"{STATISTICS}.daily_mean" in withheld


@pytest.mark.parametrize(("stamp", "total", "elapsed"), [("1758494067274", None, 65.0), ("1758554834823", 1210, 43.4)])
def test_real_unfinished_days(real_samples: Path, stamp: str, total: int | None, elapsed: float) -> None:
    row = row_of(of_upload(real_samples, stamp))
    assert row[f"{STATISTICS}.complete_days"] == 0
    assert row[f"{STATISTICS}.latest.day_elapsed_percent"] == pytest.approx(elapsed, abs=0.05)
    assert total is None or row[f"{STATISTICS}.latest.total"] == total
    assert row[f"{AGREEMENT}.other_total"] is None


def test_without_a_second_source_there_is_nothing_to_compare() -> None:
    withheld = silences(of_days(8000.0, 8000.0, 8000.0))
    assert withheld[f"{AGREEMENT}.shared_days"] == "no second source recorded the same time"


DRAWN = st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from([10.0, 25.0])), min_size=1, max_size=12)


@given(st.lists(DRAWN, min_size=2, max_size=4), st.booleans())
@settings(max_examples=20, deadline=None)
def test_company_changes_nothing(people: list[list[tuple[int, float]]], reverse: bool) -> None:
    frames = [
        amounts([a_day(day, float(total), written) for day, (total, written) in enumerate(drawn)], number)
        for number, drawn in enumerate(people)
    ]
    facts = pl.concat([person({}).with_columns(subject=pl.lit(number, pl.Int64)) for number in range(len(people))])
    ordered = frames[::-1] if reverse else frames
    together = insights.evaluate(STEPS_RECORD, chosen(STEPS_RECORD, *ordered, people=facts), ())
    alone = [insights.evaluate(STEPS_RECORD, _only(chosen(STEPS_RECORD, f, people=facts)), ()) for f in frames]
    paths = [metric.path for metric in STEPS_RECORD.metrics]
    assert_frame_equal(together.select(paths), pl.concat(alone).select(paths), check_exact=True)


def _only(whole: Batch) -> Batch:
    return replace(whole, people=whole.people.join(whole.readings, on="subject", how="semi"))


def test_totals_of_one_app_that_overlap_count_each_instant_once() -> None:
    end, written = MIDNIGHT + 24 * HOUR - 1, MIDNIGHT + 30 * HOUR
    rows: list[Amount] = [(MIDNIGHT, end, 6000.0, written), (MIDNIGHT + 4 * HOUR, end, 5000.0, written + 1)]
    row = row_of(chosen(STEPS_RECORD, amounts(rows), people=person({})))
    assert row[f"{STATISTICS}.total"] == pytest.approx(6000 * 4 / 24 + 5000, abs=0.1)
