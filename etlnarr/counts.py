"""The counts that say where everything stands, and the copy of them that is kept beside the catalog."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from etlnarr import __version__
from etlnarr.errors import EtlnarrError

Stamp = tuple[int, int]
"""Size of a catalog and time of its last change in ns."""


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


class Copy(BaseModel):
    """Counts, and the catalog that they are exactly those of, once nothing waits to be written to it."""

    counts: Status
    made: str
    by: str  # version of the program
    of: Stamp | None


def keep(path: Path, counts: Status, *, settled: bool) -> None:
    """Put counts beside a catalog, which is settled when nothing waits to be written to it.

    Errors: EtlnarrError when they cannot be written.
    """
    copy = _copy(path)
    aside = copy.with_name(f".{copy.name}.new")
    made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    try:
        whole = Copy(counts=counts, made=made, by=__version__, of=_stamp(path) if settled else None)
        aside.write_text(whole.model_dump_json(), encoding="utf-8")
        aside.replace(copy)
    except OSError as fault:
        with suppress(OSError):
            aside.unlink()
        raise EtlnarrError(f"{copy}: cannot be written; check the disk and the rights of its folder") from fault


def exact(path: Path) -> Status | None:
    """Return the counts beside a catalog that has not been written since, else None."""
    if not path.is_file() or path.with_name(f"{path.name}.wal").exists():
        return None
    kept = _read(path)
    return kept.counts if kept and (kept.by, kept.of) == (__version__, _stamp(path)) else None


def latest(path: Path) -> Status | None:
    """Return the counts beside a catalog, as of when they were made; None when there are none."""
    kept = _read(path)
    return None if kept is None else kept.counts.model_copy(update={"as_of": kept.made})


def _read(path: Path) -> Copy | None:
    try:
        return Copy.model_validate_json(_copy(path).read_bytes())
    except (OSError, ValidationError):  # nothing is lost: the catalog is counted instead
        return None


def _stamp(path: Path) -> Stamp:
    known = path.stat()
    return known.st_size, known.st_mtime_ns


def _copy(path: Path) -> Path:
    return path.with_name(f"{path.name}.status.json")
