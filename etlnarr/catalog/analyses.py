"""What analysis reads, and the documents it leaves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

import polars as pl

from etlnarr.catalog.connection import LAST_VERSIONS, Catalog
from etlnarr.catalog.rows import readings_in

NEAR_MS = 172_800_000
"""Uploads whose records come within two days may lend an offset or a sleep session."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An upload that may have to be analysed, and a hash of the other uploads that may bear on it."""

    no: int
    user_id: str
    record_type: str
    content_hash: str
    start: int
    end: int
    readings: int
    context: str
    inputs: str | None  # of the analysis that stands, if one does


def pending(con: Catalog, month: str | None, no: int | None = None) -> list[Pending]:
    """Return the accepted uploads that bring something new, by type and number.

    Shapes: month as YYYY-MM of the upload time, None for all; no for one of them.
    """
    rows = con.execute(
        """
        WITH spans AS (
            SELECT no, user_id, record_type, content_hash, brings_new, uploaded,
                   md5_number_upper(content_hash || uploaded) AS upper,
                   md5_number_lower(content_hash || uploaded) AS lower,
                   coalesce(min(start), uploaded) AS start, coalesce(max("end"), uploaded) AS "end"
            FROM uploads LEFT JOIN records ON upload = no WHERE state = 'accepted'
            GROUP BY no, user_id, record_type, content_hash, brings_new, uploaded
        ),
        sizes AS (SELECT upload AS no, count(*) AS readings FROM readings GROUP BY upload),
        told AS (
            SELECT * FROM spans
            WHERE brings_new AND ($no IS NULL OR no = $no)
              AND ($month IS NULL OR strftime(make_timestamp(uploaded * 1000), '%Y-%m') = $month)
        )
        SELECT told.no, told.user_id, told.record_type, told.content_hash, told.start, told."end",
               any_value(sizes.readings),
               -- a list of them would fill the memory where one person has thousands, and one number of 128 bits takes
               -- longer to be written out than all else
               bit_xor(near.upper) || ' ' || bit_xor(near.lower),
               any_value(analyses.inputs)
        FROM told
        JOIN spans AS near ON near.user_id = told.user_id
             AND near.start <= told."end" + $near AND near."end" >= told.start - $near
        LEFT JOIN sizes ON sizes.no = told.no
        LEFT JOIN analyses ON analyses.upload = told.no
        GROUP BY told.no, told.user_id, told.record_type, told.content_hash, told.start, told."end"
        ORDER BY told.record_type, told.no
        """,
        {"month": month, "no": no, "near": NEAR_MS},
    ).fetchall()
    return [Pending(*row) for row in rows]


def spans(pending: Sequence[Pending]) -> pl.DataFrame:
    """Return from when to when the uploads of each user reach: user_id, start, end."""
    whole = pl.DataFrame(
        [(upload.user_id, upload.start, upload.end) for upload in pending],
        schema={"user_id": pl.String, "start": pl.Int64, "end": pl.Int64},
        orient="row",
    )
    return whole.group_by("user_id").agg(pl.col("start").min(), pl.col("end").max())


def readings_of(con: Catalog, users: Collection[str], record_type: str) -> dict[str, int]:
    """Count the readings of a type that users have, of those who have any."""
    rows = con.execute(
        """
        SELECT user_id, count(*) FROM readings JOIN uploads ON upload = no
        WHERE state = 'accepted' AND record_type = $record_type AND user_id IN (SELECT unnest($users))
        GROUP BY user_id ORDER BY user_id
        """,
        {"record_type": record_type, "users": list(users)},
    ).fetchall()
    return dict(rows)


def near_offsets(con: Catalog, around: pl.DataFrame) -> pl.DataFrame:
    """Return source and offset of the records around spans(), of every type, each pair once."""
    query = f'{NEAR} SELECT DISTINCT source, "offset" FROM near ORDER BY ALL'  # noqa: S608 - a constant
    return _near(con, around, query)


def near_records(con: Catalog, around: pl.DataFrame, lending: pl.DataFrame) -> pl.DataFrame:
    """Return user_id, start, end and offset_s of the records around spans(), by start.

    Shapes: lending source, offset and offset_s, of the records that are wanted.
    """
    con.register("lending", lending)
    found = _near(
        con,
        around,
        f"""
        {NEAR} SELECT DISTINCT user_id, start, "end", offset_s FROM near JOIN lending USING (source, "offset")
        ORDER BY start, "end", offset_s, user_id
        """,  # noqa: S608 - a constant
    )
    con.unregister("lending")
    return found


NOBODY = pl.Schema({"user_id": pl.String(), "start": pl.Int64(), "end": pl.Int64(), "offset_s": pl.Int32()})
"""The columns of near_records()."""

NEAR = """
    -- own is apart, for joined at once with the records the spans are compared with those of everybody
    WITH own AS MATERIALIZED (
        SELECT no, user_id, around.start, around."end" FROM uploads JOIN around USING (user_id)
        WHERE state = 'accepted'
    ),
    near AS (
        SELECT user_id, r.start, r."end", source, "offset" FROM records AS r JOIN own ON upload = no
        WHERE r."offset" IS NOT NULL AND r.start <= own."end" + $near AND r."end" >= own.start - $near
    )
"""


def near_last(
    con: Catalog, around: pl.DataFrame, record_type: str, told: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return records (with user_id) and readings of a type around spans(), in their last version.

    Shapes: as quality.rows_of().
    """
    records = _near(
        con,
        around,
        f"""
        WITH own AS (
            SELECT records.*, user_id, uploaded, content_hash FROM records JOIN uploads ON upload = no
            SEMI JOIN around USING (user_id) WHERE state = 'accepted' AND record_type = $record_type
        ),
        best AS ({LAST_VERSIONS})
        SELECT best.* EXCLUDE (device) FROM best JOIN around USING (user_id)
        WHERE best.start <= around."end" + $near AND best."end" >= around.start - $near
        ORDER BY user_id, best.start, upload, record
        """,  # noqa: S608 - a constant
        record_type=record_type,
    )
    con.register("chosen", records.select("upload", "record"))
    readings = readings_in(con, "chosen", told)
    con.unregister("chosen")
    return records, readings


def _near(con: Catalog, around: pl.DataFrame, query: str, **more: str) -> pl.DataFrame:
    con.register("around", around)
    found: pl.DataFrame = con.sql(query, params={"near": NEAR_MS, **more}).pl()
    con.unregister("around")
    return found


@dataclass(frozen=True, slots=True)
class Worked:
    """An analysis as it is kept; for a window upload is None, for an upload month, ends and origin are."""

    subject: str
    kind: str
    user_id: str
    record_type: str
    upload: int | None
    month: str | None
    ends: int | None
    origin: str | None
    inputs: str
    document: str


def store(con: Catalog, worked: Sequence[Worked]) -> None:
    """Store analyses."""
    if not worked:
        return
    con.register("worked", pl.DataFrame(worked, schema=WORKED, orient="row"))
    con.execute("INSERT OR REPLACE INTO analyses BY NAME SELECT * FROM worked").complete()
    con.unregister("worked")


WORKED = {f.name: pl.Int64 if f.name in {"upload", "ends"} else pl.String for f in fields(Worked)}
