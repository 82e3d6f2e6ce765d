"""Glucose: a base with a dawn rise, meals that raise it, and falls that end a dose too many."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import fsum
from typing import Final

from etlnarr.samples.body.night import night
from etlnarr.samples.chance import bell, between, drift, ease, hump, stream
from etlnarr.samples.clock import HOUR, MINUTE, NEXT, hour_of, instant
from etlnarr.samples.person import Metabolism, Person, during

MEALS: Final = (("BREAKFAST", 0.9), ("LUNCH", 1.0), ("DINNER", 1.15), ("SNACK", 0.5))
"""Name and size of the day's meals."""
AFTER_WAKING: Final = 50 * MINUTE
LUNCH_HOUR: Final = 12.8
DINNER_HOUR: Final = 19.0
SNACK_HOUR: Final = 15.8
SNACKS: Final = 0.45
"""Share of days."""
MEAL_MINUTES: Final = (240, 330)
MEAL_PEAK: Final = 0.33
DAWN_HOURS: Final = (3.0, 10.0)
AFTERNOON_HOURS: Final = (11.0, 26.0)
SETTLING_HOURS: Final = 4.0
"""How long a new phase takes to take over from the last."""
DESCENT: Final = 130 * MINUTE
ASCENT: Final = 115 * MINUTE
SLOW: Final = 100 * MINUTE
QUICK: Final = 22 * MINUTE
FLOOR: Final = 44.0
THRESHOLD: Final = 240.0
SPILLED: Final = 0.45
"""Above the threshold the kidneys let glucose go, and it rises the less."""


@dataclass(frozen=True, slots=True)
class Meal:
    """A meal; size 1 is an ordinary one."""

    at: int
    name: str
    size: float
    minutes: float


@lru_cache(maxsize=1 << 6)
def meals(person: Person, day: date) -> tuple[Meal, ...]:
    """Return the meals of a day in their order but for the snack, which comes last."""
    draw = stream(person.key, "meals", day)
    breakfast = night(person, day).end + AFTER_WAKING
    lunch = max(instant(person.zone, day, LUNCH_HOUR + 0.4 * bell(draw)), breakfast + 3 * HOUR)
    dinner = max(instant(person.zone, day, DINNER_HOUR + 0.5 * bell(draw)), lunch + 4 * HOUR)
    times = [breakfast, lunch, dinner]
    if draw.random() < SNACKS:
        times.append(instant(person.zone, day, SNACK_HOUR + 0.6 * bell(draw)))
    return tuple(
        Meal(at, name, size * (1 + 0.22 * bell(draw)), between(draw, *MEAL_MINUTES))
        for (name, size), at in zip(MEALS, times, strict=False)
    )


def glucose(person: Person, day: date, at: int) -> float:
    """Return the glucose level at an instant of a local day, in mg/dL."""
    hour = hour_of(person.zone, at)
    today, before = during(person.metabolism, day), during(person.metabolism, day - NEXT)
    level = _level(person, today, day, at)
    if today != before and hour < SETTLING_HOURS:
        weight = ease(hour / SETTLING_HOURS)
        level = level * weight + _level(person, before, day, at) * (1 - weight)
    if level > THRESHOLD:
        level = THRESHOLD + (level - THRESHOLD) * (1 - SPILLED)
    return max(level, FLOOR)


def _level(person: Person, body: Metabolism, day: date, at: int) -> float:
    eaten = (*meals(person, day - NEXT), *meals(person, day))
    risen = fsum(m.size * hump((at - m.at) / (m.minutes * MINUTE), MEAL_PEAK) for m in eaten)
    level = body.base + body.swing * risen + _clock(person, body, at)
    level += body.restless * drift(f"{person.key}|glucose", at, SLOW)
    level += body.restless / 4 * drift(f"{person.key}|sensor", at, QUICK)
    for low in body.lows:
        for of in (day - NEXT, day):
            if of.toordinal() % low.every == low.offset:
                level += (low.nadir - level) * _fallen(at - instant(person.zone, of, low.hour), low.minutes * MINUTE)
    return level


def _clock(person: Person, body: Metabolism, at: int) -> float:
    hour = hour_of(person.zone, at)
    first, last = DAWN_HOURS
    dawn = body.dawn * hump((hour - first) / (last - first), 0.55)
    first, last = AFTERNOON_HOURS
    noon = [hump((h - first) / (last - first), 0.45) for h in (hour, hour + 24)]
    return dawn + body.afternoon * fsum(noon)


def _fallen(since: int, lasting: int) -> float:
    """Return how far a fall has pulled the level to its nadir; it is there from 0 on and for as long as it lasts."""
    if since < 0:
        return ease((since + DESCENT) / DESCENT)
    return 1 - ease((since - lasting) / ASCENT)
