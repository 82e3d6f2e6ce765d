"""Sleep: nights and naps in stages, in cycles that carry deep sleep early and REM late."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from random import Random
from typing import Final

from etlnarr.samples.chance import bell, between, stream
from etlnarr.samples.clock import MINUTE, NEXT, SECOND, instant, is_free, midnight
from etlnarr.samples.person import Person, during

EPOCH: Final = 30 * SECOND
PER_MINUTE: Final = MINUTE // EPOCH
DEEP_MINUTES: Final = (34, 24, 13, 5, 2, 0)
REM_MINUTES: Final = (8, 17, 24, 29, 31, 32)
"""Of each cycle of about ninety minutes, the last standing for all that follow."""
LIGHT_MINUTES: Final = (17, 30)
LONG_WAKE: Final = (6, 14)
SHORT_WAKE: Final = (0.5, 2.5)
"""Minutes, from and to."""
NAP_MINUTES: Final = (35, 100)
NAP_HOURS: Final = (13.5, 16.0)


@dataclass(frozen=True, slots=True)
class Sleep:
    """A stay in bed and its stages, one name for each half minute."""

    start: int
    stages: tuple[str, ...]

    @property
    def end(self) -> int:
        """The instant of getting up."""
        return self.start + len(self.stages) * EPOCH


@lru_cache(maxsize=1 << 8)
def night(person: Person, day: date) -> Sleep:
    """Return the night that ends on this day."""
    draw = stream(person.key, "night", day)
    rhythm = during(person.rhythm, day)
    bed, wake = (rhythm.free_bed, rhythm.free_wake) if is_free(day) else (rhythm.bed, rhythm.wake)
    start = instant(person.zone, day, bed + rhythm.jitter * bell(draw))
    epochs = (instant(person.zone, day, wake + rhythm.jitter * bell(draw)) - start) // EPOCH
    latency = round(rhythm.latency * between(draw, 0.7, 1.4) * PER_MINUTE)
    awake = round(epochs * (1 - (rhythm.efficiency + 1.2 * bell(draw)) / 100))
    wakes = _wakes(draw, max(awake - latency, 2), rhythm.awakenings)
    asleep = _broken(draw, _cycles(draw, epochs - latency - sum(wakes)), wakes)
    return Sleep(start, ("AWAKE",) * latency + tuple(asleep))


@lru_cache(maxsize=1 << 8)
def nap(person: Person, day: date) -> Sleep | None:
    """Return the afternoon nap of this day, when there is one."""
    draw = stream(person.key, "nap", day)
    if draw.random() >= during(person.rhythm, day).naps:
        return None
    epochs = round(between(draw, *NAP_MINUTES) * PER_MINUTE)
    wakes = _wakes(draw, epochs // 5, 0)
    return Sleep(instant(person.zone, day, between(draw, *NAP_HOURS)), tuple(_broken(draw, ["LIGHT"] * epochs, wakes)))


def sleeps(person: Person, day: date) -> list[Sleep]:
    """Return the stays in bed that end on this day."""
    rest = nap(person, day)
    return [night(person, day)] if rest is None else [night(person, day), rest]


@lru_cache(maxsize=1 << 6)
def stages_of_day(person: Person, day: date) -> tuple[str | None, ...]:
    """Return the stage in each minute of a local day, None when up and about."""
    start, end = midnight(person.zone, day), midnight(person.zone, day + NEXT)
    stages: list[str | None] = [None] * ((end - start) // MINUTE)
    for sleep in (*sleeps(person, day), night(person, day + NEXT)):
        for at in range(max(sleep.start, start), min(sleep.end, end), MINUTE):
            stages[(at - start) // MINUTE] = sleep.stages[(at - sleep.start) // EPOCH]
    return tuple(stages)


def runs(stages: Iterable[str]) -> list[tuple[str, int]]:
    """Return the stages as (stage, how many in a row)."""
    return [(stage, len(list(same))) for stage, same in groupby(stages)]


def _cycles(draw: Random, epochs: int) -> list[str]:
    asleep: list[str] = []
    cycle = 0
    while len(asleep) < epochs:
        last = min(cycle, len(DEEP_MINUTES) - 1)
        for stage, minutes in (
            ("LIGHT", between(draw, *LIGHT_MINUTES)),
            ("DEEP", DEEP_MINUTES[last] * between(draw, 0.7, 1.3)),
            ("LIGHT", between(draw, *LIGHT_MINUTES)),
            ("REM", REM_MINUTES[last] * between(draw, 0.7, 1.3)),
        ):
            asleep += [stage] * round(minutes * PER_MINUTE)
        cycle += 1
    return asleep[:epochs]


def _wakes(draw: Random, epochs: int, long: int) -> list[int]:
    """Return lengths of wake bouts in epochs: the long ones first, then short ones until all is spent."""
    wakes: list[int] = []
    while epochs > 0:
        minutes = between(draw, *(LONG_WAKE if len(wakes) < long else SHORT_WAKE))
        wakes.append(min(max(round(minutes * PER_MINUTE), 1), epochs))
        epochs -= wakes[-1]
    return wakes


def _broken(draw: Random, asleep: list[str], wakes: list[int]) -> list[str]:
    """Return the sleep with the wake bouts put in, none of them at its very beginning or end."""
    places = sorted((int(between(draw, 4, len(asleep) - 4)) for _ in wakes), reverse=True)
    for place, epochs in zip(places, wakes, strict=True):
        asleep[place:place] = ["AWAKE"] * epochs
    return asleep
