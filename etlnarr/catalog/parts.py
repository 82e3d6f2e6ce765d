"""What a catalog has learnt and others do not know yet, and what others have learnt."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from etlnarr.catalog import uploads
from etlnarr.catalog.connection import Catalog, transaction
from etlnarr.catalog.uploads import READING_COLUMNS, RECORD_COLUMNS, Place, Upload

PLACE_COLUMNS: Final = (
    "url", "size", "stamp", "key", "bucket", "uploaded", "fits", "announced", "correlation_id",
)  # fmt: skip
KEY: Final = ["user_id", "content_hash"]


def _listed(table: str, columns: Sequence[str], which: str, order: str) -> str:
    fields = ", ".join(f"'{name}': \"{name}\"" for name in columns if name != "upload")
    return f"(SELECT upload, list({{{fields}}} ORDER BY {order}) AS held FROM {table} WHERE {which} GROUP BY upload)"  # noqa: S608 - names of our own


UNPUBLISHED: Final = f"""
    SELECT user_id, content_hash, record_type, size, limits, records AS number, codec, fingerprint,
           CASE WHEN fingerprint IS NULL OR reason = 'schema_error' THEN reason END AS reason, detail, fetched,
           NOT published AS whole, places.held AS places, records.held AS records, readings.held AS readings
    FROM uploads
    JOIN {_listed("sources", PLACE_COLUMNS, "TRUE", "url")} AS places ON places.upload = no
    LEFT JOIN {_listed("records", RECORD_COLUMNS, "upload IN (FROM mine)", "record")} AS records ON records.upload = no
    LEFT JOIN {_listed("readings", READING_COLUMNS, "upload IN (FROM mine)", 'record, start, "end"')} AS readings
        ON readings.upload = no
    WHERE NOT published OR no IN (SELECT upload FROM sources WHERE NOT published)
    ORDER BY user_id, content_hash
"""  # noqa: S608 - names of our own


def unpublished(con: Catalog) -> pl.DataFrame:
    """Return the uploads that others do not know, or not at all their places.

    Shapes: a row per upload with its places; its records and readings if it is whole.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE mine AS SELECT no FROM uploads WHERE NOT published").complete()
    found: pl.DataFrame = con.sql(UNPUBLISHED).pl()
    return found


def mark_published(con: Catalog, part: str) -> None:
    """Remember that others can know of all uploads, by a part of this name."""
    with transaction(con):
        con.execute("UPDATE uploads SET published = TRUE WHERE NOT published").complete()
        con.execute("UPDATE sources SET published = TRUE WHERE NOT published").complete()
    know(con, part)


def known(con: Catalog) -> set[str]:
    """Return the names of the parts that are taken in."""
    return {name for (name,) in con.execute("SELECT name FROM parts").fetchall()}


def know(con: Catalog, part: str) -> None:
    """Remember that what a part holds is known."""
    with transaction(con):
        con.execute("INSERT OR IGNORE INTO parts VALUES (?)", [part]).complete()


def absorb(con: Catalog, names: Sequence[str], frame: pl.DataFrame) -> None:
    """Take in what others learnt, from some parts together.

    Shapes: frame as unpublished() returns it; of an upload that stands in several parts one that is whole, readable
    if any is, and every place.
    """
    numbers = _numbers(con, frame)
    placed = frame.join(numbers, on=KEY).filter(pl.col("no").is_not_null())
    fresh = placed.filter("whole", "wanted").sort("fingerprint", nulls_last=True).unique("no", keep="first").sort("no")
    rows = [Upload(**row) for row in _rows(fresh).iter_rows(named=True)]
    places = [Place(**row) for row in _places(placed).iter_rows(named=True)]
    with transaction(con):
        if places:
            uploads.add(con, rows, places, [_held(fresh, "records")], [_held(fresh, "readings")])
        con.execute("INSERT OR IGNORE INTO parts SELECT unnest($names::VARCHAR[])", {"names": [*names]}).complete()


def unpublished_tellings(con: Catalog) -> pl.DataFrame:
    """Return when contents were first told, as far as others do not know it."""
    query = "SELECT processing_id, first FROM tellings WHERE NOT published ORDER BY processing_id"
    found: pl.DataFrame = con.sql(query).pl()
    return found


def mark_tellings_published(con: Catalog, part: str) -> None:
    """Remember that others can know of all tellings, by a part of this name."""
    with transaction(con):
        con.execute("UPDATE tellings SET published = TRUE WHERE NOT published").complete()
    know(con, part)


def absorb_tellings(con: Catalog, names: Sequence[str], frame: pl.DataFrame) -> None:
    """Take in when contents were first told."""
    first = frame.group_by("processing_id").agg(pl.col("first").min())
    with transaction(con):
        con.register("first_told", first)
        con.execute(
            """
            INSERT INTO tellings SELECT processing_id, first, TRUE FROM first_told
            ON CONFLICT (processing_id) DO UPDATE SET first = least(tellings.first, excluded.first)
            """
        ).complete()
        con.unregister("first_told")
        con.execute("INSERT OR IGNORE INTO parts SELECT unnest($names::VARCHAR[])", {"names": [*names]}).complete()


def _numbers(con: Catalog, frame: pl.DataFrame) -> pl.DataFrame:
    """Number the uploads of a frame, those that are new after all others.

    Shapes: wanted tells that the content is to be taken in: it is new, or readable where ours is not.
    """
    mine = con.sql("SELECT user_id, content_hash, no, fingerprint IS NOT NULL AS ours FROM uploads").pl()
    readable = pl.col("fingerprint").is_not_null()
    told = frame.group_by(KEY).agg(pl.col("whole").any(), (readable & pl.col("whole")).any().alias("theirs"))
    found = told.join(mine, on=KEY, how="left").sort(KEY)
    new = pl.col("no").is_null() & pl.col("whole")
    return found.select(
        *KEY,
        wanted=new | (pl.col("theirs") & ~pl.col("ours").fill_null(value=True)),
        no=pl.when(new).then(uploads.next_no(con) - 1 + new.cum_sum()).otherwise("no").cast(pl.Int64),
    )


def _rows(fresh: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of uploads; where each stands is settled by its places."""
    first = pl.col("places").list.first()
    readable = pl.col("fingerprint").is_not_null()
    return fresh.select(
        "no", *KEY, "record_type", "size", "limits", "codec", "fingerprint", "reason", "detail", "fetched",
        records="number",
        state=pl.when(readable).then(pl.lit("decoded")).otherwise(pl.lit("unreadable")),
        published=pl.lit(value=True),
        **{name: first.struct.field(name) for name in ("uploaded", "key", "bucket", "url")},
    )  # fmt: skip


def _places(placed: pl.DataFrame) -> pl.DataFrame:
    """Return every place once; of several that were told of one, the earliest announcement."""
    places = placed.select(upload="no", held="places").explode("held").unnest("held")
    ordered = places.sort(pl.col("announced").not_(), "uploaded", "correlation_id", nulls_last=True)
    return ordered.unique("url", keep="first").with_columns(published=pl.lit(value=True))


def _held(fresh: pl.DataFrame, table: str) -> pl.DataFrame:
    return fresh.select(upload="no", held=table).drop_nulls("held").explode("held").unnest("held")
