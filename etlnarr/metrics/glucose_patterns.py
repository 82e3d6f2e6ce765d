"""Glucose episodes, patterns of the day and of meals, declared."""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics import glucose_gates as gates
from etlnarr.metrics.clock import clock_known, peak_hour, temporal
from etlnarr.metrics.dawn import at_night
from etlnarr.metrics.glucose import CONSENSUS, STATISTICS, VALUE
from etlnarr.metrics.statistics import NO_VALUES
from etlnarr.model import Batch, Gate, Metric

EVENTS: Final = "Danne 2017; Battelino 2023"
MONNIER: Final = "Monnier 2013"
MEALS: Final = ("breakfast", "lunch", "dinner", "snack")
RELATIONS: Final = ("general", "fasting", "before_meal", "after_meal")
AT_NIGHT: Final = at_night()

NO_EPISODE: Final = ("no episode was found", "an episode in a sensor's trace")
NO_MEALS: Final = ("too few readings are marked so", "readings marked with their meal")
NO_NIGHT: Final = (
    "nothing is known to have been read from 00:00 to 06:00 local time",
    "readings of a night, and a time zone or records that carry an offset",
)
NO_DAWN: Final = (
    "no night has a known wake-up and readings without a hole or a low",
    "sleep records and local time for 3 nights of sensor readings",
)
NO_PEAK: Final = (
    "fewer than two whole hours of the local clock are known to be covered",
    "readings of whole hours, and a time zone or records that carry an offset",
)


def peak(batch: Batch) -> pl.DataFrame:
    """Find the local hour with the highest mean.

    Shapes: subject, peak_glucose_hour.
    """
    return peak_hour(batch.readings, "peak_glucose_hour")


def events() -> tuple[Metric, ...]:
    """Declare the episodes, and the bare counts of readings that any source can give."""
    return (
        _event("hypo", "level_1", "episodes", "episodes below 70 mg/dL of at least 15 min", gates.DESCRIBED),
        _event(
            "hypo",
            "level_1_exclusive",
            "episodes",
            "level 1 episodes without a level 2 episode inside",
            gates.DESCRIBED,
        ),
        _event("hypo", "level_2", "episodes", "episodes below 54 mg/dL of at least 15 min", gates.DESCRIBED),
        _event("hypo", "extended", "episodes", "level 1 episodes of at least 120 min", gates.DESCRIBED),
        _event("hypo", "ongoing", "episodes", "level 1 episodes still open at a gap or at the end", gates.DESCRIBED),
        _event("hypo", "ended", "episodes", "level 1 episodes that have ended", gates.DESCRIBED),
        _event("hypo", "minutes", "min", "minutes in level 1 episodes that have ended", gates.DESCRIBED),
        _event("hypo", "lowest", "mg/dL", "lowest reading of the level 1 episodes", gates.DESCRIBED),
        _event("hypo", "episodes", "", "the latest 20 of level 1: start, minutes, extreme, ongoing", gates.DESCRIBED),
        _beyond("hypo", "readings_below_70", VALUE.lt(70)),
        _beyond("hypo", "readings_below_54", VALUE.lt(54)),
        _event("hyper", "level_1", "episodes", "episodes above 180 mg/dL of at least 15 min", gates.DESCRIBED),
        _event("hyper", "level_2", "episodes", "episodes above 250 mg/dL of at least 15 min", gates.DESCRIBED),
        _event(
            "hyper", "extended", "episodes", "stretches with 90 min above 250 mg/dL within 120 min", gates.DESCRIBED
        ),
        _event("hyper", "ongoing", "episodes", "level 1 episodes still open at a gap or at the end", gates.DESCRIBED),
        _event("hyper", "ended", "episodes", "level 1 episodes that have ended", gates.DESCRIBED),
        _event("hyper", "minutes", "min", "minutes in level 1 episodes that have ended", gates.DESCRIBED),
        _event("hyper", "highest", "mg/dL", "highest reading of the level 1 episodes", gates.DESCRIBED),
        _event("hyper", "episodes", "", "the latest 20 of level 1: start, minutes, extreme, ongoing", gates.DESCRIBED),
        _beyond("hyper", "readings_above_180", VALUE.gt(180)),
        _beyond("hyper", "readings_above_250", VALUE.gt(250)),
    )


def patterns() -> tuple[Metric, ...]:
    """Declare span, interval, the distributions, the peak hour, the night and the dawn phenomenon."""
    known = pl.when(clock_known())
    below = 100.0 * AT_NIGHT.round(6).lt(70).mean()
    night = (*gates.DESCRIBED, gates.WHOLE_NIGHT)
    return (
        *temporal(),
        replace(
            _pattern("peak_glucose_hour", "h", "local hour with the highest mean", "descriptive"),
            gates=gates.DESCRIBED,
            undefined=NO_PEAK,
        ),
        _nocturnal("count", "readings", "readings from 00:00 to 06:00 local time", known.then(AT_NIGHT.count()), ()),
        _nocturnal("mean", "mg/dL", "mean from 00:00 to 06:00 local time", known.then(AT_NIGHT.mean()), night),
        _nocturnal("below_70", "%", "percent of those readings below 70 mg/dL", known.then(below), night),
        _dawn("nights", "nights", "nights without a hole or a low in the readings before a known wake-up", ()),
        _dawn("elevation", "mg/dL", "mean of 30 min before waking minus the lowest until 06:00", (gates.THREE_NIGHTS,)),
        _dawn("frequency", "%", "percent of those nights with a rise of 20 mg/dL or more", (gates.THREE_NIGHTS,)),
    )


def meals() -> tuple[Metric, ...]:
    """Declare the statistics of the readings that are marked with a meal, or with their relation to one."""
    return (
        *(m for meal in MEALS for m in _marked("by_meal_type", "meal_type", meal, MEALS)),
        *(m for kind in RELATIONS for m in _marked("by_relation_to_meal", "relation_to_meal", kind, RELATIONS)),
    )


def _event(kind: str, name: str, unit: str, definition: str, needs: tuple[Gate, ...]) -> Metric:
    return Metric(
        f"{STATISTICS}.{kind}glycemic_events.{name}",
        unit,
        0,
        definition,
        EVENTS,
        expr=pl.col(f"{kind}_{name}"),
        gates=needs,
        undefined=NO_EPISODE if name in {"lowest", "highest"} else gates.NO_TRACE,
    )


def _beyond(kind: str, name: str, beyond: pl.Expr, *needs: Gate) -> Metric:
    path = f"{STATISTICS}.{kind}glycemic_events.{name}"
    count = beyond.sum().cast(pl.Int64)
    definition = f"{name.replace('_', ' ')} mg/dL"
    return Metric(path, "readings", 0, definition, CONSENSUS, count, gates=needs, undefined=NO_VALUES)


def _pattern(name: str, unit: str, definition: str, source: str) -> Metric:
    return Metric(f"temporal_patterns.{name}", unit, 0, definition, source)


def _nocturnal(name: str, unit: str, definition: str, agg: pl.Expr, needs: tuple[Gate, ...]) -> Metric:
    plain = _pattern(f"nocturnal.{name}", unit, definition, "Battelino 2023")
    return replace(plain, decimals=0 if unit == "readings" else 1, agg=agg, gates=needs, undefined=NO_NIGHT)


def _dawn(name: str, unit: str, definition: str, needs: tuple[Gate, ...]) -> Metric:
    plain = _pattern(f"dawn_phenomenon.{name}", unit, definition, MONNIER)
    decimals = 0 if unit == "nights" else 1
    return replace(plain, decimals=decimals, expr=pl.col(f"dawn_{name}"), gates=needs, undefined=NO_DAWN)


def _marked(group: str, column: str, mark: str, marks: tuple[str, ...]) -> tuple[Metric, ...]:
    """Declare what is known of the readings with one mark; nothing is, while no reading has any."""
    symbol = pl.col(column)
    used = symbol.is_in([each.upper() for each in marks]).fill_null(value=False).any()
    value = pl.col("value").filter(symbol == mark.upper())
    noun = f"readings marked {mark.replace('_', ' ')}"

    def metric(name: str, unit: str, decimals: int, definition: str, agg: pl.Expr) -> Metric:
        path = f"meal_analysis.{group}.{mark}.{name}"
        return Metric(path, unit, decimals, definition, "descriptive", pl.when(used).then(agg), undefined=NO_MEALS)

    return (
        metric("count", "readings", 0, noun, value.count().cast(pl.Int64)),
        metric("mean", "mg/dL", 1, f"mean of {noun}", value.mean()),
        metric("std", "mg/dL", 1, f"standard deviation of {noun}, n - 1 in the denominator", value.std(ddof=1)),
        metric("min", "mg/dL", 0, f"lowest of {noun}", value.min()),
        metric("max", "mg/dL", 0, f"highest of {noun}", value.max()),
    )
