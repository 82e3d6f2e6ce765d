"""Uploads as subjects: the records that each of them carried, in the version it carried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr import __version__, identity, people
from etlnarr.analysis import nights, subjects
from etlnarr.analysis.subjects import Named
from etlnarr.catalog import Catalog, analyses
from etlnarr.catalog.analyses import Pending, Worked
from etlnarr.catalog.quality import rows_of
from etlnarr.model import Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.wire import UPLOAD, Subject, dump


@dataclass(frozen=True, slots=True)
class Task:
    """An upload with the person behind it and a hash of all that its analysis depends on."""

    upload: Pending
    person: Person
    inputs: str


def tasks(con: Catalog, run: Run, month: str | None, no: int | None = None) -> list[Task]:
    """Return the uploads of a month, or of all, that bring something new; or one of them, by its number."""
    return [_task(run, upload) for upload in analyses.pending(con, month, no)]


def analysed(con: Catalog, tasks: Sequence[Task], main: pl.DataFrame) -> Iterator[Worked]:
    """Work out uploads of one record type together.

    Shapes: main as main_sleep().
    """
    kind = by_name[tasks[0].upload.record_type]
    by_number = {task.upload.no: task for task in tasks}
    named = {no: Subject(kind=UPLOAD, key=task.upload.content_hash, start="", end="") for no, task in by_number.items()}
    for no, document in subjects.documents(kind, _batch(con, kind, tasks, main), Named(named)):
        task = by_number[no]
        upload = task.upload
        yield Worked(
            str(no), UPLOAD, upload.user_id, kind.name, upload.no, None, None, None, task.inputs, dump(document)
        )


def _task(run: Run, upload: Pending) -> Task:
    person = people.of(upload.user_id, run.people, run.settings)
    return Task(upload, person, identity.digest(__version__, upload.context, person.model_dump_json()))


def main_sleep(con: Catalog, tasks: Sequence[Task]) -> pl.DataFrame:
    """Return the main sleep sessions of the people behind uploads, as nights.main_sleep()."""
    persons = {task.person.user_id: task.person for task in tasks}
    around = analyses.spans([task.upload for task in tasks])
    return nights.main_sleep(con, around, list(persons.values()))


def found(con: Catalog, kind: RecordType, tasks: Sequence[Task]) -> pl.DataFrame:
    """Return the readings of uploads of one type; the subject of each is the number of its upload.

    Shapes: READINGS, with the place of their source where a person prefers one, and upload, offset.
    """
    persons = [task.person for task in tasks]
    uploads = [task.upload for task in tasks]
    users = pl.DataFrame(
        [(upload.no, upload.user_id) for upload in uploads],
        schema={"upload": pl.Int64, "user_id": pl.String},
        orient="row",
    )
    records, readings = rows_of(con, [upload.no for upload in uploads])
    whole = subjects.resolved(con, kind, records, readings, users, persons, analyses.spans(uploads))
    return whole.with_columns(subject="upload")


def _batch(con: Catalog, kind: RecordType, tasks: Sequence[Task], main: pl.DataFrame) -> Batch:
    chosen, others = kind.choose(subjects.canonical(found(con, kind, tasks)))
    known = [(task.upload.no, task.person, task.upload.end) for task in tasks]
    spans = [(task.upload.no, task.upload.user_id, task.upload.start, task.upload.end) for task in tasks]
    return Batch(chosen, others, nights.touching(kind, spans, main), subjects.people_of(known))
