"""Uploads: what the sharing app reads from Health Connect at one time, as one file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, cast

from etlnarr.avro import encode
from etlnarr.samples.chance import digest
from etlnarr.samples.clock import NEXT, SECOND, day_of
from etlnarr.samples.exports import EXPORTS
from etlnarr.samples.person import Person
from etlnarr.samples.schemas import SCHEMAS
from etlnarr.samples.sources import Row

SYNC_BYTES: Final = 16
HASH_LETTERS: Final = 8
STARTS: Final = ("startTimeEpochMillis", "timeEpochMillis")


@dataclass(frozen=True, slots=True)
class Upload:
    """One reading of one record type: the records that begin in a window, as they were when it was read."""

    person: Person
    kind: str
    start: int
    end: int
    fetched: int
    codec: str = "null"
    most: int | None = None  # records that the sharing app takes at once, the newest


def rows(upload: Upload) -> list[Row]:
    """Return the records of an upload in the order of their start, as Health Connect returns them."""
    found = [(_start(row), row) for row in _records(upload) if upload.start <= _start(row) < upload.end]
    found.sort(key=lambda pair: pair[0])
    kept = found if upload.most is None else found[-upload.most :]
    return [row | {"appRecordFetchTimeEpochMillis": upload.fetched} for _, row in kept]


def content(upload: Upload, records: list[Row]) -> bytes:
    """Return an upload as the bytes of a file; the sync marker follows from who, what and when."""
    sync = digest(upload.person.key, upload.kind, upload.fetched)[:SYNC_BYTES]
    return encode(SCHEMAS[upload.kind], records, upload.codec, sync)


def loose_name(upload: Upload) -> str:
    """Return the name that the sharing app gives a file on the phone."""
    return f"{upload.kind}_{upload.fetched}.avro"


def key(upload: Upload, data: bytes) -> str:
    """Return the key of an upload in a lake."""
    at = datetime.fromtimestamp(upload.fetched // SECOND, UTC)
    named = f"{upload.person.name}_{at:%Y%m%d_%H%M%S}_{sha256(data).hexdigest()[:HASH_LETTERS]}"
    return f"raw/{upload.kind}/{at:%Y/%m/%d}/{named}.avro"


def _records(upload: Upload) -> Iterator[Row]:
    day, last = day_of(upload.person.zone, upload.start), day_of(upload.person.zone, upload.end) + NEXT
    while day <= last:
        yield from EXPORTS[upload.kind](upload.person, day, upload.fetched)
        day += NEXT


def _start(row: Row) -> int:
    return cast("int", next(row[name] for name in STARTS if name in row))
