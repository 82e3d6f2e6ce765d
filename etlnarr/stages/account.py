"""What became of an upload: told in rows, superseded, in quarantine, or waiting."""

from etlnarr.catalog import Catalog
from etlnarr.catalog import explain as catalogued
from etlnarr.catalog.examples import upload_ref
from etlnarr.catalog.explain import Traced
from etlnarr.errors import UsageError
from etlnarr.run import Run
from etlnarr.stages.explain import Explanation, explain
from etlnarr.wire import UPLOAD, Document, UploadRef


class PlaceRef(Document):
    """Where an upload was found, with the correlation id of the message that said so."""

    source_s3_key: str
    correlation_id: str | None


class RowRef(Document):
    """A row that was told from an upload, alone or with others."""

    example_id: str
    kind: str
    key: str


class Account(Document):
    """What became of an upload.

    Shapes: superseded_by counts the records of this upload that each other one had brought before; explanation is
    that of the row that is about this upload alone.
    """

    upload: UploadRef
    record_type: str | None
    correlation_id: str | None
    places: list[PlaceRef]
    state: str  # told, superseded, quarantined, waiting
    reason: str | None
    detail: str | None
    quarantine_key: str | None
    superseded_by: list[UploadRef]
    rows: list[RowRef]
    explanation: Explanation | None


def answer(con: Catalog, run: Run, asked: str) -> Explanation | list[Account]:
    """Tell how a row came to be, by its id, or what became of an upload, by its key, correlation id or content hash.

    Errors: UsageError when the catalog knows of neither.
    """
    if catalogued.find(con, asked):
        return explain(con, run, asked)
    found = catalogued.trace(con, asked)
    if not found:
        raise UsageError(
            "no row and no upload of this catalog goes by that; ask by example id, key, correlation id or content hash"
        )
    return [_account(con, run, upload) for upload in found]


def _account(con: Catalog, run: Run, upload: Traced) -> Account:
    rows = [RowRef(example_id=row, kind=kind, key=key) for row, kind, key in catalogued.rows_of(con, upload)]
    own = rows[0].example_id if rows and rows[0].kind == UPLOAD else None
    return Account(
        upload=upload_ref(upload.key, upload.bucket, upload.content_hash, upload.uploaded, upload.records),
        record_type=upload.record_type,
        correlation_id=upload.correlation_id,
        places=[
            PlaceRef(source_s3_key=place.key, correlation_id=place.correlation_id)
            for place in catalogued.places(con, upload.no)
        ],
        state=_state(upload, rows),
        reason=upload.reason,
        detail=upload.detail,
        quarantine_key=upload.quarantine_key,
        superseded_by=catalogued.superseding(con, upload) if upload.state == "superseded" else [],
        rows=rows,
        explanation=explain(con, run, own) if own else None,
    )


def _state(upload: Traced, rows: list[RowRef]) -> str:
    if rows:
        return "told"
    return upload.state if upload.state in ("superseded", "quarantined") else "waiting"
