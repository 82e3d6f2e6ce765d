"""Heart rate as a watch, a ring and a chest strap write it."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from etlnarr.samples.body.movement import exercise
from etlnarr.samples.body.night import night, stages_of_day
from etlnarr.samples.body.pulse import pulse, pulse_at
from etlnarr.samples.chance import digest, random_id
from etlnarr.samples.clock import HOUR, LAST_MILLISECOND, MINUTE, SECOND, day_of, midnight
from etlnarr.samples.exports.sleep import RING_EPOCH, TAIL, key, ring_epochs
from etlnarr.samples.exports.writes import interval, written
from etlnarr.samples.person import Person, during
from etlnarr.samples.sources import OURA, SAMSUNG, STRAP, App, Row

KIND: Final = "HeartRateRecord"
SPOT_EVERY: Final = 10
SPOT_AT: Final = 29 * SECOND + 226
MISSED: Final = 40
"""Of 256 spot measurements."""
REVISED: Final = 4
"""A watch revises the newest minute of an unfinished hour by up to so many bpm."""
COOL_DOWN: Final = 4 * MINUTE
"""The strap stays on after the bout."""

Samples = list[tuple[int, int]]


def records(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield the records of a local day (of the night that ends on it, for the ring), as known at an instant."""
    heart = during(person.habits, day).heart
    if SAMSUNG in heart:
        yield from _hours(person, day, as_of)
        yield from _spots(person, day, as_of)
    if OURA in heart:
        yield from _ring_night(person, day, as_of)
    if STRAP in heart:
        yield from _bout(person, day, as_of)


def _hours(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield one record for each hour that was measured minute by minute; it grows until the hour ends."""
    start, rates = midnight(person.zone, day), pulse(person, day)
    minutes = [minute for minute, each in enumerate(_each_minute(person, day)) if each]
    for hour in sorted({minute // 60 for minute in minutes}):
        first, end = start + hour * HOUR, start + (hour + 1) * HOUR - LAST_MILLISECOND
        samples = [(start + m * MINUTE, round(rates[m])) for m in minutes if m // 60 == hour]
        modified = written(person, SAMSUNG, (samples[0][0], end), as_of)
        if modified is None:
            continue
        if modified < end:
            samples = [sample for sample in samples if sample[0] < modified]
            newest, rate = samples[-1]
            revision = digest(person.key, newest)[0]
            samples[-1] = (newest, rate + 1 + revision % REVISED)
            end = newest + SECOND + revision * 100
        yield _record(person, (SAMSUNG, f"{person.key} hour {first}"), (first, end), modified, samples)


def _spots(person: Person, day: date, as_of: int) -> Iterator[Row]:
    start, rates, each = midnight(person.zone, day), pulse(person, day), _each_minute(person, day)
    for minute in range(0, len(rates), SPOT_EVERY):
        made = digest(person.key, "spot", start, minute)
        at = start + minute * MINUTE + SPOT_AT + made[1]
        modified = written(person, SAMSUNG, (at, at), as_of)
        if each[minute] or made[0] < MISSED or modified is None:
            continue
        samples = [(at, round(rates[minute]))]
        yield _record(person, (SAMSUNG, f"{person.key} spot {at}"), (at, at), modified, samples)


def _ring_night(person: Person, day: date, as_of: int) -> Iterator[Row]:
    sleep = night(person, day)
    starts = ring_epochs(person, sleep)
    if not starts:
        return
    end = starts[-1] + RING_EPOCH + TAIL
    modified = written(person, OURA, (end - MINUTE, end), as_of)
    if modified is not None and modified >= end:
        middles = [at + RING_EPOCH // 2 for at in starts]
        rates = [round(pulse_at(person, day_of(person.zone, at), at)) for at in middles]
        samples = list(zip(starts, rates, strict=True))
        yield _record(person, (OURA, key(person, OURA, sleep)), (starts[0], end), modified, samples)


def _bout(person: Person, day: date, as_of: int) -> Iterator[Row]:
    bout = exercise(person, day)
    if bout is None:
        return
    end = bout.end + COOL_DOWN
    modified = end + 30 * SECOND
    if modified <= as_of:
        ticks = range(bout.start, end, STRAP.resolution * SECOND)
        samples = [(at, round(pulse_at(person, day, at))) for at in ticks]
        name = random_id(person.key, "bout", bout.start)
        yield _record(person, (STRAP, name), (bout.start, end), modified, samples)


def _each_minute(person: Person, day: date) -> list[bool]:
    """Return in which minutes of a day the watch measures throughout."""
    start, bout = midnight(person.zone, day), exercise(person, day)
    always = during(person.heart, day).continuous
    return [
        always or stage is not None or (bout is not None and bout.start <= start + minute * MINUTE < bout.end)
        for minute, stage in enumerate(stages_of_day(person, day))
    ]


def _record(person: Person, named: tuple[App, str], bounds: tuple[int, int], modified: int, samples: Samples) -> Row:
    app, name = named
    row = interval(person, (app, KIND, name), bounds, modified)
    return row | {"samples": [{"timeEpochMillis": at, "beatsPerMinute": rate} for at, rate in samples]}
