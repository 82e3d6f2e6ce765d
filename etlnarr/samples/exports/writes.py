"""When apps write: a record is in Health Connect from its app's next write on, and as it was at that write."""

from collections.abc import Iterator
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
    last = None
    for at in _around(person, app, end):
        if at > as_of:
            break
        if at > start:
            last = at
        if at >= end:
            break
    return None if last is None else last + digest(person.key, app.package, start, end)[0] % TOGETHER_MS


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


def _around(person: Person, app: App, at: int) -> Iterator[int]:
    day = day_of(person.zone, at)
    for near in (day - NEXT, day, day + NEXT):
        yield from writes(person, app, near)
