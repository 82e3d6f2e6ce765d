"""Heart rate over time: every sample stands for the time to the next one, at most ten minutes."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, HOUR_MS, MINUTE_MS, clock_known, local_ms, offset_ms
from etlnarr.metrics.sleep import in_sleep
from etlnarr.metrics.sources import LONGEST_HOLD_MS
from etlnarr.metrics.statistics import finite
from etlnarr.model import Batch

WINDOW: Final = "1800000i"
WINDOW_SAMPLES: Final = 20
AWAKE_BEFORE_MS: Final = 14 * HOUR_MS
LEAST_AWAKE_MS: Final = 5 * HOUR_MS
LEAST_ASLEEP_MS: Final = 3 * HOUR_MS
FULL_HOUR_MS: Final = 45 * MINUTE_MS
COMPARED_HOURS: Final = 2
MEAN_DECIMALS: Final = 6
NIGHT: Final = ("subject", "night_start", "source")


def weighted(readings: pl.DataFrame) -> pl.DataFrame:
    """Add step and weight, the ms to the next sample (null for the last) and what counts of it.

    The last sample counts the median step, as far as the holes of the subject leave room: all weights together are
    never longer than the span.

    Shapes: readings as READINGS in order of start within a subject.
    """
    step = (pl.col("start").shift(-1) - pl.col("start")).over("subject")
    usual = pl.col("step").median().over("subject").cast(pl.Int64)
    held = pl.min_horizontal("step", LONGEST_HOLD_MS)
    room = (pl.col("step") - held).sum().over("subject")
    last = pl.min_horizontal(usual.fill_null(0), LONGEST_HOLD_MS, room)
    return readings.with_columns(step=step).with_columns(
        weight=pl.when(pl.col("step").is_null()).then(last).otherwise(held)
    )


def marked(batch: Batch) -> pl.DataFrame:
    """Return the readings as weighted(), each with the main session that it starts in, as in_sleep()."""
    return in_sleep(weighted(batch.readings), batch.sleep)


def rates(batch: Batch) -> pl.DataFrame:
    """Average over time, and apart for what lies outside of the main sleep where a session of it is known.

    Shapes: time_weighted_mean, covered_hours; awake_hours, awake_p5, awake_p95, readings_awake (outside of main
    sleep, naps included; null without a known session), overall_p5 (of all samples; null with one).
    Units: beats per minute, h.
    """
    slept = batch.sleep.select("subject").unique().with_columns(sleep_known=pl.lit(value=True))
    awake = pl.col("night_start").is_null()
    found = (
        batch.once(marked)
        .group_by("subject", maintain_order=True)
        .agg(
            time_weighted_mean=pl.coalesce(weighted_mean(), pl.col("value").mean()),
            covered_hours=pl.col("weight").sum() / HOUR_MS,
            awake_hours=pl.col("weight").filter(awake).sum() / HOUR_MS,
            readings_awake=awake.sum().cast(pl.Int64),
            awake_p5=pl.col("value").filter(awake).quantile(0.05, interpolation="linear"),
            awake_p95=pl.col("value").filter(awake).quantile(0.95, interpolation="linear"),
            overall_p5=pl.col("value").quantile(0.05, interpolation="linear"),
        )
    )
    apart = pl.col("awake_hours", "readings_awake", "awake_p5", "awake_p95")
    known = pl.col("sleep_known").fill_null(value=False)
    marked_off = found.join(slept, on="subject", how="left").with_columns(
        pl.when(known).then(apart), pl.when(~known).then("overall_p5").alias("overall_p5")
    )
    return marked_off.drop("sleep_known")


def nights(batch: Batch) -> pl.DataFrame:
    """Measure each night: its lowest half hour, its mean, and that of the time outside of main sleep before it.

    Each is told by the one source that covers most of the night, so that no dip is a difference of devices.

    Shapes: subject, day (of waking, days since 1970-01-01), lowest (mean of 30 minutes with at least 20 samples, null
    without), sleeping_mean, waking_mean (of the 14 h before, null without samples), dip, counts (5 h covered before it
    and 3 h in it). Units: beats per minute, percent. Source: Ben-Dov 2007 Arch Intern Med 167:2116.
    """
    whole = batch.once(marked)
    inside = whole.filter(pl.col("night_start").is_not_null())
    shift = offset_ms().fill_null(0)
    days = inside.group_by(NIGHT).agg(day=((pl.col("night_end") + shift) // DAY_MS).last())
    asleep = _by_night(inside, "sleeping").join(days, on=NIGHT).join(_lowest(inside), on=NIGHT, how="left")
    both = asleep.join(_by_night(_evening(whole, batch.sleep), "waking"), on=NIGHT, how="left")
    long = (pl.col("waking_ms") >= LEAST_AWAKE_MS) & (pl.col("sleeping_ms") >= LEAST_ASLEEP_MS)
    dip = 100 * (1 - pl.col("sleeping_mean") / pl.col("waking_mean"))
    named = both.with_columns(counts=long.fill_null(value=False), dip=dip)
    ranked = named.sort(
        "subject", "night_start", pl.col("sleeping_ms"), "source", descending=[False, False, True, False]
    )
    single = ranked.unique(["subject", "night_start"], keep="first", maintain_order=True)
    return single.select("subject", "day", "lowest", "sleeping_mean", "waking_mean", "dip", "counts")


def lowest_sleeping(batch: Batch) -> pl.DataFrame:
    """Find the lowest mean of 30 minutes with at least 20 samples inside a main sleep session.

    Shapes: lowest_sustained_sleeping, sleeping_nights (with such 30 minutes).
    """
    found = _of_subject(batch).filter(pl.col("lowest").is_not_null())
    return found.group_by("subject", maintain_order=True).agg(
        lowest_sustained_sleeping=pl.col("lowest").min(), sleeping_nights=pl.len().cast(pl.Int64)
    )


def nocturnal(batch: Batch) -> pl.DataFrame:
    """Compare each night with the time outside of main sleep in the 14 h before it, and average over the nights.

    A night counts with 5 h covered before it and 3 h in it; where none does, what there is is averaged and nights is 0.

    Shapes: nights, sleeping_mean, waking_mean, dip, dip_min and dip_max (null below two nights that count).
    Units: beats per minute, percent.
    Source: Ben-Dov 2007 Arch Intern Med 167:2116.
    """
    found = _of_subject(batch).filter(pl.col("dip").is_not_null())
    several = pl.col("counts").sum() > 1
    return (
        found.filter(pl.col("counts") | ~pl.col("counts").any().over("subject"))
        .group_by("subject", maintain_order=True)
        .agg(
            pl.col("sleeping_mean", "waking_mean", "dip").mean(),
            nights=pl.col("counts").sum().cast(pl.Int64),
            dip_min=pl.when(several).then(pl.col("dip").min()),
            dip_max=pl.when(several).then(pl.col("dip").max()),
        )
    )


def peak(batch: Batch) -> pl.DataFrame:
    """Find the local hour with the highest mean over time, among hours of which 45 minutes are covered.

    Shapes: peak_hour; null below two such hours of the clock or when two share the highest mean, no row where the local
    time is unknown.
    """
    hour = local_ms() // HOUR_MS
    whole = (
        batch.once(marked)
        .filter(clock_known().over("subject"))
        .group_by("subject", hour=hour)
        .agg(time=pl.col("weight").sum(), beats=(pl.col("value") * pl.col("weight")).sum())
        .filter(pl.col("time") >= FULL_HOUR_MS)
    )
    of_day = pl.col("hour") % (DAY_MS // HOUR_MS)
    mean = (pl.col("beats").sum() / pl.col("time").sum()).round(MEAN_DECIMALS)
    ranked = whole.group_by("subject", hour=of_day).agg(mean=mean)
    ranked = ranked.sort("subject", "mean", "hour", descending=[False, True, False])
    alone = (pl.len() >= COMPARED_HOURS) & ((pl.col("mean") == pl.col("mean").max()).sum() == 1)
    highest = pl.when(alone).then(pl.col("hour").first())
    return ranked.group_by("subject", maintain_order=True).agg(peak_hour=highest)


def weighted_mean() -> pl.Expr:
    """Mean of the values, each counted its weight; null where all weights are zero."""
    return finite((pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum())


def _of_subject(batch: Batch) -> pl.DataFrame:
    """Return the nights of a subject; those of a window begin on the evening before it."""
    return batch.once(nights) if batch.past is None else batch.past.filter("inside")


def _lowest(inside: pl.DataFrame) -> pl.DataFrame:
    windows = (
        inside.sort(*NIGHT, "start")
        .rolling("start", period=WINDOW, offset="0i", closed="left", group_by=NIGHT)
        .agg(mean=pl.col("value").mean(), n=pl.len())
    )
    full = windows.filter(pl.col("n") >= WINDOW_SAMPLES)
    return full.group_by(NIGHT).agg(lowest=pl.col("mean").min())


def _by_night(marked: pl.DataFrame, name: str) -> pl.DataFrame:
    found = marked.group_by(NIGHT).agg(
        weighted_mean().alias(f"{name}_mean"), pl.col("weight").sum().alias(f"{name}_ms")
    )
    return found.filter(pl.col(f"{name}_mean").is_not_null())


def _evening(marked: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:
    """Give each sample outside of main sleep the main session that follows within 14 h."""
    coming = sleep.select("subject", "start", night_start="start").sort("subject", "start")
    awake = marked.filter(pl.col("night_start").is_null()).drop("night_start", "night_end")
    joined = awake.join_asof(coming, on="start", by="subject", strategy="forward", check_sortedness=False)
    return joined.filter(pl.col("night_start") - pl.col("start") <= AWAKE_BEFORE_MS)
