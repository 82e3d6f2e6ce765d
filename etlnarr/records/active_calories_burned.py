"""Active energy: totals of complete days, effort where mass and short records allow, the resting rate beside it."""

from functools import partial
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import activity, day_patterns, days, energy
from etlnarr.model import Comparison, Field, Metric, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records import daily_amounts as daily
from etlnarr.records.declarations import ADULT, ASSESSMENT, INFINITE, INTERVAL, PATTERNS, at_least, needing

STATISTICS: Final = "energy_statistics"
KCAL: Final = "kcal"
DAILY_MEAN: Final = f"{STATISTICS}.daily_mean"
COMPLETE: Final = f"{STATISTICS}.complete_days"
BASAL_RATE: Final = f"{STATISTICS}.metabolic.basal_rate"
WEEKLY: Final = f"{STATISTICS}.intensity.weekly_minutes"
GUIDELINE: Final = f"{ASSESSMENT}.activity_guideline"

LOW_KCAL: Final = 25
"""About what 500 steps take: 0.4 km at half a kilocalorie per kg and km, of 80 kg 16 kcal, with room for error."""
LOW: Final = f"less than {LOW_KCAL} kcal"

PAG: Final = "PAG 2008"
SHCHERBINA: Final = "MET = kcal / (kg x h) + 1; devices err by 27 % at best (Shcherbina 2017 J Pers Med 7:3)"
MIFFLIN: Final = "Mifflin 1990 (Mifflin-St Jeor)"

EFFORT_GATES: Final = (
    ADULT,
    *daily.short_records(
        "fine",
        "10 minutes",
        pl.col("mass_kg").is_not_null(),
        ("your body mass is not known", "your body mass"),
    ),
)
NO_EFFORT: Final = ("no record has a length", "records with a start and an end")
NO_BODY: Final = (
    "your sex, age, body mass and height are not all known",
    "your sex, age, body mass and height",
)
AVERAGE: Final = at_least(COMPLETE, 3, "complete days")
WEEK: Final = at_least(COMPLETE, 7, "complete days")

SHAPE: Final = Shape(
    MappingProxyType({**INTERVAL, "value": Field(("energyInKilocalories", "energy.inKilocalories"), kind="number")}),
)

RULES: Final = (
    daily.TOO_LONG,
    Rule("value_missing", "completeness", "readings", pl.col("value").is_null()),
    Rule("calories_out_of_range", "physiological", "readings", ~pl.col("value").is_between(0, 10_000)),
)


def _effort(name: str, unit: str, decimals: int, definition: str, source: str = PAG) -> Metric:
    return Metric(f"{STATISTICS}.intensity.{name}", unit, decimals, definition, source)


def _session(name: str, unit: str, definition: str, column: str) -> Metric:
    return Metric(f"{STATISTICS}.sessions.{name}", unit, 0, definition, PAG, expr=pl.col(column))


EFFORT: Final = (
    *needing(
        NO_EFFORT,
        EFFORT_GATES,
        _effort("mean_met", "MET", 1, "mean of the recorded time", SHCHERBINA),
        _effort("light_minutes", "min", 0, "recorded time below 3 MET"),
        _effort("moderate_minutes", "min", 0, "recorded time from 3 to below 6 MET"),
        _effort("vigorous_minutes", "min", 0, "recorded time at 6 MET and more"),
    ),
    *needing(
        NO_EFFORT,
        (*EFFORT_GATES, WEEK),
        _effort("weekly_minutes", "min", 0, "moderate plus twice the vigorous minutes of complete days, per week"),
    ),
    *needing(
        NO_EFFORT,
        EFFORT_GATES,
        _session("count", "sessions", "10 min and more at 3 MET and more, records at most 2 min apart", "sessions"),
        _session("minutes", "min", "length of these sessions together", "sessions_minutes"),
    ),
)

METABOLIC: Final = (
    Metric(
        BASAL_RATE,
        KCAL,
        0,
        "10 x kg + 6.25 x cm - 5 x age + 5 (men) or - 161 (women), a day",
        MIFFLIN,
        expr=energy.basal_rate(),
        gates=(ADULT,),
        undefined=NO_BODY,
    ),
    Metric(
        f"{STATISTICS}.metabolic.total_expenditure",
        KCAL,
        0,
        "estimated resting energy plus the mean active energy of the complete days",
        MIFFLIN,
        expr=pl.col(BASAL_RATE) + pl.col(DAILY_MEAN),
        gates=(ADULT, AVERAGE),
        undefined=NO_BODY,
    ),
)

VERDICTS: Final = (
    Verdict(
        GUIDELINE,
        WEEKLY,
        (("not_reached", 150, False), ("reached", 300, True), ("exceeded", INFINITE, True)),
        PAG,
        frozenset({"reached", "exceeded"}),
        gates=(daily.unworn(STATISTICS, LOW),),
    ),
)

RECOMMENDATIONS: Final = (
    Recommendation("more_activity", GUIDELINE, pl.col(GUIDELINE) == "not_reached"),
    Recommendation("sync_after_the_day", f"{STATISTICS}.latest.total", pl.lit(value=True)),
    Recommendation("record_more_days", COMPLETE, pl.col(COMPLETE).lt(7)),
)

BODY: Final = ("sex", "age", "mass_kg", "height_cm")
INPUTS: Final = MappingProxyType(
    {
        **daily.inputs(STATISTICS),
        f"{STATISTICS}.intensity": (f"{STATISTICS}.count", "mass_kg"),
        WEEKLY: (COMPLETE, "mass_kg"),
        f"{STATISTICS}.sessions.count": (f"{STATISTICS}.count", "mass_kg"),
        f"{STATISTICS}.sessions.minutes": (f"{STATISTICS}.sessions.count",),
        BASAL_RATE: BODY,
        f"{STATISTICS}.metabolic.total_expenditure": (COMPLETE, *BODY),
    }
)

SILENCES: Final = (
    DAILY_MEAN,
    f"{STATISTICS}.intensity.mean_met",
    BASAL_RATE,
    GUIDELINE,
    f"{STATISTICS}.sessions.count",
    f"{PATTERNS}.hourly_distribution",
)

ACTIVE_CALORIES_BURNED: Final = RecordType(
    name="ActiveCaloriesBurnedRecord",
    category="energy_metabolism",
    template="active_calories_burned.jinja",
    shape=SHAPE,
    rules=RULES,
    choose=days.choose,
    tables=(
        activity.totals,
        partial(activity.low_days, limit=LOW_KCAL),
        day_patterns.sight,
        day_patterns.patterns,
        energy.intensity,
        activity.other_totals,
        activity.combined,
    ),
    metrics=(*daily.amounts(STATISTICS, KCAL, LOW), *EFFORT, *METABOLIC, *daily.patterns(KCAL), *daily.second(KCAL)),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    inputs=INPUTS,
    silences=SILENCES,
    of_several=frozenset({DAILY_MEAN, GUIDELINE, "record_more_days"}),
    series=activity.series,
    by_day=days.by_piece,
    comparisons=(Comparison("daily_mean", DAILY_MEAN, 27, f"{SHCHERBINA}", relative=True),),
)
