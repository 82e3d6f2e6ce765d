"""Which objects of a source may be uploads."""

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from fsspec.core import has_magic

from etlnarr.errors import DeniedError, GoneError, UsageError, masked
from etlnarr.lake.roots import Root, lake_faults, root
from etlnarr.settings import Settings

SUFFIX: Final = ".avro"


@dataclass(frozen=True)  # without slots, which leave no room for what is worked out once
class Source:
    """One object that may be an upload."""

    root: Root
    path: str
    key: str  # relative to the lake, else to the root it was found under
    bucket: str
    size: int
    stamp: str  # ETag, or time of change
    changed_ms: int

    @cached_property
    def url(self) -> str:
        """The place where the object stands, unlike any other."""
        return str(self.root.fs.unstrip_protocol(self.path))


@dataclass(slots=True)
class Listed:
    """What was found.

    Shapes: ignored counts what is no regular file, or whose name is no UTF-8 or does not end in .avro; denied counts
    the folders that may not be listed.
    """

    sources: list[Source]
    ignored: int = 0
    denied: int = 0


@dataclass(slots=True)
class Found:
    """Files under one base, by path: size, ETag or time of change, time of change."""

    base: str
    files: dict[str, Mapping[str, object]] = field(default_factory=dict)
    ignored: int = 0
    denied: int = 0


def sources(urls: Sequence[str], lake: Root, settings: Settings) -> Listed:
    """List the uploads of files, folders and globs, each once, ordered by place.

    Errors: UsageError for a source that does not exist; LakeUnavailableError.
    """
    listed: dict[str, Source] = {}
    ignored = denied = 0
    for url in urls:
        start = lake if url == lake.url else root(url, settings)
        with lake_faults(start, url):
            found = _in_bucket(start) if start.remote else _in_folders(start)
        ignored, denied = ignored + found.ignored, denied + found.denied
        base = Root(found.base, start.fs, found.base)
        for path, info in found.files.items():
            inside = path.startswith(f"{lake.path}/") and start.remote == lake.remote
            source = _source(start, lake if inside else base, path, info)
            listed[source.url] = source
    return Listed([listed[url] for url in sorted(listed)], ignored, denied)


def raw(lake: Root, settings: Settings) -> str:
    """Return the URL under which the lake keeps its uploads.

    Errors: UsageError when the lake has none.
    """
    url = f"{lake.url.rstrip('/')}/raw"
    start = root(url, settings)
    with lake_faults(start, url):
        if not start.fs.exists(start.path):
            raise UsageError(f"{masked(url)}: no such folder; name the uploads, or set --lake to where raw/ stands")
    return url


def named(lake: Root, bucket: str, key: str, size: int) -> Source:
    """Return the object that a message names; whether it is there shows when it is read.

    Errors: GoneError for a bucket that a lake in a folder cannot have; DeniedError for a place outside raw/.
    """
    if bucket == lake.bucket:
        path = f"{bucket}/{key}" if lake.remote else f"{lake.path}/{key}"
        inside = path.startswith(f"{lake.path}/")
        source = Source(lake, path, path.removeprefix(f"{lake.path}/") if inside else key, bucket, size, "", 0)
        return _in_raw(source)
    if not lake.remote:
        raise GoneError("the message names another bucket than the folder that is the lake; see --lake")
    return _in_raw(Source(Root(f"s3://{bucket}", lake.fs, bucket), f"{bucket}/{key}", key, bucket, size, "", 0))


def _in_raw(source: Source) -> Source:
    if not source.key.startswith("raw/"):
        raise DeniedError("the message names an object outside raw/")
    return source


def _in_folders(start: Root) -> Found:
    """List a local source; what was named outright is taken whatever its name ends in."""
    path = Path(start.path)
    if path.is_file():
        return Found(str(path.parent), {start.path: _info(path.stat())})
    if path.is_dir():
        found = Found(start.path)
        _walk(start.path, found, set())
        return found
    if path.exists():
        raise UsageError(f"{start.url}: neither a regular file nor a folder")
    if not has_magic(start.path):
        raise UsageError(f"{start.url}: no such file, folder or bucket")
    matches = [Path(match) for match in sorted(glob.glob(start.path, recursive=True))]  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matches:
        raise UsageError(f"{start.url}: nothing matches")
    found = Found(start.path[: _magic_at(start.path)].rpartition("/")[0])
    for match in matches:
        if match.is_dir():
            _walk(str(match), found, set())
        else:
            _take(str(match), match, found)
    return found


def _walk(folder: str, found: Found, seen: set[str]) -> None:
    """Take every upload below a folder, each folder once: links may lead in circles."""
    place = os.path.realpath(folder)
    if place in seen:
        return
    seen.add(place)
    try:
        with os.scandir(folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except PermissionError:
        found.denied += 1
        return
    for entry in entries:
        named = Path(entry) if entry.is_symlink() else entry  # only a Path takes a link in circles for no file
        if named.is_dir():
            _walk(entry.path, found, seen)
        else:
            _take(entry.path, named, found)


def _take(path: str, entry: "os.DirEntry[str] | Path", found: Found) -> None:
    if not (entry.is_file() and path.lower().endswith(SUFFIX) and _is_text(path)):
        found.ignored += 1
        return
    found.files[path] = _info(entry.stat())


def _is_text(path: str) -> bool:
    """Whether a name is UTF-8; another one could not be kept in the catalog."""
    return path.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in path)


def _info(found: os.stat_result) -> Mapping[str, object]:
    return {"size": found.st_size, "mtime": found.st_mtime}


def _in_bucket(start: Root) -> Found:
    if start.fs.isfile(start.path):
        return Found(start.path.rpartition("/")[0], {start.path: start.fs.info(start.path)})
    if start.fs.isdir(start.path):
        return _uploads(Found(start.path), start.fs.find(start.path, detail=True))
    if not has_magic(start.path):
        raise UsageError(f"{masked(start.url)}: no such file, folder or bucket")
    matches = start.fs.glob(start.path, detail=True)
    if not matches:
        raise UsageError(f"{masked(start.url)}: nothing matches")
    found = Found(start.path[: _magic_at(start.path)].rpartition("/")[0])
    for path, info in matches.items():
        whole = {path: info} if info["type"] == "file" else start.fs.find(path, detail=True)
        _uploads(found, whole)
    return found


def _uploads(found: Found, files: Mapping[str, Mapping[str, object]]) -> Found:
    taken = {path: info for path, info in files.items() if path.lower().endswith(SUFFIX)}
    found.files |= taken
    found.ignored += len(files) - len(taken)
    return found


def _magic_at(path: str) -> int:
    return min(at for at in (path.find(sign) for sign in "*?[") if at >= 0)


def _source(start: Root, owner: Root, path: str, info: Mapping[str, object]) -> Source:
    changed = info.get("mtime") or info.get("LastModified") or 0
    changed_ms = int((changed.timestamp() if isinstance(changed, datetime) else float(str(changed))) * 1000)
    stamp = str(info.get("ETag") or changed)
    key = path.removeprefix(owner.path).lstrip("/")
    return Source(start, path, key, owner.bucket, int(str(info["size"])), stamp, changed_ms)
