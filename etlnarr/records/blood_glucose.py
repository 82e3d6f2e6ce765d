"""Blood glucose: finger-sticks and sensor traces."""

from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import glucose_gates as gates
from etlnarr.metrics import sources
from etlnarr.metrics.clock import distributions
from etlnarr.metrics.coverage import coverage
from etlnarr.metrics.dawn import dawn
from etlnarr.metrics.episodes import hyperglycemia, hypoglycemia
from etlnarr.metrics.glucose import CONSENSUS, STATISTICS, TIR, bands, basics, covered, hba1c, molar
from etlnarr.metrics.glucose_patterns import MEALS, RELATIONS, events, meals, patterns, peak
from etlnarr.metrics.glucose_variability import variability
from etlnarr.metrics.grid import CONGA_HOURS, area, between_hours
from etlnarr.metrics.hourly import series
from etlnarr.metrics.mage import mage
from etlnarr.metrics.risk import daily_range
from etlnarr.model import Comparison, Field, Gate, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records.declarations import ASSESSMENT, INFINITE, NOT_CLINICAL

BLOOD: Final = ("CAPILLARY_BLOOD", "PLASMA", "SERUM", "WHOLE_BLOOD")
"""Specimens of single measurements; a specimen that is not told may be a sensor's."""

Band = tuple[str, float, bool]
HALF: Final = 0.5
SPECIFIED: Final = "words of the training schema; no guideline has them"
CV: Final = f"{STATISTICS}.cv"
LOWEST: Final = f"{STATISTICS}.min"
HIGHEST: Final = f"{STATISTICS}.max"
LOWS: Final = f"{STATISTICS}.hypoglycemic_events"
LEVEL_1: Final = f"{LOWS}.level_1"
LEVEL_2: Final = f"{LOWS}.level_2"
READINGS_ABOVE_180: Final = f"{STATISTICS}.hyperglycemic_events.readings_above_180"
GRI: Final = f"{STATISTICS}.glycemic_variability.gri"
VERY_LOW: Final = 54
MANY_EPISODES: Final = 2
MANY_HIGHS: Final = 0.25
"""Share of readings above 180 mg/dL that the consensus wants no adult with diabetes to reach."""

TIR_TARGET: Final = 70.0
STEADY: Final = 36
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


def _index(name: str, metric: str, source: str, words: tuple[Band, ...], *wanted: str, fortnight: bool) -> Verdict:
    """Name the band that an index of risk lies in."""
    gates_of = gates.FORTNIGHT if fortnight else gates.JUDGED
    path = f"{STATISTICS}.glycemic_variability.{metric}"
    return Verdict(f"{ASSESSMENT}.{name}", path, words, source, frozenset(wanted), gates=gates_of)


def _zone() -> pl.Expr:
    """Name the zone of the glycemia risk index; without bands, for a letter is no word that a narrative must avoid."""
    zone: pl.Expr = pl.lit("E")
    for name, upper in (("D", 80), ("C", 60), ("B", 40), ("A", 20)):
        zone = pl.when(pl.col(GRI) <= upper).then(pl.lit(name)).otherwise(zone)
    return pl.when(pl.col(GRI).is_not_null()).then(zone)


MOST_ADULTS: Final = (*gates.DIABETES, gates.ADULT, gates.NOT_PREGNANT)
OLDER: Final = (*gates.DIABETES, *gates.OLDER)
PREGNANT: Final = (*gates.TYPE_1, *gates.PREGNANT)
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
        (("low", STEADY, True), ("moderate", 50, True), ("high", INFINITE, True)),
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
        (("stable", STEADY, True), ("labile", INFINITE, True)),
        "Danne 2017; Monnier 2017",
        frozenset({"stable"}),
        gates=gates.JUDGED,
    ),
    _target("time_in_range_target", "target_range", TIR_TARGET, "above", *MOST_ADULTS),
    _target("time_below_range_target", "below_range", 4.0, "below", *MOST_ADULTS),
    _target("time_below_54_target", "severe_hypoglycemia", 1.0, "below", *MOST_ADULTS),
    _target("time_above_range_target", "above_range", 25.0, "below", *MOST_ADULTS),
    _target("time_above_250_target", "severe_hyperglycemia", 5.0, "below", *MOST_ADULTS),
    _target("older_time_in_range_target", "target_range", 50.0, "above", *OLDER),
    _target("older_time_below_range_target", "below_range", 1.0, "below", *OLDER),
    _target("older_time_above_250_target", "severe_hyperglycemia", 10.0, "below", *OLDER),
    _target("pregnancy_time_in_range_target", "pregnancy_range", TIR_TARGET, "above", *PREGNANT),
    _target("pregnancy_time_below_range_target", "pregnancy_below_range", 4.0, "below", *PREGNANT),
    _target("pregnancy_time_below_54_target", "severe_hypoglycemia", 1.0, "below", *PREGNANT),
    _target("pregnancy_time_above_range_target", "pregnancy_above_range", 25.0, "below", *PREGNANT),
    _index(
        "j_index",
        "j_index",
        "Wojcicki 1995",
        (("below", 10, False), ("ideal", 20, True), ("good", 30, True), ("poor", 40, True), ("lack", INFINITE, True)),
        "ideal",
        "good",
        fortnight=False,
    ),
    _index(
        "lbgi_risk",
        "lbgi",
        "Kovatchev 1997; Kovatchev 2006",
        (("minimal", 1.1, False), ("low", 2.5, False), ("moderate", 5, True), ("high", INFINITE, True)),
        "minimal",
        fortnight=False,
    ),
    _index(
        "hbgi_risk",
        "hbgi",
        "Kovatchev 1997; Kovatchev 2006",
        (("low", 4.5, False), ("moderate", 9, True), ("high", INFINITE, True)),
        "low",
        fortnight=False,
    ),
    _index(
        "adrr_risk",
        "adrr",
        "Kovatchev 2006",
        (("low", 20, False), ("moderate", 40, True), ("high", INFINITE, True)),
        "low",
        fortnight=True,
    ),
    Verdict(f"{ASSESSMENT}.gri_zone", GRI, (), "Klonoff 2023", frozenset({"A"}), expr=_zone(), gates=gates.FORTNIGHT),
)


def _missed(way: str) -> pl.Expr:
    """Tell whether a target is missed that is stated: of the time "in_range", "below" or "above"."""
    targets = [verdict for verdict in VERDICTS if verdict.path.endswith("_target") and f"time_{way}" in verdict.path]
    return pl.any_horizontal(
        pl.col(f"gate|{target.path}").is_null() & ~pl.col(target.path).is_in(list(target.target)) for target in targets
    )


# a source that cannot see lows has its counts of them withheld, but not the lowest reading: a low that was read is one
RECOMMENDATIONS: Final = (
    Recommendation(
        "discuss_lows",
        LOWEST,
        (pl.col(LOWEST) < VERY_LOW)
        | (pl.col(LEVEL_1) > MANY_EPISODES)
        | (pl.col(f"{LOWS}.extended") > 0)
        | (pl.col(f"{LOWS}.ongoing") > 0)
        | _missed("below"),
    ),
    Recommendation(
        "discuss_highs",
        HIGHEST,
        (pl.col(READINGS_ABOVE_180) > MANY_HIGHS * pl.col(f"{STATISTICS}.count")) | _missed("above"),
    ),
    Recommendation("discuss_time_in_range", f"{TIR}.target_range", _missed("in_range")),
    Recommendation("discuss_swings", f"{ASSESSMENT}.stability", pl.col(CV) > STEADY),
    Recommendation(
        "keep_sensor_connected",
        f"{STATISTICS}.coverage.active_percent",
        (USUAL_DAYS > gates.DAYS) | (gates.ACTIVE < gates.LEAST_ACTIVE),
    ),
)

VARIABILITY: Final = f"{STATISTICS}.glycemic_variability"
EPISODES: Final = {kind: f"{STATISTICS}.{kind}glycemic_events" for kind in ("hypo", "hyper")}
NOCTURNAL: Final = "temporal_patterns.nocturnal"
DAWN: Final = "temporal_patterns.dawn_phenomenon"
OF_LEVEL_1: Final = ("ongoing", "ended", "episodes")
INPUTS: Final = MappingProxyType(
    {
        "": (f"{STATISTICS}.count",),
        f"{STATISTICS}.coverage.active_percent_14d": (f"{STATISTICS}.coverage.readings_14d",),
        f"{VARIABILITY}.mage": (f"{VARIABILITY}.excursions",),
        f"{VARIABILITY}.modd": (f"{VARIABILITY}.pairs_24",),
        **{f"{VARIABILITY}.conga_{hours}": (f"{VARIABILITY}.pairs_{hours}",) for hours in CONGA_HOURS},
        f"{VARIABILITY}.adrr": (f"{VARIABILITY}.adrr_days",),
        **{f"{group}.{name}": (f"{group}.level_1",) for group in EPISODES.values() for name in OF_LEVEL_1},
        **{f"{group}.minutes": (f"{group}.ended",) for group in EPISODES.values()},
        **{f"{EPISODES['hypo']}.{name}": (LEVEL_1,) for name in ("level_1_exclusive", "extended", "lowest")},
        f"{EPISODES['hyper']}.highest": (f"{EPISODES['hyper']}.level_1",),
        NOCTURNAL: (f"{NOCTURNAL}.count",),
        DAWN: (f"{DAWN}.nights",),
        **{
            f"meal_analysis.{group}.{mark}": (f"meal_analysis.{group}.{mark}.count",)
            for group, marks in (("by_meal_type", MEALS), ("by_relation_to_meal", RELATIONS))
            for mark in marks
        },
    }
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
    tables=(coverage, mage, between_hours, area, daily_range, hypoglycemia, hyperglycemia, peak, dawn, distributions),
    metrics=(*basics(), *molar(), *covered(), *bands(), *variability(), *hba1c(), *events(), *patterns(), *meals()),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    inputs=INPUTS,
    silences=SILENCES,
    series=series,
    by_day=sources.by_start,
    comparisons=(
        Comparison("mean", f"{STATISTICS}.mean", 10, NOT_CLINICAL),
        Comparison("target_range", f"{TIR}.target_range", 5, "Battelino 2023: 5 percentage points matter to a person"),
    ),
)
