"""Heart rate, minute by minute: it follows sleep stages, steps and exercise with a lag."""

from datetime import date
from functools import lru_cache
from math import fsum
from typing import Final

from etlnarr.samples.body.movement import Exercise, exercise, steps
from etlnarr.samples.body.night import night, stages_of_day
from etlnarr.samples.chance import course, drift, hump
from etlnarr.samples.clock import MINUTE, NEXT, SECOND, midnight
from etlnarr.samples.person import Heart, Person, during

STAGE_BPM: Final = {"LIGHT": 0.0, "DEEP": -2.5, "REM": 3.0, "AWAKE": 6.0}
NIGHT_FALL: Final = 5.0
"""Bpm that sleep loses from its beginning to its end."""
PER_STEP: Final = 0.24
RISE: Final = 0.45
FALL: Final = 0.28
"""Shares of the way to its target that the heart goes in a minute."""
SLOW: Final = (40 * MINUTE, 4.0)
QUICK: Final = (4 * MINUTE, 1.8)
BEAT: Final = (20 * SECOND, 1.0)
"""Period and size in bpm of the courses that have no cause here."""
CALM: Final = 75.0
EXERTION: Final = 100.0
EXERTED: Final = 0.5
"""A slow heart varies less than one at 75 bpm, and so does one at work or in a fever, above 100."""
STEADY: Final = 0.38
STEADY_EFFORT: Final = 0.24
SURGE: Final = 0.36
SURGES: Final = ((0.22, 0.40), (0.44, 0.62), (0.66, 0.84))
"""Exercise as shares of the heart rate reserve: a steady part and three surges, placed as shares of the bout."""


@lru_cache(maxsize=1 << 6)
def pulse(person: Person, day: date) -> tuple[float, ...]:
    """Return the heart rate at each minute of a local day."""
    start = midnight(person.zone, day)
    targets = _targets(person, day)
    minutes = range(start, start + len(targets) * MINUTE, MINUTE)
    slow, quick = (course(f"{person.key}|pulse|{period}", minutes, period) for period, _ in (SLOW, QUICK))
    rates = []
    rate = targets[0]
    for target, one, other in zip(targets, slow, quick, strict=True):
        rate += (target - rate) * (RISE if target > rate else FALL)
        noise = SLOW[1] * one + QUICK[1] * other
        rates.append(rate + noise * (EXERTED if rate > EXERTION else rate / CALM))
    return tuple(rates)


def pulse_at(person: Person, day: date, at: int) -> float:
    """Return the heart rate at an instant of a local day, between its minutes and with the noise of single beats."""
    rates = pulse(person, day)
    minute, rest = divmod(at - midnight(person.zone, day), MINUTE)
    here, there = rates[minute], rates[min(minute + 1, len(rates) - 1)]
    period, size = BEAT
    return here + (there - here) * rest / MINUTE + size * drift(f"{person.key}|beat", at, period)


def _targets(person: Person, day: date) -> list[float]:
    start = midnight(person.zone, day)
    bout = exercise(person, day)
    walked = steps(person, day)
    awake = during(person.heart, day).awake
    targets = []
    for minute, stage in enumerate(stages_of_day(person, day)):
        at = start + minute * MINUTE
        if bout is not None and bout.start <= at < bout.end:
            targets.append(_exercising(during(person.heart, day), bout, at))
        elif stage is None:
            targets.append(awake + PER_STEP * walked[minute])
        else:
            targets.append(_asleep(person, day, stage, at))
    return targets


def _asleep(person: Person, day: date, stage: str, at: int) -> float:
    tonight = night(person, day + NEXT)
    last = night(person, day)
    here = last if at < last.end else tonight
    heart = during(person.heart, day if here is last else day + NEXT)
    share = min(max((at - here.start) / (here.end - here.start), 0.0), 1.0)
    return heart.asleep + STAGE_BPM[stage] + NIGHT_FALL * (0.5 - share)


def _exercising(heart: Heart, bout: Exercise, at: int) -> float:
    share = (at - bout.start) / (bout.end - bout.start)
    surge = fsum(hump((share - first) / (last - first), 0.6) for first, last in SURGES)
    effort = STEADY + STEADY_EFFORT * bout.effort + SURGE * bout.effort * surge
    return heart.asleep + effort * (heart.maximum - heart.asleep)
