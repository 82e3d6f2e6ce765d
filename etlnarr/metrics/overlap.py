"""Amounts of intervals that overlap: at each instant one of them counts, pro rata by time.

Source: AOSP HealthFitness, PriorityRecordsAggregator; of records of one priority the one written last counts.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

CLUSTER: Final = "_cluster"
ROW: Final = "_row"


def pro_rata(readings: pl.DataFrame, by: Sequence[str], priority: Sequence[pl.Expr]) -> pl.DataFrame:
    """Reduce the value of each interval to the share of its time in which none of a higher priority lies.

    Shapes: readings with start, end, value, modified, record; by names the columns within which intervals compete;
    priority yields sort keys, the least first, before the time of the last write. Rows keep their order; an interval of
    no length keeps its value.
    """
    numbered = _clustered(readings.with_row_index(ROW), by)
    crowded = numbered.filter((pl.len() > 1).over(*by, CLUSTER))
    if crowded.is_empty():
        return readings
    ranks = [key.alias(f"_rank{place}") for place, key in enumerate(priority)]
    ordered = crowded.with_columns(ranks).sort(
        *(f"_rank{place}" for place in range(len(ranks))), -pl.col("modified").fill_null(0), "start", "end", "record"
    )
    visible = _visible(ordered.with_row_index("_rank"), by)
    share = pl.col("visible").fill_null(0) / (pl.col("end") - pl.col("start"))
    return (
        numbered.join(visible, on=ROW, how="left", maintain_order="left")
        .with_columns(value=pl.when("competes").then(pl.col("value") * share).otherwise("value"))
        .select(readings.columns)
    )


def _clustered(numbered: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Number the stretches of time that overlapping intervals cover without a break."""
    reached = pl.col("end").cum_max().shift().over(by)
    apart = (pl.col("start") >= reached).fill_null(value=True)
    found = numbered.sort(*by, "start", "end").with_columns(apart.cum_sum().over(by).alias(CLUSTER))
    return found.sort(ROW)


def _visible(ranked: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Cut each stretch at every start and end, and give each piece to the first in rank: _row, visible (ms)."""
    key = [*by, CLUSTER]
    long = ranked.filter(pl.col("end") > pl.col("start"))
    cuts = pl.concat([long.select(*key, time=edge) for edge in ("start", "end")]).unique().sort(*key, "time")
    cuts = cuts.with_columns(
        place=pl.int_range(pl.len()).over(key), length=(pl.col("time").shift(-1) - pl.col("time")).over(key)
    )
    places = long
    for edge in ("start", "end"):
        at = cuts.select(*key, pl.col("time").alias(edge), pl.col("place").alias(f"{edge}_place"))
        places = places.join(at, on=[*key, edge])
    pieces = places.select(*key, ROW, "_rank", place=pl.int_ranges("start_place", "end_place")).explode("place")
    winners = pieces.sort("_rank").unique([*key, "place"], keep="first", maintain_order=True)
    won = winners.join(cuts, on=[*key, "place"]).group_by(ROW).agg(visible=pl.col("length").sum())
    return long.select(ROW, competes=pl.lit(value=True)).join(won, on=ROW, how="left")
