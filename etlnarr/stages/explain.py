"""How one row came to be: uploads, versions, source, offset, each number, each silence, template."""

from collections.abc import Set
from typing import Any, Final

import polars as pl

from etlnarr.analysis import nights, rows, uploads, windows
from etlnarr.analysis.windows import Asked
from etlnarr.catalog import Catalog
from etlnarr.catalog import explain as catalogued
from etlnarr.catalog.explain import Origin
from etlnarr.envelope import utc
from etlnarr.errors import UsageError
from etlnarr.metrics import sources
from etlnarr.metrics.clock import HOUR_MS, MINUTE_MS
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.stages.numbers import Number, numbers
from etlnarr.wire import Document, Example, Metadata, Subject, UploadRef, Withheld

OFFSETS: Final = {
    "setting": "the time zone that was given for the person",
    "record": "the offset that the records carry",
    "inferred": "borrowed from the person's nearest record of a source that writes its offset",
}
NO_OFFSET: Final = "no offset is known, so nothing is said of the clock"


class Version(Document):
    """A record of which several uploads hold a version, with the one that counts."""

    identity: str
    modified_utc: str
    version: int
    source_s3_key: str
    versions: int
    other_uploads: int


class SourceCriteria(Document):
    """What decides between sources, in the order in which it does.

    Units: hours; minutes between readings.
    """

    package: str
    chosen: bool
    preferred: int | None
    kinds: int
    step_minutes: float | None
    coverage_hours: float
    readings: int


class Explanation(Document):
    """How a row came to be."""

    example_id: str
    subject: Subject
    uploads: list[UploadRef]
    records: int
    versions: list[Version]
    sources: list[SourceCriteria]
    offset: str | None
    offset_rule: str
    written_offsets: dict[str, int]
    numbers: list[Number]
    withheld: list[Withheld]
    template: str
    template_hash: str


def explain(con: Catalog, run: Run, example_id: str) -> Explanation:
    """Tell how a row came to be.

    Errors: UsageError when there is no such row.
    """
    origin = catalogued.find(con, example_id)
    if origin is None:
        raise UsageError(f"{example_id}: no row of the catalog has this id; see metadata.example_id of a row")
    told = Example.model_validate_json(origin.line).metadata
    if told is None:
        raise UsageError(f"{example_id}: the row has no metadata")
    kind = by_name[origin.record_type]
    readings = _readings(con, run, origin, told)
    chosen = kind.choose(rows.canonical(readings))[0]
    return Explanation(
        example_id=example_id,
        subject=told.subject,
        uploads=told.uploads,
        records=told.records_processed,
        versions=_versions(con, origin, readings),
        sources=_criteria(readings, set(chosen["source"])),
        offset=told.period.offset,
        offset_rule=_rule(told.period.offset_source),
        written_offsets=_written(readings),
        numbers=numbers(kind, told, chosen.height),
        withheld=told.withheld,
        template=told.template,
        template_hash=told.template_hash,
    )


def _readings(con: Catalog, run: Run, origin: Origin, told: Metadata) -> pl.DataFrame:
    """Return the readings of the subject, of every source, with upload and position of their records.

    Errors: UsageError when its uploads are not accepted any more.
    """
    if origin.upload is not None:
        tasks = uploads.tasks(con, run, None, origin.upload)
        found = uploads.readings(uploads.read(con, tasks, nights.nobody())) if tasks else None
        readings = None if found is None else found.with_columns(position=pl.col("record"))
    else:
        asked = Asked(origin.record_type, origin.kind, origin.month)
        own = [task for task in windows.tasks(con, run, asked) if task.context.user_id == origin.user_id]
        whole = windows.readings(windows.read(con, asked, own)).inside if own else None
        readings = None if whole is None else whole.filter(pl.col("key") == told.subject.key)
    if readings is None or readings.is_empty():
        raise UsageError("the uploads behind this row are not accepted any more; run etlnarr build")
    return readings


def _criteria(readings: pl.DataFrame, chosen: Set[object]) -> list[SourceCriteria]:
    latest = readings.sort("modified").unique(["source", "start"], keep="last", maintain_order=True)
    return [
        SourceCriteria(
            package=line["source"],
            chosen=line["source"] in chosen,
            preferred=line["place"],
            kinds=line["kinds"],
            step_minutes=None if line["step"] is None else line["step"] / MINUTE_MS,
            coverage_hours=line["coverage"] / HOUR_MS,
            readings=line["n"],
        )
        for line in sources.criteria(latest.sort("source", "start"), ["source"]).iter_rows(named=True)
    ]


def _versions(con: Catalog, origin: Origin, readings: pl.DataFrame) -> list[Version]:
    places = readings.select("upload", record="position").unique()
    found = catalogued.versions(con, origin.user_id, origin.record_type, places)
    return [Version.model_validate(_named(row)) for row in found.iter_rows(named=True)]


def _named(row: dict[str, Any]) -> dict[str, object]:
    return {
        "identity": row["identity"],
        "modified_utc": utc(row["modified"]),
        "version": row["version"],
        "source_s3_key": row["key"],
        "versions": row["versions"],
        "other_uploads": row["others"],
    }


def _rule(origin: str | None) -> str:
    return "; ".join(OFFSETS[name] for name in origin.split(", ")) if origin else NO_OFFSET


def _written(readings: pl.DataFrame) -> dict[str, int]:
    """Count the records by the offset that they carry themselves."""
    records = readings.select("upload", "position", pl.col("offset").fill_null("none")).unique()
    return {str(text): int(n) for text, n in records.group_by("offset").len().sort("offset").iter_rows()}
