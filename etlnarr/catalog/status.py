"""The counts that say where everything stands, and the copy of them that can be read while a run writes."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from etlnarr.catalog.connection import Catalog, peek
from etlnarr.errors import CatalogBusyError, EtlnarrError


class Status(BaseModel):
    """Counts of uploads and examples; as_of is set when they come from a copy, made while a run writes."""

    model_config = ConfigDict(frozen=True)

    uploads: dict[str, dict[str, int]]  # by record type and state
    quarantined: dict[str, int]  # by reason
    duplicates: int
    records: int
    rules: dict[str, int]  # rows that fail each rule
    replaced: int  # records of which a later version than the first counts
    shared_ids: int  # records ids that more than one person has
    several_offsets: int  # people whose records carry more than one offset, Z aside
    examples: dict[str, dict[str, int]]  # by month and category
    as_of: str | None = None


def count(con: Catalog) -> Status:
    """Count what the catalog holds."""
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
    ((records, replaced, shared_ids),) = con.execute(RECORDS).fetchall()
    return Status(
        uploads=_tree(states),
        quarantined=dict(reasons),
        duplicates=_number(con, "SELECT count(DISTINCT (url, upload)) - count(DISTINCT upload) FROM sources"),
        records=records,
        rules=dict(con.execute(RULES).fetchall()),
        replaced=replaced,
        shared_ids=shared_ids,
        several_offsets=_number(con, SEVERAL_OFFSETS),
        examples=_tree(told),
    )


RULES = """
    SELECT rule.key, sum(rule.value::BIGINT)::BIGINT
    FROM uploads, json_each(quality::JSON, '$.rules') AS rule GROUP BY ALL ORDER BY ALL
"""
RECORDS = """
    WITH own AS (
        SELECT record_type, identity, user_id, bool_or(state = 'accepted') AS accepted,
               min(modified) FILTER (state = 'accepted') < max(modified) FILTER (state = 'accepted')
               OR min(version) FILTER (state = 'accepted') < max(version) FILTER (state = 'accepted') AS replaced
        FROM records JOIN uploads ON no = upload WHERE state <> 'quarantined' GROUP BY ALL
    ), shared AS (
        SELECT record_type, identity FROM own WHERE accepted AND starts_with(identity, 'id:')
        GROUP BY ALL HAVING count(*) > 1
    )
    SELECT count(*), count(*) FILTER (replaced), (SELECT count(*) FROM shared) FROM own
"""
"""Distinct records, those told in another version than their first, and ids that several people have."""

SEVERAL_OFFSETS = """
    SELECT count(*) FROM (
        SELECT user_id FROM records JOIN uploads ON no = upload
        WHERE state = 'accepted' AND "offset" NOT IN ('Z', 'UTC', 'GMT')
        GROUP BY ALL HAVING count(DISTINCT regexp_replace("offset", '^(UTC|GMT)', '')) > 1
    )
"""


def publish(con: Catalog, path: Path) -> None:
    """Put the counts beside the catalog, for those who ask while it is being written."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    copy = _copy(path)
    aside = copy.with_name(f".{copy.name}.new")
    try:
        aside.write_text(count(con).model_copy(update={"as_of": now}).model_dump_json(), encoding="utf-8")
        aside.replace(copy)
    except OSError as fault:
        raise EtlnarrError(f"{copy}: cannot be written; check the disk and the rights of its folder") from fault


def read(path: Path) -> Status:
    """Count what the catalog holds, or tell its copy while another process writes it.

    Errors: UsageError when there is no catalog; CatalogBusyError when it is held and no copy was made yet.
    """
    try:
        with peek(path) as con:
            return count(con)
    except CatalogBusyError:
        if not _copy(path).exists():
            raise
        return Status.model_validate_json(_copy(path).read_text(encoding="utf-8"))


def _copy(path: Path) -> Path:
    return path.with_name(f"{path.name}.status.json")


def _number(con: Catalog, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def _tree(rows: list[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    tree: dict[str, dict[str, int]] = {}
    for first, second, number in rows:
        tree.setdefault(first, {})[second] = number
    return tree
