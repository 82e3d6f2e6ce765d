"""Heart rate over time: every sample stands for the time to the next one, at most ten minutes."""

from typing import Final

import polars as pl

from etlnarr.metrics.bouts import bouts, lasting
from etlnarr.metrics.clock import DAY_MS, HOUR_MS, MINUTE_MS, clock_known, local_ms
from etlnarr.metrics.sleep import in_sleep
from etlnarr.metrics.sources import LONGEST_HOLD_MS
from etlnarr.metrics.statistics import finite
from etlnarr.model import Batch

CONTINUOUS_GAP_MS: Final = 2 * MINUTE_MS
"""Samples further apart are no continuous record of exertion."""

BOUT_MINUTES: Final = 10
CONTINUOUS_PERCENT: Final = 70
"""Percent of the span that continuous samples must cover before the absence of a bout means that there was none."""

FAST: Final = 100
MODERATE_PERCENT: Final = 64
VIGOROUS_PERCENT: Final = 77
"""Percent of the maximum from which exertion is moderate and vigorous. Source: ACSM 11th ed."""

ZONES: Final = (50, 60, 70, 80, 90)
"""Lower limits of the zones 1 to 5 in percent of the maximum."""

WINDOW: Final = "1800000i"
WINDOW_SAMPLES: Final = 20
AWAKE_BEFORE_MS: Final = 14 * HOUR_MS
LEAST_AWAKE_MS: Final = 5 * HOUR_MS
LEAST_ASLEEP_MS: Final = 3 * HOUR_MS
FULL_HOUR_MS: Final = 45 * MINUTE_MS
COMPARED_HOURS: Final = 2
MEAN_DECIMALS: Final = 6


def maximum() -> pl.Expr:
    """Maximal heart rate estimated from the column age. Source: Tanaka 2001 JACC 37:153."""
    return 208 - 0.7 * pl.col("age")


def weighted(readings: pl.DataFrame) -> pl.DataFrame:
    """Add step and weight, the ms to the next sample and what counts of it; the last sample has the median step.

    Shapes: readings as READINGS in order of start within a subject.
    """
    step = (pl.col("start").shift(-1) - pl.col("start")).over("subject")
    usual = pl.col("step").median().over("subject").cast(pl.Int64)
    weight = pl.min_horizontal(pl.coalesce("step", usual, pl.lit(0)), LONGEST_HOLD_MS)
    return readings.with_columns(step=step).with_columns(weight=weight)


def rates(batch: Batch) -> pl.DataFrame:
    """Average over time, and apart for sleep and waking where a main sleep session is known.

    Shapes: time_weighted_mean, covered_hours, awake_hours, awake_p5, awake_p95, readings_awake; the last four null
    without a known sleep session. Units: beats per minute, h.
    """
    marked = in_sleep(weighted(batch.readings), batch.sleep)
    slept = batch.sleep.select("subject").unique().with_columns(sleep_known=pl.lit(value=True))
    awake = pl.col("night_start").is_null()
    found = marked.group_by("subject", maintain_order=True).agg(
        time_weighted_mean=pl.coalesce(weighted_mean(), pl.col("value").mean()),
        covered_hours=pl.min_horizontal(pl.col("weight").sum(), pl.col("start").max() - pl.col("start").min())
        / HOUR_MS,
        awake_hours=pl.col("weight").filter(awake).sum() / HOUR_MS,
        readings_awake=awake.sum().cast(pl.Int64),
        awake_p5=pl.col("value").filter(awake).quantile(0.05, interpolation="linear"),
        awake_p95=pl.col("value").filter(awake).quantile(0.95, interpolation="linear"),
    )
    apart = pl.col("awake_hours", "readings_awake", "awake_p5", "awake_p95")
    marked_off = found.join(slept, on="subject", how="left").with_columns(pl.when("sleep_known").then(apart))
    return marked_off.drop("sleep_known")


def zones(batch: Batch) -> pl.DataFrame:
    """Share out the covered time over five zones of the estimated maximum; null without an age.

    Shapes: below_zone_1, zone_1 to zone_5 (the last one open), moderate_minutes, vigorous_minutes.
    Units: percent of covered time, minutes.
    """
    aged = weighted(batch.readings).join(batch.people.select("subject", "age"), on="subject")
    edges = (0, *ZONES, float("inf"))
    names = ("below_zone_1", *(f"zone_{number}" for number in range(1, 6)))
    weight = pl.col("weight")
    return (
        aged.with_columns(share=_effort())
        .filter(pl.col("share").is_not_null())
        .group_by("subject", maintain_order=True)
        .agg(
            *(
                finite(
                    100 * weight.filter(pl.col("share").is_between(low, high, closed="left")).sum() / weight.sum()
                ).alias(name)
                for name, low, high in zip(names, edges, edges[1:], strict=False)
            ),
            moderate_minutes=_minutes((pl.col("share") >= MODERATE_PERCENT) & (pl.col("share") < VIGOROUS_PERCENT)),
            vigorous_minutes=_minutes(pl.col("share") >= VIGOROUS_PERCENT),
        )
    )


def stretches(batch: Batch) -> pl.DataFrame:
    """Find bouts of exertion, and of more than 100 beats per minute awake, of at least ten minutes.

    None found counts as none only where samples at most two minutes apart cover 70 % of the span, else it is null.

    Shapes: exertion_bouts, exertion_bouts_minutes (at least 64 % of the estimated maximum; null without an age),
    fast_bouts, fast_bouts_minutes, dense (whether the samples are close enough for none to mean none).
    """
    marked = in_sleep(weighted(batch.readings), batch.sleep).join(batch.people.select("subject", "age"), on="subject")
    continuous = pl.when(pl.col("step") <= CONTINUOUS_GAP_MS).then("step").otherwise(0)
    held = marked.with_columns(continuous=continuous).with_columns(end=pl.col("start") + pl.col("continuous"))
    span = pl.col("start").max() - pl.col("start").min()
    known = held.group_by("subject", maintain_order=True).agg(
        dense=100 * pl.col("continuous").sum() >= CONTINUOUS_PERCENT * span, aged=pl.col("age").first().is_not_null()
    )
    exerted = held.with_columns(inside=(_effort() >= MODERATE_PERCENT).fill_null(value=False))
    fast = held.with_columns(inside=(pl.col("value") > FAST) & pl.col("night_start").is_null())
    for name, rows in (("exertion_bouts", exerted), ("fast_bouts", fast)):
        found = lasting(bouts(rows, CONTINUOUS_GAP_MS), BOUT_MINUTES, name)
        known = known.join(found, on="subject", how="left")
    absent = pl.when("dense").then(0)
    counted = known.with_columns(
        *(pl.coalesce(name, absent) for name in ("exertion_bouts", "fast_bouts")),
        *(pl.coalesce(f"{name}_minutes", absent.cast(pl.Float64)) for name in ("exertion_bouts", "fast_bouts")),
    )
    return counted.with_columns(pl.when("aged").then(pl.col("exertion_bouts", "exertion_bouts_minutes"))).drop("aged")


def lowest_sleeping(batch: Batch) -> pl.DataFrame:
    """Find the lowest mean of 30 minutes with at least 20 samples inside a main sleep session.

    Shapes: lowest_sustained_sleeping.
    """
    asleep = in_sleep(batch.readings, batch.sleep).filter(pl.col("night_start").is_not_null())
    night = ["subject", "night_start"]
    windows = (
        asleep.sort(*night, "start")
        .rolling("start", period=WINDOW, offset="0i", closed="left", group_by=night)
        .agg(mean=pl.col("value").mean(), n=pl.len())
    )
    full = windows.filter(pl.col("n") >= WINDOW_SAMPLES)
    return full.group_by("subject", maintain_order=True).agg(lowest_sustained_sleeping=pl.col("mean").min())


def nocturnal(batch: Batch) -> pl.DataFrame:
    """Compare each night with the waking hours before it, at most 14, and average over the nights.

    A night counts with 5 h covered awake and 3 h asleep; where none does, what there is is averaged and nights is 0.

    Shapes: nights, sleeping_mean, waking_mean, dip. Units: beats per minute, percent.
    Source: Ben-Dov 2007 Arch Intern Med 167:2116.
    """
    marked = in_sleep(weighted(batch.readings), batch.sleep)
    asleep = _by_night(marked.filter(pl.col("night_start").is_not_null()), "sleeping")
    awake = _by_night(_evening(marked, batch.sleep), "waking")
    both = asleep.join(awake, on=["subject", "night_start"]).sort("subject", "night_start")
    counts = (pl.col("waking_ms") >= LEAST_AWAKE_MS) & (pl.col("sleeping_ms") >= LEAST_ASLEEP_MS)
    dip = 100 * (1 - pl.col("sleeping_mean") / pl.col("waking_mean"))
    return (
        both.with_columns(counts=counts, dip=dip)
        .filter(pl.col("counts") | ~pl.col("counts").any().over("subject"))
        .group_by("subject", maintain_order=True)
        .agg(pl.col("sleeping_mean", "waking_mean", "dip").mean(), nights=pl.col("counts").sum().cast(pl.Int64))
    )


def peak(batch: Batch) -> pl.DataFrame:
    """Find the local hour with the highest mean over time, among hours of which 45 minutes are covered.

    Shapes: peak_hour; null below two such hours of the clock, no row where the local time is unknown.
    """
    hour = local_ms() // HOUR_MS
    whole = (
        weighted(batch.readings)
        .filter(clock_known().over("subject"))
        .group_by("subject", hour=hour)
        .agg(time=pl.col("weight").sum(), beats=(pl.col("value") * pl.col("weight")).sum())
        .filter(pl.col("time") >= FULL_HOUR_MS)
    )
    of_day = pl.col("hour") % (DAY_MS // HOUR_MS)
    mean = (pl.col("beats").sum() / pl.col("time").sum()).round(MEAN_DECIMALS)
    ranked = whole.group_by("subject", hour=of_day).agg(mean=mean)
    ranked = ranked.sort("subject", "mean", "hour", descending=[False, True, False])
    highest = pl.when(pl.len() >= COMPARED_HOURS).then(pl.col("hour").first())
    return ranked.group_by("subject", maintain_order=True).agg(peak_hour=highest)


def weighted_mean() -> pl.Expr:
    """Mean of the values, each counted its weight; null where all weights are zero."""
    return finite((pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum())


def _effort() -> pl.Expr:
    """Percent of the estimated maximum, null without an age; rounded so that a limit is not missed by float noise."""
    return (100 * pl.col("value") / maximum()).round(MEAN_DECIMALS)


def _minutes(which: pl.Expr) -> pl.Expr:
    return pl.col("weight").filter(which).sum() / MINUTE_MS


def _by_night(marked: pl.DataFrame, name: str) -> pl.DataFrame:
    found = marked.group_by("subject", "night_start").agg(
        weighted_mean().alias(f"{name}_mean"), pl.col("weight").sum().alias(f"{name}_ms")
    )
    return found.filter(pl.col(f"{name}_mean").is_not_null())


def _evening(marked: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:
    """Give each waking sample the main session that follows within 14 h."""
    coming = sleep.select("subject", "start", night_start="start").sort("start")
    awake = marked.filter(pl.col("night_start").is_null()).drop("night_start", "night_end").sort("start")
    joined = awake.join_asof(coming, on="start", by="subject", strategy="forward", check_sortedness=False)
    return joined.filter(pl.col("night_start") - pl.col("start") <= AWAKE_BEFORE_MS).sort("subject", "start")
