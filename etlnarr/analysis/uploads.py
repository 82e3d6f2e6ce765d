"""Uploads as subjects: the records that each of them carried, in the version it carried."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr import __version__, local_time, people, quality
from etlnarr.analysis import nights, subjects
from etlnarr.analysis.subjects import Named
from etlnarr.catalog import Catalog, analyses
from etlnarr.catalog.analyses import Pending, Worked
from etlnarr.catalog.quality import rows_of
from etlnarr.model import SLEEP, Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import by_name, sources
from etlnarr.run import Run
from etlnarr.wire import Subject, dump


@dataclass(frozen=True, slots=True)
class Task:
    """An upload with the person behind it and a hash of all that its analysis depends on."""

    upload: Pending
    person: Person
    inputs: str


def tasks(con: Catalog, run: Run, month: str | None) -> list[Task]:
    """Return the uploads of a month, or of all, that bring something new."""
    return [_task(run, upload) for upload in analyses.pending(con, month)]


def analysed(con: Catalog, tasks: Sequence[Task]) -> Iterator[Worked]:
    """Work out uploads of one record type together."""
    kind = by_name[tasks[0].upload.record_type]
    by_subject = {str(task.upload.no): task for task in tasks}
    named = {
        name: Subject(kind=subjects.UPLOAD, key=task.upload.content_hash, start="", end="")
        for name, task in by_subject.items()
    }
    for name, document in subjects.documents(kind, _batch(con, kind, tasks), Named(named)):
        task = by_subject[name]
        upload = task.upload
        yield Worked(
            name, subjects.UPLOAD, upload.user_id, kind.name, upload.no, None, None, None, task.inputs, dump(document)
        )


def readings_of(con: Catalog, kind: RecordType, no: int) -> pl.DataFrame:
    """Return the readings of one upload that may reach a metric, with what is known of their record."""
    users = pl.DataFrame({"upload": [no], "user_id": [""]}, schema={"upload": pl.Int64, "user_id": pl.String})
    return subjects.joined(*quality.usable(*rows_of(con, [no]), kind), users)


def _task(run: Run, upload: Pending) -> Task:
    person = people.of(upload.user_id, run.people, run.settings)
    text = "\n".join([__version__, upload.context, person.model_dump_json()])
    return Task(upload, person, hashlib.sha256(text.encode()).hexdigest())


def _batch(con: Catalog, kind: RecordType, tasks: Sequence[Task]) -> Batch:
    uploads = [task.upload for task in tasks]
    zones = people.zones([task.person for task in tasks])
    around = analyses.spans(uploads)
    lenders = local_time.donors(analyses.near_records(con, around), sources.ALWAYS_UTC)
    users = pl.DataFrame(
        [(upload.no, upload.user_id) for upload in uploads],
        schema={"upload": pl.Int64, "user_id": pl.String},
        orient="row",
    )
    records, readings = rows_of(con, [upload.no for upload in uploads])
    plain = subjects.joined(*quality.usable(records, readings, kind), users)
    resolved = local_time.resolve(plain, zones, lenders, sources.ALWAYS_UTC)
    placed = subjects.placed(resolved, [task.person for task in tasks])
    chosen, others = kind.choose(subjects.canonical(placed.with_columns(subject=pl.col("upload").cast(pl.String))))
    main = (
        nights.main_sleep(con, around, [task.person for task in tasks], lenders) if kind.name != nights.TYPE else None
    )
    known = [(str(task.upload.no), task.person, task.upload.end) for task in tasks]
    return Batch(chosen, others, _touching(main, uploads), subjects.people_of(known))


def _touching(main: pl.DataFrame | None, uploads: Sequence[Pending]) -> pl.DataFrame:
    """Return the main sleep sessions of each upload's person that touch the upload's time, as SLEEP."""
    if main is None:
        return SLEEP.to_frame()
    spans = pl.DataFrame(
        [(str(upload.no), upload.user_id, upload.start, upload.end) for upload in uploads],
        schema={"subject": pl.String, "user_id": pl.String, "from": pl.Int64, "to": pl.Int64},
        orient="row",
    )
    return nights.touching(spans, main)
