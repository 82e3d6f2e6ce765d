"""What analysis reads, and the documents it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr.catalog.connection import Catalog

NEAR_MS = 172_800_000
"""Uploads whose records come within two days may lend an offset or a sleep session."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An upload that is to be analysed, and a hash of the other uploads that may bear on it."""

    no: int
    user_id: str
    record_type: str
    start: int
    end: int
    readings: int
    context: str
    inputs: str | None  # of the analysis that stands, if one does


def subjects(con: Catalog, month: str | None) -> list[Subject]:
    """Return the accepted uploads that bring something new, by type and number.

    Shapes: month as YYYY-MM of the upload time, None for all.
    """
    rows = con.execute(
        """
        WITH spans AS (
            SELECT no, user_id, record_type, content_hash, brings_new, uploaded,
                   coalesce(min(start), uploaded) AS start, coalesce(max("end"), uploaded) AS "end"
            FROM uploads LEFT JOIN records ON upload = no WHERE state = 'accepted'
            GROUP BY no, user_id, record_type, content_hash, brings_new, uploaded
        ),
        sizes AS (SELECT upload AS no, count(*) AS readings FROM readings GROUP BY upload),
        told AS (
            SELECT * FROM spans
            WHERE brings_new AND ($month IS NULL OR strftime(make_timestamp(uploaded * 1000), '%Y-%m') = $month)
        )
        SELECT told.no, told.user_id, told.record_type, told.start, told."end", any_value(sizes.readings),
               md5(string_agg(near.content_hash, ',' ORDER BY near.content_hash)), any_value(analyses.inputs)
        FROM told
        JOIN spans AS near ON near.user_id = told.user_id
             AND near.start <= told."end" + $near AND near."end" >= told.start - $near
        LEFT JOIN sizes ON sizes.no = told.no
        LEFT JOIN analyses ON analyses.upload = told.no
        GROUP BY told.no, told.user_id, told.record_type, told.start, told."end"
        ORDER BY told.record_type, told.no
        """,
        {"month": month, "near": NEAR_MS},
    ).fetchall()
    return [Subject(*row) for row in rows]


def near_records(con: Catalog, wanted: Sequence[Subject]) -> pl.DataFrame:
    """Return user_id, start, end, source and offset of the records around the subjects, of every type."""
    return _near(
        con,
        wanted,
        """
        SELECT DISTINCT user_id, r.start, r."end", r.source, r."offset"
        FROM records AS r JOIN uploads ON upload = no JOIN around USING (user_id)
        WHERE state = 'accepted' AND r."offset" IS NOT NULL
          AND r.start <= around."end" + $near AND r."end" >= around.start - $near
        """,
    )


def near_sleep(con: Catalog, wanted: Sequence[Subject]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return records (with user_id) and readings of the sleep sessions around the subjects, in their last version."""
    records = _near(
        con,
        wanted,
        """
        SELECT r.*, user_id FROM records AS r JOIN uploads ON upload = no JOIN around USING (user_id)
        WHERE state = 'accepted' AND record_type = 'SleepSessionRecord'
          AND r.start <= around."end" + $near AND r."end" >= around.start - $near
        QUALIFY row_number() OVER (
            PARTITION BY user_id, identity ORDER BY modified DESC, version DESC, uploaded, content_hash, record
        ) = 1
        ORDER BY user_id, r.start, r.upload, record
        """,
    )
    con.register("sessions", records.select("upload", "record"))
    readings = con.sql(
        "SELECT * FROM readings SEMI JOIN sessions USING (upload, record) ORDER BY upload, record, start"
    ).pl()
    con.unregister("sessions")
    return records, readings


def _near(con: Catalog, wanted: Sequence[Subject], query: str) -> pl.DataFrame:
    spans = pl.DataFrame(
        [(subject.user_id, subject.start, subject.end) for subject in wanted],
        schema={"user_id": pl.String, "start": pl.Int64, "end": pl.Int64},
        orient="row",
    )
    con.register("around", spans.group_by("user_id").agg(pl.col("start").min(), pl.col("end").max()))
    found: pl.DataFrame = con.sql(query, params={"near": NEAR_MS}).pl()
    con.unregister("around")
    return found


def store(con: Catalog, documents: Sequence[tuple[int, str, str]]) -> None:
    """Store analyses.

    Shapes: number of the upload, hash of the inputs, document.
    """
    if not documents:
        return
    frame = pl.DataFrame(documents, schema=["upload", "inputs", "document"], orient="row")
    con.register("documents", frame)
    con.execute("INSERT OR REPLACE INTO analyses BY NAME SELECT * FROM documents").complete()
    con.unregister("documents")
