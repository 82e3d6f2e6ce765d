"""Records to insights. Every subject of a batch is worked out together, in columns."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from etlnarr import __version__, insights, local_time, people, quality
from etlnarr.catalog import Catalog, analyses, transaction
from etlnarr.catalog.analyses import Subject
from etlnarr.catalog.quality import rows_of
from etlnarr.insights import Insights
from etlnarr.metrics import sleep
from etlnarr.model import PEOPLE, READINGS, SLEEP, Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import by_name, sources
from etlnarr.run import Run
from etlnarr.wire import Analysis, Period, SourceShare, dump

BATCH_READINGS: Final = 1_000_000
BATCH_SUBJECTS: Final = 2_000
SLEEP_TYPE: Final = "SleepSessionRecord"
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Analysed:
    """How many subjects were worked out, and how many stood as they were."""

    analysed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """A subject with the person behind it and a hash of all that its analysis depends on."""

    subject: Subject
    person: Person
    inputs: str


def analyse(con: Catalog, run: Run, month: str | None) -> Analysed:
    """Work out the insights of every upload that is new or whose inputs changed."""
    tasks = [_task(run, subject) for subject in analyses.subjects(con, month)]
    due = [task for task in tasks if task.inputs != task.subject.inputs]
    report = Analysed(unchanged=len(tasks) - len(due))
    if run.dry:
        return replace(report, analysed=len(due))
    for batch in _batches(run.progress(due, "analyse", len(due))):
        documents = list(_documents(con, batch))
        with transaction(con):
            analyses.store(con, documents)
        report = replace(report, analysed=report.analysed + len(batch))
    return report


def _task(run: Run, subject: Subject) -> Task:
    person = people.of(subject.user_id, run.people, run.settings)
    text = "\n".join([__version__, subject.context, person.model_dump_json()])
    return Task(subject, person, hashlib.sha256(text.encode()).hexdigest())


def _batches(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    batch: list[Task] = []
    weight = 0
    for task in tasks:
        full = weight + task.subject.readings > BATCH_READINGS or len(batch) == BATCH_SUBJECTS
        if batch and (full or task.subject.record_type != batch[0].subject.record_type):
            yield batch
            batch, weight = [], 0
        batch.append(task)
        weight += task.subject.readings
    if batch:
        yield batch


def _documents(con: Catalog, tasks: Sequence[Task]) -> Iterator[tuple[int, str, str]]:
    kind = by_name[tasks[0].subject.record_type]
    batch = _batch(con, kind, tasks)
    habits = sources.habit_gates(kind.name)
    row = insights.evaluate(kind, batch, habits)
    series = {str(line["subject"]): line["series"] for line in kind.series(batch).iter_rows(named=True)}
    periods, shares = _periods(batch.readings), _shares(batch)
    by_subject = {str(task.subject.no): task for task in tasks}
    for found in insights.unfold(kind, row, habits):
        document = _document(found, periods[found.subject], shares[found.subject], series.get(found.subject) or [])
        task = by_subject[found.subject]
        yield task.subject.no, task.inputs, dump(document)


def _document(found: Insights, period: Period, shares: list[SourceShare], series: list[dict[str, object]]) -> Analysis:
    return Analysis.model_validate(
        {
            "period": period,
            "sources": shares,
            "clinical_insights": found.clinical,
            "withheld": found.withheld,
            "recommendations": found.recommendations,
            "series": series,
        }
    )


def _batch(con: Catalog, kind: RecordType, tasks: Sequence[Task]) -> Batch:
    subjects = [task.subject for task in tasks]
    zones = {task.person.user_id: task.person.tz for task in tasks if task.person.tz is not None}
    lenders = local_time.donors(analyses.near_records(con, subjects), sources.ALWAYS_UTC)
    users = pl.DataFrame(
        [(subject.no, subject.user_id) for subject in subjects],
        schema={"upload": pl.Int64, "user_id": pl.String},
        orient="row",
    )
    records, readings = rows_of(con, [subject.no for subject in subjects])
    plain = _joined(*quality.usable(records, readings, kind), users)
    resolved = local_time.resolve(plain, zones, lenders, sources.ALWAYS_UTC)
    ordered = resolved.with_columns(subject=pl.col("upload").cast(pl.String)).select(READINGS.names())
    chosen, others = kind.choose(ordered.sort("subject", "start", "record", "end"))
    nights = _nights(con, subjects, zones, lenders) if kind.name != SLEEP_TYPE else SLEEP.to_frame()
    return Batch(chosen, others, nights, _people(tasks))


def _joined(records: pl.DataFrame, readings: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    whole = records.select(
        "upload", "record", "source", "modified", "offset", record_start="start", record_end="end"
    ).join(users, on="upload")
    return readings.join(whole, on=["upload", "record"])


def _nights(con: Catalog, subjects: Sequence[Subject], zones: Mapping[str, str], lenders: pl.DataFrame) -> pl.DataFrame:
    """Return the main sleep sessions of each subject's person that touch the subject's time."""
    records, readings = analyses.near_sleep(con, subjects)
    users = records.select("upload", "user_id").unique()
    kept, inside = quality.usable(records.drop("user_id"), readings, by_name[SLEEP_TYPE])
    plain = local_time.resolve(_joined(kept, inside, users), zones, lenders, sources.ALWAYS_UTC)
    own = plain.rename({"user_id": "subject"}).select(READINGS.names()).sort("subject", "start", "record", "end")
    main = sleep.main_sessions(own).rename({"subject": "user_id"})
    spans = pl.DataFrame(
        [(str(s.no), s.user_id, s.start, s.end) for s in subjects],
        schema={"subject": pl.String, "user_id": pl.String, "from": pl.Int64, "to": pl.Int64},
        orient="row",
    )
    touching = spans.join(main, on="user_id").filter(
        (pl.col("start") <= pl.col("to")) & (pl.col("end") >= pl.col("from"))
    )
    return touching.select(SLEEP.names()).sort("subject", "start")


def _people(tasks: Sequence[Task]) -> pl.DataFrame:
    lines = [
        (str(t.subject.no), t.person.age_at(t.subject.end), t.person.sex, t.person.diabetes, t.person.pregnant,
         t.person.mass_kg, t.person.height_cm)
        for t in tasks
    ]  # fmt: skip
    return pl.DataFrame(lines, schema=PEOPLE, orient="row")


def _periods(readings: pl.DataFrame) -> dict[str, Period]:
    """Return the span of each subject, local where every offset is known."""
    known = pl.col("offset_s").is_not_null().all()
    spans = readings.group_by("subject").agg(
        known=known,
        first=pl.col("start").min(),
        last=pl.col("end").max(),
        start=pl.when(known)
        .then((pl.col("start") + pl.col("offset_s").cast(pl.Int64) * 1000).min())
        .otherwise(pl.col("start").min()),
        end=pl.when(known)
        .then((pl.col("end") + pl.col("offset_s").cast(pl.Int64) * 1000).max())
        .otherwise(pl.col("end").max()),
        offsets=pl.col("offset_s").unique(maintain_order=True),
        origins=pl.col("offset_origin").unique().sort(),
    )
    return {str(line["subject"]): _period(line) for line in spans.iter_rows(named=True)}


def _period(line: Mapping[str, Any]) -> Period:
    known = bool(line["known"])
    offsets = [_offset_text(east) for east in line["offsets"]] if known else []
    return Period(
        start=_iso(int(line["start"]), local=known),
        end=_iso(int(line["end"]), local=known),
        span_hours=round((int(line["last"]) - int(line["first"])) / HOUR_MS, 6),
        offset=", ".join(offsets) or None,
        offset_source=", ".join(line["origins"]) if known else None,
    )


def _iso(ms: int, *, local: bool) -> str:
    text = datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return text if local else f"{text}Z"


def _offset_text(east: int) -> str:
    hours, minutes = divmod(abs(east) // 60, 60)
    return f"UTC{'-' if east < 0 else '+'}{hours:02d}:{minutes:02d}"


def _shares(batch: Batch) -> dict[str, list[SourceShare]]:
    """Return the apps behind each subject, the chosen ones first."""
    parts = [
        frame.group_by("subject", "source").agg(records=pl.col("record").n_unique()).with_columns(chosen=pl.lit(chosen))
        for frame, chosen in ((batch.readings, True), (batch.others, False))
    ]
    shares: dict[str, list[SourceShare]] = defaultdict(list)
    ordered = pl.concat(parts).sort("subject", "chosen", "records", "source", descending=[False, True, True, False])
    for subject, package, records, chosen in ordered.iter_rows():
        name = sources.display_name(package)
        shares[subject].append(SourceShare(package=package, name=name, records=records, chosen=chosen))
    return shares
