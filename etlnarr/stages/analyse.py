"""Records to insights. Every subject of a batch is worked out together, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Final

import polars as pl

from etlnarr.analysis import nights, uploads, windows
from etlnarr.analysis.windows import Asked
from etlnarr.batching import Spread, batches, side_by_side
from etlnarr.catalog import Catalog, analyses, quality, transaction
from etlnarr.catalog import windows as catalogued
from etlnarr.records import RECORD_TYPES
from etlnarr.records.sleep_session import SLEEP_SESSION
from etlnarr.run import Run
from etlnarr.wire import UPLOAD

BATCH_READINGS: Final = 250_000
BATCH_UPLOADS: Final = 500
BATCH_WINDOWS: Final = 2_000
ENOUGH: Final = 1_000_000
"""How many readings must be due for processes of their own to pay, which start anew and are sent them."""

SUBJECTS_A_MONTH: Final = {"day": 31, "night": 31, "week": 5, "month": 1}


@dataclass(frozen=True, slots=True)
class Analysed:
    """How many subjects were worked out, and how many stood as they were; people for windows."""

    analysed: int = 0
    unchanged: int = 0


def analyse(con: Catalog, run: Run, month: str | None, kinds: Sequence[str], elsewhere: Spread) -> Analysed:
    """Work out the insights of every subject of some kinds that is new or whose inputs changed.

    Errors: TemporaryError when a process that works is killed; what was stored until then stands.
    """
    quality.refresh_novelty(con)
    report = _uploads(con, run, month, elsewhere) if UPLOAD in kinds else Analysed()
    for window in kinds:
        for kind in RECORD_TYPES:
            if window in kind.windows:
                found = _windows(con, run, Asked(kind.name, window, month), elsewhere)
                report = Analysed(report.analysed + found.analysed, report.unchanged + found.unchanged)
    return report


def _uploads(con: Catalog, run: Run, month: str | None, elsewhere: Spread) -> Analysed:
    tasks = uploads.tasks(con, run, month)
    due = [task for task in tasks if task.inputs != task.upload.inputs]
    spread = _worth(sum(task.upload.readings for task in due), elsewhere)
    main = _main_sleep(con, due, spread)
    parts = batches(
        run.progress(due, "analyse", len(due)),
        BATCH_UPLOADS,
        BATCH_READINGS,
        lambda task: task.upload.readings,
        lambda task: task.upload.record_type,
    )
    for worked in spread(uploads.analysed, (uploads.read(con, part, main) for part in parts)):
        with transaction(con):
            analyses.store(con, worked)
    return Analysed(len(due), len(tasks) - len(due))


def _main_sleep(con: Catalog, due: Sequence[uploads.Task], spread: Spread) -> pl.DataFrame:
    """Work out the main sleep of the people behind uploads, which every type but sleep itself asks for."""
    by_user: dict[str, list[uploads.Task]] = {}
    for task in due:
        by_user.setdefault(task.upload.user_id, []).append(task)
    sizes = analyses.readings_of(con, by_user, SLEEP_SESSION.name)
    parts = [
        [task for user, _ in part for task in by_user[user]]
        for part in batches(sizes.items(), BATCH_UPLOADS, BATCH_READINGS, lambda pair: pair[1])
    ]
    return pl.concat([nights.nobody(), *spread(nights.main_sleep, (uploads.slept(con, part) for part in parts))])


def _windows(con: Catalog, run: Run, asked: Asked, elsewhere: Spread) -> Analysed:
    tasks = windows.tasks(con, run, asked)
    due = [task for task in tasks if task.inputs != task.context.inputs]
    place = (asked.record_type, asked.window, asked.month)
    if gone := catalogued.strangers(con, *place, [task.context.user_id for task in tasks]):
        with transaction(con):
            catalogued.replace(con, *place, [(user, "") for user in gone], [])
    parts = batches(
        run.progress(due, f"analyse {asked.window}s", len(due)),
        BATCH_WINDOWS // SUBJECTS_A_MONTH[asked.window],
        BATCH_READINGS,
        lambda task: task.context.readings,
    )
    spread = _worth(sum(task.context.readings for task in due), elsewhere)
    noted, read = tee(parts)
    worked = spread(windows.analysed, (windows.read(con, asked, part) for part in read))
    for part, done in zip(noted, worked, strict=True):
        with transaction(con):
            catalogued.replace(con, *place, [(task.context.user_id, task.inputs) for task in part], done)
    return Analysed(len(due), len(tasks) - len(due))


def _worth(readings: int, elsewhere: Spread) -> Spread:
    return elsewhere if readings >= ENOUGH else side_by_side
