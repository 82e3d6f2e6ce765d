"""Insights to examples: instruction, data block and narrative, each printed number with its witness."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import JsonValue

import etlnarr
from etlnarr import identity, prose
from etlnarr.catalog import Catalog, examples, transaction
from etlnarr.catalog.examples import Analysed, Told
from etlnarr.errors import UsageError
from etlnarr.model import RecordType
from etlnarr.prose import Style, Templates, Witness
from etlnarr.records import by_name
from etlnarr.run import Run, utc
from etlnarr.wire import Analysis, Evidence, Example, Metadata, Quality, Sources, Withheld, dump

BATCH: Final = 500
SUBJECT: Final = "upload"
BASIC_BELOW: Final = 5
MODERATE_BELOW: Final = 12


@dataclass(frozen=True, slots=True)
class Narrated:
    """How many examples were told, and how many stood as they were."""

    told: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Voice:
    """Where the templates stand, the hash of each, and what the settings say of their use."""

    folder: Path
    digests: Mapping[str, str]
    recommendations: bool
    version: str


def narrate(con: Catalog, run: Run, month: str | None) -> Narrated:
    """Tell every analysed upload that is new or whose inputs changed.

    Errors: GateError when a template does not prove what it prints; nothing that was told in this run is kept then.
    """
    folder = _folder(run.settings.templates_path)
    settings = run.settings
    voice = Voice(folder, prose.digests(folder), settings.generate_recommendations, settings.version)
    report = Narrated()
    total = examples.count_analysed(con, month)
    with transaction(con):
        for batch in _batches(run.progress(examples.analysed(con, month), "narrate", total)):
            due = [(upload, inputs) for upload in batch if (inputs := _inputs(voice, upload)) != upload.inputs]
            told = [] if run.dry else [_tell(run, voice, upload, inputs) for upload, inputs in due]
            examples.tell(con, told, run.now)
            report = replace(report, told=report.told + len(due), unchanged=report.unchanged + len(batch) - len(due))
    return report


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


def _batches(uploads: Iterable[Analysed]) -> Iterator[list[Analysed]]:
    batch: list[Analysed] = []
    for upload in uploads:
        batch.append(upload)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _inputs(voice: Voice, upload: Analysed) -> str:
    template = by_name[upload.record_type].template
    parts = [
        upload.document,
        upload.quality,
        upload.key,
        upload.bucket,
        str(upload.uploaded),
        upload.correlation_id or "",
        voice.digests.get(template, ""),
        str(voice.recommendations),
        voice.version,
        etlnarr.__version__,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _tell(run: Run, voice: Voice, upload: Analysed, inputs: str) -> Told:
    kind = by_name[upload.record_type]
    analysis = Analysis.model_validate_json(upload.document)
    example_id = identity.derived("example", upload.user_id, upload.content_hash, SUBJECT)
    told = prose.tell(
        _loaded(voice.folder, kind.template, voice.digests.get(kind.template, "")),
        kind.template,
        prose.facts(_values(kind, analysis, voice), styles(kind), {entry.path for entry in analysis.withheld}),
        prose.evenly(example_id),
        vocabulary(kind),
    )
    metadata = _metadata(run, voice, upload, analysis, told, example_id)
    run.log.debug("told", correlation_id=metadata.correlation_id, record_type=kind.name)
    example = Example(instruction=told.instruction, input=told.input, output=told.output, metadata=metadata)
    return Told(upload.no, inputs, example_id, kind.category, dump(example))


def _metadata(
    run: Run, voice: Voice, upload: Analysed, analysis: Analysis, told: prose.Told, example_id: str
) -> Metadata:
    kind = by_name[upload.record_type]
    evidence = _evidence(told.evidence, _silences(kind, analysis.withheld), analysis.withheld)
    quality = Quality.model_validate_json(upload.quality)
    processing_id = identity.processing_id(upload.user_id, upload.content_hash, SUBJECT)
    return Metadata(
        source_s3_key=upload.key,
        source_bucket=upload.bucket,
        record_type=kind.name,
        upload_timestamp_utc=utc(upload.uploaded),
        user_id=upload.user_id,
        correlation_id=upload.correlation_id or processing_id,
        processed_utc=utc(upload.first_told if upload.first_told is not None else run.now),
        processing_id=processing_id,
        processor_version=voice.version,
        records_processed=upload.records,
        data_quality_score=quality.score,
        validation_warnings=quality.warnings,
        clinical_insights=analysis.clinical_insights,
        training_category=kind.category,
        complexity_level=_complexity(kind, evidence),
        clinical_relevance=_relevance(kind, evidence),
        example_id=example_id,
        content_hash=upload.content_hash,
        period=analysis.period,
        sources=_sources(analysis),
        evidence=evidence,
        withheld=analysis.withheld,
        template=kind.template,
        template_hash=told.template_hash,
    )


def _values(kind: RecordType, analysis: Analysis, voice: Voice) -> dict[str, JsonValue]:
    """Return all that a template may look up."""
    plain: dict[str, JsonValue] = json.loads(dump(analysis))
    return {
        **analysis.clinical_insights,
        "period": plain["period"],
        "sources": _sources(analysis).model_dump(),
        "series": plain["series"],
        "silences": [entry.model_dump() for entry in _silences(kind, analysis.withheld)],
        "recommendations": list(analysis.recommendations) if voice.recommendations else [],
        "recommendations_on": voice.recommendations,
    }


def _sources(analysis: Analysis) -> Sources:
    chosen = [share for share in analysis.sources if share.chosen]
    return Sources(primary=chosen[0], chosen=chosen, others=[share for share in analysis.sources if not share.chosen])


def _evidence(
    witnesses: Sequence[Witness], silences: Sequence[Withheld], withheld: Sequence[Withheld]
) -> list[Evidence]:
    """Give the witnesses paths that lead somewhere in the metadata: a spoken silence is an entry of withheld."""
    places = {f"silences.{place}.": f"withheld.{withheld.index(entry)}." for place, entry in enumerate(silences)}
    found = []
    for witness in witnesses:
        prefix = next((start for start in places if witness.path.startswith(start)), "")
        path = places.get(prefix, "") + witness.path.removeprefix(prefix)
        found.append(Evidence(path=path, value=witness.value, text=witness.text, start=witness.start, end=witness.end))
    return found


def _silences(kind: RecordType, withheld: Sequence[Withheld]) -> list[Withheld]:
    """Return what is withheld of the claims that a narrative may speak of, the most consequential first."""
    by_path = {entry.path: entry for entry in withheld}
    return [by_path[path] for path in kind.silences if path in by_path]


def styles(kind: RecordType) -> Mapping[str, Style]:
    """Return unit and decimals by path."""
    return {"period.span_hours": Style("h", 1), **{m.path: Style(m.unit, m.decimals) for m in kind.metrics}}


def vocabulary(kind: RecordType) -> AbstractSet[str]:
    """Return every word that a verdict of the type may be."""
    return {band[0] for verdict in kind.verdicts for band in verdict.bands}


def _complexity(kind: RecordType, evidence: Sequence[Evidence]) -> str:
    stated = len({entry.path for entry in evidence} & {metric.path for metric in kind.metrics})
    if stated < BASIC_BELOW:
        return "basic"
    return "moderate" if stated < MODERATE_BELOW else "high_clinical"


def _relevance(kind: RecordType, evidence: Sequence[Evidence]) -> str:
    words = {entry.path: entry.value for entry in evidence}
    stated = [verdict for verdict in kind.verdicts if verdict.path in words]
    if any(words[verdict.path] not in verdict.target for verdict in stated):
        return "high_clinical_relevance"
    return "medium_clinical_relevance" if stated else "standard_clinical_relevance"
