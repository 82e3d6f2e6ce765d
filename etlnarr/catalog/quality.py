"""What validation reads and decides."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr.batching import batches
from etlnarr.catalog import rows
from etlnarr.catalog.connection import Catalog, transaction


@dataclass(frozen=True, slots=True)
class Decision:
    """The state that validation gives to an upload."""

    no: int
    state: str
    reason: str | None
    quality: str | None
    judged: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """An upload that waits for validation; readable when it was decoded, with scores when it was decoded just now."""

    no: int
    user_id: str
    correlation_id: str | None
    record_type: str | None
    content_hash: str
    uploaded: int
    key: str
    bucket: str
    url: str
    records: int
    readable: bool
    state: str
    reason: str | None
    detail: str | None
    scores: str | None


def undecided(con: Catalog, judged: str) -> list[Undecided]:
    """Return the uploads that wait for validation, or were judged by other settings, by type and number."""
    found = con.execute(
        """
        SELECT no, user_id, correlation_id, record_type, content_hash, uploaded, key, bucket, url, records,
               fingerprint IS NOT NULL, state, reason, detail, scores
        FROM uploads WHERE judged IS DISTINCT FROM $judged ORDER BY record_type, no
        """,
        {"judged": judged},
    ).fetchall()
    return [Undecided(*row) for row in found]


def rows_of(con: Catalog, numbers: Sequence[int], told: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return records and readings of uploads, in the order of the files.

    Shapes: told as RecordType.told; records without their device, readings with what is told alone.
    """
    return rows.records_of(con, numbers), rows.readings_of(con, numbers, told)


def decide(con: Catalog, decisions: Sequence[Decision]) -> None:
    """Store decisions; whether an upload brings something new is open again when another one came or went."""
    con.register("decisions", pl.DataFrame(decisions, orient="row", infer_schema_length=None))
    con.execute(
        """
        UPDATE uploads SET brings_new = NULL WHERE user_id IN (
            SELECT user_id FROM uploads JOIN decisions AS d USING (no) WHERE uploads.state <> d.state
        )
        """
    ).complete()
    con.execute(
        """
        UPDATE uploads SET state = d.state, reason = d.reason, quality = d.quality, judged = d.judged,
                           scores = NULL
        FROM decisions AS d WHERE uploads.no = d.no
        """
    ).complete()
    con.unregister("decisions")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A quarantined upload, or one that was, with what is kept of it in the lake."""

    no: int
    user_id: str
    state: str
    record_type: str | None
    content_hash: str
    uploaded: int
    key: str
    bucket: str
    url: str
    reason: str | None
    quality: str
    quarantine_key: str | None
    quarantine_note: str | None


def rejected(con: Catalog) -> list[Rejected]:
    """Return the uploads that are quarantined, and those of which a copy is kept, by content."""
    rows = con.execute(
        """
        SELECT no, user_id, state, record_type, content_hash, uploaded, key, bucket, url, reason, quality,
               quarantine_key, quarantine_note
        FROM uploads WHERE state = 'quarantined' OR quarantine_key IS NOT NULL ORDER BY content_hash, user_id
        """
    ).fetchall()
    return [Rejected(*row) for row in rows]


def keep(con: Catalog, no: int, key: str | None, note: str | None) -> None:
    """Remember where the copy of an upload stands, and its note."""
    con.execute("UPDATE uploads SET quarantine_key = ?, quarantine_note = ? WHERE no = ?", [key, note, no]).complete()


def refresh_novelty(con: Catalog) -> None:
    """Work out which accepted uploads bring something new, where that is open since uploads came, went or moved.

    Shapes: an upload does when it has a record, or a later version of one, that no accepted upload of its user
    earlier in upload time (then hash) has. Versions go by time of the last write, then by the client's version.
    """
    with transaction(con):
        stale = con.execute(STALE_USERS).fetchall()
        for users in batches(stale, len(stale), NOVELTY_RECORDS, lambda user: int(user[1])):
            con.execute(NOVELTY, {"users": [user for user, _ in users]}).complete()


NOVELTY_RECORDS = 1_000_000
STALE_USERS = """
    SELECT user_id, sum(records)::BIGINT FROM uploads WHERE state = 'accepted'
    GROUP BY user_id HAVING count(*) FILTER (brings_new IS NULL) > 0 ORDER BY user_id
"""
NOVELTY = """
    WITH standing AS (
        SELECT no, dense_rank() OVER (ORDER BY user_id, record_type) AS owner,
               dense_rank() OVER (ORDER BY uploaded, content_hash) AS turn
        FROM uploads WHERE state = 'accepted' AND user_id IN (SELECT unnest($users::VARCHAR[]))
    ),
    versions AS (
        SELECT no, owner, turn, identity, modified::HUGEINT * 18446744073709551616 + version AS version
        FROM records JOIN standing ON no = upload
    ),
    compared AS (
        SELECT no, version, max(version) OVER (
            PARTITION BY owner, identity ORDER BY turn
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP
        ) AS best
        FROM versions
    ),
    answers AS (SELECT no, bool_or(best IS NULL OR version > best) AS brings_new FROM compared GROUP BY no)
    UPDATE uploads SET brings_new = answers.brings_new FROM answers WHERE uploads.no = answers.no
"""
"""Numbers stand for users, types and turns: comparing their texts for every record takes twice as long."""
