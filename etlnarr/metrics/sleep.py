"""Sleep sessions: which belong to one night, which device speaks for it, and which of them is the night's sleep."""

from typing import Final

import polars as pl

from etlnarr.metrics import sources
from etlnarr.metrics.clock import DAY_MS, HOUR_MS
from etlnarr.model import SLEEP

SHORTEST_NIGHT_MS: Final = 3 * HOUR_MS
"""A shorter session is a nap, whenever it was."""

SAME_NIGHT: Final = 0.5
"""Share of the shorter session that overlaps when two sessions are of one night."""

SESSION: Final = ("subject", "source", "record_start", "record_end")


def choose(readings: pl.DataFrame, priority: tuple[str, ...] = ()) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source per night; a night is the sessions that overlap by at least half of the shorter one.

    Of sessions of one source that overlap so much, the longest stands and the others are dropped.

    Shapes: readings as READINGS with a row per stage, or one row without a label for a session without stages; the
    result as sources.choose.
    """
    sessions = readings.group_by(SESSION).agg(pl.col("modified").max())
    own = _grouped(sessions, ("subject", "source")).sort(
        *("subject", "source", "group", pl.col("record_end") - pl.col("record_start"), "modified", "record_start"),
        descending=[False, False, False, True, True, False],
    )
    single = own.unique(["subject", "source", "group"], keep="first", maintain_order=True).drop("group")
    nights = _grouped(single, ("subject",)).select(*SESSION, night="group")
    marked = readings.join(nights, on=SESSION, how="inner", nulls_equal=True)
    chosen, others = sources.choose(marked, pl.col("night"), priority=priority)
    return chosen.drop("night"), others.drop("night")


def sessions(readings: pl.DataFrame) -> pl.DataFrame:
    """List the sessions behind chosen readings and mark the main one of each day.

    Main is the longest session that ends on a local date (of UTC where the offset is unknown), if it lasts three hours.

    Shapes: subject, source, record_start, record_end, offset_s, wake_day (days since 1970-01-01), main.
    """
    shift = pl.col("offset_s").cast(pl.Int64).fill_null(0) * 1000
    length = pl.col("record_end") - pl.col("record_start")
    found = readings.group_by(SESSION).agg(pl.col("offset_s").min()).sort(SESSION)
    return (
        found.with_columns(wake_day=(pl.col("record_end") + shift) // DAY_MS)
        .sort("subject", "wake_day", length, "record_start", "source", descending=[False, False, True, False, False])
        .with_columns(main=(pl.int_range(pl.len()).over("subject", "wake_day") == 0) & (length >= SHORTEST_NIGHT_MS))
        .sort("subject", "record_start", "record_end", "source")
    )


def main_sessions(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the main sleep session of each day, of one source per night.

    Shapes: readings of sleep sessions as READINGS, of all sources; the result as SLEEP.
    """
    main = sessions(choose(readings)[0]).filter("main")
    return main.select("subject", "source", start="record_start", end="record_end").select(SLEEP.names())


def in_sleep(readings: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:
    """Add the main session that a reading starts in, as night_start and night_end; null outside of all.

    Shapes: readings as READINGS, sleep as SLEEP; the result in canonical order.
    """
    nights = sleep.select("subject", "start", night_start="start", night_end="end").sort("start", "subject")
    joined = readings.sort("start").join_asof(nights, on="start", by="subject", check_sortedness=False)
    inside = pl.col("start") <= pl.col("night_end")
    return joined.with_columns(pl.when(inside).then(pl.col("night_start", "night_end"))).sort(
        "subject", "start", "record", "source"
    )


def _grouped(sessions: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Number the groups of sessions that overlap, directly or through others; every round joins neighbours."""
    numbered = sessions.sort(*by, *(name for name in SESSION if name not in by)).with_row_index("group")
    pairs = _overlapping(numbered, by)
    groups = numbered.select("group", least="group")
    while True:
        spread = pairs.join(groups, left_on="group_b", right_on="group").group_by("group").agg(pl.col("least").min())
        spread = spread.sort("group")
        if spread.equals(groups):
            return numbered.with_columns(group=groups["least"])
        groups = spread


def _overlapping(numbered: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Pair each session with itself and with those that it overlaps by half of the shorter one."""
    days = pl.int_ranges(pl.col("record_start") // DAY_MS, pl.col("record_end") // DAY_MS + 1)
    held = numbered.select(*by, "group", "record_start", "record_end", day=days).explode("day")
    pairs = held.join(held, on=[*dict.fromkeys((*by, "day"))], suffix="_b")
    shared = pl.min_horizontal("record_end", "record_end_b") - pl.max_horizontal("record_start", "record_start_b")
    shorter = pl.min_horizontal(
        pl.col("record_end") - pl.col("record_start"), pl.col("record_end_b") - pl.col("record_start_b")
    )
    same = (pl.col("group") == pl.col("group_b")) | ((shared > 0) & (shared >= SAME_NIGHT * shorter))
    return pairs.filter(same).select("group", "group_b").unique()
