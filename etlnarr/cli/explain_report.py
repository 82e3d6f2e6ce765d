"""What explain says of a row, or of an upload."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etlnarr.stages.account import Account
    from etlnarr.stages.explain import Explanation


def answer(done: "Explanation | list[Account]") -> Iterator[str]:
    """Yield how a row came to be, or what became of uploads."""
    if not isinstance(done, list):
        yield from _explanation(done)
        return
    for account in done:
        yield from _account(account)


def _account(done: "Account") -> Iterator[str]:
    upload = done.upload
    yield f"upload       {upload.source_s3_key}, {upload.upload_timestamp_utc}, {upload.records} records"
    yield f"content      {upload.content_hash}, {done.record_type or 'unknown type'}"
    for place in done.places:
        told = f"announced as {place.correlation_id}" if place.correlation_id else "not announced"
        yield f"found at     {place.source_s3_key}, {told}"
    yield f"state        {''.join(_state(done))}"
    for other in done.superseded_by:
        yield f"brought by   {other.source_s3_key}, {other.upload_timestamp_utc}: {other.records} of its records"
    for row in done.rows:
        yield f"row          {row.example_id}, {row.kind} {row.key}"
    if done.explanation:
        yield from _explanation(done.explanation)


def _state(done: "Account") -> Iterator[str]:
    yield done.state
    match done.state:
        case "superseded":
            yield ": all its records were brought before, in versions as late"
        case "quarantined":
            yield f": {done.reason}"
            if done.detail:
                yield f", {done.detail}"
            if done.quarantine_key:
                yield f"; a copy stands at {done.quarantine_key}"
        case "waiting":
            yield ": no row was told of it yet; run etlnarr build"


def _explanation(done: "Explanation") -> Iterator[str]:
    """Yield how a row came to be."""
    about = done.subject
    yield f"subject      {about.kind} {about.key}, {about.start} to {about.end}"
    for upload in done.uploads:
        yield f"upload       {upload.source_s3_key}, {upload.upload_timestamp_utc}, {upload.records} records"
    several = [version for version in done.versions if version.versions > 1]
    repeated = f"{len(done.versions)} of them in several uploads, {len(several)} in several versions"
    yield f"records      {done.records}, {repeated}"
    for version in several:
        yield (
            f"version      {version.identity}: of {version.versions} the one written {version.modified_utc} "
            f"(version {version.version}) in {version.source_s3_key} counts"
        )
    for one in done.sources:
        parts = [
            "told from" if one.chosen else "set aside",
            *([] if one.preferred is None else [f"number {one.preferred + 1} of those preferred"]),
            *([f"{one.kinds} kinds of label"] if one.kinds else []),
            *([] if one.step_minutes is None else [f"a reading every {one.step_minutes:.3g} min"]),
            f"{one.coverage_hours:.1f} h covered",
        ]
        yield f"source       {one.package}: {', '.join(parts)}"
    yield f"offset       {done.offset}: {done.offset_rule}"
    for text, number in done.written_offsets.items():
        yield f"             {number} records carry {text}"
    for fact in done.numbers:
        unit = f" {fact.unit}" if fact.unit else ""
        inputs = ", ".join(f"{one.noun}: {one.count:.10g}" for one in fact.inputs)
        yield f"number       {fact.text}: {fact.path} = {fact.value}{unit}; {fact.definition} [{inputs}]"
    for entry in done.withheld:
        yield f"withheld     {entry.path}: {entry.reason}; needs {entry.needs}"
    yield f"template     {done.template} {done.template_hash}"
