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


def build(con: Catalog, run: Run, urls: Sequence[str], month: str | None, kinds: Sequence[str]) -> Report:
    """Turn uploads into training files.

    Errors: as the stages.
    """
    seconds: dict[str, float] = {}
    if not run.dry:
        status.publish(con, run.settings.catalog)

    def timed(stage: str, work: Callable[[], T]) -> T:
        start = time.monotonic()
        done = work()
        seconds[stage] = round(time.monotonic() - start, 3)
        if not run.dry:
            status.publish(con, run.settings.catalog)
        return done

    return Report(
        ingest=timed("ingest", lambda: ingest(con, run, urls)),
        validate=timed("validate", lambda: validate(con, run)),
        analyse=timed("analyse", lambda: analyse(con, run, month, kinds)),
        narrate=timed("narrate", lambda: narrate(con, run, month, kinds)),
        export=timed("export", lambda: export(con, run, month)),
        status=status.count(con),
        seconds=seconds,
    )
