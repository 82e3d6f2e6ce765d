"""Days, nights, weeks and months as subjects: the records of a person in the version that counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from etlnarr import __version__, change, identity, people
from etlnarr.analysis import calendar, nights, rows, subjects, window_readings
from etlnarr.analysis.calendar import Reach
from etlnarr.analysis.origins import origins
from etlnarr.analysis.subjects import Named
from etlnarr.analysis.window_readings import Held, Readings, Window, gather
from etlnarr.catalog import Catalog
from etlnarr.catalog import windows as catalogued
from etlnarr.catalog.analyses import Worked
from etlnarr.catalog.windows import Context
from etlnarr.metrics.clock import DAY_MS
from etlnarr.model import Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.wire import Analysis, Origin, Subject, dump

BEFORE_DAYS: Final = 70
"""What came before a window may bear on it: the period before it, and a baseline of five weeks."""

AFTER_DAYS: Final = 2
LONGEST_STEP: Final = {"week": 7, "month": 1}
"""Days by which the last day of the period before lies before those that the wanted windows end on."""


@dataclass(frozen=True, slots=True)
class Task:
    """The windows of one kind of a person, with a hash of all that they depend on."""

    context: Context
    person: Person
    inputs: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which windows are wanted."""

    record_type: str
    window: str
    month: str | None

    @property
    def kind(self) -> RecordType:
        """What they are windows of."""
        return by_name[self.record_type]

    @property
    def reach(self) -> Reach:
        """The days that they end on."""
        return calendar.reach(self.month)

    @property
    def span(self) -> tuple[int, int]:
        """From when to when records may bear on them, in epoch ms."""
        return (self.reach.first - BEFORE_DAYS) * DAY_MS, (self.reach.last + AFTER_DAYS) * DAY_MS


@dataclass(frozen=True, slots=True)
class Part:
    """Windows of several people, with all that working them out takes."""

    asked: Asked
    tasks: Sequence[Task]
    held: Held


def tasks(con: Catalog, run: Run, asked: Asked) -> list[Task]:
    """Return the people with records in reach."""
    found = catalogued.contexts(con, asked.record_type, asked.window, asked.month, asked.span)
    return [_task(run, context) for context in found]


def read(con: Catalog, asked: Asked, tasks: Sequence[Task]) -> Part:
    """Read what the windows of several people are worked out from."""
    fetched = {task.context.user_id: task.context.fetched for task in tasks}
    held = window_readings.read(con, asked.kind, asked.span, [task.person for task in tasks], fetched)
    return Part(asked, tasks, held)


def readings(part: Part) -> Readings:
    """Return the readings of people in the windows asked for, and in those before them."""
    asked = part.asked
    since = asked.reach.first - LONGEST_STEP.get(asked.window, 0)
    return gather(asked.kind, asked.window, Reach(since, asked.reach.last), part.held)


def analysed(part: Part) -> list[Worked]:
    """Work out the windows of several people together."""
    whole = readings(part)
    if not whole.windows:
        return []
    asked, by_user = part.asked, {task.context.user_id: task for task in part.tasks}
    places = origins(whole)
    batch = _batch(asked.kind, whole, by_user)
    return [
        _worked(asked, whole.windows[name], places[name], by_user, document)
        for name, document in subjects.documents(asked.kind, batch, _named(asked, whole.windows))
    ]


def _worked(asked: Asked, one: Window, origin: Origin, tasks: Mapping[str, Task], document: Analysis) -> Worked:
    return Worked(
        subject="\n".join([one.user_id, asked.record_type, asked.window, one.key]),
        kind=asked.window,
        user_id=one.user_id,
        record_type=asked.record_type,
        upload=None,
        month=one.month,
        ends=one.ends,
        origin=dump(origin),
        inputs=tasks[one.user_id].inputs,
        document=dump(document),
    )


def _task(run: Run, context: Context) -> Task:
    person = people.of(context.user_id, run.people, run.settings)
    inputs = identity.digest(__version__, context.near, str(context.fetched), person.model_dump_json())
    return Task(context, person, inputs)


def _named(asked: Asked, windows: Mapping[int, Window]) -> Named:
    wanted = {name: one for name, one in windows.items() if asked.reach.first <= one.last <= asked.reach.last}
    return Named(
        {name: _subject(asked.window, one) for name, one in wanted.items()},
        {name: one.written for name, one in wanted.items() if one.open},
        {name: one.before for name, one in wanted.items() if one.before is not None},
        asked.window if asked.window in change.COMPARED else None,
    )


def _subject(window: str, one: Window) -> Subject:
    return Subject(kind=window, key=one.key, start=calendar.midnight(one.first), end=calendar.midnight(one.last + 1))


def _batch(kind: RecordType, whole: Readings, tasks: Mapping[str, Task]) -> Batch:
    chosen, others = kind.choose(rows.canonical(whole.inside))
    spans = [(name, one.user_id, one.begins, one.reached) for name, one in whole.windows.items()]
    known = [(name, tasks[one.user_id].person, one.ends) for name, one in whole.windows.items()]
    past = _past(kind, whole, tasks)
    return Batch(chosen, others, nights.touching(kind, spans, whole.main), subjects.people_of(known), past)


def _past(kind: RecordType, whole: Readings, tasks: Mapping[str, Task]) -> pl.DataFrame | None:
    """Return the nights that bear on each subject, made of all readings of its person."""
    if kind.history is None:
        return None
    chosen, others = kind.choose(rows.canonical(whole.around.with_columns(subject="person")))
    numbers = whole.around.select("user_id", subject="person").unique()
    main = whole.main.join(numbers, on="user_id")
    known = [(number, tasks[user].person, tasks[user].context.fetched) for user, number in numbers.iter_rows()]
    all_nights = kind.history.nights(Batch(chosen, others, main, subjects.people_of(known)))
    named = all_nights.join(numbers, on="subject").drop("subject")
    table = pl.DataFrame(
        [(name, one.user_id, one.first, one.last) for name, one in whole.windows.items()],
        schema={"subject": pl.Int64, "user_id": pl.String, "first": pl.Int64, "last": pl.Int64},
        orient="row",
    )
    reached = pl.min_horizontal("first", pl.col("last") - kind.history.days + 1)
    near = table.join(named, on="user_id").filter(pl.col("day") >= reached, pl.col("day") <= pl.col("last"))
    return near.with_columns(inside=pl.col("day") >= pl.col("first")).sort("subject", "day")
