"""Steps and active energy: daily totals that grow in place until their day is over, or short slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum
from typing import Final

from etlnarr.samples.body.movement import kilocalories, steps
from etlnarr.samples.chance import random_id
from etlnarr.samples.clock import HOUR, LAST_MILLISECOND, MINUTE, NEXT, SECOND, midnight
from etlnarr.samples.exports.writes import interval, written
from etlnarr.samples.person import Person, during
from etlnarr.samples.sources import OURA, App, Row

STEPS: Final = "StepsRecord"
ENERGY: Final = "ActiveCaloriesBurnedRecord"
DAILY_NAMES: Final = {STEPS: "daily_steps", ENERGY: "daily_active_calories"}


@dataclass(frozen=True, slots=True)
class Tally:
    """What an app counted on a day: its minutes, and the bounds of the records it makes of them."""

    app: App
    kind: str
    day: date
    minutes: Sequence[float]
    slices: Sequence[tuple[int, int]]


def step_records(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield the step records of a day, as known at an instant."""
    walked = steps(person, day)
    for app in during(person.habits, day).steps:
        counts = [taken * app.counted for taken in walked]
        tally = Tally(app, STEPS, day, counts, _slices(person, app, day, MINUTE))
        for row, amount in _known(person, tally, as_of):
            yield row | {"count": round(amount)}


def energy_records(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield the active energy records of a day, as known at an instant."""
    walked = steps(person, day)
    for app in during(person.habits, day).energy:
        burnt = [kilocalories(person, taken) * app.counted for taken in walked]
        tally = Tally(app, ENERGY, day, burnt, _slices(person, app, day, app.energy_minutes * MINUTE))
        for row, amount in _known(person, tally, as_of):
            yield row | {"energyInKilocalories": round(amount, 3) if app.in_slices else float(round(amount))}


def _known(person: Person, tally: Tally, as_of: int) -> Iterator[tuple[Row, float]]:
    """Yield the records that were written by then, with what had been counted at that write; empty slices are not."""
    app = tally.app
    for start, end in tally.slices:
        counted = _amount(person, tally, start, end)
        if app.in_slices and not counted:
            continue
        modified = written(person, app, (start, end), as_of)
        if modified is None or (app.in_slices and modified < end):
            continue
        identity = (app, tally.kind, _key(person, tally, start))
        amount = counted if modified >= end else _amount(person, tally, start, modified)
        yield interval(person, identity, (start, end), modified), amount


def _amount(person: Person, tally: Tally, start: int, end: int) -> float:
    first = midnight(person.zone, tally.day)
    return fsum(tally.minutes[(start - first) // MINUTE : -((first - end) // MINUTE)])


def _slices(person: Person, app: App, day: date, length: int) -> list[tuple[int, int]]:
    start, end = midnight(person.zone, day) + app.day_hour * HOUR, midnight(person.zone, day + NEXT)
    if not app.in_slices:
        return [(start, end - LAST_MILLISECOND)]
    return [(at, at + length) for at in range(start, end, length)]


def _key(person: Person, tally: Tally, start: int) -> str:
    if tally.app == OURA:
        return f"oura:{DAILY_NAMES[tally.kind]}_{random_id(person.key, 'ring day', tally.day)}"
    return random_id(person.key, tally.app.package, tally.kind, start // SECOND)
