"""Records to insights. Every subject of a batch is worked out together, in columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from etlnarr.analysis import subjects, uploads, windows
from etlnarr.analysis.windows import Asked
from etlnarr.catalog import Catalog, analyses, transaction
from etlnarr.catalog import windows as catalogued
from etlnarr.records import RECORD_TYPES
from etlnarr.run import Run

BATCH_READINGS: Final = 1_000_000
BATCH_SUBJECTS: Final = 2_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Analysed:
    """How many subjects were worked out, and how many stood as they were; people for windows."""

    analysed: int = 0
    unchanged: int = 0


def analyse(con: Catalog, run: Run, month: str | None, kinds: Sequence[str]) -> Analysed:
    """Work out the insights of every subject of some kinds that is new or whose inputs changed."""
    report = _uploads(con, run, month) if subjects.UPLOAD in kinds else Analysed()
    for window in kinds:
        for kind in RECORD_TYPES:
            if window in kind.windows:
                found = _windows(con, run, Asked(kind, window, month))
                report = Analysed(report.analysed + found.analysed, report.unchanged + found.unchanged)
    return report


def _uploads(con: Catalog, run: Run, month: str | None) -> Analysed:
    tasks = uploads.tasks(con, run, month)
    due = [task for task in tasks if task.inputs != task.upload.inputs]
    progress = run.progress(due, "analyse", len(due))
    for batch in _batches(progress, lambda task: task.upload.readings, lambda task: task.upload.record_type):
        worked = list(uploads.analysed(con, batch))
        with transaction(con):
            analyses.store(con, worked)
    return Analysed(len(due), len(tasks) - len(due))


def _windows(con: Catalog, run: Run, asked: Asked) -> Analysed:
    tasks = windows.tasks(con, run, asked)
    due = [task for task in tasks if task.inputs != task.context.inputs]
    gone = catalogued.strangers(con, asked.kind.name, asked.window, asked.month, [t.context.user_id for t in tasks])
    with transaction(con):
        catalogued.replace(con, asked.kind.name, asked.window, asked.month, [(user, "") for user in gone], [])
    progress = run.progress(due, f"analyse {asked.window}s", len(due))
    for batch in _batches(progress, lambda task: task.context.readings, lambda _: ""):
        worked = list(windows.analysed(con, asked, batch))
        done = [(task.context.user_id, task.inputs) for task in batch]
        with transaction(con):
            catalogued.replace(con, asked.kind.name, asked.window, asked.month, done, worked)
    return Analysed(len(due), len(tasks) - len(due))


def _batches(tasks: Iterable[T], weight_of: Callable[[T], int], group_of: Callable[[T], str]) -> Iterator[list[T]]:
    batch: list[T] = []
    weight = 0
    for task in tasks:
        full = weight + weight_of(task) > BATCH_READINGS or len(batch) == BATCH_SUBJECTS
        if batch and (full or group_of(task) != group_of(batch[0])):
            yield batch
            batch, weight = [], 0
        batch.append(task)
        weight += weight_of(task)
    if batch:
        yield batch
