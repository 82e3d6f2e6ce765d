"""What each worker learnt, in the lake for all of them: immutable parts, named by their content."""

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from etlnarr import lake
from etlnarr.batching import batches
from etlnarr.catalog import Catalog, parts
from etlnarr.errors import EtlnarrError
from etlnarr.run import Run

SUFFIX: Final = ".parquet"
TOGETHER: Final = 32
"""Parts taken in at once, which bounds what memory holds."""

MOST: Final = 64
"""Parts of a kind beyond which some of the small ones are put together."""

LARGE: Final = 16_000_000
"""Bytes of a part that is left as it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Parts of one sort: where they stand, and what the catalog does with them."""

    folder: str
    unpublished: Callable[[Catalog], pl.DataFrame]
    mark: Callable[[Catalog, str], None]
    absorb: Callable[[Catalog, Mapping[str, pl.DataFrame]], None]


UPLOADS: Final = Kind("catalog/uploads", parts.unpublished, parts.mark_published, parts.absorb)
TELLINGS: Final = Kind(
    "catalog/tellings", parts.unpublished_tellings, parts.mark_tellings_published, parts.absorb_tellings
)


def publish(con: Catalog, run: Run, kind: Kind) -> bool:
    """Put what others cannot know yet into the lake; say whether there was anything.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written.
    """
    published = False
    while not (frame := kind.unpublished(con)).is_empty():
        kind.mark(con, _put(run, kind, frame))
        published = True
    return published


def absorb(con: Catalog, run: Run) -> int:
    """Take in what others published; return how many parts that was.

    Errors: LakeUnavailableError, EtlnarrError when the lake or a part of it cannot be read.
    """
    return sum(_absorb(con, run, kind) for kind in (UPLOADS, TELLINGS))


def _absorb(con: Catalog, run: Run, kind: Kind) -> int:
    """Take in the parts of a kind, and once more those that told of a place before the upload was known."""
    left = _unknown(con, run, kind)
    found = len(left)
    while left:
        for batch in batches(run.progress(left, "absorb", len(left)), TOGETHER):
            with _readable(kind):
                kind.absorb(con, {name: _get(run, kind, name) for name in batch})
        known = parts.known(con)
        again = [name for name in left if name not in known]
        left = again if len(again) < len(left) else []
    return found


@contextlib.contextmanager
def _readable(kind: Kind) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.PolarsError as fault:
        raise EtlnarrError(
            f"{kind.folder}: holds a part that this version cannot read; move the folder away and build from raw/ again"
        ) from fault


def unknown(con: Catalog, run: Run) -> bool:
    """Say whether others published what this catalog does not know.

    Errors: LakeUnavailableError.
    """
    return any(_unknown(con, run, kind) for kind in (UPLOADS, TELLINGS))


def _unknown(con: Catalog, run: Run, kind: Kind) -> list[str]:
    known = parts.known(con)
    return [name for name in lake.names(run.lake, kind.folder) if name.endswith(SUFFIX) and name not in known]


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
        known = parts.known(con)  # another worker may have published since: that is not ours to put away
        names = [name for name in lake.names(run.lake, kind.folder) if name in known]
        small = [name for name in names if (lake.size(run.lake, f"{kind.folder}/{name}") or 0) < LARGE]
        if len(names) > MOST and len(small) > 1:
            _fold(con, run, kind, small[:TOGETHER])


def _fold(con: Catalog, run: Run, kind: Kind, small: Sequence[str]) -> None:
    frames = [_get(run, kind, name) for name in run.progress(small, "compact", len(small))]
    whole = _put(run, kind, pl.concat(frames, how="vertical_relaxed"))
    parts.know(con, [whole])
    for name in run.progress(small, "compact", len(small)):
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
