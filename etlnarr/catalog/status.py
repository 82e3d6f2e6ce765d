"""The counts that say where everything stands."""

from pathlib import Path

from etlnarr import counts
from etlnarr.catalog.connection import Catalog, peek
from etlnarr.counts import Status
from etlnarr.errors import CatalogBusyError


def count(con: Catalog, known: Status | None = None) -> Status:
    """Count what the catalog holds.

    Shapes: known are counts of the same uploads, whose records need not be counted again.
    """
    states = con.execute(
        """
        SELECT coalesce(record_type, 'unknown'),
               CASE WHEN state = 'accepted' AND NOT brings_new THEN 'superseded' ELSE state END AS state, count(*)
        FROM uploads GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    told = con.execute(
        """
        SELECT month, category, count(*) FROM examples JOIN standing USING (subject)
        WHERE wanted GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    reasons = con.execute(
        "SELECT reason, count(*) FROM uploads WHERE state = 'quarantined' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    records, replaced, shared_ids, several_offsets = _records(con) if known is None else _told(known)
    return Status(
        uploads=_tree(states),
        quarantined=dict(reasons),
        duplicates=_number(con, "SELECT count(DISTINCT (url, upload)) - count(DISTINCT upload) FROM sources"),
        records=records,
        rules=dict(con.execute(RULES).fetchall()),
        replaced=replaced,
        shared_ids=shared_ids,
        several_offsets=several_offsets,
        examples=_tree(told),
    )


RULES = """
    SELECT rule.key, sum(rule.value::BIGINT)::BIGINT
    FROM uploads, json_each(quality::JSON, '$.rules') AS rule GROUP BY ALL ORDER BY ALL
"""
RECORDS = """
    WITH standing AS (
        SELECT no, state = 'accepted' AS accepted, dense_rank() OVER (ORDER BY record_type) AS kind,
               dense_rank() OVER (ORDER BY user_id) AS owner
        FROM uploads WHERE state <> 'quarantined'
    ), own AS (
        SELECT kind, hash(identity) AS identity, starts_with(identity, 'id:') AS own, owner,
               bool_or(accepted) AS accepted,
               min(modified) FILTER (accepted) < max(modified) FILTER (accepted)
               OR min(version) FILTER (accepted) < max(version) FILTER (accepted) AS replaced
        FROM records JOIN standing ON no = upload GROUP BY ALL
    ), shared AS (
        SELECT kind, identity FROM own WHERE accepted AND own
        GROUP BY ALL HAVING count(*) > 1
    )
    SELECT count(*), count(*) FILTER (replaced), (SELECT count(*) FROM shared) FROM own
"""
"""Distinct records, those told in another version than their first, and ids that several people have; by a hash of 64
bits of what names a record, which takes a tenth of the memory and is good enough for a count."""

SEVERAL_OFFSETS = """
    SELECT count(*) FROM (
        SELECT user_id FROM (SELECT DISTINCT upload, "offset" FROM records) JOIN uploads ON no = upload
        WHERE state = 'accepted' AND "offset" NOT IN ('Z', 'UTC', 'GMT')
        GROUP BY ALL HAVING count(DISTINCT regexp_replace("offset", '^(UTC|GMT)', '')) > 1
    )
"""


def publish(con: Catalog, path: Path) -> Status:
    """Put the counts beside the catalog, for those who ask while it is being written, unless they stand there."""
    if exact := counts.exact(path):
        return exact
    counted = count(con)
    counts.keep(path, counted, settled=False)
    return counted


def settle(con: Catalog, path: Path, known: Status | None = None) -> Status:
    """Write all that waits to be written, and let the counts stand beside the catalog until it changes.

    Shapes: known as in count().
    """
    if exact := counts.exact(path):
        return exact
    con.execute("CHECKPOINT").complete()
    counted = count(con, known)
    counts.keep(path, counted, settled=True)
    return counted


def read(path: Path) -> Status:
    """Count what the catalog holds, or tell the latest counts while another process writes it.

    Errors: UsageError when there is no catalog; CatalogBusyError when it is held and was not counted yet.
    """
    try:
        with peek(path) as con:
            return count(con)
    except CatalogBusyError:
        known = counts.latest(path)
        if known is None:
            raise
        return known


def _records(con: Catalog) -> tuple[int, int, int, int]:
    ((records, replaced, shared_ids),) = con.execute(RECORDS).fetchall()
    return records, replaced, shared_ids, _number(con, SEVERAL_OFFSETS)


def _told(known: Status) -> tuple[int, int, int, int]:
    return known.records, known.replaced, known.shared_ids, known.several_offsets


def _number(con: Catalog, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def _tree(rows: list[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    tree: dict[str, dict[str, int]] = {}
    for first, second, number in rows:
        tree.setdefault(first, {})[second] = number
    return tree
