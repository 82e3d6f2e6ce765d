"""Glucose as sensors and meters write it."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from etlnarr.samples.body.glucose import glucose, meals
from etlnarr.samples.body.night import night
from etlnarr.samples.chance import digest, random_id, stream
from etlnarr.samples.clock import DAY, HOUR, MINUTE, NEXT, SECOND, day_of, midnight, offset_id
from etlnarr.samples.person import Person, during
from etlnarr.samples.sources import METER, App, Row, metadata

KIND: Final = "BloodGlucoseRecord"
STEP: Final = 5 * MINUTE
JITTER: Final = 3 * SECOND
SENSOR_LIFE: Final = 10 * DAY
WARM_UP: Final = 80 * MINUTE
OUT_OF_REACH: Final = 2 * HOUR
LOST: Final = 0.003
"""Share of readings that the radio loses one by one."""
TRANSFER_MS: Final = 296 * SECOND
MMOL: Final = 1 / 18.0
METER_ERROR: Final = 0.06
SKIPPED: Final = 0.16
"""Share of finger-sticks that are forgotten."""
AFTER_MEAL: Final = 115 * MINUTE
BEFORE_MEAL: Final = 9 * MINUTE
WHOLE: Final = 1 << 32


def records(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield the readings of a local day, as known at an instant."""
    for app in during(person.habits, day).glucose:
        yield from _finger_sticks(person, day, as_of) if app == METER else _sensor(person, app, day, as_of)


def _sensor(person: Person, app: App, day: date, as_of: int) -> Iterator[Row]:
    phase = int.from_bytes(digest(person.key, app.package)[:4], "big") % STEP
    first, last = midnight(person.zone, day), midnight(person.zone, day + NEXT)
    for tick in range((first - phase) // STEP + 1, (last - phase) // STEP + 1):
        made = digest(person.key, app.package, tick)
        at = tick * STEP + phase + int.from_bytes(made[:4], "big") % (2 * JITTER) - JITTER
        modified = at + app.delay_s * SECOND + 2 * SECOND + int.from_bytes(made[4:8], "big") % TRANSFER_MS
        if modified > as_of or not _heard(person, app, at, made):
            continue
        level = round(glucose(person, day_of(person.zone, at), at))
        if app.lowest <= level <= app.highest:
            row = _reading(app, _sensor_key(person, app, at), at, modified, level)
            yield row | {"zoneOffsetId": "Z" if app.always_utc else offset_id(person.zone, at)}


def _heard(person: Person, app: App, at: int, made: bytes) -> bool:
    """Return whether a reading arrived: the sensor was warm, worn, in reach, and the radio did not fail."""
    since = (at - _phase(person, app)) % SENSOR_LIFE
    worn = digest(person.key, app.package, "worn", at // OUT_OF_REACH)
    coverage = during(person.habits, day_of(person.zone, at)).coverage
    in_reach = int.from_bytes(worn[:4], "big") < coverage * WHOLE
    return since >= WARM_UP and in_reach and int.from_bytes(made[8:12], "big") >= LOST * WHOLE


def _phase(person: Person, app: App) -> int:
    return int.from_bytes(digest(person.key, app.package, "sensor")[:5], "big") % SENSOR_LIFE


def _sensor_key(person: Person, app: App, at: int) -> str:
    """Return the sensor's number with the seconds since it was put on."""
    session, since = divmod(at - _phase(person, app), SENSOR_LIFE)
    serial = int.from_bytes(digest(person.key, app.package, session)[:6], "big") % 10**11
    return f"{serial:011}{since // SECOND:07}"


def _finger_sticks(person: Person, day: date, as_of: int) -> Iterator[Row]:
    draw = stream(person.key, "meter", day)
    for due, meal, relation in _occasions(person, day):
        kept, error = draw.random() >= SKIPPED, METER_ERROR * (2 * draw.random() - 1)
        at = due + int(draw.random() * 8 * MINUTE)
        modified = at + int(4 * SECOND + draw.random() * 20 * SECOND)
        if kept and modified <= as_of:
            level = round(glucose(person, day_of(person.zone, at), at) * (1 + error))
            row = _reading(METER, random_id(person.key, "stick", at), at, modified, level)
            marks = {"specimenSource": "CAPILLARY_BLOOD", "mealType": meal, "relationToMeal": relation}
            yield row | marks | {"zoneOffsetId": offset_id(person.zone, at)}


def _occasions(person: Person, day: date) -> list[tuple[int, str, str]]:
    """Return when a finger is pricked, at which meal and how that relates to it, in order of time."""
    found = [(night(person, day).end + 10 * MINUTE, "UNKNOWN", "FASTING")]
    for meal in meals(person, day):
        if meal.name in {"LUNCH", "DINNER"}:
            found.append((meal.at - BEFORE_MEAL, meal.name, "BEFORE_MEAL"))
        found.append((meal.at + AFTER_MEAL, meal.name, "AFTER_MEAL"))
    found.append((night(person, day + NEXT).start - 25 * MINUTE, "UNKNOWN", "GENERAL"))
    return sorted(found)


def _reading(app: App, key: str, at: int, modified: int, level: int) -> Row:
    return {
        "metadata": metadata(app, KIND, key, modified),
        "timeEpochMillis": at,
        "levelInMilligramsPerDeciliter": _as_kept(level),
        "specimenSource": "INTERSTITIAL_FLUID",
        "mealType": "UNKNOWN",
        "relationToMeal": "UNKNOWN",
    }


def _as_kept(level: int) -> float:
    """Return a level as it comes back from Health Connect, which keeps mmol/L and leaves rounding errors behind."""
    return level * MMOL / MMOL
