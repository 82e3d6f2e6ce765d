"""When apps write: a record is in Health Connect from its app's next write on, and as it was at that write."""

from bisect import bisect_left, bisect_right
from datetime import date
from functools import lru_cache
from typing import Final

from etlnarr.samples.body.night import night
from etlnarr.samples.chance import between, digest, stream
from etlnarr.samples.clock import MINUTE, NEXT, day_of, offset_id
from etlnarr.samples.person import Person
from etlnarr.samples.sources import App, Row, metadata

FIRST_MINUTES: Final = (6, 25)
"""After getting up; an app that scores nights first, such as a ring's, takes longer."""
SCORED_MINUTES: Final = (70, 115)
PAUSE_MINUTES: Final = (25, 150)
TOGETHER_MS: Final = 7
"""Records of one write differ by a few milliseconds."""


@lru_cache(maxsize=1 << 8)
def writes(person: Person, app: App, day: date) -> tuple[int, ...]:
    """Return the instants of a day at which an app writes: after getting up, then now and then until bed."""
    draw = stream(person.key, "writes", app.package, day)
    first = SCORED_MINUTES if app.counts_versions else FIRST_MINUTES
    at = night(person, day).end + round(between(draw, *first) * MINUTE)
    found = []
    while at < night(person, day + NEXT).start:
        found.append(at)
        at += round(between(draw, *PAUSE_MINUTES) * MINUTE)
    return tuple(found)


def written(person: Person, app: App, bounds: tuple[int, int], as_of: int) -> int | None:
    """Return when an app last wrote a record with these bounds, None when it had not yet."""
    start, end = bounds
    around = _around(person, app, day_of(person.zone, end))
    known = min(bisect_left(around, end) + 1, bisect_right(around, as_of))
    last = around[known - 1] if known else start
    return last + digest(person.key, app.package, start, end)[0] % TOGETHER_MS if last > start else None


def interval(person: Person, identity: tuple[App, str, str], bounds: tuple[int, int], modified: int) -> Row:
    """Return what every record with a start and an end has; identity is the app, the record type and the key."""
    start, end = bounds
    return {
        "metadata": metadata(*identity, modified),
        "startTimeEpochMillis": start,
        "endTimeEpochMillis": end,
        "startZoneOffsetId": offset_id(person.zone, start),
        "endZoneOffsetId": offset_id(person.zone, end),
    }


@lru_cache(maxsize=1 << 8)
def _around(person: Person, app: App, day: date) -> tuple[int, ...]:
    return tuple(at for near in (day - NEXT, day, day + NEXT) for at in writes(person, app, near))
