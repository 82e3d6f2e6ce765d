"""Facts and text to an example: what a template may look up, and the metadata that says where all of it came from."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from pydantic import JsonValue, TypeAdapter

from etlnarr import change, identity, prose
from etlnarr.catalog.examples import Analysed
from etlnarr.envelope import utc
from etlnarr.model import RecordType
from etlnarr.prose import Style, Witness
from etlnarr.records import by_name
from etlnarr.wire import UPLOAD, Analysis, Evidence, Metadata, Sources, Subject, Withheld

SILENCES: Final = "silences."
BASIC_BELOW: Final = 5
MODERATE_BELOW: Final = 12
EVIDENCE: Final = TypeAdapter(list[Evidence])
"""All of it at once takes less time than one by one."""


def example_id(subject: Analysed) -> str:
    """Return the id of the example of a subject: of an upload by its content, of a window by what it is."""
    if subject.kind == UPLOAD:
        return identity.derived("example", subject.user_id, subject.origin.content_hash, UPLOAD)
    return identity.derived("example", subject.subject)


def processing_id(subject: Analysed) -> str:
    """Return the id of a subject with its content."""
    name = UPLOAD if subject.kind == UPLOAD else subject.subject
    return identity.processing_id(subject.user_id, subject.origin.content_hash, name)


def metadata(
    subject: Analysed, analysis: Analysis, told: prose.Told, processed: int, processor_version: str
) -> Metadata:
    """Say where an example came from and what it stands on.

    Units: processed in epoch ms.
    """
    kind, origin = by_name[subject.record_type], subject.origin
    evidence = evidence_of(told.evidence, silences_of(kind, analysis), analysis.withheld)
    latest = origin.uploads[-1]
    return Metadata(
        source_s3_key=latest.source_s3_key,
        source_bucket=latest.source_bucket,
        record_type=kind.name,
        upload_timestamp_utc=latest.upload_timestamp_utc,
        user_id=subject.user_id,
        correlation_id=origin.correlation_id or processing_id(subject),
        processed_utc=utc(processed),
        processing_id=processing_id(subject),
        processor_version=processor_version,
        records_processed=origin.records,
        data_quality_score=origin.quality_score,
        validation_warnings=origin.warnings,
        clinical_insights=analysis.clinical_insights,
        training_category=kind.category,
        complexity_level=_complexity(kind, evidence),
        clinical_relevance=_relevance(kind, evidence),
        example_id=example_id(subject),
        content_hash=origin.content_hash,
        subject=analysis.subject,
        uploads=origin.uploads,
        period=analysis.period,
        sources=sources_of(analysis),
        evidence=evidence,
        withheld=analysis.withheld,
        template=kind.template,
        template_hash=told.template_hash,
    )


def values(kind: RecordType, analysis: Analysis, *, recommendations: bool) -> dict[str, JsonValue]:
    """Return all that a template may look up."""
    sources = sources_of(analysis)
    return {
        change.GROUP: None,
        **analysis.clinical_insights,
        "period": {**vars(analysis.period), **_window(analysis.subject)},
        "sources": {
            "primary": vars(sources.primary),
            "chosen": [*map(vars, sources.chosen)],
            "others": [*map(vars, sources.others)],
        },
        "series": [*analysis.series],
        "silences": [*map(vars, silences_of(kind, analysis))],
        "recommendations": [*_told(kind, analysis.subject, analysis.recommendations)] if recommendations else [],
        "recommendations_on": recommendations,
    }


def _window(subject: Subject) -> dict[str, JsonValue]:
    """Return kind, and for a window its first and last local day."""
    if subject.kind == UPLOAD:
        return {"kind": UPLOAD, "first": None, "last": None}
    last = datetime.fromisoformat(subject.end) - timedelta(days=1)
    return {"kind": subject.kind, "first": subject.start, "last": last.isoformat()}


def sources_of(analysis: Analysis) -> Sources:
    """Return the apps that were told from, and those that were set aside."""
    chosen = [share for share in analysis.sources if share.chosen]
    return Sources(primary=chosen[0], chosen=chosen, others=[share for share in analysis.sources if not share.chosen])


def evidence_of(
    witnesses: Sequence[Witness], silences: Sequence[Withheld], withheld: Sequence[Withheld]
) -> list[Evidence]:
    """Give the witnesses paths that lead somewhere in the metadata: a spoken silence is an entry of withheld."""
    found = []
    for named, value, text, start, end in witnesses:
        path = named
        if path.startswith(SILENCES):
            place, _, rest = path.removeprefix(SILENCES).partition(".")
            path = f"withheld.{_place(silences[int(place)], withheld)}.{rest}"
        found.append({"path": path, "value": value, "text": text, "start": start, "end": end})
    return EVIDENCE.validate_python(found)


def _place(silence: Withheld, withheld: Sequence[Withheld]) -> int:
    """Return where a silence stands; the paths tell nearly all others from it in far less time."""
    return next(place for place, entry in enumerate(withheld) if entry.path == silence.path and entry == silence)


def silences_of(kind: RecordType, analysis: Analysis) -> list[Withheld]:
    """Return what is withheld of the claims that a narrative may speak of, the most consequential first."""
    by_path = {entry.path: entry for entry in analysis.withheld}
    return [by_path[path] for path in _told(kind, analysis.subject, kind.silences) if path in by_path]


def _told(kind: RecordType, subject: Subject, names: Iterable[str]) -> list[str]:
    """Leave out what takes several days, where one day or night was asked for."""
    left_out = kind.of_several if subject.kind in ("day", "night") else frozenset()
    return [name for name in names if name not in left_out]


@cache
def styles(kind: RecordType) -> Mapping[str, Style]:
    """Return unit and decimals by path."""
    own = {metric.path: Style(metric.unit, metric.decimals) for metric in kind.metrics}
    compared = {f"{change.GROUP}.{one.name}": own[one.metric] for one in kind.comparisons}
    return {"period.span_hours": Style("h", 1), **own, **compared}


@cache
def vocabulary(kind: RecordType) -> AbstractSet[str]:
    """Return every word that a verdict of the type may be."""
    return frozenset(band[0] for verdict in kind.verdicts for band in verdict.bands)


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
