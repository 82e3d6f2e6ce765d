"""Which offset holds for a reading, and who says so.

The zone a person gave decides; else the record's own offset, unless it is a Z from a source that writes Z always;
then the offset of the person's record nearest in time, if it overlaps or falls on the same local day; else no clock
claim is made. An offset never becomes the name of a zone.
"""

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, offset_ms

OFFSET: Final = r"^(?:UTC|GMT)?([+-])(\d{2}):?([0-5]\d)(?::?([0-5]\d))?$"
FARTHEST: Final = 18 * 3600  # seconds; no place on Earth is farther from UTC, nor java.time.ZoneOffset
UTC_NAMES: Final = ("Z", "UTC", "GMT")


def seconds(offset: pl.Expr) -> pl.Expr:
    """Return the seconds east of UTC of texts such as -05:00 or Z, null for any other text."""
    part = [offset.str.extract(OFFSET, group) for group in range(1, 5)]
    east = sum((p.cast(pl.Int32) * unit for p, unit in zip(part[1:3], (3600, 60), strict=True)), pl.lit(0, pl.Int32))
    whole = east + part[3].cast(pl.Int32).fill_null(0)
    signed = pl.when(whole <= FARTHEST).then(pl.when(part[0] == "-").then(-whole).otherwise(whole))
    return pl.when(offset.is_in(UTC_NAMES)).then(0).otherwise(signed).cast(pl.Int32)


def lending(written: pl.DataFrame, always_utc: Collection[str]) -> pl.DataFrame:
    """Return which offsets may be lent.

    Shapes: written source and offset, each pair once; the result has offset_s beside them.
    """
    return _read(written).filter(pl.col("offset_s").is_not_null() & ~mute(always_utc))


def own(records: pl.DataFrame, always_utc: Collection[str]) -> pl.DataFrame:
    """Read the offsets that records carry themselves.

    Shapes: source and offset; the result has mute and offset_s beside them, null for a mute one.
    """
    told = _read(records).with_columns(mute=mute(always_utc))
    return told.with_columns(offset_s=pl.when(~pl.col("mute")).then("offset_s"))


def resolve(readings: pl.DataFrame, zones: Mapping[str, str], lenders: pl.DataFrame) -> pl.DataFrame:
    """Settle offset_s, and add offset_origin.

    Shapes: readings with user_id, start, end, and mute and offset_s as own(); zones the IANA zone by user; lenders
    user_id, start, end and offset_s of records that may lend theirs, by start; the result without mute.
    """
    given, lent = _given(zones), pl.when("mute").then("lent_s")
    return (
        _lent(readings, lenders)
        .with_columns(
            offset_s=pl.coalesce(given, "offset_s", lent),
            offset_origin=pl.when(given.is_not_null())
            .then(pl.lit("setting"))
            .when(pl.col("offset_s").is_not_null())
            .then(pl.lit("record"))
            .when(lent.is_not_null())
            .then(pl.lit("inferred")),
        )
        .drop("mute", "lent_s")
    )


def mute(always_utc: Collection[str]) -> pl.Expr:
    """Tell whether a record's Z says nothing; for columns source and offset."""
    silent = pl.any_horizontal(
        pl.lit(value=False), *(pl.col("source").str.starts_with(prefix) for prefix in sorted(always_utc))
    )
    return (pl.col("offset").is_in(UTC_NAMES) & silent).fill_null(value=False)


def _read(records: pl.DataFrame) -> pl.DataFrame:
    """Add offset_s; many records write few texts."""
    texts = records.select("offset").unique().with_columns(offset_s=seconds(pl.col("offset")))
    return records.join(texts, on="offset", how="left", maintain_order="left")


def _given(zones: Mapping[str, str]) -> pl.Expr:
    """The offset that the user's zone has at the start of the reading."""
    offset: pl.Expr = pl.lit(None, pl.Int32)
    for zone in sorted(set(zones.values())):
        users = [user for user, named in sorted(zones.items()) if named == zone]
        there = pl.from_epoch("start", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        east = (there.dt.base_utc_offset() + there.dt.dst_offset()).dt.total_seconds().cast(pl.Int32)
        offset = pl.when(pl.col("user_id").is_in(users)).then(east).otherwise(offset)
    return offset


def _lent(readings: pl.DataFrame, lenders: pl.DataFrame) -> pl.DataFrame:
    """Add lent_s, what a reading may borrow; most need not."""
    wanting = readings.filter("mute").select("user_id", "start", "end").unique()
    if wanting.is_empty():
        return readings.with_columns(lent_s=pl.lit(None, pl.Int32))
    borrowed = _borrowed(wanting, lenders)
    return readings.join(borrowed, on=["user_id", "start", "end"], how="left", maintain_order="left")


def _borrowed(wanting: pl.DataFrame, lenders: pl.DataFrame) -> pl.DataFrame:
    """Find the nearest lender on each side of each wanting reading, and take the nearer one that is close enough.

    Before a reading the nearest lender is the one that ended last, which need not be the one that started last.
    """
    last = pl.col("end") == pl.col("end").cum_max().over("user_id")
    sides = {"before": lenders.select("user_id", "start", *(
        pl.when(last).then(name).forward_fill().over("user_id").alias(name) for name in ("end", "offset_s")
    )), "after": lenders}  # fmt: skip
    found = wanting.sort("start")
    for side, strategy in (("before", "backward"), ("after", "forward")):
        own = sides[side].select(
            "user_id",
            "start",
            pl.col("start").alias(f"{side}_start"),
            pl.col("end").alias(f"{side}_end"),
            pl.col("offset_s").alias(f"{side}_s"),
        )
        found = found.join_asof(
            own,
            on="start",
            by="user_id",
            strategy=strategy,  # type: ignore[arg-type]  # one of its two words
            check_sortedness=False,
        )
    near, gap = {side: _near(side) for side in sides}, {side: _gap(side) for side in sides}
    lent = (
        pl.when(near["before"] & (~near["after"] | (gap["before"] <= gap["after"])))
        .then("before_s")
        .when(near["after"])
        .then("after_s")
    )
    return found.select("user_id", "start", "end", lent_s=lent)


def _near(side: str) -> pl.Expr:
    """Whether the lender overlaps the reading or ends, or starts, on its local day."""
    shift = offset_ms(f"{side}_s")
    names = ("start", f"{side}_start", f"{side}_end")
    day, first, last = ((pl.col(name) + shift) // DAY_MS for name in names)
    return (day.is_between(first, last) | (_gap(side) == 0)).fill_null(value=False)


def _gap(side: str) -> pl.Expr:
    """The time between the reading and the lender: zero when they overlap, null when there is no lender."""
    apart = pl.max_horizontal(pl.col(f"{side}_start") - pl.col("end"), pl.col("start") - pl.col(f"{side}_end"))
    return pl.when(pl.col(f"{side}_s").is_not_null()).then(pl.max_horizontal(apart, 0))
