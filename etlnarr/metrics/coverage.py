"""How much of the time a sensor was read (Danne 2017; Riddlesworth 2018)."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS
from etlnarr.metrics.grid import traced
from etlnarr.model import Batch

FORTNIGHT_DAYS: Final = 14
HOLE: Final = 1.5
"""Intervals after which a reading is missing."""


def coverage(batch: Batch) -> pl.DataFrame:
    """Count the readings that are there against those that a sensor would have given.

    Time is counted from the first to the last reading in whole intervals, the last one's own included, so that 288
    readings at 5 minutes are one day and not 5 minutes less.

    Shapes: subject, days, active_percent, readings_14d and active_percent_14d (of the last 14 days), gaps (steps in
    which a reading is missing). Units: percent.
    """
    found = batch.once(traced)
    interval = pl.col("interval_ms").first()
    first, last = pl.col("start").min(), pl.col("start").max()
    expected = ((last - first) / interval).round(mode="half_away_from_zero") + 1
    recent = (pl.col("start") > last - FORTNIGHT_DAYS * DAY_MS).sum()
    return found.group_by("subject", maintain_order=True).agg(
        days=expected * interval / DAY_MS,
        active_percent=_percent(pl.len(), expected),
        readings_14d=recent.cast(pl.Int64),
        active_percent_14d=_percent(recent, FORTNIGHT_DAYS * DAY_MS / interval),
        gaps=(pl.col("step_ms") > HOLE * pl.col("interval_ms")).sum().cast(pl.Int64),
    )


def _percent(there: pl.Expr, expected: pl.Expr) -> pl.Expr:
    """Return at most 100: readings that come early do not make up for those that are missing."""
    return pl.min_horizontal(100.0 * there / expected, 100.0)
