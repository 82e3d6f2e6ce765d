"""Uploads as subjects: the records that each of them carried, in the version it carried."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr import __version__, identity, people
from etlnarr.analysis import nights, rows, subjects
from etlnarr.analysis.rows import Rows
from etlnarr.analysis.subjects import Named
from etlnarr.catalog import Catalog, analyses
from etlnarr.catalog.analyses import Pending, Worked
from etlnarr.catalog.quality import rows_of
from etlnarr.model import Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.wire import UPLOAD, Analysis, Subject, dump


@dataclass(frozen=True, slots=True)
class Task:
    """An upload with the person behind it and a hash of all that its analysis depends on."""

    upload: Pending
    person: Person
    inputs: str


@dataclass(frozen=True, slots=True)
class Part:
    """Uploads of one record type, with all that working them out takes.

    Shapes: main as nights.main_sleep().
    """

    tasks: Sequence[Task]
    rows: Rows
    main: pl.DataFrame

    @property
    def record_type(self) -> str:
        """What they are uploads of."""
        return self.tasks[0].upload.record_type


def tasks(con: Catalog, run: Run, month: str | None, no: int | None = None) -> list[Task]:
    """Return the uploads of a month, or of all, that bring something new; or one of them, by its number."""
    return [_task(run, upload) for upload in analyses.pending(con, month, no)]


def read(con: Catalog, tasks: Sequence[Task], main: pl.DataFrame) -> Part:
    """Read uploads of one record type.

    Shapes: main as nights.main_sleep(), of whomever.
    """
    uploads = [task.upload for task in tasks]
    users = pl.DataFrame(
        [(upload.no, upload.user_id) for upload in uploads],
        schema={"upload": pl.Int64, "user_id": pl.String},
        orient="row",
    )
    persons = list({task.person.user_id: task.person for task in tasks}.values())
    held = rows_of(con, [upload.no for upload in uploads], by_name[uploads[0].record_type].told)
    found = rows.read(con, held, users, persons, analyses.spans(uploads))
    return Part(tasks, found, main.join(users, on="user_id", how="semi"))


def analysed(part: Part) -> list[Worked]:
    """Work out uploads of one record type together."""
    kind = by_name[part.record_type]
    by_number = {task.upload.no: task for task in part.tasks}
    named = {no: Subject(kind=UPLOAD, key=task.upload.content_hash, start="", end="") for no, task in by_number.items()}
    return [
        _worked(by_number[no], document) for no, document in subjects.documents(kind, _batch(kind, part), Named(named))
    ]


def readings(part: Part) -> pl.DataFrame:
    """Return the readings of uploads; the subject of each is the number of its upload.

    Shapes: READINGS, with the place of their source where a person prefers one, and upload, offset.
    """
    return rows.resolved(by_name[part.record_type], part.rows).with_columns(subject="upload")


def slept(con: Catalog, tasks: Sequence[Task]) -> Rows:
    """Read what the people behind uploads slept around them, as nights.read()."""
    persons = {task.person.user_id: task.person for task in tasks}
    return nights.read(con, analyses.spans([task.upload for task in tasks]), list(persons.values()))


def _worked(task: Task, document: Analysis) -> Worked:
    upload = task.upload
    return Worked(
        subject=str(upload.no),
        kind=UPLOAD,
        user_id=upload.user_id,
        record_type=upload.record_type,
        upload=upload.no,
        month=None,
        ends=None,
        origin=None,
        inputs=task.inputs,
        document=dump(document),
    )


def _task(run: Run, upload: Pending) -> Task:
    person = people.of(upload.user_id, run.people, run.settings)
    return Task(upload, person, identity.digest(__version__, upload.context, person.model_dump_json()))


def _batch(kind: RecordType, part: Part) -> Batch:
    chosen, others = kind.choose(rows.canonical(readings(part)))
    known = [(task.upload.no, task.person, task.upload.end) for task in part.tasks]
    spans = [(task.upload.no, task.upload.user_id, task.upload.start, task.upload.end) for task in part.tasks]
    return Batch(chosen, others, nights.touching(kind, spans, part.main), subjects.people_of(known))
