"""Readings to the documents of their subjects, whatever the subjects are."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl

from etlnarr import change, insights
from etlnarr.insights import Claim, Insights
from etlnarr.metrics.clock import HOUR_MS, local_ms, offset_ms
from etlnarr.model import PEOPLE, Batch, RecordType
from etlnarr.people import Person
from etlnarr.records import sources
from etlnarr.wire import Analysis, Period, SourceShare, Subject


@dataclass(frozen=True, slots=True)
class Named:
    """What is told of subjects beside their readings, by their key in the batch.

    Shapes: start and end of a subject are those of its readings where they are empty; written is the last write (epoch
    ms, shifted to local time) of those that were not over by then; before is the subject of the period before, where
    the windows of this kind are compared.
    """

    subjects: Mapping[int, Subject]
    written: Mapping[int, int] = field(default_factory=dict)
    before: Mapping[int, int] = field(default_factory=dict)
    compared: str | None = None


def documents(kind: RecordType, batch: Batch, named: Named) -> Iterator[tuple[int, Analysis]]:
    """Yield the analysis of each named subject."""
    habits = sources.habit_gates(kind.name)
    row = insights.evaluate(kind, batch, habits)
    more: list[Claim] = []
    if named.compared is not None:
        row = change.compare(kind, row, batch.readings, named.before, named.compared)
        more = change.claims_of(kind, named.compared)
    row = row.filter(pl.col("subject").is_in(list(named.subjects)))
    series = {line["subject"]: line["series"] for line in kind.series(batch).iter_rows(named=True)}
    periods, shares = _periods(batch.readings, named.written), _shares(batch)
    for found in insights.unfold(kind, row, habits, more):
        subject, period = named.subjects[found.subject], periods[found.subject]
        if not subject.start:
            subject = subject.model_copy(update={"start": period.start, "end": period.end})
        yield found.subject, _document(found, subject, period, shares[found.subject], series.get(found.subject) or [])


def people_of(subjects: Sequence[tuple[int, Person, int]]) -> pl.DataFrame:
    """Return what is known of the person behind each subject, as PEOPLE.

    Units: the age is that at an instant in epoch ms.
    """
    lines = [
        (subject, person.age_at(ms), person.sex, person.diabetes, person.pregnant, person.mass_kg, person.height_cm)
        for subject, person, ms in subjects
    ]
    return pl.DataFrame(lines, schema=PEOPLE, orient="row")


def _document(
    found: Insights, subject: Subject, period: Period, shares: list[SourceShare], series: list[dict[str, object]]
) -> Analysis:
    return Analysis.model_validate(
        {
            "subject": subject,
            "period": period,
            "sources": shares,
            "clinical_insights": found.clinical,
            "withheld": found.withheld,
            "recommendations": found.recommendations,
            "series": series,
        }
    )


def _periods(readings: pl.DataFrame, written: Mapping[int, int]) -> dict[int, Period]:
    """Return the span of each subject, local where every offset is known."""
    known = pl.col("offset_s").is_not_null().all()
    spans = readings.group_by("subject").agg(
        known=known,
        first=pl.col("start").min(),
        last=pl.col("end").max(),
        start=pl.when(known).then(local_ms().min()).otherwise(pl.col("start").min()),
        end=pl.when(known).then((pl.col("end") + offset_ms()).max()).otherwise(pl.col("end").max()),
        offsets=pl.col("offset_s").unique(maintain_order=True),
        origins=pl.col("offset_origin").unique().sort(),
    )
    return {line["subject"]: _period(line, written.get(line["subject"])) for line in spans.iter_rows(named=True)}


def _period(line: Mapping[str, Any], written: int | None) -> Period:
    known = bool(line["known"])
    offsets = [_offset_text(east) for east in line["offsets"]] if known else []
    return Period(
        start=_iso(int(line["start"]), local=known),
        end=_iso(int(line["end"]), local=known),
        span_hours=round((int(line["last"]) - int(line["first"])) / HOUR_MS, 6),
        offset=" and ".join(offsets) or None,
        offset_source=", ".join(line["origins"]) if known else None,
        as_of=None if written is None else _iso(written, local=known),
    )


def _iso(ms: int, *, local: bool) -> str:
    text = datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return text if local else f"{text}Z"


def _offset_text(east: int) -> str:
    hours, minutes = divmod(abs(east) // 60, 60)
    return f"UTC{'-' if east < 0 else '+'}{hours:02d}:{minutes:02d}"


def _shares(batch: Batch) -> dict[int, list[SourceShare]]:
    """Return the apps behind each subject, the chosen ones first."""
    parts = [
        frame.group_by("subject", "source").agg(records=pl.col("record").n_unique()).with_columns(chosen=pl.lit(chosen))
        for frame, chosen in ((batch.readings, True), (batch.others, False))
    ]
    shares: dict[int, list[SourceShare]] = defaultdict(list)
    ordered = pl.concat(parts).sort("subject", "chosen", "records", "source", descending=[False, True, True, False])
    for subject, package, records, chosen in ordered.iter_rows():
        name = sources.display_name(package)
        shares[subject].append(SourceShare(package=package, name=name, records=records, chosen=chosen))
    return shares
