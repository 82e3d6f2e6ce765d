"""One part of narration, of nothing but what it is given: whatever process tells it, it is told the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from etlnarr import example, prose
from etlnarr.catalog.examples import Analysed, Told
from etlnarr.errors import TemporaryError
from etlnarr.prose import Templates
from etlnarr.records import by_name
from etlnarr.wire import Analysis, Example, dump

MOST_WORDS: Final = 180


@dataclass(frozen=True, slots=True)
class Voice:
    """Where the templates stand, those that tell here with the hash of each, and what the settings say of their use."""

    folder: Path
    stories: frozenset[tuple[str, str]]
    recommendations: bool
    version: str


@dataclass(frozen=True, slots=True)
class Due:
    """A subject that is to be told, the hash of all it is told from, and when it was first told.

    Units: first in epoch ms.
    """

    subject: Analysed
    inputs: str
    first: int


def ready(voice: Voice) -> None:
    """Load the templates that tell, before there is anything to be told.

    Errors: as tell().
    """
    _loaded(voice.folder, voice.stories)


def tell(voice: Voice, part: Sequence[Due]) -> list[Told]:
    """Tell subjects, in order.

    Errors: GateError when a template does not prove what it prints, TemporaryError when it is changed meanwhile.
    """
    return [_told(voice, due) for due in part]


def _told(voice: Voice, due: Due) -> Told:
    subject = due.subject
    kind = by_name[subject.record_type]
    analysis = Analysis.model_validate_json(subject.document)
    values = example.values(kind, analysis, recommendations=voice.recommendations)
    told = prose.tell(
        _loaded(voice.folder, voice.stories),
        kind.template,
        prose.facts(values, example.styles(kind), {entry.path for entry in analysis.withheld}),
        prose.evenly(example.example_id(subject)),
        example.vocabulary(kind),
        MOST_WORDS,
    )
    metadata = example.metadata(subject, analysis, told, due.first, voice.version)
    row = Example(instruction=told.instruction, input=told.input, output=told.output, metadata=metadata)
    return Told(subject.subject, due.inputs, metadata.example_id, kind.category, dump(row))


@lru_cache(maxsize=8)
def _loaded(folder: Path, stories: frozenset[tuple[str, str]]) -> Templates:
    """Load templates together: what they share takes as long as any of them."""
    templates = prose.load(folder, {name for name, _ in stories})
    for name, digest in sorted(stories):
        found = templates.stories.get(name)
        if found is not None and found.hash != digest:
            raise TemporaryError(f"{name} was changed while it told; run again")
    return templates
