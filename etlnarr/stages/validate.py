"""Decoded uploads to accepted ones, or to quarantine with the reason."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final

from etlnarr import envelope, lake, quality
from etlnarr.catalog import Catalog, transaction
from etlnarr.catalog import quality as decisions
from etlnarr.catalog.quality import Decision, Undecided
from etlnarr.records import by_name
from etlnarr.run import Run, utc
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
    """Judge every upload that waits, and quarantine the bytes of those that fail.

    Errors: LakeUnavailableError, EtlnarrError when the quarantine cannot be written.
    """
    report = Validated()
    waiting = decisions.undecided(con)
    if run.dry:
        return report
    taken = decisions.quarantine_keys(con)
    for batch in _batches(run.progress(waiting, "validate", len(waiting))):
        judged = list(_judge(con, run, batch))
        decided = []
        for upload, verdict, reason in judged:
            if reason is None:
                decided.append(Decision(upload.no, "accepted", None, dump(verdict), None))
                report = replace(report, accepted=report.accepted + 1)
                continue
            key, kept = _quarantine(run, upload, verdict, reason, taken)
            decided.append(Decision(upload.no, "quarantined", reason, dump(verdict), key))
            report = replace(report, quarantined=report.quarantined + 1, lost=report.lost + (not kept))
        with transaction(con):
            decisions.decide(con, decided)
    with transaction(con):
        decisions.refresh_novelty(con)
    return report


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
    for state, uploads in groupby(sorted(batch, key=lambda upload: upload.state), key=lambda upload: upload.state):
        some = list(uploads)
        if state == "unreadable":
            for upload in some:
                yield upload, UNREADABLE.model_copy(update={"errors": [upload.detail]}), upload.reason
            continue
        kind = by_name[str(some[0].record_type)]
        rows = quality.assess(*decisions.rows_of(con, [upload.no for upload in some]), kind)
        scores = {int(row["upload"]): row for row in rows.iter_rows(named=True)}
        for upload in some:
            missing = upload.detail.split(", ") if upload.reason == "schema_error" and upload.detail else []
            yield upload, *quality.judge(scores[upload.no], missing, kind, run.settings.quality_threshold)


def _quarantine(run: Run, upload: Undecided, verdict: Quality, reason: str, taken: set[str]) -> tuple[str | None, bool]:
    """Copy the bytes and put the note beside them; return the key and whether the bytes were still there."""
    if not run.settings.enable_quarantine:
        return None, True
    stem = _stem(run, upload)
    if f"{stem}.avro" in taken:
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
    return f"{stem}.avro" if kept else None, kept


def _stem(run: Run, upload: Undecided) -> str:
    folder = f"{run.settings.quarantine_prefix.strip('/')}/{upload.record_type or 'UnknownRecord'}"
    date = envelope.day(upload.uploaded).replace("-", "/")
    return f"{folder}/{date}/{PurePosixPath(upload.key).stem}"
