"""Mean amplitude of glycemic excursions by crossing moving averages.

The definition is that of Service 1970, automated as Fernandes 2022 (JDST 16:576) describes it, with the mean of both
directions that Baghurst 2011 argues for:

1. Put the trace on the 5-minute grid and split it where values are absent for more than 180 minutes.
2. In each segment take the trailing means of 5 and of 32 values; the first of each stands for those before it.
3. A crossing point is the first value, the last value, and each at which the short mean changes sides of the long one.
4. Between two crossing points lies one turning point, a peak while the short mean is above, else a nadir. As the means
   lag, it is sought from after the turning point before it to the second crossing point.
5. Drop turning points until every change between neighbours exceeds one standard deviation of the readings.
6. MAGE+ is the mean of the rises that are left, MAGE- that of the falls. The segment has the mean of the two, or the
   one there is; the trace has the mean of its segments, weighted by their time.

Steps 4 and 5 are repeated over all subjects together until nothing changes, which comes to what walking along each
trace would give.
"""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import MINUTE_MS
from etlnarr.metrics.grid import NOISE_DECIMALS, SLOT_MS, on_grid, traced
from etlnarr.model import Batch

SHORT: Final = 5
LONG: Final = 32
LONGEST_HOLE_SLOTS: Final = 180 * MINUTE_MS // SLOT_MS
SEGMENT: Final = ("subject", "segment")
MOST_PASSES: Final = 64
"""Each pass settles at least the next turning point of every segment. Real traces are settled after three; in one that
alternates with every reading a turning point follows from the 64 before it, not from all."""


def mage(batch: Batch) -> pl.DataFrame:
    """Return MAGE per subject; null where no excursion exceeds one standard deviation.

    Shapes: subject, mage, excursions (that it is the mean of). Units: mg/dL. Source: Service 1970; Baghurst 2011;
    Fernandes 2022.
    """
    found = batch.once(traced)
    spread = found.group_by("subject").agg(sd=pl.col("value").std(ddof=1))
    values = _segments(on_grid(found))
    turns = _turning_points(values).join(spread, on="subject", maintain_order="left")
    legs = _excursions(turns).with_columns(height=pl.col("value").diff().over(SEGMENT))
    height = pl.col("height")
    means = legs.group_by(SEGMENT).agg(
        rises=height.filter(height > 0).mean(), falls=height.filter(height < 0).mean().abs(), excursions=height.count()
    )
    lengths = values.group_by(SEGMENT).agg(time=pl.col("slot").max() - pl.col("slot").min())
    segments = means.join(lengths, on=SEGMENT).with_columns(mage=pl.mean_horizontal("rises", "falls"))
    weighed = segments.filter(pl.col("mage").is_not_null()).sort(SEGMENT)
    total = (pl.col("mage") * pl.col("time")).sum() / pl.col("time").sum()
    return weighed.group_by("subject", maintain_order=True).agg(
        mage=total, excursions=pl.col("excursions").sum().cast(pl.Int64)
    )


def _segments(grid: pl.DataFrame) -> pl.DataFrame:
    """Cut at long holes, and drop segments too short for a long mean."""
    hole = pl.col("slot").diff().over("subject") > LONGEST_HOLE_SLOTS
    cut = grid.with_columns(segment=hole.fill_null(value=False).cum_sum().over("subject"))
    return cut.filter(pl.len().over(SEGMENT) >= LONG)


def _turning_points(values: pl.DataFrame) -> pl.DataFrame:
    """Find the peak or nadir of every stretch between crossing points.

    Shapes: values as _segments() returned them; the result subject, segment, value in order of time.
    """
    series = values["value"]
    stretches = _stretches(values.with_row_index("at").with_columns(pl.col("at").cast(pl.Int64)))
    turn = _extremes(stretches, series)
    for _ in range(MOST_PASSES):
        since = pl.col("turn").shift().over(SEGMENT) + 1
        moved = stretches.with_columns(turn=turn).with_columns(since=since.fill_null(pl.col("since")))
        settled = _extremes(moved, series)
        if settled.equals(turn):
            break
        turn = settled
    return stretches.select(*SEGMENT, value=series.gather(turn))


def _stretches(values: pl.DataFrame) -> pl.DataFrame:
    """Return the stretches between crossing points, since and until as rows of values, both included."""

    def mean(window: int) -> pl.Expr:
        return pl.col("value").rolling_mean(window).backward_fill().over(SEGMENT)

    above = (mean(SHORT) - mean(LONG)).round(NOISE_DECIMALS) > 0
    last = pl.col("at") == pl.col("at").max().over(SEGMENT)
    marked = values.with_columns(above=above).with_columns(
        crossing=(pl.col("above") != pl.col("above").shift().over(SEGMENT)).fill_null(value=True) | last
    )
    crossings = marked.filter("crossing").with_columns(until=pl.col("at").shift(-1).over(SEGMENT))
    return crossings.filter(pl.col("until").is_not_null()).select(*SEGMENT, "until", peak="above", since="at")


def _extremes(stretches: pl.DataFrame, series: pl.Series) -> pl.Series:
    """Return the row of the highest or lowest value of each stretch, the last of equals."""
    windows = stretches.with_row_index("stretch").select(
        "stretch", "peak", row=pl.int_ranges("since", pl.col("until") + 1)
    )
    rows = windows.explode("row")
    height = pl.when("peak").then(pl.col("value")).otherwise(-pl.col("value"))
    scored = rows.with_columns(value=series.gather(rows["row"])).with_columns(height=height)
    best = pl.col("row").filter(pl.col("height") == pl.col("height").max()).max()
    return scored.group_by("stretch", maintain_order=True).agg(turn=best)["turn"]


def _excursions(turns: pl.DataFrame) -> pl.DataFrame:
    """Drop the turning points of every change that does not exceed one standard deviation.

    The smallest change goes first: with both of its ends, so that the larger changes around it become one; at either
    end of the segment with its outer end only.
    """
    kept = _alternating(turns)
    while True:
        left = kept.filter(~_in_small_leg()).select(kept.columns)
        if left.height == kept.height:
            return left
        kept = left


def _in_small_leg() -> pl.Expr:
    """Tell which points go: the ends of each leg within one standard deviation that is smaller than its neighbours.

    The last point of a segment has no leg, which keeps segments apart that follow on one another.
    """
    last = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in SEGMENT)
    leg = pl.when(~last).then((pl.col("value").shift(-1) - pl.col("value")).abs())
    before, after = leg.shift(), leg.shift(-1)
    least = (leg < before).fill_null(value=True) & (leg <= after).fill_null(value=True)
    small = (least & (leg <= pl.col("sd"))).fill_null(value=False)
    begins = small & (before.is_null() | after.is_not_null())
    ends = (small & before.is_not_null()).shift(fill_value=False)
    return begins | ends


def _alternating(turns: pl.DataFrame) -> pl.DataFrame:
    """Drop turning points between a lower and a higher one: where values only rise, a nadir may lie above a peak."""
    same = pl.col("value").shift(-1).over(SEGMENT) == pl.col("value")
    distinct = turns.filter(~same.fill_null(value=False))
    coming = (pl.col("value") - pl.col("value").shift()).sign().over(SEGMENT)
    going = (pl.col("value").shift(-1) - pl.col("value")).sign().over(SEGMENT)
    return distinct.filter((coming != going).fill_null(value=True))
