"""Days, nights, weeks and months as subjects: the records of a person in the version that counts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from etlnarr import __version__, change, envelope, local_time, people, quality
from etlnarr.analysis import calendar, nights, subjects
from etlnarr.analysis.calendar import DAY_MS, Reach
from etlnarr.analysis.subjects import Named
from etlnarr.catalog import Catalog, analyses
from etlnarr.catalog import windows as catalogued
from etlnarr.catalog.analyses import Worked
from etlnarr.catalog.windows import Context
from etlnarr.metrics.sleep import in_sleep
from etlnarr.metrics.sources import local_date
from etlnarr.model import SLEEP, Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import sources
from etlnarr.run import Run
from etlnarr.wire import Origin, Quality, Subject, UploadRef, dump

BEFORE_DAYS: Final = 70
"""What came before a window may bear on it: the period before it, and a baseline of five weeks."""

AFTER_DAYS: Final = 2
LONGEST_STEP: Final = {"week": 7, "month": 1}
"""Days by which the last day of the period before lies before those that the wanted windows end on."""

HRV_TYPE: Final = "HeartRateVariabilityRmssdRecord"
SLEEP_OF_USER: Final = pl.Schema({"user_id" if name == "subject" else name: dtype for name, dtype in SLEEP.items()})


@dataclass(frozen=True, slots=True)
class Task:
    """The windows of one kind of a person, with a hash of all that they depend on."""

    context: Context
    person: Person
    inputs: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which windows are wanted."""

    kind: RecordType
    window: str
    month: str | None

    @property
    def reach(self) -> Reach:
        """The days that they end on."""
        return calendar.reach(self.month)

    @property
    def span(self) -> tuple[int, int]:
        """From when to when records may bear on them, in epoch ms."""
        return (self.reach.first - BEFORE_DAYS) * DAY_MS, (self.reach.last + AFTER_DAYS) * DAY_MS


def tasks(con: Catalog, run: Run, asked: Asked) -> list[Task]:
    """Return the people with records in reach."""
    found = catalogued.contexts(con, asked.kind.name, asked.window, asked.month, asked.span)
    return [_task(run, context) for context in found]


def analysed(con: Catalog, asked: Asked, tasks: Sequence[Task]) -> Iterator[Worked]:
    """Work out the windows of several people together."""
    by_user = {task.context.user_id: task for task in tasks}
    whole = found(con, asked, by_user)
    if whole.table.is_empty():
        return
    lines = {str(line["subject"]): line for line in whole.table.iter_rows(named=True)}
    origins = _origins(whole)
    for name, document in subjects.documents(asked.kind, _batch(asked.kind, whole, by_user), _named(asked, lines)):
        line = lines[name]
        user = str(line["user_id"])
        subject = "\n".join([user, asked.kind.name, asked.window, str(line["key"])])
        yield Worked(
            subject, asked.window, user, asked.kind.name, None, str(line["month"]), int(line["ends"]),
            dump(origins[name]), by_user[user].inputs, dump(document),
        )  # fmt: skip


def _named(asked: Asked, lines: Mapping[str, Mapping[str, Any]]) -> Named:
    wanted = {name: line for name, line in lines.items() if asked.reach.first <= line["last"] <= asked.reach.last}
    return Named(
        {name: _subject(asked.window, line) for name, line in wanted.items()},
        {name: int(line["written"]) for name, line in wanted.items() if line["open"]},
        {name: str(line["before"]) for name, line in wanted.items()},
        asked.window if asked.window in change.COMPARED else None,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What the windows of several people are made of.

    Shapes: readings with user_id, upload, position, day and the subject they belong to; around the same of all that
    lies around, without a subject; main as nights.main_sleep(); table one row per subject: user_id, key, first, last
    (local days), month, begins and reached (first start and last end of its readings), ends (of the window), before
    (the subject before), written (local time), open (whether that was before the end). Units: epoch ms.
    """

    readings: pl.DataFrame
    around: pl.DataFrame
    main: pl.DataFrame
    table: pl.DataFrame
    records: pl.DataFrame
    uploads: pl.DataFrame


def _task(run: Run, context: Context) -> Task:
    person = people.of(context.user_id, run.people, run.settings)
    text = "\n".join([__version__, context.near, str(context.fetched), person.model_dump_json()])
    return Task(context, person, hashlib.sha256(text.encode()).hexdigest())


def found(con: Catalog, asked: Asked, tasks: Mapping[str, Task]) -> Found:
    """Return the readings of people in the windows asked for, and in those before them."""
    records, readings, uploads = catalogued.resolved(con, sorted(tasks), asked.kind.name, asked.span)
    persons = [task.person for task in tasks.values()]
    around = records.group_by("user_id").agg(pl.col("start").min(), pl.col("end").max())
    lenders = local_time.donors(analyses.near_records(con, around), sources.ALWAYS_UTC)
    kept, inside = quality.usable(records.drop("user_id"), readings, asked.kind)
    whole = subjects.joined(kept, inside, records.select("upload", "user_id").unique())
    resolved = local_time.resolve(whole, people.zones(persons), lenders, sources.ALWAYS_UTC)
    of_sleep = asked.kind.name == nights.TYPE
    main = SLEEP_OF_USER.to_frame() if of_sleep else nights.main_sleep(con, around, persons, lenders)
    placed = _by_day(asked.kind, subjects.placed(_renumbered(resolved, records), persons), main)
    marked = placed.with_columns(
        key=calendar.key(asked.window, pl.col("day")),
        first=calendar.first_day(asked.window, pl.col("day")),
        last=calendar.last_day(asked.window, pl.col("day")),
    ).with_columns(subject=pl.format("{}\n{}", "user_id", "key"))
    since = asked.reach.first - LONGEST_STEP.get(asked.window, 0)
    wanted = marked.filter(pl.col("last").is_between(since, asked.reach.last))
    return Found(wanted, placed, main, _table(wanted, tasks, asked.window), records, uploads)


def _renumbered(resolved: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Let record count the records of a person, whatever uploads they came in; position is that inside the upload."""
    order = records.select("user_id", "upload", position="record", start="start", end="end", identity="identity")
    numbers = order.sort("user_id", "start", "end", "identity").with_row_index("number")
    positioned = resolved.rename({"record": "position"})
    return positioned.join(
        numbers.select("upload", "position", record=pl.col("number").cast(pl.Int64)), on=["upload", "position"]
    )


def _by_day(kind: RecordType, resolved: pl.DataFrame, main: pl.DataFrame) -> pl.DataFrame:
    """Add the local day that a reading belongs to: of its start; for sleep, and values in a night, of waking."""
    shift = pl.col("offset_s").cast(pl.Int64).fill_null(0) * 1000
    if kind.name == nights.TYPE:
        return resolved.with_columns(day=(pl.col("record_end") + shift) // DAY_MS)
    if kind.name != HRV_TYPE:
        return resolved.with_columns(day=local_date())
    marked = in_sleep(resolved.rename({"user_id": "subject"}), main.rename({"user_id": "subject"}))
    day = pl.coalesce(pl.col("night_end"), pl.col("start") + DAY_MS // 2) + shift
    return marked.with_columns(day=day // DAY_MS).rename({"subject": "user_id"})


def _table(marked: pl.DataFrame, tasks: Mapping[str, Task], window: str) -> pl.DataFrame:
    fetched = pl.DataFrame(
        [(user, task.context.fetched) for user, task in tasks.items()],
        schema={"user_id": pl.String, "fetched": pl.Int64},
        orient="row",
    )
    shift = pl.col("shift")
    return (
        marked.sort("subject", "start", "record")
        .group_by("subject", maintain_order=True)
        .agg(
            pl.col("user_id", "key", "first", "last").first(),
            begins=pl.col("start").min(),
            reached=pl.col("end").max(),
            shift=pl.col("offset_s").last().cast(pl.Int64).fill_null(0) * 1000,
            written=pl.col("modified").max(),
        )
        .join(fetched, on="user_id", how="left")
        .with_columns(
            month=calendar.month_of(pl.col("last")),
            ends=(pl.col("last") + 1) * DAY_MS - shift,
            before=pl.format("{}\n{}", "user_id", calendar.key(window, pl.col("first") - 1)),
        )
        .with_columns(
            open=(pl.col("fetched") < pl.col("ends")) & (window != "night"),
            written=pl.when(pl.col("written") > 0).then("written").otherwise("fetched") + shift,
        )
        .sort("subject")
    )


def _batch(kind: RecordType, found: Found, tasks: Mapping[str, Task]) -> Batch:
    chosen, others = kind.choose(subjects.canonical(found.readings))
    spans = found.table.select("subject", "user_id", pl.col("begins").alias("from"), pl.col("reached").alias("to"))
    ends = found.table.select("subject", "user_id", "ends").iter_rows()
    known = [(str(name), tasks[str(user)].person, int(end)) for name, user, end in ends]
    people_of = subjects.people_of(known)
    return Batch(chosen, others, nights.touching(spans, found.main), people_of, _past(kind, found, tasks))


def _past(kind: RecordType, found: Found, tasks: Mapping[str, Task]) -> pl.DataFrame | None:
    """Return the nights that bear on each subject, made of all readings of its person."""
    if kind.history is None:
        return None
    chosen, others = kind.choose(subjects.canonical(found.around.with_columns(subject=pl.col("user_id"))))
    main = found.main.rename({"user_id": "subject"})
    persons = subjects.people_of([(user, task.person, task.context.fetched) for user, task in tasks.items()])
    whole = kind.history.nights(Batch(chosen, others, main, persons)).rename({"subject": "user_id"})
    reached = pl.min_horizontal("first", pl.col("last") - kind.history.days + 1)
    near = found.table.select("subject", "user_id", "first", "last").join(whole, on="user_id")
    kept = near.filter((pl.col("day") >= reached) & (pl.col("day") <= pl.col("last")))
    return kept.with_columns(inside=pl.col("day") >= pl.col("first")).sort("subject", "day")


def _subject(window: str, line: Mapping[str, object]) -> Subject:
    first, last = int(str(line["first"])), int(str(line["last"]))
    key = str(line["key"])
    return Subject(kind=window, key=key, start=calendar.midnight(first), end=calendar.midnight(last + 1))


def _origins(found: Found) -> dict[str, Origin]:
    """Return where each subject comes from: the uploads whose versions of its records count."""
    own = found.readings.select("subject", "upload", record="position").unique()
    versions = found.records.select("upload", "record", name=pl.format("{} {} {}", "identity", "modified", "version"))
    whole = own.join(versions, on=["upload", "record"]).join(found.uploads, on="upload")
    contents = whole.sort("subject", "name").group_by("subject").agg(pl.col("name").str.join("\n"), n=pl.len())
    by_upload = whole.group_by("subject", *found.uploads.columns).agg(records=pl.len())
    parts: dict[str, list[dict[str, object]]] = {}
    for part in by_upload.sort("subject", "uploaded", "content_hash").iter_rows(named=True):
        parts.setdefault(str(part["subject"]), []).append(part)
    return {str(name): _origin(str(content), int(n), parts[str(name)]) for name, content, n in contents.iter_rows()}


def _origin(content: str, records: int, parts: Sequence[Mapping[str, object]]) -> Origin:
    scores = [Quality.model_validate_json(str(part["quality"])) for part in parts]
    return Origin(
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
        correlation_id=None,
        records=records,
        quality_score=min(score.score for score in scores),
        warnings=sorted({warning for score in scores for warning in score.warnings}),
        uploads=[
            UploadRef(
                source_s3_key=str(part["key"]),
                source_bucket=str(part["bucket"]),
                content_hash=str(part["content_hash"]),
                upload_timestamp_utc=envelope.utc(int(str(part["uploaded"]))),
                records=int(str(part["records"])),
            )
            for part in parts
        ],
    )
