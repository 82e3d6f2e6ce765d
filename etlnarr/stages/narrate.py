"""Insights to examples: instruction, data block and narrative, each printed number with its witness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import etlnarr
from etlnarr import example, identity, prose
from etlnarr.batching import batches
from etlnarr.catalog import Catalog, examples, quality, transaction
from etlnarr.catalog.examples import Analysed, Told
from etlnarr.errors import UsageError
from etlnarr.prose import Templates
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.wire import Analysis, Example, dump

BATCH: Final = 500
MOST_WORDS: Final = 180


@dataclass(frozen=True, slots=True)
class Narrated:
    """How many examples were told, how many of them in the place of another, and how many stood as they were."""

    told: int = 0
    replaced: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Voice:
    """Where the templates stand, the hash of each, and what the settings say of their use."""

    folder: Path
    digests: Mapping[str, str]
    recommendations: bool
    version: str


def narrate(con: Catalog, run: Run, month: str | None, kinds: Sequence[str]) -> Narrated:
    """Tell every analysed subject of some kinds that is new or whose inputs changed.

    Errors: GateError when a template does not prove what it prints; nothing that was told in this run is kept then.
    """
    folder = _folder(run.settings.templates_path)
    settings = run.settings
    voice = Voice(folder, prose.digests(folder), settings.generate_recommendations, settings.version)
    report = Narrated()
    quality.refresh_novelty(con)
    total = examples.count_analysed(con, month, kinds)
    with transaction(con):
        for batch in batches(run.progress(examples.analysed(con, month, kinds), "narrate", total), BATCH):
            ids = [example.processing_id(subject) for subject in batch]
            first = examples.first_told(con, ids)
            times = [first.get(name, run.now) for name in ids]
            due = [
                (subject, inputs, time)
                for subject, time in zip(batch, times, strict=True)
                if (inputs := _inputs(voice, subject, time)) != subject.inputs
            ]
            _tell_all(con, run, voice, due)
            report = Narrated(
                report.told + len(due),
                report.replaced + sum(subject.inputs is not None for subject, _, _ in due),
                report.unchanged + len(batch) - len(due),
            )
        examples.want(con, month, kinds)
    return report


def _tell_all(con: Catalog, run: Run, voice: Voice, due: Sequence[tuple[Analysed, str, int]]) -> None:
    told = [_tell(run, voice, subject, inputs, first) for subject, inputs, first in due]
    examples.tell(con, told, [example.processing_id(subject) for subject, _, _ in due], run.now)


def _folder(named: Path | None) -> Path:
    """Return the folder of templates: the one named, else the package's own, else the checkout's."""
    if named is not None:
        if not named.is_dir():
            raise UsageError(f"{named}: no such folder of templates; see ETL_TEMPLATES_PATH")
        return named
    package = Path(etlnarr.__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@lru_cache(maxsize=64)
def _loaded(folder: Path, name: str, digest: str) -> Templates:  # noqa: ARG001 - a changed template is another one
    return prose.load(folder, {name})


def _inputs(voice: Voice, subject: Analysed, first: int) -> str:
    return identity.digest(
        subject.subject,
        subject.document,
        dump(subject.origin),
        voice.digests.get(by_name[subject.record_type].template, ""),
        str(voice.recommendations),
        voice.version,
        etlnarr.__version__,
        str(first),
    )


def _tell(run: Run, voice: Voice, subject: Analysed, inputs: str, processed: int) -> Told:
    kind = by_name[subject.record_type]
    analysis = Analysis.model_validate_json(subject.document)
    values = example.values(kind, analysis, recommendations=voice.recommendations)
    told = prose.tell(
        _loaded(voice.folder, kind.template, voice.digests.get(kind.template, "")),
        kind.template,
        prose.facts(values, example.styles(kind), {entry.path for entry in analysis.withheld}),
        prose.evenly(example.example_id(subject)),
        example.vocabulary(kind),
        MOST_WORDS,
    )
    metadata = example.metadata(subject, analysis, told, processed, voice.version)
    run.log.debug("told", correlation_id=metadata.correlation_id, record_type=kind.name)
    row = Example(instruction=told.instruction, input=told.input, output=told.output, metadata=metadata)
    return Told(subject.subject, inputs, metadata.example_id, kind.category, dump(row))
