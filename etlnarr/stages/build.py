"""The stages in order, and the report of a run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from etlnarr import lake, sharing
from etlnarr.batching import Spread
from etlnarr.catalog import Catalog, catalog_id, status
from etlnarr.counts import Status
from etlnarr.errors import TurnError, UsageError
from etlnarr.processes import spreading
from etlnarr.run import Run
from etlnarr.stages.analyse import Analysed, analyse
from etlnarr.stages.export import Exported, export
from etlnarr.stages.ingest import Ingested, ingest
from etlnarr.stages.narrate import Narrated, narrate, prepare
from etlnarr.stages.validate import Validated, validate

T = TypeVar("T")
TURN_SECONDS: Final = 600
"""How long a worker waits for another one to finish writing."""


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

    Errors: UsageError for a bucket that is not there; as the stages.
    """
    lake.refuse_missing(run.lake)
    seconds: dict[str, float] = {}
    if not run.dry:
        status.publish(con, run.settings.catalog)
    with spreading() as elsewhere:
        expected = partial(prepare, run, elsewhere)
        ingested = timed(seconds, "ingest", lambda: ingest(con, run, urls, expected))
        together = not run.dry and sharing.shared(run)
        told = (_tell_together if together else _tell)(con, run, month, kinds, elsewhere)
    return Report(ingested, told.validate, told.analyse, told.narrate, told.export, told.status, seconds | told.seconds)


def tell_together(con: Catalog, run: Run, month: str | None, kinds: Sequence[str]) -> Told:
    """Turn what all workers of a lake have learnt into training files, when it is this one's turn.

    Errors: TurnError, UsageError for a second writer that cannot take turns; as the stages.
    """
    with spreading() as elsewhere:
        return _tell_together(con, run, month, kinds, elsewhere)


def _tell_together(con: Catalog, run: Run, month: str | None, kinds: Sequence[str], elsewhere: Spread) -> Told:
    sharing.publish(con, run, sharing.UPLOADS)
    status.publish(con, run.settings.catalog)  # another one's turn may take long
    with sharing.turn(run, catalog_id(con), TURN_SECONDS) as alive:
        sharing.absorb(con, alive)
        told = _tell(con, alive, month, kinds, elsewhere, lambda: sharing.publish(con, alive, sharing.TELLINGS))
        sharing.compact(con, alive)
    return told


def _tell(
    con: Catalog,
    run: Run,
    month: str | None,
    kinds: Sequence[str],
    elsewhere: Spread,
    before_export: Callable[[], object] = lambda: None,
) -> Told:
    seconds: dict[str, float] = {}

    def exported() -> Exported:
        before_export()
        return export(con, run, month)

    validated = timed(seconds, "validate", lambda: validate(con, run))
    counted = None if run.dry else status.publish(con, run.settings.catalog)  # what follows takes long
    return Told(
        validate=validated,
        analyse=timed(seconds, "analyse", lambda: analyse(con, run, month, kinds, elsewhere)),
        narrate=timed(seconds, "narrate", lambda: narrate(con, run, month, kinds, elsewhere)),
        export=timed(seconds, "export", exported),
        # not only when the catalog is closed: a watcher may hold it for weeks
        status=status.count(con) if run.dry else status.settle(con, run.settings.catalog, counted),
        seconds=seconds,
    )


def analyse_alone(con: Catalog, run: Run, month: str | None, kinds: Sequence[str]) -> Analysed:
    """Work out insights, as analyse()."""
    with spreading() as elsewhere:
        return analyse(con, run, month, kinds, elsewhere)


def narrate_alone(con: Catalog, run: Run, month: str | None, kinds: Sequence[str]) -> Narrated:
    """Tell insights, as narrate()."""
    with spreading() as elsewhere:
        return narrate(con, run, month, kinds, elsewhere)


def export_alone(con: Catalog, run: Run, month: str | None) -> Exported:
    """Write the training files of what was told, unless other workers of the lake know more.

    Errors: TurnError when they do; as export().
    """
    if run.dry or not sharing.shared(run):
        return export(con, run, month)
    with sharing.turn(run, catalog_id(con), TURN_SECONDS) as alive:
        if sharing.unknown(con, alive):
            raise TurnError("other workers have published uploads since; run etlnarr build, which takes them in")
        return export(con, alive, month)


def rebuild(con: Catalog, run: Run, kinds: Sequence[str]) -> Told:
    """Fill a new catalog with what all workers of a lake have learnt, go on from there as its writer, and tell.

    Errors: UsageError when nobody has published anything; as tell_together().
    """
    lake.reach(run.lake)
    if not sharing.shared(run):
        raise UsageError("this lake holds no parts of a catalog; run etlnarr build on its uploads instead")
    sharing.take_over(run, catalog_id(con))
    return tell_together(con, run, None, kinds)


def timed(seconds: dict[str, float], stage: str, work: Callable[[], T]) -> T:
    """Return what a stage returns, and note its seconds."""
    start = time.monotonic()
    done = work()
    seconds[stage] = round(time.monotonic() - start, 3)
    return done
