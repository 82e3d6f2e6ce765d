"""What crosses the border: training examples, quarantine notes, and the documents kept in the catalog."""

import json
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue, SkipValidation

UPLOAD: Final = "upload"
"""The kind of subject that is one upload; the others are windows of a person's time."""

Value: TypeAlias = Annotated[JsonValue, SkipValidation]
Tree: TypeAlias = Annotated[dict[str, JsonValue], SkipValidation]
"""What was worked out here or read from JSON; to look at each value of it again takes longer than to tell it."""


class Document(BaseModel):
    """A frozen value with one canonical JSON form: sorted keys, UTF-8, no spaces."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Quality(Document):
    """How good an upload is.

    Units: scores between 0 and 1; rules count the rows that fail them.
    """

    score: float
    schema_score: float
    completeness: float
    physiological: float
    temporal: float
    errors: list[str]
    warnings: list[str]
    rules: dict[str, int]


class QuarantineNote(Document):
    """What stands beside a quarantined upload."""

    quarantine_reason: str
    quality_score: float
    errors: list[str]
    warnings: list[str]
    rules: dict[str, int]
    source_key: str
    source_bucket: str
    content_hash: str
    record_type: str | None
    quarantined_utc: str


class Withheld(Document):
    """A claim that is not made."""

    path: str
    reason: str
    needs: str


class Evidence(Document):
    """The witness of one printed fact.

    Units: start and end in code points of the output.
    """

    path: str
    value: Value
    text: str
    start: int
    end: int


class Period(Document):
    """The time that a subject covers.

    Units: start and end in ISO 8601, local when the offset is known, else UTC with a Z; span in hours.
    """

    start: str
    end: str
    span_hours: float
    offset: str | None
    offset_source: str | None
    as_of: str | None = None  # local time of the last write, for a window that was not over by then


class SourceShare(Document):
    """One app that wrote records of the subject."""

    package: str
    name: str
    records: int
    chosen: bool


class Sources(Document):
    """The apps that were told from, and those that were set aside, each by number of records."""

    primary: SourceShare
    chosen: list[SourceShare]
    others: list[SourceShare]


class Subject(Document):
    """What one example is about.

    Units: start and end as in Period for an upload; local midnights for a window, the second one after its last day.
    """

    kind: str  # upload, day, night, week, month
    key: str  # content hash of the upload; 2025-09-20, 2025-W38 or 2025-09
    start: str
    end: str


class UploadRef(Document):
    """An upload that a subject was told from."""

    source_s3_key: str
    source_bucket: str
    content_hash: str
    upload_timestamp_utc: str
    records: int


class Origin(Document):
    """Where a subject comes from.

    Shapes: uploads by time; the content hash of a window is that of its records in the versions that count.
    """

    content_hash: str
    correlation_id: str | None
    records: int
    quality_score: float
    warnings: list[str]
    uploads: list[UploadRef]


class Analysis(Document):
    """All that is known of one subject before it is told."""

    subject: Subject
    period: Period
    sources: list[SourceShare]
    clinical_insights: Tree
    withheld: list[Withheld]
    recommendations: list[str]
    series: list[Tree]


class Metadata(Document):
    """Where an example came from and what it stands on."""

    source_s3_key: str
    source_bucket: str
    record_type: str
    upload_timestamp_utc: str
    user_id: str
    correlation_id: str
    processed_utc: str
    processing_id: str
    processor_version: str
    records_processed: int
    data_quality_score: float
    validation_warnings: list[str]
    clinical_insights: Tree | None
    training_category: str
    complexity_level: str
    clinical_relevance: str
    example_id: str
    content_hash: str
    subject: Subject
    uploads: list[UploadRef]
    period: Period
    sources: Sources
    evidence: list[Evidence]
    withheld: list[Withheld]
    template: str
    template_hash: str


class Example(Document):
    """One row of training data."""

    instruction: str
    input: str
    output: str
    metadata: Metadata | None


def dump(document: Document | dict[str, JsonValue]) -> str:
    """Return the one JSON form of a document: sorted keys, no spaces, UTF-8 left as it is."""
    return json.dumps(
        document, default=vars, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
