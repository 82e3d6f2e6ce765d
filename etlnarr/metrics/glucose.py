"""Glucose metrics, declared: where each stands, what it means, and the least data that it needs."""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics import glucose_gates as gates
from etlnarr.metrics.grid import NOISE_DECIMALS
from etlnarr.metrics.statistics import NO_VALUES, statistics
from etlnarr.model import Gate, Metric

STATISTICS: Final = "glucose_statistics"
TIR: Final = f"{STATISTICS}.time_in_range"
CONSENSUS: Final = "Battelino 2019; Battelino 2023"
MEAN: Final = pl.col(f"{STATISTICS}.mean")
VALUE: Final = pl.col("value").round(NOISE_DECIMALS)

MG_PER_MMOL: Final = 18.0
"""mg/dL in one mmol/L."""

EXTREMES: Final = frozenset({"min", "max", "range"})
UNGATED: Final = frozenset({"count", "mean", "median", *EXTREMES})
"""What one reading already has, or two; the rest describes a distribution."""


def basics() -> tuple[Metric, ...]:
    """Declare the descriptive statistics; sensors and meters give whole mg/dL, so extremes are written so."""
    plain = statistics(STATISTICS, "glucose readings", "mg/dL", 1)
    named = ((metric.path.removeprefix(f"{STATISTICS}."), metric) for metric in plain)
    return tuple(
        replace(
            metric,
            decimals=0 if name in EXTREMES else metric.decimals,
            gates=() if name in UNGATED else gates.DESCRIBED,
        )
        for name, metric in named
    )


def molar() -> tuple[Metric, ...]:
    """Declare the mean in the unit that much of the world reads; Health Connect reckons with 18 too."""
    path, definition = f"{STATISTICS}.mean_mmol_per_l", "arithmetic mean of glucose readings, mg/dL / 18.0"
    return (Metric(path, "mmol/L", 1, definition, CONSENSUS, expr=MEAN / MG_PER_MMOL, undefined=NO_VALUES),)


def covered() -> tuple[Metric, ...]:
    """Declare how much of the time was read."""

    def metric(name: str, unit: str, decimals: int, definition: str) -> Metric:
        path = f"{STATISTICS}.coverage.{name}"
        source = "Danne 2017; Riddlesworth 2018"
        return Metric(path, unit, decimals, definition, source, undefined=gates.NO_TRACE)

    return (
        metric("active_percent", "%", 1, "readings in percent of those expected at the median interval"),
        metric("readings_14d", "readings", 0, "readings of the last 14 days"),
        metric("active_percent_14d", "%", 1, "readings of the last 14 days in percent of those expected in 14 days"),
        metric("days", "d", 1, "first to last reading in whole intervals, the last one's own included"),
        metric("gaps", "steps", 0, "steps of more than 1.5 intervals"),
    )


def bands() -> tuple[Metric, ...]:
    """Declare the shares of readings by range; 70 and 180 lie in the target range, 54 and 250 beside it."""

    def metric(name: str, words: str, inside: pl.Expr, needs: tuple[Gate, ...], source: str = CONSENSUS) -> Metric:
        share = 100.0 * inside.mean()
        words = f"percent of readings {words} mg/dL"
        return Metric(f"{TIR}.{name}", "%", 1, words, source, share, gates=needs, undefined=NO_VALUES)

    return (
        metric("severe_hypoglycemia", "below 54", VALUE.lt(54), gates.DESCRIBED),
        metric("hypoglycemia", "from 54 to below 70", VALUE.is_between(54, 70, closed="left"), gates.DESCRIBED),
        metric("target_range", "from 70 to 180", VALUE.is_between(70, 180), gates.DESCRIBED),
        metric("hyperglycemia", "above 180 to 250", VALUE.is_between(180, 250, closed="right"), gates.DESCRIBED),
        metric("severe_hyperglycemia", "above 250", VALUE.gt(250), gates.DESCRIBED),
        metric("tight_range", "from 70 to 140", VALUE.is_between(70, 140), gates.DESCRIBED, "Beck 2024"),
        metric("below_range", "below 70", VALUE.lt(70), gates.DESCRIBED),
        metric("above_range", "above 180", VALUE.gt(180), gates.DESCRIBED),
        metric("pregnancy_range", "from 63 to 140", VALUE.is_between(63, 140), gates.DESCRIBED),
        metric("pregnancy_below_range", "below 63", VALUE.lt(63), gates.DESCRIBED),
        metric("pregnancy_above_range", "above 140", VALUE.gt(140), gates.DESCRIBED),
    )


def hba1c() -> tuple[Metric, ...]:
    """Declare the two translations of mean glucose, which agree only at 154.1 mg/dL and are neither a laboratory's."""
    return (
        Metric(
            f"{STATISTICS}.gmi",
            "%",
            1,
            "glucose management indicator: 3.31 + 0.02392 x mean",
            "Bergenstal 2018",
            expr=3.31 + 0.02392 * MEAN,
            gates=(gates.VALIDATED, *gates.JUDGED),
            undefined=NO_VALUES,
        ),
        Metric(
            f"{STATISTICS}.estimated_hba1c",
            "%",
            1,
            "HbA1c that went with this mean in the ADAG study: (mean + 46.7) / 28.7",
            "Nathan 2008",
            expr=(MEAN + 46.7) / 28.7,
            gates=(gates.VALIDATED, *gates.JUDGED),
            undefined=NO_VALUES,
        ),
    )
