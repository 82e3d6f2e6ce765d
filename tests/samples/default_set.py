"""The committed synthetic uploads, decoded once a process."""

from functools import cache
from pathlib import Path
from typing import Any

from etlnarr import avro

FOLDER = Path(__file__).parents[2] / "sample-avro-files"
LIMITS = avro.Limits(records=100_000, seconds=60)
Row = dict[str, Any]


@cache
def files() -> tuple[Path, ...]:
    """The files in order of the time at which they were fetched."""
    return tuple(sorted(FOLDER.glob("*.avro"), key=lambda path: (fetched(path), path.name)))


@cache
def decoded(path: Path) -> list[Row]:
    """One file, decoded."""
    return avro.decode(avro.opened(path.read_bytes(), LIMITS), LIMITS)


def rows(path: Path) -> list[Row]:
    """The records of a file."""
    return [dict(row) for row in decoded(path)]


def of(kind: str) -> list[Path]:
    """The files of a record type in order of fetch."""
    return [path for path in files() if path.name.startswith(f"{kind}_")]


def fetched(path: Path) -> int:
    """The time of fetch, from the name."""
    return int(path.stem.split("_")[1])


def source(row: Row) -> str:
    """The app that wrote a record."""
    return str(row["metadata"]["dataOriginPackageName"])
