"""Decoded uploads to accepted ones, or to quarantine with the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from etlnarr import identity, quality, quarantine
from etlnarr.batching import batches, side_by_side
from etlnarr.catalog import Catalog, transaction
from etlnarr.catalog import quality as decisions
from etlnarr.catalog.quality import Decision, Undecided
from etlnarr.model import RecordType
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.wire import UPLOAD, Quality, dump

BATCH_RECORDS: Final = 100_000
BATCH_UPLOADS: Final = 200
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
    accepted = quarantined = 0
    waiting = decisions.undecided(con, run.settings.judgement)
    progress = run.progress(waiting, "validate", len(waiting))
    parts = batches(progress, BATCH_UPLOADS, BATCH_RECORDS, lambda one: one.records, lambda one: one.record_type)
    for judged in side_by_side(partial(_judged, con, run), parts):
        decided = [_decided(run, *one) for one in judged]
        with transaction(con):
            decisions.decide(con, decided)
        rejected = sum(decision.state == "quarantined" for decision in decided)
        accepted, quarantined = accepted + len(decided) - rejected, quarantined + rejected
    decisions.refresh_novelty(con)
    return Validated(accepted, quarantined, quarantine.settle(con, run))


def _judged(con: Catalog, run: Run, batch: Sequence[Undecided]) -> list[tuple[Undecided, Quality, str | None]]:
    with con.cursor() as beside:
        return list(_judge(beside, run, batch))


def _decided(run: Run, upload: Undecided, verdict: Quality, reason: str | None) -> Decision:
    if reason is not None:
        correlation = upload.correlation_id or identity.processing_id(upload.user_id, upload.content_hash, UPLOAD)
        run.log.warning("quarantined", correlation_id=correlation, reason=reason, record_type=str(upload.record_type))
    state = "accepted" if reason is None else "quarantined"
    return Decision(upload.no, state, reason, dump(verdict), run.settings.judgement)


def _judge(con: Catalog, run: Run, batch: Sequence[Undecided]) -> Iterator[tuple[Undecided, Quality, str | None]]:
    readable = [upload for upload in batch if upload.readable]
    for upload in batch:
        if not upload.readable:
            yield upload, UNREADABLE.model_copy(update={"errors": [upload.detail]}), upload.reason
    if not readable:
        return
    kind = by_name[str(readable[0].record_type)]
    scores = _scores(con, readable, kind)
    for upload in readable:
        missing = upload.detail.split(", ") if upload.detail else []
        yield upload, *quality.judge(scores[upload.no], missing, kind, run.settings.quality_threshold)


def _scores(con: Catalog, uploads: Sequence[Undecided], kind: RecordType) -> dict[int, dict[str, float]]:
    """Return the scores of uploads by number; the rows are read of those that were not scored as they came."""
    known = {upload.no: quality.scored(upload.scores) for upload in uploads}
    rest = [no for no, row in known.items() if row is None]
    found = {no: row for no, row in known.items() if row is not None}
    if rest:
        rows = quality.assess(*decisions.rows_of(con, rest, kind.told), kind)
        found |= {int(row["upload"]): row for row in rows.iter_rows(named=True)}
    return found
