"""Walking and exercise: steps and active energy, minute by minute."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from random import Random
from typing import Final

from etlnarr.samples.body.night import stages_of_day
from etlnarr.samples.chance import bell, between, stream
from etlnarr.samples.clock import MINUTE, instant, is_free, midnight
from etlnarr.samples.person import Person, during

EXERCISE_HOUR: Final = 17.4
FREE_EXERCISE_HOUR: Final = 11.2
WALKING_PACE: Final = (48, 116)
EXERCISE_PACE: Final = (104, 162)
"""Steps a minute, from the least to the greatest effort."""
WALK_MINUTES: Final = (1, 14)
FEWEST_STEPS: Final = 250
MOST_WALKS: Final = 500
RUNNING: Final = 130
KCAL_PER_STEP_KG: Final = 0.00038
KCAL_PER_RUNNING_STEP_KG: Final = 0.00095
"""Half a kilocalorie per kg and km of walking, one of running."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """A bout of exercise; effort from 0 to 1."""

    start: int
    minutes: int
    effort: float

    @property
    def end(self) -> int:
        """The instant of stopping."""
        return self.start + self.minutes * MINUTE


@lru_cache(maxsize=1 << 8)
def exercise(person: Person, day: date) -> Exercise | None:
    """Return the exercise of this day, when there is any."""
    movement = during(person.movement, day)
    if not movement.every or day.toordinal() % movement.every:
        return None
    draw = stream(person.key, "exercise", day)
    hour = FREE_EXERCISE_HOUR if is_free(day) else EXERCISE_HOUR
    start = instant(person.zone, day, hour + 0.4 * bell(draw))
    return Exercise(start, round(movement.minutes * between(draw, 0.85, 1.15)), movement.effort)


@lru_cache(maxsize=1 << 6)
def steps(person: Person, day: date) -> tuple[int, ...]:
    """Return the steps in each minute of a local day, none of them asleep."""
    draw = stream(person.key, "steps", day)
    movement = during(person.movement, day)
    wanted = max(round(movement.steps * (1 + movement.spread * bell(draw))), FEWEST_STEPS)
    up = [stage is None for stage in stages_of_day(person, day)]
    walked = [0] * len(up)
    bout = exercise(person, day)
    if bout is not None:
        _run(draw, walked, bout, (bout.start - midnight(person.zone, day)) // MINUTE)
    for _ in range(MOST_WALKS):
        missing = wanted - sum(walked)
        if missing <= 0:
            break
        _walk(draw, walked, up, missing)
    return tuple(walked)


def kilocalories(person: Person, taken: int) -> float:
    """Return the active energy of a minute with so many steps."""
    return taken * person.mass_kg * (KCAL_PER_RUNNING_STEP_KG if taken >= RUNNING else KCAL_PER_STEP_KG)


def _run(draw: Random, walked: list[int], bout: Exercise, first: int) -> None:
    slow, fast = EXERCISE_PACE
    for minute in range(first, min(first + bout.minutes, len(walked))):
        walked[minute] = round(slow + (fast - slow) * bout.effort + 3 * bell(draw))


def _walk(draw: Random, walked: list[int], up: list[bool], missing: int) -> None:
    first = int(draw.random() * len(up))
    pace = between(draw, *WALKING_PACE)
    for minute in range(first, min(first + round(between(draw, *WALK_MINUTES)), len(up))):
        if up[minute] and not walked[minute] and missing > 0:
            walked[minute] = min(max(round(pace + 6 * bell(draw)), 4), missing)
            missing -= walked[minute]
