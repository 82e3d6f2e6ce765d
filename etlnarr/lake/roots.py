"""Where a lake stands, and what may go wrong with it."""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from etlnarr.errors import (
    DeniedError,
    EtlnarrError,
    GoneError,
    LakeRefusedError,
    LakeThrottledError,
    LakeUnavailableError,
    UsageError,
    masked,
)
from etlnarr.settings import Settings

LASTING: Final = frozenset({"ParamValidationError", "EndpointResolutionError", "PartialCredentialsError"})
"""Faults of the library for S3 that come back however often it is asked."""


@dataclass(frozen=True)  # without slots, which leave no room for what is worked out once
class Root:
    """A folder or a bucket, with the file system that holds it."""

    url: str
    fs: fsspec.AbstractFileSystem
    path: str

    @cached_property
    def bucket(self) -> str:
        """The bucket, or the name of the folder."""
        return self.path.split("/", 1)[0] if self.remote else PurePosixPath(self.path).name

    @cached_property
    def remote(self) -> bool:
        """Whether objects are put over a network."""
        return not isinstance(self.fs, LocalFileSystem)


def root(url: str, settings: Settings) -> Root:
    """Open a lake or a source.

    Errors: UsageError for anything but a local path or an s3:// URL.
    """
    local = url.removeprefix("file://")
    if not url:
        raise UsageError("an empty name is no folder; name a file, a folder, a pattern or an s3:// URL")
    if "://" not in local:
        return Root(url, LocalFileSystem(auto_mkdir=False), os.path.normpath(Path(local).absolute()))
    if not url.startswith("s3://"):
        raise UsageError("not a folder or an s3:// URL; see --lake, ETL_LAKE_URL and the sources")
    try:
        fs, path = url_to_fs(url, **_options(settings))
    except (ValueError, ImportError) as fault:
        raise UsageError(f"{masked(url)}: not an s3:// URL that can be opened; see ETL_S3_ENDPOINT_URL") from fault
    if not path.strip("/"):
        raise UsageError(f"{masked(url)}: names no bucket; write s3://bucket, or s3://bucket/folder")
    return Root(url, fs, path.rstrip("/"))


@contextlib.contextmanager
def lake_faults(start: Root, what: str) -> Iterator[None]:
    """Turn what a file system raises into an error of ours.

    It names the folder alone: the name of an upload may tell whose it is.
    """
    where = masked(what if start.url.endswith(what) else str(PurePosixPath(what).parent))
    try:
        yield
    except EtlnarrError:
        raise
    except TimeoutError as fault:
        raise LakeUnavailableError(f"{masked(start.url)}: the lake does not answer; run again later") from fault
    except PermissionError as fault:
        raise DeniedError(f"{where}: access denied; check the rights or the S3 keys") from fault
    except (FileNotFoundError, IsADirectoryError) as fault:
        raise GoneError(f"{where}: an object is gone while it was needed; run again") from fault
    except OSError as fault:
        if start.remote and fault.errno == errno.EBUSY:  # SlowDown and its kin
            raise LakeThrottledError(f"{masked(start.url)}: the lake is asked too often; run again later") from fault
        if not start.remote or fault.errno in (errno.ENOSPC, errno.EDQUOT):
            said = os.strerror(fault.errno) if fault.errno else type(fault).__name__
            raise EtlnarrError(f"{where}: {said}; nothing half-written was left behind") from fault
        if _says_nonsense(fault):
            raise _wrong(start) from fault
        raise LakeUnavailableError(f"{masked(start.url)}: the lake does not answer; run again later") from fault
    except ValueError as fault:
        if not start.remote:
            raise
        raise _wrong(start) from fault
    except _remote_faults(start) as fault:
        if type(fault).__name__ in LASTING:
            raise _wrong(start) from fault
        refused = type(fault).__name__ == "EndpointConnectionError"
        kind = LakeRefusedError if refused else LakeUnavailableError
        raise kind(f"{masked(start.url)}: the lake does not answer; run again later") from fault


def _wrong(start: Root) -> UsageError:
    return UsageError(
        f"{masked(start.url)}: not an S3 lake that can be opened; check the bucket, ETL_S3_ENDPOINT_URL and the S3 keys"
    )


def _says_nonsense(fault: OSError) -> bool:
    """Whether a store took a request for none, such as one for a bucket whose name no bucket can have."""
    response = getattr(fault.__cause__, "response", {})
    return response.get("Error", {}).get("Code") in ("400", "InvalidBucketName")


def _options(settings: Settings) -> dict[str, object]:
    secret, key = settings.s3_secret_key, settings.s3_access_key
    return {
        "key": key.get_secret_value() if key else None,
        "secret": secret.get_secret_value() if secret else None,
        "endpoint_url": settings.s3_endpoint_url,
        "client_kwargs": {"region_name": settings.s3_region},
        "config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 3}},
        "use_listings_cache": False,
    }


def _remote_faults(start: Root) -> tuple[type[Exception], ...]:
    if not start.remote:
        return ()
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second, for S3 alone
    from s3fs.core import S3_RETRYABLE_ERRORS  # noqa: PLC0415 - as above

    return (BotoCoreError, ClientError, *S3_RETRYABLE_ERRORS)
