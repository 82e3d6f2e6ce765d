"""Uploads, the places they were found at, and their records."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

import polars as pl

from etlnarr.catalog.connection import Catalog

RECORD_COLUMNS = (
    "upload", "record", "identity", "modified", "version", "source", "device", "start", "end", "offset", "fetched",
)  # fmt: skip
READING_COLUMNS = ("upload", "record", "start", "end", "value", "label", "meal_type", "relation_to_meal")


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload as it enters the catalog. Times in epoch ms."""

    no: int
    user_id: str
    content_hash: str
    record_type: str | None
    uploaded: int
    key: str
    bucket: str
    url: str
    size: int
    limits: str
    state: str = "unreadable"
    records: int = 0
    codec: str | None = None
    fingerprint: str | None = None
    reason: str | None = None
    detail: str | None = None
    correlation_id: str | None = None
    fetched: int | None = None  # latest fetch time of its records
    scores: str | None = None  # document, as quality.documents() makes it
    published: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """An upload that the catalog has.

    Shapes: kind is None for bytes that could not be read; again tells that they are to be read once more.
    """

    no: int
    kind: str | None
    again: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of an upload were found."""

    url: str
    size: int
    stamp: str
    key: str
    bucket: str
    uploaded: int
    upload: int
    fits: bool
    owner: str = ""
    correlation_id: str | None = None
    published: bool = False  # whether other workers can know of it


PLACED_REASONS = ("record_type_mismatch", "content_hash_mismatch")
"""Faults of what was said of a place: under another one the same bytes may do."""

PLACE_SCHEMA = pl.Schema(
    {
        "url": pl.String(), "size": pl.Int64(), "stamp": pl.String(), "key": pl.String(), "bucket": pl.String(),
        "uploaded": pl.Int64(), "upload": pl.Int64(), "fits": pl.Boolean(), "owner": pl.String(),
        "correlation_id": pl.String(), "published": pl.Boolean(),
    }
)  # fmt: skip

LIMITED = "reason IN ('too_large', 'too_many_records', 'timed_out') AND limits <> $limits"
"""Which uploads other limits might let in."""


def known_places(con: Catalog, limits: str) -> dict[tuple[str, int, str], str]:
    """Return the user by url, size and stamp of every source that need not be read again under these limits."""
    query = f"SELECT s.url, s.size, stamp, user_id FROM sources AS s JOIN uploads ON no = upload WHERE NOT ({LIMITED})"  # noqa: S608 - a constant
    rows = con.execute(query, {"limits": limits}).fetchall()
    return {(url, size, stamp): user for url, size, stamp, user in rows}


def known_contents(
    con: Catalog, limits: str, contents: Collection[str]
) -> tuple[dict[tuple[str, str], Known], dict[int, int | None]]:
    """Return each upload of some contents by user and content hash, and the latest fetch time by number."""
    rows = con.execute(
        f"""
        SELECT user_id, content_hash, no, CASE WHEN fingerprint IS NOT NULL THEN record_type END,
               reason IN {PLACED_REASONS} OR ({LIMITED}), fetched
        FROM uploads WHERE content_hash IN (SELECT unnest($contents::VARCHAR[]))
        """,  # noqa: S608 - a constant
        {"limits": limits, "contents": [*contents]},
    ).fetchall()
    known = {(user, content): Known(no, kind, bool(again)) for user, content, no, kind, again, _ in rows}
    return known, {no: fetched for _, _, no, _, _, fetched in rows}


INSERT_UPLOADS = (
    "INSERT INTO uploads BY NAME SELECT * FROM new_rows ON CONFLICT (no) DO UPDATE SET judged = NULL, "  # noqa: S608 - names of our own
    + ", ".join(f"{column.name} = excluded.{column.name}" for column in fields(Upload) if column.name != "no")
)
"""An upload whose bytes are read once more is told anew, and judged anew."""


def next_no(con: Catalog) -> int:
    """Return the next number of an upload."""
    return int(con.execute("SELECT coalesce(max(no), 0) + 1 FROM uploads").fetchall()[0][0])


def add(
    con: Catalog,
    uploads: Sequence[Upload],
    places: Sequence[Place],
    records: Sequence[pl.DataFrame],
    readings: Sequence[pl.DataFrame],
) -> None:
    """Store uploads with their records, and let each upload stand under its earliest place.

    Shapes: records and readings as etlnarr.canonical returns them.
    """
    own = [pl.DataFrame(uploads, orient="row", infer_schema_length=None)] if uploads else []
    _append(con, own, INSERT_UPLOADS)
    _append(con, [f.select(RECORD_COLUMNS) for f in records], "INSERT INTO records BY NAME SELECT * FROM new_rows")
    _append(con, [f.select(READING_COLUMNS) for f in readings], "INSERT INTO readings BY NAME SELECT * FROM new_rows")
    con.register("new_places", pl.DataFrame(places, orient="row", schema=PLACE_SCHEMA))
    con.execute(INSERT_PLACES).complete()
    con.execute(EARLIEST_PLACE).complete()
    con.execute(STALE).complete()
    _forget(con, [no for (no,) in con.execute(REATTRIBUTED).fetchall()])
    con.unregister("new_places")


FORMER = """
    (sources.owner <> '' AND (NOT sources.fits, sources.uploaded, sources.correlation_id)
                          <= (NOT excluded.fits, excluded.uploaded, excluded.correlation_id))
    OR (sources.owner = '' AND (sources.upload, sources.uploaded, sources.key, sources.bucket, sources.fits)
                             = (excluded.upload, excluded.uploaded, excluded.key, excluded.bucket, excluded.fits))
"""
"""When what was said first of a place still holds: of announcements the earliest counts that is true of the bytes."""

INSERT_PLACES = (
    "INSERT INTO sources BY NAME SELECT * FROM new_places ON CONFLICT (url, owner) DO UPDATE SET "  # noqa: S608 - our own
    + ", ".join(f"{name} = excluded.{name}" for name in ("size", "stamp", "key", "bucket", "upload"))
    + ", fits = excluded.fits OR (sources.fits AND sources.owner <> '')"
    + "".join(
        f", {name} = CASE WHEN {FORMER} THEN sources.{name} ELSE excluded.{name} END"
        for name in ("uploaded", "correlation_id", "published")
    )
)
"""What was announced as the place of one upload stays its place, whoever else is said to have it."""

EARLIEST_PLACE = """
    UPDATE uploads SET uploaded = first.uploaded, key = first.key, bucket = first.bucket, url = first.url,
                       correlation_id = first.correlation_id
    FROM (
        SELECT DISTINCT ON (upload) upload, uploaded, key, bucket, url, correlation_id FROM sources
        WHERE upload IN (SELECT upload FROM new_places)
        ORDER BY upload, fits DESC, owner = '', uploaded, key, bucket, url, correlation_id
    ) AS first
    WHERE uploads.no = first.upload
"""


STALE = """
    UPDATE uploads SET brings_new = NULL WHERE user_id IN (
        SELECT user_id FROM uploads JOIN new_places ON no = upload
    )
"""
"""Whether an upload brings something new depends on every upload of its user."""


REATTRIBUTED = """
    SELECT no FROM uploads
    WHERE content_hash IN (SELECT content_hash FROM uploads JOIN new_places ON no = upload)
      AND no NOT IN (SELECT upload FROM sources)
"""
"""Uploads whose bytes are another user's now: every place they stood at has been given to that user."""


INHERIT = """
    UPDATE uploads SET quarantine_key = old.quarantine_key, quarantine_note = old.quarantine_note
    FROM (SELECT content_hash, quarantine_key, quarantine_note FROM uploads WHERE no = $no) AS old
    WHERE uploads.content_hash = old.content_hash AND no <> $no AND uploads.quarantine_key IS NULL
"""
"""A copy that is kept for an upload which is forgotten is settled with the upload that has its bytes now."""


def _forget(con: Catalog, numbers: Sequence[int]) -> None:
    for no in numbers:
        con.execute(INHERIT, {"no": no}).complete()
        con.execute(
            "UPDATE uploads SET brings_new = NULL WHERE user_id = (SELECT user_id FROM uploads WHERE no = ?)", [no]
        ).complete()
        con.execute("DELETE FROM uploads WHERE no = ?", [no]).complete()
        con.execute("DELETE FROM examples WHERE subject = ?", [str(no)]).complete()
        for table in ("records", "readings", "analyses"):
            con.execute(f"DELETE FROM {table} WHERE upload = ?", [no]).complete()  # noqa: S608 - one of three names


def _append(con: Catalog, frames: Sequence[pl.DataFrame], insert: str) -> None:
    if frames:
        # texts as Polars holds them: the catalog reads them so, and the older format would be one copy more
        con.register("new_rows", pl.concat(frames).to_arrow(compat_level=pl.CompatLevel.newest()))
        con.execute(insert).complete()
        con.unregister("new_rows")


def mark_drift(con: Catalog) -> int:
    """Mark the uploads that first brought a writer schema unlike those their type had; return how many are new.

    Shapes: the schema that a type was first seen with is no drift.
    """
    return len(
        con.execute(
            """
            UPDATE uploads SET drift = TRUE FROM (
                SELECT record_type, fingerprint, min(no) AS no,
                       row_number() OVER (PARTITION BY record_type ORDER BY min(no)) AS nth
                FROM uploads WHERE fingerprint IS NOT NULL GROUP BY record_type, fingerprint
            ) AS seen
            WHERE uploads.no = seen.no AND seen.nth > 1 AND NOT uploads.drift
            RETURNING uploads.no
            """
        ).fetchall()
    )
