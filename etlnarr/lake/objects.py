"""Read and write whole objects."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Final

from etlnarr.errors import DeniedError, EtlnarrError, UsageError, masked
from etlnarr.lake.listing import Source
from etlnarr.lake.roots import Root, lake_faults, root
from etlnarr.settings import Settings

CHUNK: Final = 1 << 20


def read_many(batch: Sequence[Source], most: int) -> Iterator[tuple[Source, bytes | EtlnarrError]]:
    """Yield the bytes of several objects, or what kept one from being read; remote ones are fetched together.

    Shapes: at most so many bytes of each, and one more that tells that there are more.
    """
    remote = [source for source in batch if source.root.remote]
    bodies: dict[str, bytes | Exception] = {}
    if remote:
        paths, ends = [source.path for source in remote], [min(source.size, most) + 1 for source in remote]
        bodies = dict(zip(paths, remote[0].root.fs.cat_ranges(paths, 0, ends, on_error="return"), strict=True))
    for source in batch:
        try:
            with lake_faults(source.root, source.key):
                yield source, _body(source, bodies.pop(source.path, None), most)
        except EtlnarrError as fault:
            yield source, fault


def _body(source: Source, fetched: bytes | Exception | None, most: int) -> bytes:
    if isinstance(fetched, bytes):
        if len(fetched) <= source.size or source.size >= most:
            return fetched
        whole: bytes = source.root.fs.cat_file(source.path, start=0, end=most + 1)  # it is larger than was said
        return whole
    if fetched is None:
        with Path(source.path).open("rb") as stream:
            return stream.read(most + 1)
    if isinstance(fetched, OSError) and fetched.errno == errno.EINVAL and not source.root.fs.info(source.path)["size"]:
        return b""  # a server gives no range of nothing
    raise fetched


def names(lake: Root, folder: str) -> list[str]:
    """Return the names of the objects in a folder of the lake, in order; none when it is not there.

    Errors: LakeUnavailableError, DeniedError.
    """
    with lake_faults(lake, folder):
        try:
            found = lake.fs.ls(f"{lake.path}/{folder}", detail=True)
        except FileNotFoundError:
            return []
    paths = (PurePosixPath(entry["name"]) for entry in found if entry["type"] == "file")
    return sorted(path.name for path in paths if not path.name.startswith("."))


def find(lake: Root, folder: str) -> list[str]:
    """Return the keys of all objects below a folder of the lake, in order; none when it is not there.

    Errors: LakeUnavailableError, DeniedError.
    """
    with lake_faults(lake, folder):
        found = lake.fs.find(f"{lake.path}/{folder}")
    return sorted(path.removeprefix(lake.path).lstrip("/") for path in found)


def read(lake: Root, key: str) -> bytes:
    """Return the bytes of an object of the lake.

    Errors: LakeUnavailableError; GoneError, DeniedError.
    """
    with lake_faults(lake, key):
        body: bytes = lake.fs.cat_file(f"{lake.path}/{key}")
        return body


def content_hash(source: Source) -> str:
    """Return the SHA-256 of an object without holding it in memory.

    Errors: LakeUnavailableError, EtlnarrError when it is gone or may not be read.
    """
    with lake_faults(source.root, source.key), source.root.fs.open(source.path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def copy(url: str, expected: str, lake: Root, key: str, settings: Settings) -> bool:
    """Copy an object into the lake, whole or not at all; say whether it was still there with the same bytes.

    Shapes: expected is the SHA-256 that its bytes had.
    Errors: as write().
    """
    start = root(url, settings)
    if not _exists(start):
        return False
    digest = hashlib.sha256()
    try:
        with (
            lake_faults(start, key),
            start.fs.open(start.path, "rb") as stream,
            writing(lake, key, durable=False) as target,
        ):
            while part := stream.read(CHUNK):
                digest.update(part)
                target.write(part)
            if digest.hexdigest() != expected:
                raise ChangedError  # noqa: TRY301 - leaving the block by an error is what throws the copy away
    except ChangedError:
        return False
    return True


class ChangedError(Exception):
    """An object has other bytes than it had; what was written of it is thrown away."""


def holds(lake: Root, key: str, expected: str) -> bool:
    """Say whether an object is there with bytes of this SHA-256.

    Errors: LakeUnavailableError.
    """
    if size(lake, key) is None:
        return False
    with lake_faults(lake, key), lake.fs.open(f"{lake.path}/{key}", "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == expected


def reach(lake: Root) -> None:
    """See whether the lake is there.

    Errors: LakeUnavailableError; DeniedError; UsageError for a bucket or folder that does not exist.
    """
    with lake_faults(lake, lake.url):
        try:
            lake.fs.info(lake.bucket if lake.remote else lake.path)
        except FileNotFoundError as fault:
            raise UsageError(f"{masked(lake.url)}: no such folder or bucket; see --lake") from fault


def refuse_missing(lake: Root) -> None:
    """Refuse a bucket that does not exist before anything is done for it; a folder is made when it is needed.

    Errors: UsageError; LakeUnavailableError.
    """
    if lake.remote:
        with contextlib.suppress(DeniedError):  # whoever may not look at a bucket may still write to it
            reach(lake)


def size(lake: Root, key: str) -> int | None:
    """Return the size of an object in bytes, None when it is not there.

    Errors: LakeUnavailableError.
    """
    with lake_faults(lake, key):
        try:
            return int(lake.fs.info(f"{lake.path}/{key}")["size"])
        except FileNotFoundError:
            return None


def write(lake: Root, key: str, body: bytes, *, durable: bool = False) -> None:
    """Write a small object, whole or not at all.

    Shapes: as writing().
    Errors: LakeUnavailableError; EtlnarrError when the lake is full or may not be written.
    """
    if lake.remote:
        with lake_faults(lake, key):
            lake.fs.pipe_file(f"{lake.path}/{key}", body)
        return
    with writing(lake, key, durable=durable) as target:
        target.write(body)


def remove(lake: Root, key: str) -> None:
    """Remove an object if it is there.

    Errors: as write().
    """
    with lake_faults(lake, key), contextlib.suppress(FileNotFoundError):
        lake.fs.rm_file(f"{lake.path}/{key}")


def _exists(start: Root) -> bool:
    with lake_faults(start, start.url):
        there: bool = start.fs.exists(start.path)
        return there


@contextlib.contextmanager
def writing(lake: Root, key: str, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open an object for writing; it takes its place, whole, only when the block ends well.

    Shapes: what is durable outlives a loss of power, which costs a local disk some milliseconds.
    Errors: as write().
    """
    with lake_faults(lake, key), _upload(lake, key) if lake.remote else _aside(lake, key, durable=durable) as target:
        yield target


@contextlib.contextmanager
def _upload(lake: Root, key: str) -> Iterator[IO[bytes]]:
    stream = lake.fs.open(f"{lake.path}/{key}", "wb", autocommit=False)
    with contextlib.ExitStack() as undo:
        undo.callback(stream.discard)
        yield stream
        undo.pop_all()
    stream.close()
    stream.commit()


@contextlib.contextmanager
def _aside(lake: Root, key: str, *, durable: bool) -> Iterator[IO[bytes]]:
    target = Path(lake.path, key)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.partial")  # one name, so that what a kill leaves is overwritten
    with contextlib.ExitStack() as undo:
        undo.callback(aside.unlink, missing_ok=True)
        with aside.open("wb") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        undo.pop_all()
    aside.replace(target)
    if durable:
        _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make the new name of a file outlive a loss of power."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
