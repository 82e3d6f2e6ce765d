"""What the name and place of an upload tell: who, when, which type."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

PREFIX: Final = "Avro"
KEY_DATE: Final = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/[^/]*$")
TIME: Final = re.compile(r"(?<=_)(?:\d{8}_\d{6}|\d{13}|\d{10})(?!\d)", re.ASCII)
DIGITS_OF_MS: Final = 13
EARLIEST: Final = 946_684_800_000
LATEST: Final = 4_102_444_800_000
"""2000-01-01 and 2100-01-01 in epoch ms: a number outside of them is no time."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a key says of its upload, and a message about it, if there was one.

    Units: times in epoch ms, UTC.
    """

    user_id: str | None
    record_type: str | None
    named: int | None  # the full time in the name
    dated: int | None  # midnight of the date in the key
    announced: int | None = None  # the time in the message
    correlation_id: str | None = None
    content_hash: str | None = None  # the SHA-256 that the bytes should have, or its first digits


def read(key: str, types: Collection[str]) -> Envelope:
    """Read a key such as raw/StepsRecord/2025/11/15/user_1763208000_ab12.avro or StepsRecord_1758407139312.avro."""
    *folders, file = key.split("/")
    stem = file.rsplit(".", 1)[0]
    dated = _dated(key)
    who, named = _named(stem, dated)
    parts = [base_name(part) for part in [*folders, who or stem]]
    record_type = next((part for part in reversed(parts) if part in types), None)
    user_id = who if who is not None and base_name(who) not in types else None
    return Envelope(user_id, record_type, named, dated)


def base_name(name: str) -> str:
    """Return the name of a record type without the prefix that some writers add."""
    return name.removeprefix(PREFIX)


def uploaded(envelope: Envelope, fetched: int | None, changed: int) -> int:
    """Decide when an upload was made.

    Units: epoch ms. The time in the message; else the time in the name, else the latest fetch time, each only if it
    falls on the date of the key or the key has none; else that date; else the time of the file.
    """
    if envelope.announced is not None:
        return envelope.announced
    for time in (envelope.named, fetched):
        if time is not None and (envelope.dated is None or day(time) == day(envelope.dated)):
            return time
    return changed if envelope.dated is None else envelope.dated


def day(ms: int) -> str:
    """Return the UTC date of a time as YYYY-MM-DD."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")


def utc(ms: int) -> str:
    """Return a time as 2025-11-15T12:00:00Z, with milliseconds only where there are any."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return text.replace("+00:00", "Z")


def _named(stem: str, dated: int | None) -> tuple[str | None, int | None]:
    """Return who and when a name tells: of several numbers the time that fits the date, is written out, or comes last.

    What stands before the time is the user, numbers and all.
    """
    found = [(match.start(), _read(match.group())) for match in TIME.finditer(stem)]
    times = [
        (dated is not None and day(time) == day(dated), "_" in stem[at : at + 9], at, time)
        for at, time in found
        if time is not None and EARLIEST <= time < LATEST
    ]
    if times:
        *_, at, time = max(times)
        return stem[: at - 1] or None, time
    return (stem[: found[0][0] - 1] or None, None) if found else (None, None)


def _read(text: str) -> int | None:
    if "_" in text:
        return _ms(text, "%Y%m%d_%H%M%S")
    return int(text) if len(text) == DIGITS_OF_MS else int(text) * 1000


def _dated(key: str) -> int | None:
    match = KEY_DATE.search(key)
    return _ms("-".join(match.groups()), "%Y-%m-%d") if match else None


@lru_cache(maxsize=1 << 10)
def _ms(text: str, pattern: str) -> int | None:
    try:
        return int(datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None
