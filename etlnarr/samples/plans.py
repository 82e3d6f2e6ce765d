"""Which uploads many people make: daily ones with their habits, or so many of a given size."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from etlnarr.errors import UsageError
from etlnarr.samples.chance import between, stream
from etlnarr.samples.clock import DAY, HOUR, MINUTE, NEXT, SECOND, instant
from etlnarr.samples.crowd import one_of_many
from etlnarr.samples.exports import EXPORTS
from etlnarr.samples.person import Person
from etlnarr.samples.sources import G7, PHONE, PHONE_BY_MINUTE, App
from etlnarr.samples.uploads import Upload

FIRST_DAY: Final = date(2025, 11, 1)
MONTH_DAYS: Final = 29
"""The uploads of a given size spread over so many days, so that all of them belong to one month anywhere on earth."""
HOURS: Final = (11.0, 17.5)
"""When people share, by the clock: hours that lie on the same date in UTC, wherever they live."""
LOOK_BACK: Final = 36 * HOUR
FIRST_SYNC_DAYS: Final = (1, 1, 14, 30)
AGAIN: Final = 0.08
"""Share of uploads that are made a second time within minutes."""
AGAIN_SECONDS: Final = (60, 240)
CODECS: Final = ("null", "null", "snappy")
RECORDS_A_DAY: Final = {
    "BloodGlucoseRecord": 260,
    "HeartRateRecord": 80,
    "SleepSessionRecord": 2,
    "StepsRecord": 45,
    "ActiveCaloriesBurnedRecord": 12,
    "HeartRateVariabilityRmssdRecord": 70,
}
MOST_DAYS: Final = 60
USUAL_RECORDS: Final = 250
FEWEST_A_DAY: Final = {
    "BloodGlucoseRecord": 150,
    "HeartRateRecord": 80,
    "SleepSessionRecord": 1,
    "StepsRecord": 40,
    "ActiveCaloriesBurnedRecord": 40,
    "HeartRateVariabilityRmssdRecord": 60,
}
"""What even those have who have least of it, where energy is told by the minute."""

HISTORY_DAYS: Final = 7_300
"""Nobody's records go back further than twenty years, so that nobody has a hundred thousand sleep sessions."""

UPLOADS_OF_A_PERSON: Final = 24


def daily_uploads(users: int, days: int, seed: int) -> Iterator[Upload]:
    """Yield the uploads of each person and day: one of each record type, now and then the same once more."""
    for number in range(1, users + 1):
        person = one_of_many(seed, number)
        draw = stream(person.key, "sharing")
        reach = FIRST_SYNC_DAYS[int(draw.random() * len(FIRST_SYNC_DAYS))]
        codec = CODECS[int(draw.random() * len(CODECS))]
        for ahead in range(days):
            fetched = instant(person.zone, FIRST_DAY + ahead * NEXT, between(draw, *HOURS)) + _seconds(draw.random())
            start = fetched - (LOOK_BACK if ahead else max(reach * DAY, LOOK_BACK))
            again = fetched + round(between(draw, *AGAIN_SECONDS)) * SECOND if draw.random() < AGAIN else None
            for at in (fetched,) if again is None else (fetched, again):
                for kind in EXPORTS:
                    yield Upload(person, kind, start + at - fetched, at, at, codec)


def sized_uploads(count: int, records: int | None, users: int | None, seed: int) -> Iterator[Upload]:
    """Yield so many uploads, in order of person and record type.

    Shapes: each of just so many records, and of the types that everybody has so many of; without a number, of the usual
    number or as many as the last two months hold.
    Errors: UsageError for more records than anybody has.
    """
    kinds = tuple(kind for kind in EXPORTS if records is None or records <= FEWEST_A_DAY[kind] * HISTORY_DAYS)
    if not kinds:
        raise UsageError(f"--records {records}: more than twenty years hold; ask for at most {_most_records()}")
    people = users or -(-count // UPLOADS_OF_A_PERSON)
    rounds = -(-count // (people * len(kinds)))
    made = 0
    for number in range(1, people + 1):
        person = _detailed(one_of_many(seed, number), PHONE if records is None else PHONE_BY_MINUTE)
        first = instant(person.zone, FIRST_DAY, HOURS[0])
        wanted = [(turn, kind) for turn in range(rounds) for kind in kinds][: count - made]
        made += len(wanted)
        for turn, kind in sorted(wanted, key=lambda one: kinds.index(one[1])):
            at = first + turn * (MONTH_DAYS * DAY) // rounds // MINUTE * MINUTE + number % 60 * SECOND
            days = HISTORY_DAYS if records else min(-(-USUAL_RECORDS // RECORDS_A_DAY[kind]), MOST_DAYS)
            yield Upload(person, kind, at - max(days * DAY, LOOK_BACK), at, at, most=records or USUAL_RECORDS)


def _most_records() -> int:
    return max(FEWEST_A_DAY.values()) * HISTORY_DAYS


def _detailed(person: Person, phone: App) -> Person:
    """Return the person with a sensor and a phone that write often; daily totals would never fill an upload."""
    first, habits = person.habits[0]
    return replace(person, habits=((first, replace(habits, glucose=(G7,), steps=(phone,), energy=(phone,))),))


def _seconds(share: float) -> int:
    return int(share * 60) * SECOND
