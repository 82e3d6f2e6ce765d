"""Amounts by the local day: one source, cut at midnight, and whether the day is told whole."""

from typing import Final

import polars as pl

from etlnarr.metrics import sources
from etlnarr.metrics.clock import DAY_MS, HOUR_MS, offset_ms
from etlnarr.metrics.overlap import pro_rata
from etlnarr.model import Batch

WHOLE_DAY_MS: Final = 18 * HOUR_MS
"""A record at least this long is a daily total; some sources begin their day at four in the morning."""

LONGEST_DAY_MS: Final = 25 * HOUR_MS
"""A local day on which the clock is set back."""

NIGHT_MS: Final = 6 * HOUR_MS
"""Hours after midnight in which people are usually asleep: nothing written in them need not mean something missing."""

NOISE_DECIMALS: Final = 9
DAY: Final = ("subject", "day")


def length() -> pl.Expr:
    """Return the length of an interval, or of its piece in a day, in ms."""
    return pl.col("end") - pl.col("start")


def record_length() -> pl.Expr:
    """Return the length of the whole record, in ms."""
    return pl.col("record_end") - pl.col("record_start")


def told_whole() -> pl.Expr:
    """Tell whether the record is a daily total."""
    return record_length() >= WHOLE_DAY_MS


def choose(readings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source for each local day, and its daily total or its shorter records, never both.

    Intervals are cut at local midnight. Where records of one source overlap, each instant counts once.

    Shapes: as sources.choose. Records of the chosen source that were not chosen are left out of the others.
    """
    stream = pl.format("{} {}", "source", pl.when(told_whole()).then(pl.lit("whole")).otherwise(pl.lit("part")))
    span = pl.col("end").max() - pl.col("start").min()
    cut = at_midnight(readings)
    streams = sources.choose(cut, sources.local_date(), stream, coverage=span)
    chosen, others = (
        pro_rata(frame.with_columns(stream=stream), ("subject", "stream"), ()).drop("stream") for frame in streams
    )
    spoken = chosen.select("subject", "source", day=sources.local_date()).unique()
    rest = others.with_columns(day=sources.local_date()).join(spoken, on=["subject", "source", "day"], how="anti")
    return chosen, rest.drop("day").sort("subject", "start", "record", "source", "end")


def at_midnight(readings: pl.DataFrame) -> pl.DataFrame:
    """Cut intervals at local midnight, and their values pro rata by time.

    An interval whose local time is not known stays whole, as does one that begins with a local day and is no longer
    than the longest day: its offset may be another at its end.

    Shapes: as READINGS; each piece keeps record_start and record_end.
    """
    begins, ends = pl.col("start") + offset_ms(), pl.col("end") + offset_ms()
    first, last = begins // DAY_MS, (ends - 1) // DAY_MS
    own_day = (begins % DAY_MS == 0) & (length() <= LONGEST_DAY_MS)
    crosses = ((last > first) & ~own_day).fill_null(value=False)
    crossing = readings.filter(crosses)
    if crossing.is_empty():
        return readings
    midnight = pl.col("day") * DAY_MS - offset_ms()
    start, end = pl.max_horizontal("start", midnight), pl.min_horizontal("end", midnight + DAY_MS)
    pieces = (
        crossing.with_columns(day=pl.int_ranges(first, last + 1))
        .explode("day")
        .with_columns(start=start, end=end, value=(pl.col("value") * (end - start) / length()).round(NOISE_DECIMALS))
        .select(readings.columns)
    )
    return pl.concat([readings.filter(~crosses), pieces]).sort("subject", "start", "record", "source", "end")


def by_piece(readings: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG001 - as RecordType.by_day
    """Cut intervals at local midnight, and add the local day of each piece."""
    return at_midnight(readings).with_columns(day=sources.local_date())


def days(readings: pl.DataFrame) -> pl.DataFrame:
    """Add up each local day of chosen readings.

    A day told by totals is complete when they cover most of it and were written after their end. A day of shorter
    records is when all of them were, its source wrote something after the day, its local time is known, and it is not
    cut: its source has an earlier record, or begins within six hours of midnight.

    Shapes: subject, day (days since 1970-01-01), n (records), total, whole (told as a daily total), dated (local date
    known), offset_s, begins, ends (epoch ms), written (epoch ms, null when unknown), cut (may lack its beginning),
    open (its source had written nothing after its end, null when unknown), complete; ordered by subject, day.
    """
    known = pl.col("dated")
    reached = (pl.col("earliest") < pl.col("begins")) | (pl.col("first") <= pl.col("begins") + NIGHT_MS)
    cut = ~pl.col("whole") & known & ~reached
    over = pl.col("whole") | (known & ~pl.col("in_part") & (pl.col("latest") >= pl.col("ends")))
    # of shorter records the source writes no more once the day is over; a total it writes anew
    seen = pl.when(pl.col("written").is_not_null()).then(pl.max_horizontal("written", "latest"))
    return (
        _by_day(readings)
        .with_columns(cut=cut, complete=pl.col("settled") & over & ~cut)
        .with_columns(written=pl.when(pl.col("written") > 0).then("written"))
        .with_columns(open=pl.when("whole").then("written").otherwise(seen) < pl.col("ends"))
        .drop("settled", "in_part", "earliest", "latest", "first")
        .sort(DAY)
    )


def day_sums(batch: Batch) -> pl.DataFrame:
    """Add up each local day of a batch, as days()."""
    return days(batch.readings)


def _by_day(readings: pl.DataFrame) -> pl.DataFrame:
    """Gather each day: what days() returns and decides by, and the first start and last write of the source."""
    before, after = (offset.fill_null(0) for offset in (offset_ms().first(), offset_ms().last()))
    midnight = pl.col("day").first() * DAY_MS
    covered = pl.col("end").max() - pl.col("start").min() >= WHOLE_DAY_MS
    whole = told_whole().any() & covered
    return (
        readings.sort("subject", "start", "end", "record")
        .with_columns(
            day=sources.local_date(),
            earliest=_known(readings, sources.SEEN_FROM, pl.col("start").min()),
            latest=_known(readings, sources.SEEN_TO, pl.col("modified").max()),
        )
        .group_by(DAY, maintain_order=True)
        .agg(
            n=pl.col("record").n_unique().cast(pl.Int64),
            total=pl.col("value").sort().sum(),
            whole=whole,
            in_part=told_whole().any() & ~covered,
            dated=pl.col("offset_s").is_not_null().all(),
            offset_s=pl.col("offset_s").first(),
            first=pl.col("start").min(),
            begins=pl.when(whole).then(pl.col("start").min()).otherwise(midnight - before),
            ends=pl.when(whole).then(pl.col("end").max()).otherwise(midnight + DAY_MS - after - 1),
            written=pl.col("modified").max(),
            settled=(pl.col("modified") >= pl.col("record_end")).all(),
            earliest=pl.col("earliest").min(),
            latest=pl.col("latest").max(),
        )
    )


def _known(readings: pl.DataFrame, name: str, own: pl.Expr) -> pl.Expr:
    """Return what is known of the source, from the readings of the subject where nothing else is."""
    return pl.col(name) if name in readings.columns else own.over("subject", "source")
