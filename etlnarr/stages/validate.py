"""Decoded uploads to accepted ones, or to quarantine with the reason."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from etlnarr import envelope, identity, lake, quality
from etlnarr.catalog import Catalog, transaction
from etlnarr.catalog import quality as decisions
from etlnarr.catalog.quality import Decision, Undecided
from etlnarr.envelope import utc
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.wire import Quality, QuarantineNote, dump

BATCH_RECORDS: Final = 500_000
BATCH_UPLOADS: Final = 2_000
UNREADABLE: Final = Quality(
    score=0.0, schema_score=0.0, completeness=0.0, physiological=0.0, temporal=0.0, errors=[], warnings=[], rules={}
)


@dataclass(frozen=True, slots=True)
class Validated:
    """What validation decided; lost counts the quarantined uploads whose bytes were gone from their source."""

    accepted: int = 0
    quarantined: int = 0
    lost: int = 0


def validate(con: Catalog, run: Run) -> Validated:
    """Judge every upload that waits or was judged by other settings, and quarantine the bytes of those that fail.

    Errors: LakeUnavailableError, EtlnarrError when the quarantine cannot be written.
    """
    report = Validated()
    waiting = decisions.undecided(con, run.settings.judgement)
    taken = decisions.quarantine_keys(con)
    for batch in _batches(run.progress(waiting, "validate", len(waiting))):
        decided = [_decided(run, judged, taken) for judged in _judge(con, run, batch)]
        if not run.dry:
            with transaction(con):
                decisions.decide(con, decided)
        rejected = [decision for decision in decided if decision.state == "quarantined"]
        lost = sum(decision.quarantine_key is None for decision in rejected) if run.settings.enable_quarantine else 0
        report = Validated(
            report.accepted + len(decided) - len(rejected),
            report.quarantined + len(rejected),
            report.lost + (0 if run.dry else lost),
        )
    if not run.dry:
        with transaction(con):
            decisions.refresh_novelty(con)
    return report


def _decided(run: Run, judged: tuple[Undecided, Quality, str | None], taken: set[str]) -> Decision:
    upload, verdict, reason = judged
    judgement, told = run.settings.judgement, dump(verdict)
    if reason is None:
        if upload.quarantine_key and not run.dry:
            _release(run, upload.quarantine_key)
        return Decision(upload.no, "accepted", None, told, None, judgement)
    stands = (upload.state, upload.reason, upload.quality) == ("quarantined", reason, told)
    if stands and upload.quarantine_key:
        return Decision(upload.no, "quarantined", reason, told, upload.quarantine_key, judgement)
    correlation = upload.correlation_id or identity.processing_id(upload.user_id, upload.content_hash, "upload")
    run.log.warning("quarantined", correlation_id=correlation, reason=reason, record_type=str(upload.record_type))
    key = None if run.dry else _quarantine(run, upload, verdict, reason, taken)
    return Decision(upload.no, "quarantined", reason, told, key, judgement)


def _batches(waiting: Iterable[Undecided]) -> Iterator[list[Undecided]]:
    batch: list[Undecided] = []
    weight = 0
    for upload in waiting:
        full = weight + upload.records > BATCH_RECORDS or len(batch) == BATCH_UPLOADS
        if batch and (full or upload.record_type != batch[0].record_type):
            yield batch
            batch, weight = [], 0
        batch.append(upload)
        weight += upload.records
    if batch:
        yield batch


def _judge(con: Catalog, run: Run, batch: Sequence[Undecided]) -> Iterator[tuple[Undecided, Quality, str | None]]:
    readable = [upload for upload in batch if upload.readable]
    for upload in batch:
        if not upload.readable:
            yield upload, UNREADABLE.model_copy(update={"errors": [upload.detail]}), upload.reason
    if not readable:
        return
    kind = by_name[str(readable[0].record_type)]
    rows = quality.assess(*decisions.rows_of(con, [upload.no for upload in readable]), kind)
    scores = {int(row["upload"]): row for row in rows.iter_rows(named=True)}
    for upload in readable:
        missing = upload.detail.split(", ") if upload.detail else []
        yield upload, *quality.judge(scores[upload.no], missing, kind, run.settings.quality_threshold)


def _quarantine(run: Run, upload: Undecided, verdict: Quality, reason: str, taken: set[str]) -> str | None:
    """Copy the bytes and put the note beside them; return the key, None when the bytes are not there any more."""
    if not run.settings.enable_quarantine:
        return None
    stem = _stem(run, upload)
    if f"{stem}.avro" in taken and f"{stem}.avro" != upload.quarantine_key:
        stem = f"{stem}_{upload.content_hash[:16]}"
    taken.add(f"{stem}.avro")
    note = QuarantineNote(
        quarantine_reason=reason,
        quality_score=verdict.score,
        errors=verdict.errors,
        warnings=verdict.warnings,
        rules=verdict.rules,
        source_key=upload.key,
        source_bucket=upload.bucket,
        content_hash=upload.content_hash,
        record_type=upload.record_type,
        quarantined_utc=utc(run.now),
    )
    kept = lake.copy(upload.url, upload.content_hash, run.lake, f"{stem}.avro", run.settings)
    lake.write(run.lake, f"{stem}.metadata.json", dump(note).encode() + b"\n")
    return f"{stem}.avro" if kept else None


def _release(run: Run, key: str) -> None:
    """Remove the copy of an upload that is accepted after all."""
    lake.remove(run.lake, key)
    lake.remove(run.lake, f"{key.removesuffix('.avro')}.metadata.json")


def _stem(run: Run, upload: Undecided) -> str:
    folder = f"{run.settings.quarantine_prefix.strip('/')}/{upload.record_type or 'UnknownRecord'}"
    date = envelope.day(upload.uploaded).replace("-", "/")
    return f"{folder}/{date}/{PurePosixPath(upload.key).stem}"
