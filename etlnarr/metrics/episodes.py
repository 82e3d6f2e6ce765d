"""Hypoglycemic and hyperglycemic episodes of a sensor's trace (Danne 2017; Battelino 2023).

An episode begins with 15 minutes of readings beyond a limit and lasts to the last such reading before 15 minutes of
readings within it. Minutes are readings times the median interval, so three readings at 5 minutes make 15. A step of
more than 45 minutes breaks the trace: an episode that is open there, or at the end, is counted as ongoing.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from etlnarr.metrics.clock import MINUTE_MS, offset_ms
from etlnarr.metrics.grid import traced
from etlnarr.model import Batch

LEAST_MS: Final = 15 * MINUTE_MS
EXTENDED_LOW_MINUTES: Final = 120
EXTENDED_HIGH_MS: Final = 90 * MINUTE_MS
EXTENDED_WINDOW: Final = "120m"
MOST_LISTED: Final = 20
BLOCK: Final = ("subject", "block")
STRETCH: Final = (*BLOCK, "stretch")


@dataclass(frozen=True, slots=True)
class Limit:
    """A glucose value beyond which an episode may begin. Units: mg/dL."""

    value: float
    below: bool

    def beyond(self) -> pl.Expr:
        """Tell which readings lie beyond; the limit itself is within."""
        return pl.col("value") < self.value if self.below else pl.col("value") > self.value


LOW: Final = Limit(70, below=True)
VERY_LOW: Final = Limit(54, below=True)
HIGH: Final = Limit(180, below=False)
VERY_HIGH: Final = Limit(250, below=False)


def episodes(trace: pl.DataFrame, limit: Limit) -> pl.DataFrame:
    """Find the episodes beyond a limit, one row each in order of time.

    Shapes: trace as grid.trace() returned it; the result subject, start, last (reading beyond the limit), readings,
    extreme, minutes (so far, when ongoing), ongoing. Units: epoch ms, mg/dL, minutes.
    """
    start, last = pl.col("start").min(), pl.col("start").filter("beyond").max()
    # jitter aside, the last reading stands for an interval like the others
    intervals = ((last - start) / pl.col("interval_ms").first()).round(mode="half_away_from_zero") + 1
    found = (
        _stretches(trace.filter(limit.beyond().any().over(BLOCK)), limit)  # most have none, and it is a long way
        .filter("open")
        .group_by(STRETCH, maintain_order=True)
        .agg(
            start=start,
            last=last,
            readings=(pl.col("start") <= last).sum().cast(pl.Int64),
            extreme=pl.col("value").min() if limit.below else pl.col("value").max(),
            minutes=intervals * pl.col("interval_ms").first() / MINUTE_MS,
            ongoing=pl.col("unended").first(),
        )
    )
    return found.drop("block", "stretch")


def extended_highs(trace: pl.DataFrame) -> pl.DataFrame:
    """Find the stretches with 90 minutes above 250 mg/dL within 120, which end as a level 1 episode does.

    Shapes: subject, start of the reading that completes the 90 minutes. Units: epoch ms.
    """
    # in whole intervals, so that jitter neither adds a reading to the 120 minutes nor takes one away
    since = (pl.col("start") - pl.col("start").first().over("subject")) / pl.col("interval_ms")
    at = (since.round(mode="half_away_from_zero") * pl.col("interval_ms")).cast(pl.Int64).cast(pl.Datetime("ms"))
    timed = trace.with_columns(at=at, very_high=VERY_HIGH.beyond())
    stretches = _stretches(timed.filter(pl.col("very_high").any().over(BLOCK)), HIGH)
    recent = pl.col("very_high").cast(pl.Int64).rolling_sum_by("at", EXTENDED_WINDOW).over(STRETCH)
    full = stretches.filter(recent * pl.col("interval_ms") >= EXTENDED_HIGH_MS)
    return full.unique(STRETCH, keep="first", maintain_order=True).select("subject", "start")


def hypoglycemia(batch: Batch) -> pl.DataFrame:
    """Count hypoglycemic episodes.

    Shapes: subject, hypo_level_1, hypo_level_1_exclusive (with no level 2 episode inside), hypo_level_2, hypo_extended,
    hypo_ongoing, hypo_ended, hypo_minutes (of the level 1 episodes that have ended), hypo_lowest (null without one),
    hypo_episodes (as _listed()). Units: minutes, mg/dL.
    """
    found = batch.once(traced)
    level_1, level_2 = episodes(found, LOW), episodes(found, VERY_LOW)
    deep = level_1.join(level_2.select("subject", inner="start"), on="subject")
    deep = deep.filter(pl.col("inner").is_between("start", "last"))
    return _per_subject(
        found,
        _level_1(level_1, "hypo", pl.col("extreme").min().alias("hypo_lowest")),
        _count(level_1.join(deep, on=["subject", "start"], how="anti"), "hypo_level_1_exclusive"),
        _count(level_2, "hypo_level_2"),
        _count(level_1.filter(pl.col("minutes") >= EXTENDED_LOW_MINUTES), "hypo_extended"),
        _listed(level_1, found, "hypo_episodes"),
    )


def hyperglycemia(batch: Batch) -> pl.DataFrame:
    """Count hyperglycemic episodes.

    Shapes: subject, hyper_level_1, hyper_level_2, hyper_extended, hyper_ongoing, hyper_ended, hyper_minutes (of the
    level 1 episodes that have ended), hyper_highest (null without one), hyper_episodes (as _listed()). Units: minutes,
    mg/dL.
    """
    found = batch.once(traced)
    level_1 = episodes(found, HIGH)
    return _per_subject(
        found,
        _level_1(level_1, "hyper", pl.col("extreme").max().alias("hyper_highest")),
        _count(episodes(found, VERY_HIGH), "hyper_level_2"),
        _count(extended_highs(found), "hyper_extended"),
        _listed(level_1, found, "hyper_episodes"),
    )


def _stretches(trace: pl.DataFrame, limit: Limit) -> pl.DataFrame:
    """Cut the trace into stretches that lie in an episode and stretches that do not.

    A run of readings on one side changes the state once it lasts 15 minutes; a shorter one leaves it as it was.

    Shapes: the result as trace, with beyond, open, stretch (counted within the block), unended (no recovery follows).
    """
    runs = trace.with_columns(beyond=limit.beyond()).with_columns(run=pl.col("beyond").rle_id().over(BLOCK))
    lasting = pl.len().over(*BLOCK, "run") * pl.col("interval_ms") >= LEAST_MS
    state = pl.when(lasting).then("beyond").forward_fill().over(BLOCK).fill_null(value=False)
    return (
        runs.with_columns(open=state)
        .with_columns(stretch=pl.col("open").rle_id().over(BLOCK))
        .with_columns(unended=pl.col("stretch") == pl.col("stretch").max().over(BLOCK))
    )


def _level_1(found: pl.DataFrame, name: str, extreme: pl.Expr) -> pl.DataFrame:
    return found.group_by("subject").agg(
        pl.len().cast(pl.Int64).alias(f"{name}_level_1"),
        pl.col("ongoing").sum().cast(pl.Int64).alias(f"{name}_ongoing"),
        (~pl.col("ongoing")).sum().cast(pl.Int64).alias(f"{name}_ended"),
        pl.col("minutes").filter(~pl.col("ongoing")).sum().alias(f"{name}_minutes"),
        extreme,
    )


def _count(found: pl.DataFrame, name: str) -> pl.DataFrame:
    return found.group_by("subject").agg(pl.len().cast(pl.Int64).alias(name))


def _listed(found: pl.DataFrame, trace: pl.DataFrame, name: str) -> pl.DataFrame:
    """Tell the latest episodes one by one: minutes (so far), extreme, ongoing, start (ISO 8601, UTC with a Z)."""
    offsets = trace.select("subject", "start", "offset_s")
    shift = offset_ms()
    local = pl.from_epoch(pl.col("start") + shift.fill_null(0), "ms").dt.strftime("%Y-%m-%dT%H:%M:%S")
    start = pl.when(pl.col("offset_s").is_not_null()).then(local).otherwise(local + "Z")
    one = pl.struct("minutes", "extreme", "ongoing", start=start)
    whole = found.join(offsets, on=["subject", "start"], how="left", maintain_order="left").sort("subject", "start")
    return whole.group_by("subject", maintain_order=True).agg(one.tail(MOST_LISTED).alias(name))


def _per_subject(trace: pl.DataFrame, *tables: pl.DataFrame) -> pl.DataFrame:
    """Join counts; a subject with a trace and no episode has none, and no extreme value of one."""
    joined = trace.select(pl.col("subject").unique(maintain_order=True))
    for table in tables:
        joined = joined.join(table, on="subject", how="left")
    lists = [name for name in joined.columns if name.endswith("_episodes")]
    counts = [name for name in joined.columns if name not in {"subject", "hypo_lowest", "hyper_highest", *lists}]
    return joined.with_columns(pl.col(counts).fill_null(0), pl.col(lists).fill_null([]))
