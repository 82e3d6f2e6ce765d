"""Glucose by night: 00:00 to 06:00 of the local clock, and the rise before waking."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, HOUR_MS, MINUTE_MS, clock_known, local_day, local_hour, local_ms, offset_ms
from etlnarr.metrics.episodes import LOW
from etlnarr.metrics.grid import traced
from etlnarr.model import Batch

NIGHT_ENDS_HOUR: Final = 6
LEAST_ASLEEP_MS: Final = 3 * HOUR_MS
BEFORE_WAKING_MS: Final = 30 * MINUTE_MS
LONGEST_STEP: Final = 2.5
"""Intervals: two readings in a row may not be missing, or 15 minutes below 70 mg/dL could hide."""

DAWN_RISE: Final = 20.0
"""Rise in mg/dL from which a night counts as one with a dawn phenomenon (Monnier 2013)."""

NIGHT: Final = ("subject", "day")


def at_night() -> pl.Expr:
    """Return the values read from 00:00 to 06:00 local time; for group_by("subject").agg."""
    return pl.col("value").filter(local_hour() < NIGHT_ENDS_HOUR)


def dawn(batch: Batch) -> pl.DataFrame:
    """Measure the rise of glucose between the lowest value of the night and waking.

    A night counts when the main sleep covers at least 3 of the hours from 00:00 to 06:00 and the readings from falling
    asleep, or midnight, to waking have no hole and none below 70 mg/dL, for what follows a low is no dawn phenomenon.
    The rise is the mean of the last 30 minutes before waking minus the lowest value until 06:00. Asleep, nobody eats.

    Shapes: subject, dawn_elevation (mean of the rises), dawn_nights, dawn_frequency (rises of 20 mg/dL and more).
    Units: mg/dL, percent. Source: Monnier 2013.
    """
    readings = batch.once(traced).filter(clock_known().over("subject")).with_columns(at=local_ms(), day=local_day())
    inside = readings.join(_asleep(batch.sleep, readings), on=NIGHT).filter(pl.col("at").is_between("since", "wake"))
    at, value = pl.col("at"), pl.col("value")
    before, after = at.first() - pl.col("since").first(), pl.col("wake").first() - at.last()
    longest = pl.max_horizontal(before, after, at.diff().max())
    nights = (
        inside.sort(*NIGHT, "at")
        .group_by(NIGHT, maintain_order=True)
        .agg(
            rise=value.filter(at > pl.col("wake") - BEFORE_WAKING_MS).mean() - value.filter(at < pl.col("six")).min(),
            whole=longest <= LONGEST_STEP * pl.col("interval_ms").first(),
            low=LOW.beyond().any(),
        )
        .filter(pl.col("whole") & ~pl.col("low"))
    )
    return nights.group_by("subject", maintain_order=True).agg(
        dawn_elevation=pl.col("rise").mean(),
        dawn_nights=pl.len().cast(pl.Int64),
        dawn_frequency=100.0 * (pl.col("rise") >= DAWN_RISE).mean(),
    )


def _asleep(sleep: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Return the nights on the local clock: subject, day of waking, since (asleep or midnight), six o'clock, wake."""
    # sleep sessions carry no offset: that of the last reading before waking stands for the night
    offsets = readings.select("subject", "offset_s", end="start").sort("end")
    woken = sleep.sort("end").join_asof(offsets, on="end", by="subject", check_sortedness=False)
    shift = offset_ms()
    midnight = (pl.col("end") + shift) // DAY_MS * DAY_MS
    nights = woken.select(
        "subject",
        day=midnight // DAY_MS,
        since=pl.max_horizontal(pl.col("start") + shift, midnight),
        six=midnight + NIGHT_ENDS_HOUR * HOUR_MS,
        wake=pl.col("end") + shift,
    )
    enough = nights.filter(pl.min_horizontal("wake", "six") - pl.col("since") >= LEAST_ASLEEP_MS)
    return enough.sort(*NIGHT, "since").unique(NIGHT, keep="first", maintain_order=True)
