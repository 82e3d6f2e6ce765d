"""A sensor's trace, and the 5-minute grid on which its values are compared over time.

Only a sensor has a trace: subjects whose median interval exceeds 15 minutes (finger-sticks) are left out of every
frame made here, so that a metric built on it is null for them.
"""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import HOUR_MS, MINUTE_MS, interval_minutes
from etlnarr.metrics.runs import in_order
from etlnarr.model import Batch

LONGEST_INTERVAL_MINUTES: Final = 15
LONGEST_BRIDGE_MS: Final = 45 * MINUTE_MS
"""The longest step across which values are joined; a longer one breaks the trace."""

SLOT_MS: Final = 5 * MINUTE_MS
SLOTS_PER_HOUR: Final = HOUR_MS // SLOT_MS
SLOTS_PER_DAY: Final = 24 * SLOTS_PER_HOUR
CONGA_HOURS: Final = (1, 2, 4, 24)

NOISE_DECIMALS: Final = 6
"""Converting between units leaves noise far below these decimals, and 88.99999999999999 is 89."""


def trace(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the readings of sensors in order of time, one per instant.

    Shapes: readings as READINGS; the result subject, start, value, offset_s, interval_ms (rounded median), step_ms
    (since the reading before, null for the first) and block, which counts the breaks so far.
    """
    once = readings.filter(pl.col("value").is_not_null())
    if in_order(once, strictly=True):
        once = once.with_columns(pl.col("subject").set_sorted())  # as below: groups are summed in one way
    else:
        ordered = once.sort("subject", "start", "modified", "record", "value")
        once = ordered.unique(["subject", "start"], keep="last", maintain_order=True)
    interval = interval_minutes().over("subject")
    step = pl.col("start").diff().over("subject")
    return (
        once.filter(interval.is_between(0, LONGEST_INTERVAL_MINUTES, closed="right"))
        .select(
            "subject",
            "start",
            pl.col("value").round(NOISE_DECIMALS),
            "offset_s",
            interval_ms=(interval * MINUTE_MS).cast(pl.Int64),
            step_ms=step,
        )
        .with_columns(block=(pl.col("step_ms") > LONGEST_BRIDGE_MS).fill_null(value=False).cum_sum().over("subject"))
    )


def traced(batch: Batch) -> pl.DataFrame:
    """Return the traces of a batch, as trace()."""
    return trace(batch.readings)


def on_grid(trace: pl.DataFrame) -> pl.DataFrame:
    """Interpolate a trace at every fifth minute of the local clock, UTC where the offset is unknown.

    Values are linear across steps of at most 45 minutes and absent within longer ones. The grid begins after the first
    reading: each of its points closes an interval of the trace.

    Shapes: trace as trace() returned it; the result subject, slot (5-minute steps since 1970), value.
    """
    # one offset for the whole trace, so that a clock change neither repeats nor skips an hour of grid
    shift = pl.col("offset_s").first().over("subject").fill_null(0).cast(pl.Int64) * 1000
    steps = (
        trace.with_columns(at=pl.col("start") + shift)
        .with_columns(pl.col("at", "value").shift().over("subject").name.prefix("last_"))
        .filter(pl.col("last_at").is_not_null())
    )
    final = pl.col("at") // SLOT_MS
    joined = pl.col("step_ms") <= LONGEST_BRIDGE_MS
    # across a longer step only a reading that lies on the grid itself has a place there
    first = pl.when(joined).then(pl.col("last_at") // SLOT_MS + 1).otherwise(-(-pl.col("at") // SLOT_MS))
    slots = steps.with_columns(slot=pl.int_ranges(first, final + 1)).filter(pl.col("slot").list.len() > 0)
    share = (pl.col("slot") * SLOT_MS - pl.col("last_at")) / pl.col("step_ms")
    value = pl.col("last_value") + share * (pl.col("value") - pl.col("last_value"))
    return slots.explode("slot").select("subject", "slot", value=value)


def differences(grid: pl.DataFrame, hours: int) -> pl.DataFrame:
    """Return the change of every grid value since the given number of hours before; absent where one is absent."""
    earlier = grid.select("subject", pl.col("slot") + hours * SLOTS_PER_HOUR, earlier="value")
    pairs = grid.join(earlier, on=["subject", "slot"], maintain_order="left")
    return pairs.select("subject", change=pl.col("value") - pl.col("earlier"))


def between_hours(batch: Batch) -> pl.DataFrame:
    """Compare values that lie hours apart: MODD and CONGA.

    Shapes: subject, modd, modd_matched, conga_1, conga_2, conga_4, conga_24, and pairs_1 to pairs_24 that these are
    made of. Units: mg/dL; matched in percent of the pairs that a trace without holes would have.
    """
    grid = on_grid(batch.once(traced))
    last, first = pl.col("slot").max(), pl.col("slot").min()
    table = grid.group_by("subject", maintain_order=True).agg(expected=last - first + 1 - SLOTS_PER_DAY)
    for hours in CONGA_HOURS:
        conga = pl.col("change").std(ddof=1).alias(f"conga_{hours}")
        pairs = pl.len().cast(pl.Int64).alias(f"pairs_{hours}")
        modd = (pl.col("change").abs().mean().alias("modd"),) if hours * SLOTS_PER_HOUR == SLOTS_PER_DAY else ()
        found = differences(grid, hours).group_by("subject").agg(conga, pairs, *modd)
        table = table.join(found, on="subject", how="left")
    return table.select(
        "subject",
        "modd",
        pl.when(pl.col("expected") > 0).then(100.0 * pl.col("pairs_24") / pl.col("expected")).alias("modd_matched"),
        *(f"{name}_{hours}" for hours in CONGA_HOURS for name in ("conga", "pairs")),
    )


def area(batch: Batch) -> pl.DataFrame:
    """Integrate glucose over time by trapezoids between readings, leaving out steps longer than 45 minutes.

    Shapes: subject, auc, auc_hourly. Units: mg/dL x h, and mg/dL as its average over the hours integrated.
    """
    middle = (pl.col("value") + pl.col("value").shift().over("subject")) / 2
    parts = batch.once(traced).with_columns(middle=middle).filter(pl.col("step_ms") <= LONGEST_BRIDGE_MS)
    hours = pl.col("step_ms") / HOUR_MS
    sums = parts.group_by("subject", maintain_order=True).agg(auc=(pl.col("middle") * hours).sum(), hours=hours.sum())
    return sums.select("subject", "auc", auc_hourly=pl.col("auc") / pl.col("hours"))
