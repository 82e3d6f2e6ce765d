"""What is known of how one example came to be, and of what became of one upload."""

from dataclasses import dataclass

import polars as pl

from etlnarr.catalog.connection import Catalog
from etlnarr.catalog.examples import upload_ref
from etlnarr.wire import UploadRef


@dataclass(frozen=True, slots=True)
class Origin:
    """The subject of an example, and its row."""

    kind: str
    user_id: str
    record_type: str
    upload: int | None
    month: str
    line: str


def find(con: Catalog, example_id: str) -> Origin | None:
    """Return the subject of an example by its id."""
    rows = con.execute(
        """
        SELECT kind, user_id, standing.record_type, upload, month, line FROM examples JOIN standing USING (subject)
        WHERE example_id = ?
        """,
        [example_id],
    ).fetchall()
    return Origin(*rows[0]) if rows else None


def versions(con: Catalog, user_id: str, record_type: str, records: pl.DataFrame) -> pl.DataFrame:
    """Return the records of which there are several versions.

    Shapes: records holds upload and record of those that count; the result identity, modified and version of the one
    that counts, the key of its upload, how many versions there are, and how many other uploads hold one.
    """
    con.register("winners", records.select("upload", "record").unique())
    found: pl.DataFrame = con.sql(
        """
        WITH own AS (
            SELECT records.*, key, uploaded FROM records JOIN uploads ON upload = no
            WHERE state = 'accepted' AND user_id = $user_id AND record_type = $record_type
        ),
        best AS (SELECT * FROM own SEMI JOIN winners USING (upload, record))
        SELECT identity, any_value(best.modified) AS modified, any_value(best.version) AS version,
               any_value(best.key) AS key, count(DISTINCT (own.modified, own.version)) AS versions,
               count(DISTINCT own.upload) - 1 AS others
        FROM best JOIN own USING (identity) GROUP BY identity HAVING count(*) > 1 ORDER BY identity
        """,
        params={"user_id": user_id, "record_type": record_type},
    ).pl()
    con.unregister("winners")
    return found


@dataclass(frozen=True, slots=True)
class Traced:
    """An upload that was asked for, with the state it is in. Times in epoch ms."""

    no: int
    user_id: str
    correlation_id: str | None
    record_type: str | None
    content_hash: str
    uploaded: int
    key: str
    bucket: str
    records: int
    state: str  # as in the catalog, and superseded
    reason: str | None
    detail: str | None
    quarantine_key: str | None


def trace(con: Catalog, asked: str) -> list[Traced]:
    """Return the uploads of a key, a URL, a correlation id or a content hash, which may be cut to 16 digits or more.

    Shapes: a key is one below the lake, below the bucket or below the source, of any place an upload was found at.
    """
    rows = con.execute(
        """
        WITH asked AS (
            SELECT upload AS no FROM sources
            WHERE url = $asked OR ends_with(url, '/' || $asked) OR correlation_id = $asked
            UNION SELECT no FROM uploads
            WHERE regexp_full_match($asked, '[0-9a-fA-F]{16,64}') AND starts_with(content_hash, lower($asked))
        )
        SELECT no, user_id, correlation_id, record_type, content_hash, uploaded, key, bucket, records,
               CASE WHEN state = 'accepted' AND NOT brings_new THEN 'superseded' ELSE state END,
               reason, detail, quarantine_key
        FROM uploads SEMI JOIN asked USING (no) ORDER BY uploaded, content_hash, user_id
        """,
        {"asked": asked},
    ).fetchall()
    return [Traced(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an upload was found, and the correlation id of the message that said so, if one did."""

    key: str
    correlation_id: str | None


def places(con: Catalog, no: int) -> list[Place]:
    """Return every place of an upload, in the order of their times."""
    query = "SELECT DISTINCT ON (url) key, correlation_id FROM sources WHERE upload = ? ORDER BY uploaded, url, owner"
    return [Place(*row) for row in con.execute(query, [no]).fetchall()]


def rows_of(con: Catalog, upload: Traced) -> list[tuple[str, str, str]]:
    """Return example id, kind and subject of the rows that were told from an upload, its own first."""
    return con.execute(
        """
        SELECT example_id, kind, line::JSON ->> '$.metadata.subject.key' FROM examples JOIN standing USING (subject)
        WHERE wanted AND (upload = $no OR (
            upload IS NULL AND standing.user_id = $user_id AND standing.record_type = $record_type
            AND contains(origin, $content_hash)
        )) ORDER BY upload IS NULL, kind, moment, example_id
        """,
        _named(upload, "no", "user_id", "record_type", "content_hash"),
    ).fetchall()


def superseding(con: Catalog, upload: Traced) -> list[UploadRef]:
    """Return the earlier uploads that brought the records of one in versions as late, each with how many it brought.

    Shapes: of several uploads with the latest version of a record, as refresh_novelty() compares them, the first.
    """
    rows = con.execute(
        """
        WITH brought AS (
            SELECT key, bucket, content_hash, uploaded FROM records JOIN uploads ON upload = no
            WHERE state = 'accepted' AND user_id = $user_id AND record_type = $record_type
              AND (uploaded, content_hash) < ($uploaded, $content_hash)
              AND identity IN (SELECT identity FROM records WHERE upload = $no)
            QUALIFY row_number() OVER (
                PARTITION BY identity ORDER BY modified DESC, version DESC, uploaded, content_hash
            ) = 1
        )
        SELECT key, bucket, content_hash, uploaded, count(*) FROM brought GROUP BY ALL ORDER BY uploaded, content_hash
        """,
        _named(upload, "no", "user_id", "record_type", "content_hash", "uploaded"),
    ).fetchall()
    return [upload_ref(*row) for row in rows]


def _named(upload: Traced, *names: str) -> dict[str, object]:
    return {name: getattr(upload, name) for name in names}
