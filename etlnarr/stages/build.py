"""The stages in order, and the report of a run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from etlnarr.catalog import Catalog, status
from etlnarr.catalog.status import Status
from etlnarr.run import Run
from etlnarr.stages.analyse import Analysed, analyse
from etlnarr.stages.export import Exported, export
from etlnarr.stages.ingest import Ingested, ingest
from etlnarr.stages.narrate import Narrated, narrate
from etlnarr.stages.validate import Validated, validate

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did; seconds go by stage and stand in no row."""

    ingest: Ingested
    validate: Validated
    analyse: Analysed
    narrate: Narrated
    export: Exported
    status: Status
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of uploads after they were read."""

    validate: Validated
    analyse: Analysed
    narrate: Narrated
    export: Exported
    status: Status
    seconds: dict[str, float]


def build(con: Catalog, run: Run, urls: Sequence[str], month: str | None, kinds: Sequence[str]) -> Report:
    """Turn uploads into training files.

    Errors: as the stages.
    """
    seconds: dict[str, float] = {}
    if not run.dry:
        status.publish(con, run.settings.catalog)
    ingested = timed(con, run, seconds, "ingest", lambda: ingest(con, run, urls))
    told = tell(con, run, month, kinds)
    return Report(ingested, told.validate, told.analyse, told.narrate, told.export, told.status, seconds | told.seconds)


def tell(con: Catalog, run: Run, month: str | None, kinds: Sequence[str]) -> Told:
    """Turn what the catalog holds into training files.

    Errors: as the stages.
    """
    seconds: dict[str, float] = {}
    return Told(
        validate=timed(con, run, seconds, "validate", lambda: validate(con, run)),
        analyse=timed(con, run, seconds, "analyse", lambda: analyse(con, run, month, kinds)),
        narrate=timed(con, run, seconds, "narrate", lambda: narrate(con, run, month, kinds)),
        export=timed(con, run, seconds, "export", lambda: export(con, run, month)),
        status=status.count(con),
        seconds=seconds,
    )


def timed(con: Catalog, run: Run, seconds: dict[str, float], stage: str, work: Callable[[], T]) -> T:
    """Return what a stage returns, note its seconds, and publish the counts for those who ask meanwhile."""
    start = time.monotonic()
    done = work()
    seconds[stage] = round(time.monotonic() - start, 3)
    if not run.dry:
        status.publish(con, run.settings.catalog)
    return done
