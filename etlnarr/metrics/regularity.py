"""How regular sleep is: midpoint, social jetlag, sleep regularity index."""

import math
from typing import Final

import polars as pl

from etlnarr.metrics.architecture import is_asleep
from etlnarr.metrics.clock import DAY_MS, offset_ms
from etlnarr.metrics.nights import DAY_MINUTES, measured
from etlnarr.metrics.runs import NO, numbered
from etlnarr.metrics.sleep import PAUSE, SESSION
from etlnarr.model import Batch

EPOCH_MS: Final = 30_000
FREE_DAYS: Final = (5, 6)
"""Saturday and Sunday: the night that ends on them is a free one."""

STATES: Final = ("today", "tomorrow")
RADIANS: Final = 2 * math.pi / DAY_MINUTES
NO_DIRECTION: Final = 1e-9
"""Length of the mean vector below which times of day have no mean."""

MINUTE_DECIMALS: Final = 9


def circular_mean(minutes: pl.Expr) -> pl.Expr:
    """Mean time of day, in minutes after midnight, null when the times point everywhere."""
    angle = pl.arctan2((minutes * RADIANS).sin().mean(), (minutes * RADIANS).cos().mean())
    mean = (angle / RADIANS).round(MINUTE_DECIMALS) % DAY_MINUTES
    return pl.when(_length(minutes) > NO_DIRECTION).then(mean)


def circular_sd(minutes: pl.Expr) -> pl.Expr:
    """Circular standard deviation of times of day, in minutes; null below two."""
    length = _length(minutes)
    sd = (-2 * length.clip(upper_bound=1.0).log()).sqrt() / RADIANS
    return pl.when((minutes.count() > 1) & (length > NO_DIRECTION)).then(sd)


def consistency(batch: Batch) -> pl.DataFrame:
    """Work out the timing of the main sessions.

    Null as soon as the local time of one of them is unknown; a night without stages has bed and wake times alone.

    Shapes: midpoint, bed_time, wake_time (circular means), midpoint_sd, free_midpoint, work_midpoint,
    social_jetlag, free_nights, work_nights (of those with a midpoint).
    Units: minutes after local midnight, minutes. Source: Wittmann 2006 Chronobiol Int 23:497 (social jetlag).
    """
    nights = batch.once(measured).filter("main")
    known = nights.filter(pl.col("offset_s").is_not_null().all().over("subject"))
    free = pl.col("weekday").is_in(FREE_DAYS)
    midpoint = pl.col("midpoint")
    found = known.group_by("subject", maintain_order=True).agg(
        midpoint=circular_mean(midpoint),
        midpoint_sd=circular_sd(midpoint),
        bed_time=circular_mean(pl.col("bed_time")),
        wake_time=circular_mean(pl.col("wake_time")),
        free_nights=midpoint.filter(free).count().cast(pl.Int64),
        work_nights=midpoint.filter(~free).count().cast(pl.Int64),
        free_midpoint=circular_mean(midpoint.filter(free)),
        work_midpoint=circular_mean(midpoint.filter(~free)),
    )
    half = DAY_MINUTES / 2
    apart = pl.col("free_midpoint") - pl.col("work_midpoint")
    return found.with_columns(social_jetlag=((apart + half) % DAY_MINUTES - half).abs())


def regularity(batch: Batch) -> pl.DataFrame:
    """Work out the sleep regularity index: 200 x the share of epochs in the same state a day later, less 100.

    Complete days are the local dates after the one on which the first main session began and before the one on which
    the last did. Time without a record counts as wake there. Null below two such days, and where a session has no
    stages or no known local time.

    Shapes: regularity_index, complete_days. Units: epochs of 30 s. Source: Phillips 2017 Sci Rep 7:3216.
    """
    days = _complete_days(batch)
    slept = _sleep_stretches(batch.readings).join(days, on="subject")
    first, last = pl.col("first_day") * DAY_MS, pl.col("last_day") * DAY_MS
    events = [
        _changes(slept, "today", first, last, 0),
        _changes(slept, "tomorrow", first, last, DAY_MS),
    ]
    states = (
        pl.concat(events)
        .sort("subject", "time", maintain_order=True)  # four runs that are in order: faster by far
        # every stretch that begins also ends, so that the sums of a subject start from zero
        .with_columns(pl.col(STATES).cum_sum() > 0)
        .with_columns(length=(pl.col("time").shift(-1) - pl.col("time")).over("subject"))
    )
    differ = states.group_by("subject").agg(pl.col("length").filter(pl.col("today") != pl.col("tomorrow")).sum())
    pairs = (pl.col("complete_days") - 1) * DAY_MS
    return days.join(differ, on="subject", how="left").select(
        "subject", "complete_days", regularity_index=100 - 200 * pl.col("length").fill_null(0) / pairs
    )


def _complete_days(batch: Batch) -> pl.DataFrame:
    """Find first_day and last_day (days since 1970) of what is compared: the last complete day only follows."""
    local = pl.col("record_start") + offset_ms("offset_before")
    began = local.filter("main") // DAY_MS
    told = is_asleep().is_not_null() & pl.col("label").ne_missing(PAUSE)
    parts, of = numbered(batch.readings, (*SESSION, "record"))  # each part of a night must be staged
    some = batch.readings.select(of, staged=told).group_by(NO).agg(pl.col("staged").any())
    staged = parts.with_row_index(NO).join(some, on=NO).group_by("subject").agg(pl.col("staged").all()).filter("staged")
    found = (
        batch.once(measured)
        .group_by("subject", maintain_order=True)
        .agg(timed=pl.col("offset_s").is_not_null().all(), first_day=began.min() + 1, last_day=began.max() - 1)
    )
    complete = (pl.col("last_day") - pl.col("first_day") + 1).alias("complete_days")
    usable = found.join(staged, on="subject", how="semi").with_columns(complete)
    return usable.filter("timed", pl.col("complete_days") > 1).drop("timed").sort("subject")


def _sleep_stretches(readings: pl.DataFrame) -> pl.DataFrame:
    """Join the sleep stages that follow on one another, in local time; an epoch has the state of its last moment."""
    shift = offset_ms()
    stages = readings.filter(is_asleep()).select(
        "subject", *((pl.col(name) + shift) // EPOCH_MS * EPOCH_MS for name in ("start", "end"))
    )
    reached = pl.col("end").cum_max().over("subject")
    begins = (pl.col("start") > reached.shift().over("subject")).fill_null(value=True)
    marked = stages.sort("subject", "start").with_columns(begins=begins, reached=reached)
    last = pl.col("begins").shift(-1, fill_value=True)
    return marked.filter("begins").select("subject", "start").hstack(marked.filter(last).select(end="reached"))


def _changes(slept: pl.DataFrame, name: str, first: pl.Expr, last: pl.Expr, later: int) -> pl.DataFrame:
    """Return +1 where a stretch begins and -1 where it ends, within the days compared."""
    cut = slept.select(
        "subject", start=(pl.col("start") - later).clip(first, last), end=(pl.col("end") - later).clip(first, last)
    ).filter(pl.col("end") > pl.col("start"))
    edges = [cut.select("subject", time=edge, step=pl.lit(step)) for edge, step in (("start", 1), ("end", -1))]
    return pl.concat(edges).select(
        "subject",
        "time",
        *(pl.when(pl.lit(column == name)).then("step").otherwise(0).alias(column) for column in STATES),
    )


def _length(minutes: pl.Expr) -> pl.Expr:
    """Length of the mean vector of times of day."""
    sine, cosine = (minutes * RADIANS).sin().mean(), (minutes * RADIANS).cos().mean()
    return (sine**2 + cosine**2).sqrt()
