"""What each worker learnt, in the lake for all of them: immutable parts, named by their content."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from etlnarr import lake
from etlnarr.batching import batches
from etlnarr.catalog import Catalog, parts
from etlnarr.run import Run

SUFFIX: Final = ".parquet"
TOGETHER: Final = 32
"""Parts taken in at once, which bounds what memory holds."""

MOST: Final = 64
"""Small parts of a kind beyond which they are put together."""

LARGE: Final = 16_000_000
"""Bytes of a part that is left as it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Parts of one sort: where they stand, and what the catalog does with them."""

    folder: str
    unpublished: Callable[[Catalog], pl.DataFrame]
    mark: Callable[[Catalog, str], None]
    absorb: Callable[[Catalog, Sequence[str], pl.DataFrame], None]


UPLOADS: Final = Kind("catalog/uploads", parts.unpublished, parts.mark_published, parts.absorb)
TELLINGS: Final = Kind(
    "catalog/tellings", parts.unpublished_tellings, parts.mark_tellings_published, parts.absorb_tellings
)


def publish(con: Catalog, run: Run, kind: Kind) -> bool:
    """Put what others cannot know yet into the lake; say whether there was anything.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written.
    """
    frame = kind.unpublished(con)
    if not frame.is_empty():
        kind.mark(con, _put(run, kind, frame))
    return not frame.is_empty()


def absorb(con: Catalog, run: Run) -> int:
    """Take in what others published; return how many parts that was.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be read.
    """
    known = parts.known(con)
    found = 0
    for kind in (UPLOADS, TELLINGS):
        unknown = [name for name in lake.names(run.lake, kind.folder) if name.endswith(SUFFIX) and name not in known]
        for batch in batches(run.progress(unknown, "absorb", len(unknown)), TOGETHER):
            kind.absorb(con, batch, pl.concat([_get(run, kind, name) for name in batch], how="vertical_relaxed"))
        found += len(unknown)
    return found


def unknown(con: Catalog, run: Run) -> bool:
    """Say whether others published what this catalog does not know.

    Errors: LakeUnavailableError.
    """
    known = parts.known(con)
    return any(
        name.endswith(SUFFIX) and name not in known
        for kind in (UPLOADS, TELLINGS)
        for name in lake.names(run.lake, kind.folder)
    )


def shared(run: Run) -> bool:
    """Say whether workers share the lake: one of them has published something.

    Errors: LakeUnavailableError.
    """
    return bool(lake.names(run.lake, UPLOADS.folder))


def compact(con: Catalog, run: Run) -> None:
    """Put small parts together when there are many; to be done by who has the turn and knows them all.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written.
    """
    for kind in (UPLOADS, TELLINGS):
        names = [name for name in lake.names(run.lake, kind.folder) if name.endswith(SUFFIX)]
        small = [name for name in names if (lake.size(run.lake, f"{kind.folder}/{name}") or 0) < LARGE]
        if len(small) <= MOST:
            continue
        whole = _put(run, kind, pl.concat([_get(run, kind, name) for name in small], how="vertical_relaxed"))
        parts.know(con, whole)
        for name in small:
            if name != whole:
                lake.remove(run.lake, f"{kind.folder}/{name}")


def _put(run: Run, kind: Kind, frame: pl.DataFrame) -> str:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    name = f"{hashlib.sha256(stream.getvalue()).hexdigest()}{SUFFIX}"
    lake.write(run.lake, f"{kind.folder}/{name}", stream.getvalue(), durable=True)
    return name


def _get(run: Run, kind: Kind, name: str) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(lake.read(run.lake, f"{kind.folder}/{name}")))
