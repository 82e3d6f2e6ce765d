"""Steps: totals of complete days, the day that is not over, the pattern of the day where records show one."""

from functools import partial
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import activity, day_patterns, days
from etlnarr.model import Comparison, Field, Metric, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records import daily_amounts as daily
from etlnarr.records.declarations import (
    ADULT,
    ASSESSMENT,
    DESCRIPTIVE,
    INFINITE,
    INTERVAL,
    PATTERNS,
    at_least,
    needing,
    never,
)

STATISTICS: Final = "steps_statistics"
STEPS: Final = "steps"
DAILY_MEAN: Final = f"{STATISTICS}.daily_mean"
COMPLETE: Final = f"{STATISTICS}.complete_days"
LEVEL: Final = f"{ASSESSMENT}.activity_level"
GUIDELINE: Final = f"{ASSESSMENT}.guideline"

LOW_STEPS: Final = 500
"""Fewer in a whole day may as well be a device that lay in a drawer."""
LOW: Final = f"fewer than {LOW_STEPS} steps"

TUDOR_LOCKE: Final = "Tudor-Locke & Bassett 2004 Sports Med 34:1"
CADENCE: Final = "Tudor-Locke 2018"
SBRN: Final = "SBRN 2017; within a local day, between two records with steps"
DING: Final = "Ding 2025 Lancet Public Health"

NO_MINUTES: Final = ("steps are not told by the minute", "records of a minute")
NO_SPANS: Final = ("no steps were taken", "records with steps")
NO_COMPLETE: Final = ("no day was over when it was last written", "one complete day")
WORN: Final = (
    *daily.SIGHT,
    never("whether the device was worn is not known", "known wear"),
)
UNWORN: Final = daily.unworn(STATISTICS, LOW)
WEEK: Final = at_least(COMPLETE, 7, "complete days")

SHAPE: Final = Shape(
    MappingProxyType({**INTERVAL, "value": Field(("count",), kind="number")}),
)

RULES: Final = (
    daily.TOO_LONG,
    Rule("value_missing", "completeness", "readings", pl.col("value").is_null()),
    Rule("steps_out_of_range", "physiological", "readings", ~pl.col("value").is_between(0, 100_000)),
)


def _metric(name: str, unit: str, definition: str, source: str, column: str = "") -> Metric:
    return Metric(f"{STATISTICS}.{name}", unit, 0, definition, source, expr=pl.col(column) if column else None)


GOALS: Final = needing(
    NO_COMPLETE,
    (),
    *(
        _metric(f"days_at_least_{goal}", "days", f"complete days of at least {goal:,} steps", source)
        for goal, source in zip(activity.GOALS, (DING, DESCRIPTIVE), strict=True)
    ),
)

PACE: Final = (
    *needing(
        NO_MINUTES,
        (),
        _metric("cadence.highest", "steps/min", "highest cadence of a minute", CADENCE, "cadence_highest"),
        _metric("cadence.moderate_minutes", "min", "minutes of 100 to below 130 steps", CADENCE),
        _metric("cadence.vigorous_minutes", "min", "minutes of 130 steps and more", CADENCE),
    ),
    *needing(
        NO_SPANS,
        WORN,
        _metric("sedentary.spans", "spans", "stretches of 60 min and more without a step", SBRN, "sedentary_spans"),
        _metric("sedentary.longest_minutes", "min", "longest of these stretches", SBRN, "longest_span_minutes"),
    ),
)

VERDICTS: Final = (
    Verdict(
        LEVEL,
        DAILY_MEAN,
        (
            ("sedentary", 5_000, False),
            ("low_active", 7_500, False),
            ("somewhat_active", 10_000, False),
            ("active", 12_500, False),
            ("highly_active", INFINITE, True),
        ),
        TUDOR_LOCKE,
        frozenset({"somewhat_active", "active", "highly_active"}),
        gates=(ADULT, UNWORN),
    ),
    Verdict(
        GUIDELINE,
        DAILY_MEAN,
        (("not_reached", 7_000, False), ("reached", INFINITE, True)),
        DING,
        frozenset({"reached"}),
        gates=(ADULT, UNWORN, WEEK),
    ),
)

RECOMMENDATIONS: Final = (
    Recommendation("more_steps", LEVEL, pl.col(DAILY_MEAN).lt(7_000)),
    Recommendation("sync_after_the_day", f"{STATISTICS}.latest.total", pl.lit(value=True)),
    Recommendation("record_more_days", COMPLETE, pl.col(COMPLETE).lt(7)),
)

INPUTS: Final = MappingProxyType(
    {
        **daily.inputs(STATISTICS),
        **{goal.path: (COMPLETE,) for goal in GOALS},
        f"{STATISTICS}.sedentary.longest_minutes": (f"{STATISTICS}.sedentary.spans",),
    }
)

SILENCES: Final = (
    DAILY_MEAN,
    LEVEL,
    f"{PATTERNS}.hourly_distribution",
    f"{STATISTICS}.sedentary.spans",
    GUIDELINE,
    f"{STATISTICS}.cadence.highest",
)

STEPS_RECORD: Final = RecordType(
    name="StepsRecord",
    category="physical_activity",
    template="steps.jinja",
    shape=SHAPE,
    rules=RULES,
    choose=days.choose,
    tables=(
        activity.totals,
        partial(activity.low_days, limit=LOW_STEPS),
        activity.goals,
        day_patterns.sight,
        day_patterns.patterns,
        day_patterns.sedentary,
        day_patterns.cadence,
        activity.other_totals,
        activity.combined,
    ),
    metrics=(*daily.amounts(STATISTICS, STEPS, LOW), *GOALS, *PACE, *daily.patterns(STEPS), *daily.second(STEPS)),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    inputs=INPUTS,
    silences=SILENCES,
    of_several=frozenset({DAILY_MEAN, GUIDELINE, "record_more_days"}),
    series=activity.series,
    by_day=days.by_piece,
    comparisons=(Comparison("daily_mean", DAILY_MEAN, 1_000, f"{DING}, whose risks go by steps of 1,000"),),
)
