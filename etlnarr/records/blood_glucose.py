"""Blood glucose: finger-sticks and sensor traces."""

from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import glucose_gates as gates
from etlnarr.metrics import sources
from etlnarr.metrics.coverage import coverage
from etlnarr.metrics.dawn import dawn
from etlnarr.metrics.episodes import hyperglycemia, hypoglycemia
from etlnarr.metrics.glucose import CONSENSUS, STATISTICS, TIR, bands, basics, covered, hba1c
from etlnarr.metrics.glucose_patterns import events, meals, patterns, peak
from etlnarr.metrics.glucose_variability import variability
from etlnarr.metrics.grid import area, between_hours
from etlnarr.metrics.hourly import series
from etlnarr.metrics.mage import mage
from etlnarr.metrics.risk import daily_range
from etlnarr.model import Field, Gate, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records.declarations import ASSESSMENT, INFINITE

BLOOD: Final = ("CAPILLARY_BLOOD", "PLASMA", "SERUM", "WHOLE_BLOOD")
"""Specimens of single measurements; a specimen that is not told may be a sensor's."""

HALF: Final = 0.5
SPECIFIED: Final = "words of the training schema; no guideline has them"
CV: Final = f"{STATISTICS}.cv"
LEVEL_1: Final = f"{STATISTICS}.hypoglycemic_events.level_1"
LEVEL_2: Final = f"{STATISTICS}.hypoglycemic_events.level_2"
READINGS_ABOVE_180: Final = f"{STATISTICS}.hyperglycemic_events.readings_above_180"
MANY_EPISODES: Final = 2
MANY_HIGHS: Final = 0.25
"""Share of readings above 180 mg/dL that the consensus wants no adult with diabetes to reach."""

TIR_TARGET: Final = 70.0
USUAL_DAYS: Final = 10

SHAPE: Final = Shape(
    MappingProxyType(
        {
            "start": Field(("timeEpochMillis", "time.epochMillis")),
            "offset": Field(("zoneOffsetId", "zoneOffset.id"), required=False, kind="text"),
            "value": Field(("levelInMilligramsPerDeciliter", "level.inMilligramsPerDeciliter"), kind="number"),
            "label": Field(("specimenSource",), required=False, kind="text"),
            "meal_type": Field(("mealType",), required=False, kind="text"),
            "relation_to_meal": Field(("relationToMeal",), required=False, kind="text"),
        }
    )
)

RULES: Final = (
    Rule("value_missing", "completeness", "readings", pl.col("value").is_null()),
    Rule("glucose_out_of_range", "physiological", "readings", ~pl.col("value").is_between(20, 600)),
)


def choose(readings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose between sensor and blood measurements for the whole subject, then one source for each local day.

    A day of finger-sticks between days of a sensor would put two instruments into one trace; whichever has more
    readings speaks.
    """
    blood = pl.col("label").is_in(BLOOD).fill_null(value=False)
    mostly_blood = blood.mean().over("subject") > HALF
    marked = readings.with_columns(own=blood == mostly_blood)
    kind, other_kind = (marked.filter(own).drop("own") for own in (pl.col("own"), ~pl.col("own")))
    chosen, others = sources.choose(kind, sources.local_date())
    return chosen, pl.concat([others, other_kind]).sort("subject", "start", "record", "source", "end")


def _target(name: str, metric: str, limit: float, wanted: str, *group: Gate) -> Verdict:
    """Compare a share of readings with its consensus target, which the limit itself does not meet."""
    words = (("below", limit, False), ("at", limit, True), ("above", INFINITE, True))
    needs = (*gates.JUDGED, *group)
    return Verdict(f"{ASSESSMENT}.{name}", f"{TIR}.{metric}", words, CONSENSUS, frozenset({wanted}), gates=needs)


def _hypoglycemia_risk() -> pl.Expr:
    level_1, level_2 = pl.col(LEVEL_1), pl.col(LEVEL_2)
    word = pl.when(level_2 > 0).then(pl.lit("high")).when(level_1 > MANY_EPISODES).then(pl.lit("moderate"))
    return pl.when(level_1.is_not_null()).then(word.otherwise(pl.lit("low")))


MOST_ADULTS: Final = (gates.DIABETES, gates.ADULT, gates.NOT_PREGNANT)
VERDICTS: Final = (
    Verdict(
        f"{STATISTICS}.coverage.grade",
        f"{STATISTICS}.coverage.active_percent",
        (),
        "Danne 2017; Riddlesworth 2018",
        frozenset({"A", "B", "C", "D"}),  # says how much is known of the person, nothing about the person
        expr=gates.grade(),
    ),
    Verdict(
        f"{ASSESSMENT}.control_quality",
        f"{TIR}.target_range",
        (("poor", 30, False), ("fair", 50, False), ("good", 70, False), ("excellent", INFINITE, True)),
        SPECIFIED,
        frozenset({"excellent"}),
        gates=gates.JUDGED,
    ),
    Verdict(
        f"{ASSESSMENT}.variability",
        CV,
        (("low", 36, True), ("moderate", 50, True), ("high", INFINITE, True)),
        SPECIFIED,
        frozenset({"low"}),
        gates=gates.JUDGED,
    ),
    Verdict(
        f"{ASSESSMENT}.hypoglycemia_risk",
        LEVEL_1,
        (),
        SPECIFIED,
        frozenset({"low"}),
        expr=_hypoglycemia_risk(),
        gates=gates.JUDGED,
    ),
    Verdict(
        f"{ASSESSMENT}.stability",
        CV,
        (("stable", 36, True), ("labile", INFINITE, True)),
        "Danne 2017; Monnier 2017",
        frozenset({"stable"}),
        gates=gates.JUDGED,
    ),
    _target("time_in_range_target", "target_range", TIR_TARGET, "above", *MOST_ADULTS),
    _target("time_below_range_target", "below_range", 4.0, "below", *MOST_ADULTS),
    _target("time_above_range_target", "above_range", 25.0, "below", *MOST_ADULTS),
    _target("older_time_in_range_target", "target_range", 50.0, "above", gates.DIABETES, gates.OLDER),
    _target("older_time_below_range_target", "below_range", 1.0, "below", gates.DIABETES, gates.OLDER),
    _target("pregnancy_time_in_range_target", "pregnancy_range", 70.0, "above", gates.TYPE_1, gates.PREGNANT),
)

RECOMMENDATIONS: Final = (
    Recommendation("discuss_lows", LEVEL_1, (pl.col(LEVEL_2) > 0) | (pl.col(LEVEL_1) > MANY_EPISODES)),
    Recommendation(
        "discuss_highs", READINGS_ABOVE_180, pl.col(READINGS_ABOVE_180) > MANY_HIGHS * pl.col(f"{STATISTICS}.count")
    ),
    Recommendation(
        "discuss_time_in_range", f"{ASSESSMENT}.time_in_range_target", pl.col(f"{TIR}.target_range") < TIR_TARGET
    ),
    Recommendation(
        "keep_sensor_connected",
        f"{STATISTICS}.coverage.active_percent",
        (USUAL_DAYS > gates.DAYS) | (gates.ACTIVE < gates.LEAST_ACTIVE),
    ),
)

SILENCES: Final = (
    f"{TIR}.below_range",
    f"{STATISTICS}.estimated_hba1c",
    f"{ASSESSMENT}.time_in_range_target",
    f"{TIR}.target_range",
    "temporal_patterns.hourly_distribution",
    f"{STATISTICS}.glycemic_variability.mage",
    "temporal_patterns.dawn_phenomenon.elevation",
)

BLOOD_GLUCOSE: Final = RecordType(
    name="BloodGlucoseRecord",
    category="metabolic_diabetes",
    template="blood_glucose.jinja",
    shape=SHAPE,
    rules=RULES,
    choose=choose,
    tables=(coverage, mage, between_hours, area, daily_range, hypoglycemia, hyperglycemia, peak, dawn),
    metrics=(*basics(), *covered(), *bands(), *variability(), *hba1c(), *events(), *patterns(), *meals()),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    silences=SILENCES,
    series=series,
)
