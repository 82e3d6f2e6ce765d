"""Sleep sessions: which belong to one night, which device speaks for it, and which of them is the night's sleep."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, HOUR_MS, offset_ms
from etlnarr.metrics.runs import NO, numbered
from etlnarr.metrics.sources import KEY, PERIOD, STREAM, among, single
from etlnarr.model import READINGS, SLEEP

SHORTEST_NIGHT_MS: Final = 3 * HOUR_MS
"""A shorter session is a nap, whenever it was."""

SAME_NIGHT: Final = 0.5
"""Share of the shorter session that overlaps when two sessions are of one night."""

SESSION: Final = ("subject", "source", "record_start", "record_end")

STREAM_OF: Final = pl.col("source").alias(STREAM)

LONGEST_PAUSE_MS: Final = HOUR_MS
"""Sessions of one source that lie no further apart are parts of one night."""

PAUSE: Final = "PAUSE"
"""Label of the time between two parts of a night: out of bed, though no device says so."""


def choose(readings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source per night; a night is the sessions that overlap by at least half of the shorter one.

    Of sessions of one source that overlap so much, the longest stands and the others are dropped. The chosen parts of
    a night are joined, see joined().

    Shapes: readings as READINGS with a row per stage, or one row without a label for a session without stages; the
    result as sources.choose.
    """
    written, of = numbered(readings, (*SESSION, "modified"))
    sessions = written.group_by(SESSION).agg(pl.col("modified").max())
    own = _grouped(sessions, ("subject", "source")).sort(
        *("subject", "source", "group", pl.col("record_end") - pl.col("record_start"), "modified", "record_start"),
        descending=[False, False, False, True, True, False],
    )
    longest = own.unique(["subject", "source", "group"], keep="first", maintain_order=True).drop("group")
    nights = _grouped(longest, ("subject",)).select(*SESSION, night="group")
    found = written.join(nights, on=SESSION, how="left", nulls_equal=True, maintain_order="left")
    streams, of_session = numbered(found.select("subject", pl.col("night").alias(PERIOD), STREAM_OF), KEY)
    marked = readings.with_columns(STREAM_OF, of_session.gather(of)).filter(found["night"].is_not_null().gather(of))
    once = single(marked)
    chosen, others = among(once.select(readings.columns), streams, once[NO])
    return joined(chosen), others


def joined(readings: pl.DataFrame) -> pl.DataFrame:
    """Give the parts of a night its bounds, and a row PAUSE to the time between them.

    Parts are sessions of one source that follow on one another with at most an hour between them, no session of
    another source among them, and that make up three hours together; shorter ones are naps and stay apart.

    Shapes: chosen readings as READINGS in canonical order; so is the result.
    """
    found, of = numbered(readings, SESSION)
    parts = found.join(_parts(found), on=SESSION, how="left", nulls_equal=True, maintain_order="left")
    marked = readings.hstack(parts.select(pl.exclude(SESSION).gather(of)))
    bounded = marked.with_columns(record_start="night_start", record_end="night_end").select(READINGS.names())
    pauses = (
        marked.filter(pl.col("pause") > 0)
        .unique(SESSION, keep="first", maintain_order=True)
        .with_columns(
            start=pl.col("record_start") - pl.col("pause"),
            end="record_start",
            label=pl.lit(PAUSE, READINGS["label"]),
            record_start="night_start",
            record_end="night_end",
        )
    )
    if pauses.is_empty():
        return bounded
    whole = pl.concat([bounded, pauses.select(READINGS.names())])
    return whole.sort("subject", "start", "record", "source", "end")


def sessions(readings: pl.DataFrame) -> pl.DataFrame:
    """List the sessions behind chosen readings and mark the main one of each day.

    Main is the longest session that ends on a local date (of UTC where the offset is unknown), if it lasts three hours;
    joined parts of a night are one session.

    Shapes: subject, source, record_start, record_end, offset_s (at its end), offset_before (at its start), wake_day
    (days since 1970-01-01), main.
    """
    shift = offset_ms().fill_null(0)
    length = pl.col("record_end") - pl.col("record_start")
    return (
        _offsets(readings)
        .sort(SESSION)
        .with_columns(wake_day=(pl.col("record_end") + shift) // DAY_MS)
        .sort("subject", "wake_day", length, "record_start", "source", descending=[False, False, True, False, False])
        .with_columns(main=(pl.int_range(pl.len()).over("subject", "wake_day") == 0) & (length >= SHORTEST_NIGHT_MS))
        .sort("subject", "record_start", "record_end", "source")
    )


def near_others() -> pl.Expr:
    """Tell whether another session lies no further away than a pause within a night.

    Shapes: to be evaluated over the result of sessions().
    """
    before = pl.col("record_start") - pl.col("record_end").cum_max().shift().over("subject")
    after = pl.col("record_start").shift(-1).over("subject") - pl.col("record_end")
    return pl.min_horizontal(before, after).fill_null(LONGEST_PAUSE_MS + 1) <= LONGEST_PAUSE_MS


def main_sessions(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the main sleep session of each day, of one source per night.

    Shapes: readings of sleep sessions as READINGS, of all sources; the result as SLEEP.
    """
    main = sessions(choose(readings)[0]).filter("main")
    return main.select("subject", "source", start="record_start", end="record_end").select(SLEEP.names())


def by_waking(readings: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG001 - as RecordType.by_day
    """Add the local day that the session of each reading ends on."""
    last = pl.col("offset_s").sort_by("start", "end").last().over(SESSION)
    shift = last.cast(pl.Int64).fill_null(0) * 1000
    return readings.with_columns(day=(pl.col("record_end") + shift) // DAY_MS)


def in_sleep(readings: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:
    """Add the main session that a reading starts in, as night_start and night_end; null outside of all.

    Shapes: readings as READINGS in order of start within a subject, which is kept; sleep as SLEEP.
    """
    nights = sleep.select("subject", "start", night_start="start", night_end="end").sort("subject", "start")
    joined = readings.join_asof(nights, on="start", by="subject", check_sortedness=False)
    inside = pl.col("start") <= pl.col("night_end")
    return joined.with_columns(pl.when(inside).then(pl.col("night_start", "night_end")))


def _parts(sessions: pl.DataFrame) -> pl.DataFrame:
    """Find the night that each session is part of.

    Shapes: SESSION of each; the result also night_start, night_end, pause (ms since the part before, 0 without one).
    """
    found = sessions.sort("subject", "record_start", "record_end", "source")
    pause = pl.col("record_start") - pl.col("record_end").cum_max().shift().over("subject")
    follows = (pl.col("source") == pl.col("source").shift().over("subject")) & pause.is_between(0, LONGEST_PAUSE_MS)
    ordered = found.with_columns(follows=follows.fill_null(value=False), pause=pause).with_columns(
        night=(~pl.col("follows")).cum_sum().over("subject")
    )
    length = pl.col("record_end") - pl.col("record_start")
    whole = (length.sum() >= SHORTEST_NIGHT_MS).over("subject", "night")
    return ordered.select(
        *SESSION,
        night_start=pl.when(whole)
        .then(pl.col("record_start").min().over("subject", "night"))
        .otherwise("record_start"),
        night_end=pl.when(whole).then(pl.col("record_end").max().over("subject", "night")).otherwise("record_end"),
        pause=pl.when(pl.col("follows") & whole).then("pause").otherwise(0),
    )


def _offsets(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions with offset_s at their end and offset_before at their start."""
    single, _ = numbered(readings, (*SESSION, "offset_s"))
    if not single.select(pl.struct(SESSION).is_duplicated().any()).item():  # as of every record that carries its own
        return single.with_columns(offset_before="offset_s")
    ordered = pl.col("offset_s").sort_by("start", "end")
    return readings.group_by(SESSION).agg(offset_s=ordered.last(), offset_before=ordered.first())


def _grouped(sessions: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Number the groups of sessions that overlap, directly or through others; every round joins neighbours."""
    ordered = sessions.sort(*by, *(name for name in SESSION if name not in by)).with_row_index("group")
    pairs = _overlapping(ordered, by)
    groups = ordered.select("group", least="group")
    while True:
        spread = pairs.join(groups, left_on="group_b", right_on="group").group_by("group").agg(pl.col("least").min())
        spread = spread.sort("group")
        if spread.equals(groups):
            return ordered.with_columns(group=groups["least"])
        groups = spread


def _overlapping(ordered: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Pair each session with itself and with those that it overlaps by half of the shorter one."""
    days = pl.int_ranges(pl.col("record_start") // DAY_MS, pl.col("record_end") // DAY_MS + 1)
    held = ordered.select(*by, "group", "record_start", "record_end", day=days).explode("day")
    pairs = held.join(held, on=[*dict.fromkeys((*by, "day"))], suffix="_b")
    shared = pl.min_horizontal("record_end", "record_end_b") - pl.max_horizontal("record_start", "record_start_b")
    shorter = pl.min_horizontal(
        pl.col("record_end") - pl.col("record_start"), pl.col("record_end_b") - pl.col("record_start_b")
    )
    same = (pl.col("group") == pl.col("group_b")) | ((shared > 0) & (shared >= SAME_NIGHT * shorter))
    return pairs.filter(same).select("group", "group_b").unique()
