"""Low and high blood glucose risk (Kovatchev 1997, 2006) and the glycemia risk index (Klonoff 2023)."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import clock_known, local_day
from etlnarr.metrics.grid import NOISE_DECIMALS
from etlnarr.model import Batch

SCALE: Final = 1.509
EXPONENT: Final = 1.084
CENTRE: Final = 5.381
GRI_CAP: Final = 100.0


def symmetric() -> pl.Expr:
    """Put a glucose value on the scale on which low and high are equally far from its zero, near 112.5 mg/dL."""
    logarithm = pl.col("value").round(NOISE_DECIMALS).log()
    return SCALE * (logarithm.pow(EXPONENT) - CENTRE)


def low_risk() -> pl.Expr:
    """Return the risk of each reading on the low side, 0 on the high side."""
    return 10.0 * symmetric().clip(upper_bound=0.0).pow(2)


def high_risk() -> pl.Expr:
    """Return the risk of each reading on the high side, 0 on the low side."""
    return 10.0 * symmetric().clip(lower_bound=0.0).pow(2)


def gri(very_low: pl.Expr, low: pl.Expr, high: pl.Expr, very_high: pl.Expr) -> pl.Expr:
    """Weigh the percentages of readings below 54, from 54 to 69, from 181 to 250 and above 250; at most 100."""
    return pl.min_horizontal(3.0 * very_low + 2.4 * low + 0.8 * high + 1.6 * very_high, GRI_CAP)


def daily_range(batch: Batch) -> pl.DataFrame:
    """Average over local days the highest low risk plus the highest high risk (ADRR); null without a known clock.

    Shapes: subject, adrr, adrr_days (local days). Source: Kovatchev 2006.
    """
    known = batch.readings.filter(clock_known().over("subject"), pl.col("value").is_not_null())
    days = known.group_by("subject", day=local_day()).agg(risk=low_risk().max() + high_risk().max())
    ordered = days.sort("subject", "day").group_by("subject", maintain_order=True)
    return ordered.agg(adrr=pl.col("risk").mean(), adrr_days=pl.len().cast(pl.Int64))
