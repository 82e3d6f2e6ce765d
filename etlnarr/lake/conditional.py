"""Small objects that are written only under a condition, where the lake is seen to honour it."""

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO

from etlnarr.lake.roots import Root, lake_faults


@dataclass(frozen=True, slots=True)
class Seen:
    """A small object as it stood.

    Units: age in seconds since it was written, both times by the clock of the server.
    """

    body: bytes
    etag: str
    age: float


@contextlib.contextmanager
def file_lock(lake: Root, key: str) -> Iterator[IO[bytes]]:
    """Open a file of a lake in a folder, to be locked by this process; the lock goes with the process.

    Errors: EtlnarrError when it cannot be written.
    """
    path = Path(lake.path, key)
    with lake_faults(lake, key):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    with stream:
        yield stream


def try_lock(stream: IO[bytes]) -> bool:
    """Lock an open file unless another process has; say whether it is ours now."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def honours_conditions(lake: Root, key: str) -> bool:
    """Probe whether the store refuses a put whose condition does not hold: some take it and overwrite.

    Errors: LakeUnavailableError, DeniedError.
    """
    try:
        first = put_if(lake, key, b"probe", None)
        again = put_if(lake, key, b"probe", None)
        return first and not again and not put_if(lake, key, b"probe", '"00000000000000000000000000000000"')
    finally:
        with lake_faults(lake, key), contextlib.suppress(FileNotFoundError):
            lake.fs.rm_file(f"{lake.path}/{key}")


def put_if(lake: Root, key: str, body: bytes, etag: str | None) -> bool:
    """Put an object if none is there, or if the one with this ETag is; say whether it was put.

    Errors: LakeUnavailableError, DeniedError.
    """
    bucket, _, path = f"{lake.path}/{key}".partition("/")
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    with lake_faults(lake, key):
        try:
            lake.fs.call_s3("put_object", Bucket=bucket, Key=path, Body=body, **condition)
        except OSError as fault:
            if not _refused(fault):
                raise
            return False
    return True


def see(lake: Root, key: str) -> Seen | None:
    """Return a small object as it stands, None when it is not there.

    Errors: LakeUnavailableError, DeniedError.
    """
    bucket, _, path = f"{lake.path}/{key}".partition("/")
    with lake_faults(lake, key):
        try:
            head = lake.fs.call_s3("head_object", Bucket=bucket, Key=path)
            body = lake.fs.cat_file(f"{lake.path}/{key}", start=0, end=int(head["ContentLength"]))
        except FileNotFoundError:
            return None
    now = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
    written: datetime = head["LastModified"]
    return Seen(body, str(head["ETag"]), (now - written).total_seconds())


def _refused(fault: OSError) -> bool:
    """Whether a store said that a condition does not hold, or that another put is under way."""
    response = getattr(fault.__cause__, "response", {})
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412)
