"""What one upload yields on its own, worked out by the very stages of a build over a catalog in memory."""

from pydantic import ConfigDict, Field, JsonValue

from etlnarr.batching import side_by_side
from etlnarr.catalog import Catalog, examples
from etlnarr.envelope import utc
from etlnarr.errors import UsageError
from etlnarr.run import Run
from etlnarr.stages.analyse import analyse
from etlnarr.stages.ingest import ingest
from etlnarr.stages.narrate import narrate
from etlnarr.stages.validate import validate
from etlnarr.wire import UPLOAD, Analysis, Document, Example, Quality, SourceShare, Withheld

NO_CONTEXT = "none: other uploads of this person were not looked at, so no offset and no sleep was taken from them"


class InspectedEnvelope(Document):
    """Who, when and where."""

    user_id: str
    record_type: str | None
    upload_timestamp_utc: str
    source_s3_key: str
    source_bucket: str
    content_hash: str
    size: int
    context: str


class InspectedSchema(Document):
    """How the upload was written."""

    fingerprint: str | None
    codec: str | None
    records: int
    missing: list[str]


class InspectedQuality(Document):
    """How good it is, and what a build would do with it."""

    state: str
    quarantine_reason: str | None
    scores: Quality


class Inspection(Document):
    """All that one upload yields; the last four are empty when it would be quarantined."""

    model_config = ConfigDict(serialize_by_alias=True)

    envelope: InspectedEnvelope
    written: InspectedSchema = Field(serialization_alias="schema")  # a model has a schema of its own
    quality: InspectedQuality
    sources: list[SourceShare]
    clinical_insights: dict[str, JsonValue]
    withheld: list[Withheld]
    example: Example | None


def inspect(con: Catalog, run: Run, file: str) -> Inspection:
    """Work out one upload.

    Errors: UsageError when there is no such file; GateError when its narrative fails a proof.
    """
    if ingest(con, run, [file]).found != 1:
        raise UsageError(f"{file}: name one upload, not a folder or a pattern")
    validate(con, run)
    analyse(con, run, None, [UPLOAD], side_by_side)
    narrate(con, run, None, [UPLOAD], side_by_side)
    found = examples.inspected(con)
    analysis = Analysis.model_validate_json(found.document) if found.document else None
    missing = found.detail.split(", ") if found.reason == "schema_error" and found.detail else []
    return Inspection(
        envelope=InspectedEnvelope(
            user_id=found.user_id,
            record_type=found.record_type,
            upload_timestamp_utc=utc(found.uploaded),
            source_s3_key=found.key,
            source_bucket=found.bucket,
            content_hash=found.content_hash,
            size=found.size,
            context=NO_CONTEXT,
        ),
        written=InspectedSchema(
            fingerprint=found.fingerprint, codec=found.codec, records=found.records, missing=missing
        ),
        quality=InspectedQuality(
            state=found.state, quarantine_reason=found.reason, scores=Quality.model_validate_json(found.quality)
        ),
        sources=analysis.sources if analysis else [],
        clinical_insights=analysis.clinical_insights if analysis else {},
        withheld=analysis.withheld if analysis else [],
        example=Example.model_validate_json(found.line) if found.line else None,
    )
