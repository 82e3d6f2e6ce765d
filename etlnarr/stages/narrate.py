"""Insights to examples: instruction, data block and narrative, each printed number with its witness."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, tee
from pathlib import Path
from typing import Final

import etlnarr
from etlnarr import example, identity, processes, prose
from etlnarr.batching import Spread, batches, in_turn
from etlnarr.catalog import Catalog, examples, quality
from etlnarr.catalog.examples import Analysed, Told
from etlnarr.errors import GateError, UsageError
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.settings import Settings
from etlnarr.stages.tell import Due, Voice, ready, tell
from etlnarr.wire import dump

BATCH: Final = 500
PART: Final = 250
TOGETHER: Final = 8
"""How many parts are stored in one go, when all is told: the catalog holds in memory what it has not committed."""

ENOUGH: Final = 2_000
"""How many subjects must be due for processes of their own to pay, which load program and templates anew."""


@dataclass(frozen=True, slots=True)
class Narrated:
    """How many examples were told, how many of them in the place of another, and how many stood as they were."""

    told: int = 0
    replaced: int = 0
    unchanged: int = 0


def narrate(con: Catalog, run: Run, month: str | None, kinds: Sequence[str], elsewhere: Spread) -> Narrated:
    """Tell every analysed subject of some kinds that is new or whose inputs changed.

    Errors: GateError when a template does not prove what it prints, TemporaryError when a process that tells is
    killed; nothing that was told in this run is kept then. Of a run that is killed while it stores, some rows stand,
    which are not exported before the next one has told the others.
    """
    folder = _folder(run.settings.templates_path)
    digests = prose.digests(folder)
    quality.refresh_novelty(con)
    total = examples.count_analysed(con, month, kinds)
    told = replaced = 0
    due = _due(con, run, digests, run.progress(examples.analysed(con, month, kinds), "narrate", total))
    head = list(islice(due, ENOUGH))
    many = len(head) == ENOUGH
    types = examples.analysed_types(con, month, kinds) if many else {one.subject.record_type for one in head}
    voice = _voice(run.settings, folder, digests, types)
    with examples.kept_back(con), closing(_told(voice, chain(head, due), elsewhere if many else in_turn)) as parts:
        for number, (part, lines) in enumerate(parts):
            _keep(con, run, part, lines, number // TOGETHER)
            told += len(part)
            replaced += sum(one.subject.inputs is not None for one in part)
        whole = examples.held(con)
        examples.mark_half_stored(con)
        for number in run.progress(whole, "store", len(whole)):
            examples.store(con, number, run.now)
    examples.want(con, month, kinds)
    return Narrated(told, replaced, total - told)


def prepare(run: Run, elsewhere: Spread, expected: Sequence[str | None]) -> None:
    """Let other processes load program and templates while uploads of these types are read, if they are enough."""
    types = {name for name in expected if name is not None}
    if len(expected) >= ENOUGH:
        with suppress(UsageError, GateError):  # narrate() will say it, when all that was read is safe
            folder = _folder(run.settings.templates_path)
            processes.prepare(elsewhere, ready, _voice(run.settings, folder, prose.digests(folder), types))


def _voice(settings: Settings, folder: Path, digests: Mapping[str, str], types: Iterable[str]) -> Voice:
    names = {by_name[record_type].template for record_type in types}
    stories = frozenset((name, digests.get(name, "")) for name in names)
    return Voice(folder, stories, settings.generate_recommendations, settings.version)


def _due(con: Catalog, run: Run, digests: Mapping[str, str], subjects: Iterable[Analysed]) -> Iterator[Due]:
    for batch in batches(subjects, BATCH):
        ids = [example.processing_id(subject) for subject in batch]
        first = examples.first_told(con, ids)
        for name, subject in zip(ids, batch, strict=True):
            time = first.get(name, run.now)
            if (inputs := _inputs(run.settings, digests, subject, time)) != subject.inputs:
                yield Due(subject, inputs, time)


def _told(voice: Voice, due: Iterable[Due], spread: Spread) -> Generator[tuple[list[Due], list[Told]], None, None]:
    parts, sent = tee(batches(due, PART))
    yield from zip(parts, spread(partial(tell, voice), sent), strict=True)


def _keep(con: Catalog, run: Run, part: Sequence[Due], told: Sequence[Told], number: int) -> None:
    ids = [example.processing_id(due.subject) for due in part]
    examples.hold(con, told, ids, number)
    for name, due in zip(ids, part, strict=True):
        run.log.debug(
            "told", correlation_id=due.subject.origin.correlation_id or name, record_type=due.subject.record_type
        )


def _folder(named: Path | None) -> Path:
    """Return the folder of templates: the one named, else the package's own, else the checkout's."""
    if named is not None:
        if not named.is_dir():
            raise UsageError(f"{named}: no such folder of templates; see ETL_TEMPLATES_PATH")
        return named
    package = Path(etlnarr.__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _inputs(settings: Settings, digests: Mapping[str, str], subject: Analysed, first: int) -> str:
    return identity.digest(
        subject.subject,
        subject.document,
        dump(subject.origin),
        digests.get(by_name[subject.record_type].template, ""),
        str(settings.generate_recommendations),
        settings.version,
        etlnarr.__version__,
        str(first),
    )
