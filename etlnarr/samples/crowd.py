"""Any number of people with bodies and habits of their own."""

from datetime import date
from random import Random
from typing import Final, TypeVar

from etlnarr.samples.chance import between, stream
from etlnarr.samples.person import Habits, Heart, Low, Metabolism, Movement, Person, Rhythm
from etlnarr.samples.sources import G7, MAT, METER, OURA, PHONE, SAMSUNG, STELO, STRAP

T = TypeVar("T")
ALWAYS: Final = date(2025, 1, 1)
ZONES: Final = ("America/Chicago", "America/New_York", "Europe/Berlin", "Europe/London", "Asia/Kolkata", "Asia/Tokyo")
GLUCOSE_APPS: Final = ((G7,), (G7,), (STELO,), (METER,))
SLEEP_APPS: Final = ((SAMSUNG, OURA), (MAT, OURA), (OURA,))
STEP_APPS: Final = ((SAMSUNG, OURA), (SAMSUNG,), (PHONE,))
ENERGY_APPS: Final = ((OURA,), (SAMSUNG, OURA), (PHONE,))
HEART_APPS: Final = ((SAMSUNG, OURA), (SAMSUNG,), (SAMSUNG, STRAP))
COVERAGES: Final = (0.98, 0.95, 0.85, 0.62)
"""The last of them wears a sensor too little for most claims."""
METABOLISMS: Final = (
    Metabolism(base=92, swing=34, dawn=6),
    Metabolism(base=108, swing=58, dawn=18, restless=7),
    Metabolism(base=128, swing=95, dawn=30, afternoon=14, restless=12, lows=(Low(4, 3.1, 62, 20),)),
    Metabolism(base=172, swing=105, dawn=26, afternoon=34, restless=16),
    Metabolism(
        base=126, swing=140, dawn=36, afternoon=30, restless=22, lows=(Low(2, 2.4, 50, 40), Low(3, 16.6, 60, 130))
    ),
)


def one_of_many(seed: int, number: int) -> Person:
    """Return a person; the same seed and number give the same one."""
    name = f"user{number:05}"
    key = f"{seed}|{name}"
    draw = stream(key, "person")
    return Person(
        name=name,
        key=key,
        zone=_one(draw, ZONES),
        mass_kg=round(between(draw, 52, 108), 1),
        rhythm=((ALWAYS, _rhythm(draw)),),
        movement=((ALWAYS, _movement(draw)),),
        heart=((ALWAYS, _heart(draw)),),
        metabolism=((ALWAYS, _one(draw, METABOLISMS)),),
        habits=((ALWAYS, _habits(draw)),),
    )


def _rhythm(draw: Random) -> Rhythm:
    bed, hours, late = between(draw, -2, 1.2), between(draw, 6.2, 8.6), between(draw, 0, 2.4)
    return Rhythm(
        bed,
        bed + hours,
        bed + late,
        bed + late + hours + between(draw, 0, 1),
        latency=between(draw, 5, 38),
        efficiency=between(draw, 74, 94),
        awakenings=int(between(draw, 0, 4)),
        naps=_one(draw, (0.0, 0.0, 0.15, 0.4)),
        jitter=between(draw, 0.15, 0.6),
    )


def _movement(draw: Random) -> Movement:
    steps = round(between(draw, 2800, 14500))
    return Movement(steps, between(draw, 0.1, 0.3), _one(draw, (0, 2, 3, 4)), effort=between(draw, 0.2, 1))


def _heart(draw: Random) -> Heart:
    awake = between(draw, 62, 92)
    asleep = awake * (1 - between(draw, 0.02, 0.24))
    return Heart(awake, asleep, maximum=round(between(draw, 158, 194)), rmssd=between(draw, 16, 72))


def _habits(draw: Random) -> Habits:
    return Habits(
        glucose=_one(draw, GLUCOSE_APPS),
        sleep=_one(draw, SLEEP_APPS),
        steps=_one(draw, STEP_APPS),
        energy=_one(draw, ENERGY_APPS),
        heart=_one(draw, HEART_APPS),
        coverage=_one(draw, COVERAGES),
    )


def _one(draw: Random, choices: tuple[T, ...]) -> T:
    return choices[int(draw.random() * len(choices))]
