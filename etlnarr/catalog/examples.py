"""What narration reads, the examples it leaves, and the months they make."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl

from etlnarr.batching import batches
from etlnarr.catalog.connection import Catalog, transaction
from etlnarr.envelope import utc
from etlnarr.wire import Origin, Quality, UploadRef

FETCH_ROWS = 500


@dataclass(frozen=True, slots=True)
class Analysed:
    """An analysed subject, and the hash of the inputs its example was told from, if one was."""

    subject: str
    kind: str
    user_id: str
    record_type: str
    moment: int
    origin: Origin
    document: str
    inputs: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An example as it is kept; content names what is told, so that its first telling is remembered."""

    subject: str
    inputs: str
    example_id: str
    category: str
    line: str


@dataclass(frozen=True, slots=True)
class Month:
    """The examples of one category and month, with a signature of them all."""

    category: str
    month: str
    rows: int
    signature: str


BY_UPLOAD = "record_type, upload, subject"
BY_TIME = "moment, example_id"
DUE = "kind IN (SELECT unnest($kinds)) AND ($month IS NULL OR month = $month)"


def count_analysed(con: Catalog, month: str | None, kinds: Sequence[str]) -> int:
    """Return how many subjects analysed() yields."""
    query = f"SELECT count(*) FROM standing WHERE {DUE}"  # noqa: S608 - a constant
    return int(con.execute(query, {"month": month, "kinds": list(kinds)}).fetchall()[0][0])


def analysed_types(con: Catalog, month: str | None, kinds: Sequence[str]) -> list[str]:
    """Return the record types of what analysed() yields."""
    query = f"SELECT DISTINCT record_type FROM standing WHERE {DUE}"  # noqa: S608 - a constant
    return [name for (name,) in con.execute(query, {"month": month, "kinds": list(kinds)}).fetchall()]


def analysed(con: Catalog, month: str | None, kinds: Sequence[str]) -> Iterator[Analysed]:
    """Yield the analysed subjects of some kinds, in order."""
    names = f"SELECT subject FROM standing WHERE {DUE} ORDER BY {BY_UPLOAD}"  # noqa: S608 - constants
    for subject, kind, user, record_type, moment, origin, document, inputs, *upload in _in_parts(
        con,
        names,
        f"""
        SELECT subject, kind, user_id, record_type, moment, origin, document, examples.inputs,
               content_hash, correlation_id, records, quality, key, bucket, uploaded
        FROM standing LEFT JOIN examples USING (subject) WHERE subject IN (SELECT unnest($names)) ORDER BY {BY_UPLOAD}
        """,  # noqa: S608 - a constant
        {"month": month, "kinds": list(kinds)},
    ):
        whence = Origin.model_validate_json(origin) if origin else _origin(*upload)
        yield Analysed(subject, kind, user, record_type, moment, whence, document, inputs)


def _in_parts(con: Catalog, names: str, rows: str, parameters: Mapping[str, object]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the subjects that a query names, in its order: sorted with their texts they fill the memory."""
    with con.cursor() as cursor:
        subjects = [subject for (subject,) in cursor.execute(names, parameters).fetchall()]
        for part in batches(subjects, FETCH_ROWS):
            yield from cursor.execute(rows, {"names": part}).fetchall()


def upload_ref(key: str, bucket: str, content_hash: str, uploaded: int, records: int) -> UploadRef:
    """Name an upload.

    Units: uploaded in epoch ms.
    """
    return UploadRef(
        source_s3_key=key,
        source_bucket=bucket,
        content_hash=content_hash,
        upload_timestamp_utc=utc(uploaded),
        records=records,
    )


def _origin(
    content_hash: str, correlation_id: str | None, records: int, quality: str, key: str, bucket: str, uploaded: int
) -> Origin:
    scores = Quality.model_validate_json(quality)
    own = upload_ref(key, bucket, content_hash, uploaded, records)
    return Origin(
        content_hash=content_hash,
        correlation_id=correlation_id,
        records=records,
        quality_score=scores.score,
        warnings=scores.warnings,
        uploads=[own],
    )


def first_told(con: Catalog, processing_ids: Sequence[str]) -> dict[str, int]:
    """Return when contents were first told, of those that were."""
    query = "SELECT processing_id, first FROM tellings WHERE processing_id IN (SELECT unnest($ids))"
    return dict(con.execute(query, {"ids": list(processing_ids)}).fetchall())


@contextmanager
def kept_back(con: Catalog) -> Iterator[None]:
    """Keep what is held apart, on disk where it is much, until it is stored or nothing is."""
    con.execute(HELD).complete()
    try:
        yield
    finally:
        con.execute("DROP TABLE held").complete()


def hold(con: Catalog, told: Sequence[Told], processing_ids: Sequence[str], part: int) -> None:
    """Keep back the examples of a part."""
    if not told:
        return
    con.register(
        "told", pl.DataFrame(told, orient="row").with_columns(part=part, processing_id=pl.Series(processing_ids))
    )
    con.execute("INSERT INTO held BY NAME SELECT * FROM told").complete()
    con.unregister("told")


def held(con: Catalog) -> list[int]:
    """Return the numbers of the parts that are kept back."""
    return [part for (part,) in con.execute("SELECT DISTINCT part FROM held ORDER BY part").fetchall()]


def mark_half_stored(con: Catalog) -> None:
    """Note the months of what is kept back: they are half stored until want() tells that they are whole."""
    with transaction(con):
        con.execute(
            "INSERT OR IGNORE INTO storing SELECT DISTINCT month FROM held JOIN standing USING (subject)"
        ).complete()


def store(con: Catalog, part: int, now: int) -> None:
    """Store a part that was kept back, and when each content was first told."""
    with transaction(con):
        con.execute(STORE, {"part": part}).complete()
        con.execute(STORE_FIRST, {"part": part, "now": now}).complete()


HELD = """
    CREATE TEMP TABLE held (
        part BIGINT, subject VARCHAR, inputs VARCHAR, example_id VARCHAR, category VARCHAR, line VARCHAR,
        processing_id VARCHAR
    )
"""
STORE = """
    INSERT OR REPLACE INTO examples BY NAME
    SELECT * EXCLUDE (part, processing_id), TRUE AS wanted FROM held WHERE part = $part
"""
STORE_FIRST = """
    INSERT OR IGNORE INTO tellings SELECT DISTINCT processing_id, $now, FALSE FROM held WHERE part = $part
"""


def want(con: Catalog, month: str | None, kinds: Sequence[str]) -> None:
    """Let the examples of these kinds be exported, and no others of the month; all that was told is stored."""
    with transaction(con):
        con.execute(
            """
            UPDATE examples SET wanted = kind IN (SELECT unnest($kinds)) FROM standing
            WHERE standing.subject = examples.subject AND ($month IS NULL OR month = $month)
            """,
            {"month": month, "kinds": list(kinds)},
        ).complete()
        con.execute("DELETE FROM storing WHERE $month IS NULL OR month = $month", {"month": month}).complete()


def half_stored(con: Catalog) -> list[str]:
    """Return the months of which a part of what was told is stored and the rest may not be."""
    return [month for (month,) in con.execute("SELECT month FROM storing ORDER BY month").fetchall()]


def months(con: Catalog) -> list[Month]:
    """Return what there is to export."""
    rows = con.execute(
        """
        SELECT category, month, count(*), md5(string_agg(example_id || examples.inputs, ',' ORDER BY example_id))
        FROM examples JOIN standing USING (subject) WHERE wanted GROUP BY category, month ORDER BY month, category
        """
    ).fetchall()
    return [Month(*row) for row in rows]


def lines(con: Catalog, category: str, month: str) -> Iterator[str]:
    """Yield the rows of one month by time, then id."""
    names = f"""
        SELECT subject FROM examples JOIN standing USING (subject)
        WHERE wanted AND category = $category AND month = $month ORDER BY {BY_TIME}
    """  # noqa: S608 - a constant
    rows = f"""
        SELECT line FROM examples JOIN standing USING (subject)
        WHERE subject IN (SELECT unnest($names)) ORDER BY {BY_TIME}
    """  # noqa: S608 - a constant
    yield from (line for (line,) in _in_parts(con, names, rows, {"category": category, "month": month}))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file was written from, and its size in bytes; flavour names the settings that shape the lines."""

    signature: str
    flavour: str
    size: int


def exported(con: Catalog, lake: str) -> dict[str, Kept]:
    """Return what each file that was written to a lake holds, by key."""
    rows = con.execute("SELECT key, signature, flavour, size FROM exports WHERE lake = ?", [lake]).fetchall()
    return {key: Kept(*kept) for key, *kept in rows}


def mark_exported(con: Catalog, lake: str, key: str, month: Month, kept: Kept) -> None:
    """Remember that a file was written."""
    row = [lake, key, month.month, kept.signature, kept.flavour, kept.size, month.rows]
    names = "lake, key, month, signature, flavour, size, rows"
    con.execute(f"INSERT OR REPLACE INTO exports ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", row).complete()  # noqa: S608 - names of our own


def forget_export(con: Catalog, lake: str, key: str) -> None:
    """Forget a file that was removed."""
    con.execute("DELETE FROM exports WHERE lake = ? AND key = ?", [lake, key]).complete()


@dataclass(frozen=True, slots=True)
class Inspected:
    """All that the catalog holds of its only upload."""

    user_id: str
    record_type: str | None
    content_hash: str
    uploaded: int
    key: str
    bucket: str
    size: int
    fingerprint: str | None
    codec: str | None
    records: int
    state: str
    reason: str | None
    detail: str | None
    quality: str
    document: str | None
    line: str | None


def inspected(con: Catalog) -> Inspected:
    """Return the only upload of a catalog that was made for it."""
    (row,) = con.execute(
        """
        SELECT uploads.user_id, uploads.record_type, content_hash, uploaded, key, bucket, size, fingerprint, codec,
               records, state, reason, detail, quality, document, line
        FROM uploads LEFT JOIN analyses ON analyses.upload = no LEFT JOIN examples USING (subject)
        """
    ).fetchall()
    return Inspected(*row)
