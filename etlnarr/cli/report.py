"""What the commands say: a short summary for people, JSON for programs."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from pydantic import BaseModel

from etlnarr.cli.session import Session, session
from etlnarr.counts import Status
from etlnarr.settings import Settings

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from etlnarr.definitions import Definition
    from etlnarr.stages.build import Report, Told
    from etlnarr.stages.inspect import Inspection

T = TypeVar("T")


def show(done: object, summary: Iterable[str], *, as_json: bool) -> None:
    """Print a report in the form that was asked for."""
    if as_json:
        typer.echo(json.dumps(_plain(done), sort_keys=True, ensure_ascii=False, indent=2))
        return
    for line in summary:
        typer.echo(line)


def run_stage(
    name: str, settings: Settings, work: Callable[[Session], T], *, wait: float, dry: bool, as_json: bool
) -> T:
    """Run one stage, log what it did, and print its report."""
    with session(settings, wait=wait, dry=dry) as opened:
        done = work(opened)
        opened.log.info("stage", stage=name, **_plain(done))
    show(done, fields(done), as_json=as_json)
    return done


def log_build(log: "FilteringBoundLogger", done: "Report | Told") -> None:
    """Log what each stage of a build did."""
    for stage, seconds in done.seconds.items():
        log.info("stage", stage=stage, seconds=seconds, **_plain(getattr(done, stage)))


def fields(done: object) -> Iterator[str]:
    """Yield one line per count of a stage."""
    for name, value in _plain(done).items():
        yield f"{name:<12} {', '.join(value) if isinstance(value, list) else value}"


def counted(counts: Mapping[str, int]) -> str:
    """Say how many there are of each, where there are any."""
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "none"


def build_summary(done: "Report", settings: Settings, *, dry: bool) -> Iterator[str]:
    """Yield the summary of a build."""
    found = done.ingest
    counts = {"new": found.new, "unreadable": found.unreadable, "duplicate": found.duplicate, "known": found.known}
    yield f"uploads      {found.found} found: {counted(counts)}"
    if found.ignored:
        yield f"             {found.ignored} files passed over: no regular file, or no name in UTF-8 that ends in .avro"
    if found.denied:
        yield f"             {found.denied} files or folders could not be opened: access denied"
    if found.drift:
        yield f"schema drift {found.drift} writer schemas never seen before for their type"
    yield from told_summary(done, settings, dry=dry)


def told_summary(done: "Report | Told", settings: Settings, *, dry: bool) -> Iterator[str]:
    """Yield what became of uploads after they were read."""
    yield from status_summary(done.status)
    told = done.narrate
    yield f"told         {told.told} examples ({told.replaced} in the place of another), {told.unchanged} unchanged"
    out = done.export
    verb = "would write" if dry else "wrote"
    yield f"export       {out.rows} rows; {verb} {len(out.written)} files, {out.unchanged} unchanged"
    for key in done.export.written:
        yield f"             {settings.lake.rstrip('/')}/{key}"
    if done.validate.lost:
        yield f"quarantine   {done.validate.lost} uploads were gone from their source before they could be copied"
    yield f"seconds      {', '.join(f'{stage} {seconds}' for stage, seconds in done.seconds.items())}"


def status_summary(found: Status) -> Iterator[str]:
    """Yield the counts of the catalog."""
    if found.as_of:
        yield f"as of {found.as_of}; a run is writing the catalog now"
    yield f"catalog      {found.records} distinct records, {found.duplicates} duplicate files"
    for kind, states in found.uploads.items():
        yield f"  {kind:<34} {', '.join(f'{number} {state}' for state, number in states.items())}"
    for rule, number in found.rules.items():
        yield f"rules        {number} rows fail {rule}"
    for what, number in (
        ("records told in a later version than their first", found.replaced),
        ("record ids that several people have, each with records of their own", found.shared_ids),
        ("people with records of several offsets from UTC", found.several_offsets),
    ):
        if number:
            yield f"noted        {what}: {number}"
    for reason, number in found.quarantined.items():
        yield f"quarantined  {number} for {reason}"
    for month, categories in found.examples.items():
        yield f"examples     {month}: {', '.join(f'{number} {name}' for name, number in categories.items())}"


def inspection(done: "Inspection") -> Iterator[str]:
    """Yield what one upload yields, the narrative last."""
    said, written, scores = done.envelope, done.written, done.quality.scores
    yield f"upload       {said.record_type or 'unknown type'}, {said.size} bytes, {said.upload_timestamp_utc}"
    yield f"context      {said.context}"
    yield f"schema       {written.records} records, codec {written.codec}, fingerprint {written.fingerprint}"
    yield f"quality      {scores.score:g}: {done.quality.state}"
    for problem in (
        *scores.errors,
        *scores.warnings,
        *(f"{number} rows: {rule}" for rule, number in scores.rules.items()),
    ):
        yield f"             {problem}"
    for share in done.sources:
        yield f"source       {share.name}, {share.records} records{'' if share.chosen else ', not used'}"
    for entry in done.withheld:
        yield f"withheld     {entry.path}: {entry.reason}"
    if done.example:
        for name in ("instruction", "input", "output"):
            yield f"\n{name}\n{getattr(done.example, name)}"


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {name: _plain(item) for name, item in value.items()}
    return _plain(dataclasses.asdict(value)) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]  # an instance


def metric_table() -> "list[Definition]":
    """Return what stands behind every path of every record type."""
    from etlnarr import definitions
    from etlnarr.records import RECORD_TYPES

    return [one for kind in RECORD_TYPES for one in definitions.of(kind)]


def metric_lines(table: "list[Definition]") -> Iterator[str]:
    """Yield the table as text."""
    kind = ""
    for line in table:
        if line.record_type != kind:
            kind = line.record_type
            yield f"\n{kind}"
        needs = f"; needs {line.needs}" if line.needs else ""
        yield f"  {line.path} [{line.unit}] {line.definition}{needs} ({line.source})"
