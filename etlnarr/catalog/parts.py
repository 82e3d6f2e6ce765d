"""What a catalog has learnt and others do not know yet, and what others have learnt."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from etlnarr.catalog import uploads
from etlnarr.catalog.connection import Catalog, transaction
from etlnarr.catalog.uploads import PLACED_REASONS, READING_COLUMNS, RECORD_COLUMNS, Place, Upload

PLACE_COLUMNS: Final = ("url", "owner", "size", "stamp", "key", "bucket", "uploaded", "fits", "correlation_id")
KEY: Final = ["user_id", "content_hash"]
MOST: Final = 1_000
"""Uploads of one part."""

MOST_READINGS: Final = 500_000
"""Readings after which no further upload goes into a part: to be listed they must fit into memory."""

DUE: Final = f"""
    CREATE OR REPLACE TEMP TABLE due AS
    WITH waiting AS (
        SELECT no FROM uploads WHERE NOT published UNION SELECT upload FROM sources WHERE NOT published
        ORDER BY no LIMIT {MOST}
    ),
    sizes AS (SELECT upload AS no, count(*) AS n FROM readings WHERE upload IN (FROM waiting) GROUP BY upload)
    SELECT no FROM waiting LEFT JOIN sizes USING (no)
    QUALIFY coalesce(sum(n) OVER (ORDER BY no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < {MOST_READINGS}
"""  # noqa: S608 - numbers of our own


def _listed(table: str, columns: Sequence[str], order: str) -> str:
    fields = ", ".join(f"'{name}': \"{name}\"" for name in columns if name != "upload")
    held = f"list({{{fields}}} ORDER BY {order}) AS held"
    return f"(SELECT upload, {held} FROM {table} WHERE upload IN (FROM due) GROUP BY upload) AS {table}"  # noqa: S608 - names of our own


UNPUBLISHED: Final = f"""
    SELECT user_id, content_hash, record_type, uploaded, key, bucket, url, size, limits, uploads.records AS number,
           codec, fingerprint, CASE WHEN fingerprint IS NULL OR reason = 'schema_error' THEN reason END AS reason,
           detail, fetched, NOT published AS whole, sources.held AS places,
           CASE WHEN NOT published THEN records.held END AS records,
           CASE WHEN NOT published THEN readings.held END AS readings
    FROM uploads
    LEFT JOIN {_listed("sources", PLACE_COLUMNS, "url, owner")} ON sources.upload = no
    LEFT JOIN {_listed("records", RECORD_COLUMNS, "record")} ON records.upload = no
    LEFT JOIN {_listed("readings", READING_COLUMNS, 'record, start, "end"')} ON readings.upload = no
    WHERE no IN (FROM due)
    ORDER BY user_id, content_hash
"""  # noqa: S608 - names of our own


def unpublished(con: Catalog) -> pl.DataFrame:
    """Return uploads that others do not know, or not at all their places.

    Shapes: a row per upload with its places; its records and readings if it is whole; at most as many as a part holds.
    """
    con.execute(DUE).complete()
    found: pl.DataFrame = con.sql(UNPUBLISHED).pl()
    return found


def mark_published(con: Catalog, part: str) -> None:
    """Remember that others can know of what unpublished() returned last, by a part of this name."""
    with transaction(con):
        con.execute("UPDATE uploads SET published = TRUE WHERE no IN (FROM due)").complete()
        con.execute("UPDATE sources SET published = TRUE WHERE upload IN (FROM due)").complete()
    know(con, [part])


def known(con: Catalog) -> set[str]:
    """Return the names of the parts that are taken in."""
    return {name for (name,) in con.execute("SELECT name FROM parts").fetchall()}


def know(con: Catalog, names: Sequence[str]) -> None:
    """Remember that what some parts hold is known."""
    with transaction(con):
        con.execute("INSERT OR IGNORE INTO parts SELECT unnest($names::VARCHAR[])", {"names": [*names]}).complete()


def absorb(con: Catalog, parts: Mapping[str, pl.DataFrame]) -> None:
    """Take in what others learnt, from some parts together, by their names.

    Shapes: frames as unpublished() returns them. A part with a place of an upload that is not known yet stays unknown.
    """
    frame = pl.concat([part.with_columns(part=pl.lit(name)) for name, part in parts.items()], how="vertical_relaxed")
    numbers = _numbers(con, frame)
    placed = frame.join(numbers, on=KEY)
    found = placed.filter(pl.col("no").is_not_null())
    fresh = found.filter("whole", "wanted").sort(*RANKED).unique("no", keep="first").sort("no")
    rows = [Upload(**row) for row in _rows(fresh).iter_rows(named=True)]
    places = [Place(**row) for row in _places(found).iter_rows(named=True)]
    with transaction(con):
        if rows or places:
            uploads.add(con, rows, places, [_held(fresh, "records")], [_held(fresh, "readings")])
    know(con, sorted({*parts} - {*placed.filter(pl.col("no").is_null())["part"]}))


def unpublished_tellings(con: Catalog) -> pl.DataFrame:
    """Return when contents were first told, as far as others do not know it."""
    query = "SELECT processing_id, first FROM tellings WHERE NOT published ORDER BY processing_id"
    found: pl.DataFrame = con.sql(query).pl()
    return found


def mark_tellings_published(con: Catalog, part: str) -> None:
    """Remember that others can know of all tellings, by a part of this name."""
    with transaction(con):
        con.execute("UPDATE tellings SET published = TRUE WHERE NOT published").complete()
    know(con, [part])


def absorb_tellings(con: Catalog, parts: Mapping[str, pl.DataFrame]) -> None:
    """Take in when contents were first told."""
    first = pl.concat(parts.values(), how="vertical_relaxed").group_by("processing_id").agg(pl.col("first").min())
    with transaction(con):
        con.register("first_told", first)
        con.execute(
            """
            INSERT INTO tellings SELECT processing_id, first, TRUE FROM first_told
            ON CONFLICT (processing_id) DO UPDATE SET first = least(tellings.first, excluded.first)
            """
        ).complete()
        con.unregister("first_told")
    know(con, [*parts])


RANK: Final = (
    pl.when(pl.col("fingerprint").is_not_null())
    .then(2)
    .when(pl.col("reason").is_in(PLACED_REASONS))
    .then(0)
    .otherwise(1)
)
"""Of several outcomes of the same bytes: readable, else a fault of the bytes, else one of what was said of a place."""

RANKED: Final = (-RANK, pl.col("reason"), pl.col("detail"), pl.col("part"))


def _numbers(con: Catalog, frame: pl.DataFrame) -> pl.DataFrame:
    """Number the uploads of a frame, those that are new after all others.

    Shapes: wanted tells that the content is to be taken in: it is new, or better read than ours.
    """
    query = "SELECT uploads.* FROM uploads SEMI JOIN told USING (user_id, content_hash)"
    told = frame.group_by(KEY).agg(pl.col("whole").any(), theirs=RANK.filter(pl.col("whole")).max())
    con.register("told", told.select(KEY))
    mine: pl.DataFrame = con.sql(query).pl()
    con.unregister("told")
    found = told.join(mine.select(*KEY, "no", ours=RANK), on=KEY, how="left").sort(KEY)
    new = pl.col("no").is_null() & pl.col("whole")
    return found.select(
        *KEY,
        wanted=new | (pl.col("theirs") > pl.col("ours")).fill_null(value=False),
        no=pl.when(new).then(uploads.next_no(con) - 1 + new.cum_sum()).otherwise("no").cast(pl.Int64),
    )


def _rows(fresh: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of uploads; where each stands is settled by its places, if it has any."""
    readable = pl.col("fingerprint").is_not_null()
    return fresh.select(
        "no", *KEY, "record_type", "uploaded", "key", "bucket", "url", "size", "limits", "codec", "fingerprint",
        "reason", "detail", "fetched",
        records="number",
        state=pl.when(readable).then(pl.lit("decoded")).otherwise(pl.lit("unreadable")),
        published=pl.lit(value=True),
    )  # fmt: skip


def _places(found: pl.DataFrame) -> pl.DataFrame:
    """Return every place once; of several announcements the earliest that is true of the bytes, as uploads.add()."""
    places = found.select("content_hash", upload="no", held="places").explode("held").drop_nulls("held").unnest("held")
    place = ["url", "owner"]
    merged = places.with_columns(
        wrong=(pl.col("owner") != "") & ~pl.col("fits"), fits=pl.col("fits").any().over(*place, "upload")
    )
    ordered = merged.sort(
        "wrong", "uploaded", "correlation_id", "content_hash", "key", "bucket", "stamp", nulls_last=True
    )
    return ordered.unique(place, keep="first").drop("content_hash", "wrong").with_columns(published=pl.lit(value=True))


def _held(fresh: pl.DataFrame, table: str) -> pl.DataFrame:
    return fresh.select(upload="no", held=table).drop_nulls("held").explode("held").unnest("held")
