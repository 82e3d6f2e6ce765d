"""Uploads: what the sharing app reads from Health Connect at one time, as one file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final, cast

from etlnarr.avro import encode
from etlnarr.samples.chance import digest
from etlnarr.samples.clock import NEXT, SECOND, day_of, midnight
from etlnarr.samples.exports import EXPORTS
from etlnarr.samples.person import Person
from etlnarr.samples.schemas import SCHEMAS
from etlnarr.samples.sources import Row

SYNC_BYTES: Final = 16
HASH_LETTERS: Final = 8
POINT, START = "timeEpochMillis", "startTimeEpochMillis"
SETTLED: Final = timedelta(days=4)
"""After so many days no app writes anything more of a day."""

Timed = list[tuple[int, Row]]
"""Records, each with its start."""


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


def rows(uploads: Iterable[Upload]) -> Iterator[tuple[Upload, list[Row]]]:
    """Yield the records of each upload in the order of their start, as Health Connect returns them.

    Shapes: all of one person and record type.
    """
    settled: dict[date, Timed] = {}
    for upload in uploads:
        found = _newest(upload, settled)
        found.sort(key=lambda pair: pair[0])
        kept = found if upload.most is None else found[-upload.most :]
        yield upload, [row | {"appRecordFetchTimeEpochMillis": upload.fetched} for _, row in kept]


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


def _newest(upload: Upload, settled: dict[date, Timed]) -> Timed:
    """Return the records of as many days as are needed, back from the last of which anything can be known."""
    zone, first = upload.person.zone, day_of(upload.person.zone, upload.start)
    day = min(day_of(zone, upload.end) + NEXT, day_of(zone, upload.fetched))
    days, complete, begun = list[Timed](), 0, 0
    while day >= first and (upload.most is None or complete < upload.most):
        found = [pair for pair in _of_day(upload, day, settled) if upload.start <= pair[0] < upload.end]
        days.append(found)
        complete += begun + len(found)
        begun = sum(start < midnight(zone, day) for start, _ in found)  # the day before may hold later records
        complete -= begun
        day -= NEXT
    return [pair for found in reversed(days) for pair in found]


def _of_day(upload: Upload, day: date, settled: dict[date, Timed]) -> Timed:
    """Return what is known of a day, worked out once when it changes no more."""
    if day in settled:
        return settled[day]
    found = [(_start(row), row) for row in EXPORTS[upload.kind](upload.person, day, upload.fetched)]
    if midnight(upload.person.zone, day + SETTLED) <= upload.fetched:
        settled[day] = found
    return found


def _start(row: Row) -> int:
    return cast("int", row[POINT] if POINT in row else row[START])
