"""The lake: list, read and write whole objects, local or s3://; the only importer of fsspec and s3fs."""

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Final

import fsspec
from fsspec.core import has_magic, url_to_fs

from etlnarr.errors import EtlnarrError, LakeUnavailableError, UsageError
from etlnarr.settings import Settings

CHUNK: Final = 1 << 20
SUFFIX: Final = ".avro"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder or a bucket, with the file system that holds it."""

    url: str
    fs: fsspec.AbstractFileSystem
    path: str

    @property
    def bucket(self) -> str:
        """The bucket, or the name of the folder."""
        return self.path.split("/", 1)[0] if self.remote else PurePosixPath(self.path).name

    @property
    def remote(self) -> bool:
        """Whether objects are put over a network."""
        return not isinstance(self.fs, fsspec.implementations.local.LocalFileSystem)


@dataclass(frozen=True, slots=True)
class Source:
    """One object that may be an upload."""

    root: Root
    path: str
    key: str  # relative to the lake, else to the root it was found under
    bucket: str
    size: int
    stamp: str  # ETag, or time of change
    changed_ms: int

    @property
    def url(self) -> str:
        """The place where the object stands, unlike any other."""
        return str(self.root.fs.unstrip_protocol(self.path))


def root(url: str, settings: Settings) -> Root:
    """Open a lake or a source.

    Errors: UsageError for a URL that no file system understands.
    """
    try:
        fs, path = url_to_fs(url, **_options(url, settings))
    except (ValueError, ImportError) as fault:
        raise UsageError(f"{_masked(url)}: not a folder or an s3:// URL") from fault
    return Root(url, fs, path.rstrip("/") or "/")


def sources(urls: Sequence[str], lake: Root, settings: Settings) -> tuple[list[Source], int]:
    """List the uploads of files, folders and globs, each once, ordered by place.

    Shapes: the sources, and the number of files passed over because their name does not end in .avro.
    Errors: UsageError for a source that does not exist; LakeUnavailableError.
    """
    found: dict[str, Source] = {}
    ignored = 0
    for url in urls:
        start = lake if url == lake.url else root(url, settings)
        with _lake_faults(start, url):
            named, passed = _list(start, lake)
        ignored += passed
        found |= {source.url: source for source in named}
    return [found[url] for url in sorted(found)], ignored


def raw(lake: Root, settings: Settings) -> str:
    """Return the URL under which the lake keeps its uploads.

    Errors: UsageError when the lake has none.
    """
    url = f"{lake.url.rstrip('/')}/raw"
    start = root(url, settings)
    with _lake_faults(start, url):
        if not start.fs.exists(start.path):
            raise UsageError(f"{_masked(url)}: no such folder; name the uploads, or set --lake to where raw/ stands")
    return url


def read(source: Source) -> bytes:
    """Return the bytes of an object.

    Errors: LakeUnavailableError, EtlnarrError when it is gone or may not be read.
    """
    with _lake_faults(source.root, source.key):
        if not source.root.remote:
            return Path(source.path).read_bytes()
        body: bytes = source.root.fs.cat_file(source.path)
        return body


def read_many(batch: Sequence[Source]) -> Iterator[tuple[Source, bytes]]:
    """Yield the bytes of several objects; remote ones are fetched together.

    Errors: as read().
    """
    remote = [source for source in batch if source.root.remote]
    bodies: dict[str, bytes] = {}
    if len(remote) > 1:
        with _lake_faults(remote[0].root, remote[0].key):
            bodies = remote[0].root.fs.cat([source.path for source in remote])
    for source in batch:
        yield source, bodies.pop(source.path) if source.path in bodies else read(source)


def content_hash(source: Source) -> str:
    """Return the SHA-256 of an object without holding it in memory.

    Errors: as read().
    """
    digest = hashlib.sha256()
    with _lake_faults(source.root, source.key), source.root.fs.open(source.path, "rb") as stream:
        while part := stream.read(CHUNK):
            digest.update(part)
    return digest.hexdigest()


def copy(url: str, expected: str, lake: Root, key: str, settings: Settings) -> bool:
    """Copy an object into the lake, whole or not at all; say whether it was still there with the same bytes.

    Shapes: expected is the SHA-256 that its bytes had.
    Errors: as write().
    """
    start = root(url, settings)
    if not exists(start, ""):
        return False
    digest = hashlib.sha256()
    with (
        _lake_faults(start, key),
        start.fs.open(start.path, "rb") as stream,
        writing(lake, key, durable=False) as target,
    ):
        while part := stream.read(CHUNK):
            digest.update(part)
            target.write(part)
    if digest.hexdigest() == expected:
        return True
    remove(lake, key)
    return False


def write(lake: Root, key: str, body: bytes) -> None:
    """Write a small object, whole or not at all.

    Errors: LakeUnavailableError; EtlnarrError when the lake is full or may not be written.
    """
    with writing(lake, key, durable=False) as target:
        target.write(body)


def remove(lake: Root, key: str) -> None:
    """Remove an object if it is there.

    Errors: as write().
    """
    with _lake_faults(lake, key), contextlib.suppress(FileNotFoundError):
        lake.fs.rm_file(f"{lake.path}/{key}")


def exists(lake: Root, key: str) -> bool:
    """Say whether an object is there.

    Errors: LakeUnavailableError.
    """
    with _lake_faults(lake, key):
        there: bool = lake.fs.exists(f"{lake.path}/{key}".rstrip("/"))
        return there


@contextlib.contextmanager
def writing(lake: Root, key: str, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open an object for writing; it takes its place, whole, only when the block ends well.

    Shapes: what is durable outlives a loss of power, which costs a local disk some milliseconds.
    Errors: as write().
    """
    with _lake_faults(lake, key), _upload(lake, key) if lake.remote else _aside(lake, key, durable=durable) as target:
        yield target


@contextlib.contextmanager
def _upload(lake: Root, key: str) -> Iterator[IO[bytes]]:
    stream = lake.fs.open(f"{lake.path}/{key}", "wb", autocommit=False)
    try:
        yield stream
    except BaseException:
        stream.discard()
        raise
    stream.close()
    stream.commit()


@contextlib.contextmanager
def _aside(lake: Root, key: str, *, durable: bool) -> Iterator[IO[bytes]]:
    target = Path(lake.path, key)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.partial")  # one name, so that what a kill leaves is overwritten
    try:
        with aside.open("wb") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    aside.replace(target)


def _list(start: Root, lake: Root) -> tuple[list[Source], int]:
    """List one source; what was named outright is taken whatever its name ends in."""
    if has_magic(start.path):
        found = start.fs.glob(start.path, detail=True)
        if not found:
            raise UsageError(f"{_masked(start.url)}: nothing matches")
        base = start.path[: _magic_at(start.path)].rpartition("/")[0]
        files = {path: info for path, info in found.items() if info["type"] == "file"}
    elif start.fs.isfile(start.path):
        base, files = start.path.rpartition("/")[0], {start.path: start.fs.info(start.path)}
        return [_source(start, lake, base, path, info) for path, info in files.items()], 0
    elif start.fs.isdir(start.path):
        base, files = start.path, start.fs.find(start.path, detail=True)
    else:
        raise UsageError(f"{_masked(start.url)}: no such file, folder or bucket")
    taken = {path: info for path, info in files.items() if path.lower().endswith(SUFFIX) and not _dangling(info)}
    return [_source(start, lake, base, path, info) for path, info in taken.items()], len(files) - len(taken)


def _dangling(info: Mapping[str, object]) -> bool:
    """Whether this is a link to nothing."""
    return bool(info.get("islink")) and not Path(str(info["name"])).exists()


def _magic_at(path: str) -> int:
    return min(at for at in (path.find(sign) for sign in "*?[") if at >= 0)


def _source(start: Root, lake: Root, base: str, path: str, info: Mapping[str, object]) -> Source:
    inside = path.startswith(f"{lake.path}/") and start.remote == lake.remote
    owner = lake if inside else Root(base, start.fs, base)
    changed = info.get("mtime") or info.get("LastModified") or 0
    changed_ms = int((changed.timestamp() if isinstance(changed, datetime) else float(str(changed))) * 1000)
    stamp = str(info.get("ETag") or changed)
    key = path.removeprefix(owner.path).lstrip("/")
    return Source(start, path, key, owner.bucket, int(str(info["size"])), stamp, changed_ms)


def _options(url: str, settings: Settings) -> dict[str, object]:
    if not url.startswith("s3://"):
        return {"auto_mkdir": False} if "://" not in url else {}
    secret = settings.s3_secret_key
    key = settings.s3_access_key
    return {
        "key": key.get_secret_value() if key else None,
        "secret": secret.get_secret_value() if secret else None,
        "endpoint_url": settings.s3_endpoint_url,
        "client_kwargs": {"region_name": settings.s3_region},
        "config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 3}},
        "use_listings_cache": False,
    }


@contextlib.contextmanager
def _lake_faults(start: Root, what: str) -> Iterator[None]:
    """Turn what a file system raises into an error of ours that names no more than the key."""
    try:
        yield
    except EtlnarrError:
        raise
    except TimeoutError as fault:
        raise LakeUnavailableError(f"{_masked(start.url)}: the lake does not answer; run again later") from fault
    except PermissionError as fault:
        raise EtlnarrError(f"{_masked(what)}: access denied; check the rights or the S3 keys") from fault
    except FileNotFoundError as fault:
        raise EtlnarrError(f"{_masked(what)}: gone while it was needed; run again") from fault
    except OSError as fault:
        if not start.remote or fault.errno in (errno.ENOSPC, errno.EDQUOT):
            said = os.strerror(fault.errno) if fault.errno else type(fault).__name__
            raise EtlnarrError(f"{_masked(what)}: {said}; nothing half-written was left behind") from fault
        raise LakeUnavailableError(f"{_masked(start.url)}: the lake does not answer; run again later") from fault
    except _remote_faults(start) as fault:
        raise LakeUnavailableError(f"{_masked(start.url)}: the lake does not answer; run again later") from fault


def _remote_faults(start: Root) -> tuple[type[Exception], ...]:
    if not start.remote:
        return ()
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second, for S3 alone

    return (BotoCoreError, ClientError)


def _masked(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)
