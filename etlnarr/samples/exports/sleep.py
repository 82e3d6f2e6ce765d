"""Sleep as three kinds of device tell it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from etlnarr.samples.body.night import EPOCH, Sleep, runs, sleeps
from etlnarr.samples.chance import between, random_id, stream
from etlnarr.samples.clock import MINUTE, SECOND
from etlnarr.samples.exports.writes import interval, written
from etlnarr.samples.person import Person, during
from etlnarr.samples.sources import OURA, SAMSUNG, App, Row

KIND: Final = "SleepSessionRecord"
OPENING_MINUTES: Final = (14, 20)
"""Samsung's sessions open with light sleep, whatever happened."""
NOTICED_MINUTES: Final = (8, 28)
"""The ring notices a night late and its end early."""
TAIL: Final = 8 * SECOND
"""The ring's last epoch is cut short."""
RING_EPOCH: Final = OURA.resolution * SECOND
SEEN_AWAKE: Final = 5
"""Half minutes of five minutes."""
SHORTEST_FOR_RING: Final = 120 * MINUTE
TITLES: Final = {OURA.package: "Oura"}

Session = tuple[int, int, list[tuple[int, int, str]]]
"""Start, end, and stages as (start, end, stage) that tile it."""


def records(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield the sessions that end on this day, as known at an instant."""
    for app in during(person.habits, day).sleep:
        for sleep in sleeps(person, day):
            session = told(person, app, sleep)
            if session is None:
                continue
            start, end, stages = session
            modified = written(person, app, (end - MINUTE, end), as_of)
            if modified is not None and modified >= end:
                row = interval(person, (app, KIND, key(person, app, sleep)), (start, end), modified)
                yield row | _content(app, start, end, stages)


def told(person: Person, app: App, sleep: Sleep) -> Session | None:
    """Return a sleep as the app tells it, None when its device takes no notice."""
    if app == OURA:
        return _ring(person, sleep)
    stages = list(sleep.stages)
    if app == SAMSUNG:
        opening = round(between(stream(person.key, "opening", sleep.start), *OPENING_MINUTES)) * MINUTE // EPOCH
        stages[:opening] = ["LIGHT"] * opening
    else:
        stages = stages[:: MINUTE // EPOCH]
    epoch = EPOCH if app == SAMSUNG else MINUTE
    end = sleep.start + len(stages) * epoch
    return sleep.start, end, _tiles(sleep.start, epoch, stages)


def ring_epochs(person: Person, sleep: Sleep) -> list[int]:
    """Return the starts of the five-minute epochs in which the ring measures a sleep."""
    session = _ring(person, sleep)
    return [] if session is None else list(range(session[0], session[1] - TAIL, RING_EPOCH))


def key(person: Person, app: App, sleep: Sleep) -> str:
    """Return what the app calls a session."""
    made = random_id(person.key, app.package, "session", sleep.start)
    return f"oura:{made}" if app == OURA else made


def _ring(person: Person, sleep: Sleep) -> Session | None:
    if sleep.end - sleep.start < SHORTEST_FOR_RING:
        return None
    draw = stream(person.key, "ring", sleep.start)
    start = sleep.start + round(between(draw, *NOTICED_MINUTES)) * MINUTE + EPOCH
    last = sleep.end - round(between(draw, *NOTICED_MINUTES)) * MINUTE
    stages = []
    for at in range(start, last - RING_EPOCH, RING_EPOCH):
        first = (at - sleep.start) // EPOCH
        stages.append(_sensed(sleep.stages[first : first + RING_EPOCH // EPOCH]))
    stages[0] = "AWAKE"
    tiles = _tiles(start, RING_EPOCH, stages)
    end = tiles[-1][1] + TAIL
    tiles[-1] = (tiles[-1][0], end, tiles[-1][2])
    return start, end, tiles


def _sensed(stages: Sequence[str]) -> str:
    """Return what the ring makes of one of its epochs: the stage that lasted longest, but it is quick to see waking."""
    counts = Counter(stages)
    return "AWAKE" if counts["AWAKE"] >= SEEN_AWAKE else counts.most_common(1)[0][0]


def _tiles(start: int, epoch: int, stages: Sequence[str]) -> list[tuple[int, int, str]]:
    tiles = []
    for stage, epochs in runs(stages):
        tiles.append((start, start + epochs * epoch, stage))
        start += epochs * epoch
    return tiles


def _content(app: App, start: int, end: int, stages: list[tuple[int, int, str]]) -> Row:
    return {
        "title": TITLES.get(app.package),
        "notes": None,
        "durationMillis": end - start,
        "stages": [{"startTimeEpochMillis": s, "endTimeEpochMillis": e, "stage": stage} for s, e, stage in stages],
    }
