from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from etlnarr import insights
from etlnarr.model import Batch
from etlnarr.records.active_calories_burned import ACTIVE_CALORIES_BURNED, RULES
from tests.amounts import a_day, amounts, chosen, days_of, uploaded
from tests.traces import DAY, MIDNIGHT, MINUTE, batch, person

STATISTICS = "energy_statistics"
METABOLIC = f"{STATISTICS}.metabolic"
GUIDELINE = "clinical_assessment.activity_guideline"
OUT_OF_RANGE = next(rule for rule in RULES if rule.name == "calories_out_of_range")
BODY: dict[str, object] = {"sex": "female", "age": 40, "mass_kg": 60.0, "height_cm": 160.0}
RESTING = 1239.0  # 600 + 1000 - 200 - 161


def row_of(whole: Batch) -> dict[str, object]:
    """The row of the only subject."""
    return insights.evaluate(ACTIVE_CALORIES_BURNED, whole, ()).row(0, named=True)


def told(whole: Batch) -> insights.Insights:
    row = insights.evaluate(ACTIVE_CALORIES_BURNED, whole, ())
    return next(iter(insights.unfold(ACTIVE_CALORIES_BURNED, row, ())))


def silences(whole: Batch) -> dict[str, str]:
    """Reasons by the path that is withheld."""
    return {entry.path: entry.reason for entry in told(whole).withheld}


def weeks(minutes: int, days: int = 7) -> Batch:
    """Every day so many minutes at 4 MET, and a minute of rest at midnight; the last day is the day after."""
    rows = []
    for midnight in range(MIDNIGHT, MIDNIGHT + (days + 1) * DAY, DAY):
        efforts = [0.1] + [3.0] * (minutes if midnight < MIDNIGHT + days * DAY else 0)
        starts = range(midnight, midnight + len(efforts) * MINUTE, MINUTE)
        rows += [(at, at + MINUTE, kcal, midnight + DAY // 2) for at, kcal in zip(starts, efforts, strict=True)]
    return batch(amounts(rows), people=person(BODY))


def test_daily_figures() -> None:
    row = row_of(batch(amounts([*days_of(300.0, 400.0, 500.0), a_day(3, 50.0, written=8.0)])))
    assert (row[f"{STATISTICS}.daily_mean"], row[f"{STATISTICS}.complete_days"]) == (400.0, 3)
    assert row[f"{STATISTICS}.latest.total"] == 50.0


def test_expenditure_adds_the_resting_rate() -> None:
    row = row_of(batch(amounts(days_of(300.0, 400.0, 500.0)), people=person(BODY)))
    assert row[f"{METABOLIC}.basal_rate"] == RESTING
    assert row[f"{METABOLIC}.total_expenditure"] == RESTING + 400


@pytest.mark.parametrize("unknown", ["sex", "age", "mass_kg", "height_cm"])
def test_the_resting_rate_needs_the_body(unknown: str) -> None:
    withheld = silences(batch(amounts(days_of(300.0, 400.0, 500.0)), people=person({**BODY, unknown: None})))
    assert withheld[f"{METABOLIC}.basal_rate"] == "your sex, age, body mass and height are not all known"
    assert f"{METABOLIC}.total_expenditure" in withheld


@pytest.mark.parametrize(("age", "said"), [(17, False), (18, True)])
def test_the_resting_rate_is_of_adults(age: int, said: bool) -> None:
    withheld = silences(batch(amounts(days_of(300.0)), people=person({**BODY, "age": age})))
    assert (f"{METABOLIC}.basal_rate" in withheld) != said


@pytest.mark.parametrize(("number", "said"), [(2, False), (3, True)])
def test_expenditure_needs_three_complete_days(number: int, said: bool) -> None:
    withheld = silences(batch(amounts(days_of(*[300.0] * number)), people=person(BODY)))
    assert (f"{METABOLIC}.total_expenditure" in withheld) != said


def test_daily_totals_show_neither_effort_nor_sessions() -> None:
    withheld = silences(batch(amounts(days_of(*[300.0] * 8)), people=person(BODY)))
    assert f"{STATISTICS}.intensity.mean_met" in withheld
    assert f"{STATISTICS}.sessions.count" in withheld
    assert GUIDELINE in withheld


@pytest.mark.parametrize(
    ("minutes", "word", "advised"),
    [(21, "not_reached", True), (22, "reached", False), (42, "reached", False), (43, "exceeded", False)],
)
def test_guideline(minutes: int, word: str, advised: bool) -> None:
    whole = weeks(minutes)  # 147, 154, 294 and 301 minutes a week
    row = row_of(whole)
    assert row[f"{STATISTICS}.intensity.weekly_minutes"] == pytest.approx(7 * minutes)
    assert row[GUIDELINE] == word
    assert ("more_activity" in told(whole).recommendations) == advised
    assert row[f"{STATISTICS}.sessions.count"] == 7


@pytest.mark.parametrize(("days", "said"), [(6, False), (7, True)])
def test_the_guideline_needs_a_week(days: int, said: bool) -> None:
    assert (GUIDELINE in silences(weeks(30, days))) != said


@pytest.mark.parametrize(("age", "said"), [(17, False), (18, True), (None, True)])
def test_effort_and_sessions_are_of_adults(age: int | None, said: bool) -> None:
    whole = weeks(30)
    withheld = silences(replace(whole, people=person({**BODY, "age": age})))
    for name in ("intensity.mean_met", "intensity.moderate_minutes", "intensity.weekly_minutes", "sessions.count"):
        assert (f"{STATISTICS}.{name}" in withheld) != said
    assert (GUIDELINE in withheld) != said


MASS = "your body mass is not known"


@pytest.mark.parametrize(
    ("minutes", "mass", "reason"),
    [
        ((10, 10), 60.0, None),
        ((10, 10), None, MASS),
        ((10, 60), 60.0, "some records are longer than 10 minutes"),
        ((60, 60), 60.0, "the records are longer than 10 minutes"),
        ((60, 60), None, f"records are longer than 10 minutes, and {MASS}"),
    ],
)
def test_what_keeps_effort_silent_is_named_alone(
    minutes: tuple[int, ...], mass: float | None, reason: str | None
) -> None:
    starts = [MIDNIGHT, MIDNIGHT + DAY // 2]
    rows = [(at, at + length * MINUTE, 20.0, 0) for at, length in zip(starts, minutes, strict=True)]
    withheld = silences(batch(amounts(rows), people=person({**BODY, "mass_kg": mass})))
    assert withheld.get(f"{STATISTICS}.intensity.mean_met") == reason
    assert withheld.get(f"{STATISTICS}.sessions.count") == reason


@pytest.mark.parametrize(("lowest", "low"), [(24.9, 1), (25.0, 0)])
def test_low_days_are_counted(lowest: float, low: int) -> None:
    assert row_of(batch(amounts(days_of(300.0, 400.0, lowest))))[f"{STATISTICS}.low_days"] == low


def test_low_days_silence_the_guideline() -> None:
    whole = weeks(8)  # 24.1 kcal a day
    assert row_of(whole)[f"{STATISTICS}.low_days"] == 7
    assert silences(whole)[GUIDELINE] == "the average includes days of less than 25 kcal"
    assert "more_activity" not in told(whole).recommendations
    assert GUIDELINE not in silences(weeks(9))  # 27.1 kcal a day


@pytest.mark.parametrize(("value", "fails"), [(-0.1, True), (0.0, False), (10_000.0, False), (10_000.1, True)])
def test_range(value: float, fails: bool) -> None:
    assert pl.DataFrame({"value": [value]}).select(OUT_OF_RANGE.fails).item() == fails


@pytest.mark.parametrize("stamp", ["1758407139312", "1758407245091", "1758407386729"])
def test_the_real_day(real_samples: Path, stamp: str) -> None:
    name = f"ActiveCaloriesBurnedRecord_{stamp}"
    readings = uploaded(real_samples, name, ACTIVE_CALORIES_BURNED)
    whole = chosen(ACTIVE_CALORIES_BURNED, readings, people=person({}))
    row, withheld = row_of(whole), silences(whole)
    assert (row["source"], row[f"{STATISTICS}.latest.total"]) == ("com.ouraring.oura", 124.0)
    assert row[f"{STATISTICS}.latest.day_elapsed_percent"] == pytest.approx(65.3, abs=0.05)
    assert row[f"{STATISTICS}.complete_days"] == 0
    assert {f"{STATISTICS}.daily_mean", f"{METABOLIC}.basal_rate", GUIDELINE} <= set(withheld)
    assert told(whole).recommendations == ["sync_after_the_day", "record_more_days"]
