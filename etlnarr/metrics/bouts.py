"""Stretches of consecutive rows for which something holds."""

import polars as pl

from etlnarr.metrics.clock import MINUTE_MS
from etlnarr.metrics.runs import in_order


def bouts(rows: pl.DataFrame, longest_gap_ms: int) -> pl.DataFrame:
    """Join consecutive rows that are inside into bouts; a row that is not, or a longer gap, ends one.

    Shapes: rows with subject, start, end, inside; the result subject, start, end.
    """
    gap = pl.col("start") - pl.col("end").shift()
    same = (pl.col("subject") == pl.col("subject").shift()) & pl.col("inside").shift()
    begins = pl.col("inside") & ~(same & (gap <= longest_gap_ms)).fill_null(value=False)
    named = rows.select("subject", "start", "end", "inside")
    ordered = named if in_order(named, strictly=True) else named.sort("subject", "start", "end", maintain_order=True)
    return (
        ordered.with_columns(bout=begins.cum_sum())
        .filter("inside")
        .group_by("bout", maintain_order=True)
        .agg(pl.col("subject").first(), pl.col("start").min(), pl.col("end").max())
        .drop("bout")
    )


def lasting(found: pl.DataFrame, minutes: int, name: str) -> pl.DataFrame:
    """Count the bouts of at least this length.

    Shapes: found as bouts(); the result subject, the named count and its _minutes; subjects without one have no row.
    """
    length = pl.col("end") - pl.col("start")
    long = found.filter(length >= minutes * MINUTE_MS)
    return long.group_by("subject", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias(name), (length.sum() / MINUTE_MS).alias(f"{name}_minutes")
    )
