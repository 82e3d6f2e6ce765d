"""Weeks and months against the period before them: the difference, and whether it is more than a stated threshold."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from etlnarr.insights import Claim, first_failed, tidy
from etlnarr.model import Comparison, Gate, RecordType

GROUP: Final = "change"
COMPARED: Final = ("week", "month")
LEAST_SHARE: Final = 0.7
"""Share of the longer span that the shorter one needs: half a week says little beside a whole one."""

SAME_SOURCE, SAME_SPAN = "same_source", "same_span"
RISEN, FALLEN, HELD = "risen", "fallen", "held"


def compare(
    kind: RecordType, row: pl.DataFrame, readings: pl.DataFrame, before: Mapping[int, int], window: str
) -> pl.DataFrame:
    """Add what the comparisons of a type say: previous, difference and direction of each.

    Shapes: row as insights.evaluate() returned it for the readings; before is the subject of the period before, by
    subject.
    """
    order = pl.DataFrame(list(before.items()), schema={"subject": pl.Int64, "before": pl.Int64}, orient="row")
    named = row.join(order, on="subject", how="left", maintain_order="left")
    named = named.join(_alike(named, readings), on="subject", how="left", maintain_order="left")
    for one in kind.comparisons:
        named = _compared(named, row, one)
    claims = claims_of(kind, window)
    return named.with_columns(first_failed(claim.gates).alias(f"gate|{claim.path}") for claim in claims)


def claims_of(kind: RecordType, window: str) -> list[Claim]:
    """Return the claims of the comparisons, with what may keep them from being stated."""
    return [
        Claim(f"{GROUP}.{one.name}.{part}", _gates(one, window), ("not defined for these readings", "more readings"))
        for one in kind.comparisons
        for part in ("previous", "difference", "direction")
    ]


def _gates(one: Comparison, window: str) -> tuple[Gate, ...]:
    here = f"this {window} does not carry the claim that would be compared"
    there = f"no {window} before carries the claim that would be compared"
    return (
        Gate(pl.col(f"stated|{one.name}"), here, f"as much for this {window} as the claim needs"),
        Gate(pl.col(f"{GROUP}.{one.name}.previous").is_not_null(), there, f"as much for the {window} before"),
        Gate(pl.col(SAME_SOURCE), f"the {window} before was recorded by another app", f"one app for both {window}s"),
        Gate(
            pl.col(SAME_SPAN),
            f"this {window} and the one before were not recorded over a similar time",
            f"records through both {window}s",
        ),
    )


def _alike(named: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Tell whether a period was recorded as the one before was: by the same apps, over a similar time."""
    own = readings.group_by("subject").agg(
        source=pl.col("source").unique().sort(), span=pl.col("end").max() - pl.col("start").min()
    )
    past = own.rename({"subject": "before", "source": "past_source", "span": "past_span"})
    both = named.select("subject", "before").join(own, on="subject").join(past, on="before")
    shorter, longer = pl.min_horizontal("span", "past_span"), pl.max_horizontal("span", "past_span")
    same = (pl.col("source") == pl.col("past_source")).alias(SAME_SOURCE)
    return both.select("subject", same, (shorter >= LEAST_SHARE * longer).alias(SAME_SPAN))


def _compared(named: pl.DataFrame, row: pl.DataFrame, one: Comparison) -> pl.DataFrame:
    stated = pl.col(f"gate|{one.metric}").is_null() & pl.col(one.metric).is_not_null()
    path = f"{GROUP}.{one.name}"
    previous = row.select(before="subject", **{f"{path}.previous": pl.when(stated).then(pl.col(one.metric))})
    joined = named.join(previous, on="before", how="left", maintain_order="left")
    base = pl.col(f"{path}.previous").cast(pl.Float64)
    difference = pl.when(stated).then(pl.col(one.metric) - base).cast(pl.Float64)
    least = base.abs() * one.threshold / 100 if one.relative else pl.lit(one.threshold)
    joined = joined.with_columns(
        tidy(difference).alias(f"{path}.difference"),
        tidy(base).alias(f"{path}.previous"),
        stated.alias(f"stated|{one.name}"),
    )
    gap = pl.col(f"{path}.difference")
    word = pl.when(gap > least).then(pl.lit(RISEN)).when(gap < -least).then(pl.lit(FALLEN)).otherwise(pl.lit(HELD))
    return joined.with_columns(pl.when(gap.is_not_null()).then(word).alias(f"{path}.direction"))
