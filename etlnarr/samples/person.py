"""The people whose bodies and habits the samples show: parameters that hold from a day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from etlnarr.samples.sources import App

T = TypeVar("T")
Phases = tuple[tuple[date, T], ...]
"""What holds from which day on, in order of the days; the first also holds before its day."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How nights go.

    Units: clock times in hours from the midnight before waking, latency in minutes, efficiency in percent;
    awakenings of five minutes and more, naps as a share of days.
    """

    bed: float
    wake: float
    free_bed: float
    free_wake: float
    latency: float = 12
    efficiency: float = 89
    awakenings: int = 1
    naps: float = 0
    jitter: float = 0.3


@dataclass(frozen=True, slots=True)
class Movement:
    """How days are walked: steps, their spread as a share, and exercise every so many days at an effort of 0 to 1."""

    steps: int
    spread: float = 0.15
    every: int = 0
    minutes: int = 40
    effort: float = 0.6


@dataclass(frozen=True, slots=True)
class Heart:
    """Heart rates in bpm and the usual nightly RMSSD in ms; continuous is a watch that measures every minute."""

    awake: float
    asleep: float
    maximum: float = 176
    rmssd: float = 34
    continuous: bool = False


@dataclass(frozen=True, slots=True)
class Low:
    """A fall of glucose every so many days.

    Units: hour of the local day, nadir in mg/dL, minutes at the nadir.
    """

    every: int
    hour: float
    nadir: float
    minutes: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Metabolism:
    """Glucose in mg/dL: its base, its rises after a meal, at dawn and in the afternoon, its restlessness and falls."""

    base: float = 94
    swing: float = 34
    dawn: float = 8
    afternoon: float = 0
    restless: float = 5
    lows: tuple[Low, ...] = ()


@dataclass(frozen=True, slots=True)
class Habits:
    """Which apps write what, and the share of its time that the glucose sensor is worn and in reach."""

    glucose: tuple[App, ...] = ()
    sleep: tuple[App, ...] = ()
    steps: tuple[App, ...] = ()
    energy: tuple[App, ...] = ()
    heart: tuple[App, ...] = ()
    coverage: float = 0.97


@dataclass(frozen=True, slots=True, eq=False)  # the same only as itself, which makes a cheap key of a cache
class Person:
    """One person; every draw about them follows from the key."""

    name: str
    key: str
    zone: str
    mass_kg: float
    rhythm: Phases[Rhythm]
    movement: Phases[Movement]
    heart: Phases[Heart]
    metabolism: Phases[Metabolism]
    habits: Phases[Habits]


def during(phases: Sequence[tuple[date, T]], day: date) -> T:
    """Return what holds on a day."""
    found = phases[0][1]
    for first, value in phases:
        if first <= day:
            found = value
    return found
