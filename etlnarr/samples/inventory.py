"""The default samples: 26 uploads of one person in November 2025."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from etlnarr.samples.clock import HOUR, SECOND, midnight
from etlnarr.samples.exports import activity, glucose, heart_rate, hrv, sleep
from etlnarr.samples.person import Person
from etlnarr.samples.story import sample_data_user
from etlnarr.samples.uploads import Upload

GLUCOSE, HEART, SLEEP, RMSSD = glucose.KIND, heart_rate.KIND, sleep.KIND, hrv.KIND
STEPS, ENERGY = activity.STEPS, activity.ENERGY
AGAIN_S: Final = 106
"""The sharing app is opened again so many seconds later and uploads what it has just uploaded."""
PACKED: Final = "snappy"

Plan = tuple[str, tuple[int, int, float], tuple[int, int, float], int, str]
"""Record type; first instant and fetch as (month, day, hour); seconds after the fetch's minute; codec."""

PLANS: Final[tuple[Plan, ...]] = (
    # What there is when sharing begins, in two parts: finger-sticks, then a sensor with lows and highs; then a sensor
    # with fewer of them, one of a steady fortnight, and a day of another.
    (GLUCOSE, (10, 6, 0), (10, 21, 0), 0, "null"),
    (GLUCOSE, (10, 21, 0), (11, 1, 17.42), 9, PACKED),
    (GLUCOSE, (11, 2, 6), (11, 12, 18.1), 21, PACKED),
    (GLUCOSE, (11, 12, 13.6), (11, 27, 7.2), 33, PACKED),
    (GLUCOSE, (11, 28, 17.42), (11, 29, 17.42), 40, PACKED),
    # A day of fever, a night faster than its day, the next fetch before the hour was over, a bout, a beta blocker.
    (HEART, (10, 31, 17.42), (11, 1, 17.42), 19, PACKED),
    (HEART, (11, 7, 17.55), (11, 8, 17.55), 12, PACKED),
    (HEART, (11, 8, 10.4), (11, 9, 10.4), 27, "null"),
    (HEART, (11, 17, 7), (11, 18, 20.3), 31, PACKED),
    (HEART, (11, 28, 17.42), (11, 29, 17.42), 40, PACKED),
    # Four weeks of late weekends, the same once more, bad nights, a long one with a nap, good nights.
    (SLEEP, (10, 4, 18), (11, 1, 17.42), 19, PACKED),
    (SLEEP, (10, 4, 18), (11, 1, 17.42), 19 + AGAIN_S, PACKED),
    (SLEEP, (11, 1, 18), (11, 15, 17.42), 15, "null"),
    (SLEEP, (11, 15, 17.42), (11, 16, 21.6), 15, "null"),
    (SLEEP, (11, 15, 18), (11, 29, 17.42), 40, PACKED),
    # From a week of little walking to one of much, without the fever; the fourth is told in minutes.
    (STEPS, (10, 24, 0), (10, 31, 0), 19, "null"),
    (STEPS, (11, 2, 0), (11, 9, 17.55), 12, "null"),
    (STEPS, (11, 8, 0), (11, 15, 17.42), 15, "null"),
    (STEPS, (11, 14, 0), (11, 22, 18.9), 50, PACKED),
    (STEPS, (11, 21, 0), (11, 29, 17.42), 40, PACKED),
    # Nine days in slices of ten minutes, three times: less activity than the guideline asks, as much (with the daily
    # totals of a ring beside), more.
    (ENERGY, (10, 22, 0), (10, 31, 0), 19, PACKED),
    (ENERGY, (11, 7, 0), (11, 15, 17.42), 15, PACKED),
    (ENERGY, (11, 21, 0), (11, 29, 17.42), 40, PACKED),
    # The last week below, within and above what is usual.
    (RMSSD, (10, 4, 18), (11, 1, 17.42), 19, PACKED),
    (RMSSD, (10, 18, 18), (11, 15, 17.42), 15, PACKED),
    (RMSSD, (11, 1, 18), (11, 29, 17.42), 40, PACKED),
)


def default_uploads(seed: int) -> Iterator[Upload]:
    """Yield the 26 uploads of the default samples."""
    person = sample_data_user(seed)
    for kind, start, end, seconds, codec in PLANS:
        last = _at(person, *end)
        yield Upload(person, kind, _at(person, *start), last, max(last, _first_sync(person)) + seconds * SECOND, codec)


def _at(person: Person, month: int, day: int, hour: float) -> int:
    return midnight(person.zone, date(2025, month, day)) + round(hour * HOUR)


def _first_sync(person: Person) -> int:
    return _at(person, 11, 1, 17.42)
