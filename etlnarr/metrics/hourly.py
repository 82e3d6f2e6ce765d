"""The bounded table of glucose over time: by hour up to 3 days, by day up to 31, by week beyond."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, HOUR_MS, THURSDAY, clock_known, local_ms
from etlnarr.metrics.grid import NOISE_DECIMALS
from etlnarr.model import Batch

HOURLY_MS: Final = 3 * DAY_MS
MOST_DAYS: Final = 31
WEEK_MS: Final = 7 * DAY_MS
MONDAY_MS: Final = THURSDAY * DAY_MS
"""Time from a Monday to 1970-01-01."""


def series(batch: Batch) -> pl.DataFrame:
    """Tabulate a subject's readings by the local hour, day or week; by elapsed ones where the clock is unknown.

    Shapes: subject, series: a list of structs label, n, mean, lowest, highest in order of time.
    Units: mg/dL.
    """
    known = clock_known().over("subject")
    value = pl.col("value")
    rows = (
        batch.readings.filter(value.is_not_null())
        .with_columns(known=known, at=pl.when(known).then(local_ms()).otherwise(_elapsed()))
        .with_columns(unit=_unit())
        .with_columns(begins=_begins())
        .group_by("subject", "begins")
        .agg(
            pl.col("known", "unit").first(),
            n=pl.len().cast(pl.Int64),
            mean=value.mean().round(NOISE_DECIMALS),
            lowest=value.min().round(NOISE_DECIMALS),
            highest=value.max().round(NOISE_DECIMALS),
        )
        .sort("subject", "begins")
        .with_columns(label=_label())
    )
    line = pl.struct("label", "n", "mean", "lowest", "highest")
    return rows.group_by("subject", maintain_order=True).agg(series=line)


def _elapsed() -> pl.Expr:
    return pl.col("start") - pl.col("start").min().over("subject")


def _unit() -> pl.Expr:
    """Return the length of a row in ms."""
    last, first = pl.col("at").max().over("subject"), pl.col("at").min().over("subject")
    days = last // DAY_MS - first // DAY_MS + 1
    return (
        pl.when(last - first <= HOURLY_MS)
        .then(HOUR_MS)
        .when(days <= MOST_DAYS)
        .then(DAY_MS)
        .otherwise(WEEK_MS)
        .cast(pl.Int64)
    )


def _begins() -> pl.Expr:
    """Return when the hour, day or week of a reading begins; weeks of the calendar begin on Monday."""
    shift = pl.when((pl.col("unit") == WEEK_MS) & pl.col("known")).then(MONDAY_MS).otherwise(0)
    return (pl.col("at") + shift) // pl.col("unit") * pl.col("unit") - shift


def _label() -> pl.Expr:
    moment = pl.col("begins").cast(pl.Datetime("ms"))
    dated = (
        pl.when(pl.col("unit") == HOUR_MS)
        .then(moment.dt.strftime("%Y-%m-%d %H:%M"))
        .when(pl.col("unit") == DAY_MS)
        .then(moment.dt.strftime("%Y-%m-%d"))
        .otherwise(moment.dt.strftime("week of %Y-%m-%d"))
    )
    names = {HOUR_MS: "hour", DAY_MS: "day", WEEK_MS: "week"}
    name = pl.col("unit").replace_strict(names, return_dtype=pl.String)
    counted = pl.format("{} {}", name, pl.col("begins") // pl.col("unit") + 1)
    return pl.when("known").then(dated).otherwise(counted)
