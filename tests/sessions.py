"""Frames of sleep sessions for the tests of sleep."""

import csv
from collections.abc import Sequence
from itertools import accumulate

import polars as pl

from etlnarr.model import READINGS
from tests.traces import MINUTE, REFERENCE

WATCH = "org.example.watch"
Stage = tuple[str | None, float]
"""Label and minutes."""


def session(
    start: int,
    stages: Sequence[Stage],
    source: str = WATCH,
    subject: int = 1,
    offset_s: int | None = 0,
    modified: int = 0,
    record: int = 0,
) -> pl.DataFrame:
    """Stages one after the other that fill their session."""
    edges = [start + round(minutes * MINUTE) for minutes in accumulate((length for _, length in stages), initial=0)]
    rows = [(label, begins, ends) for (label, _), begins, ends in zip(stages, edges, edges[1:], strict=False)]
    return staged(rows, (edges[0], edges[-1]), source, subject, offset_s, modified, record)


def staged(
    rows: Sequence[tuple[str | None, int, int]],
    bounds: tuple[int, int],
    source: str = WATCH,
    subject: int = 1,
    offset_s: int | None = 0,
    modified: int = 0,
    record: int = 0,
) -> pl.DataFrame:
    """Stages as they are given, in a session as it is given."""
    return pl.DataFrame(
        {
            "subject": subject,
            "record": record,
            "source": source,
            "record_start": bounds[0],
            "record_end": bounds[1],
            "start": [begins for _, begins, _ in rows],
            "end": [ends for *_, ends in rows],
            "value": None,
            "label": [label for label, *_ in rows],
            "meal_type": None,
            "relation_to_meal": None,
            "modified": modified,
            "offset_s": offset_s,
            "offset_origin": None if offset_s is None else "record",
        },
        schema=READINGS,
    )


def unstaged(start: int, minutes: float, **facts: object) -> pl.DataFrame:
    """A session without stages."""
    return session(start, [(None, minutes)], **facts)  # type: ignore[arg-type]  # the facts of session()


def fortnight(subject: int = 1, offset_s: int | None = 0) -> pl.DataFrame:
    """The reference trace of sleep: stages that follow on one another are one session."""
    with (REFERENCE / "traces" / "sleep_14d.csv").open(encoding="utf-8") as lines:
        rows = [(line["stage"], int(line["start_ms"]), int(line["end_ms"])) for line in csv.DictReader(lines)]
    sessions: list[list[tuple[str | None, int, int]]] = []
    for row in rows:
        if sessions and sessions[-1][-1][2] == row[1]:
            sessions[-1].append(row)
        else:
            sessions.append([row])
    return pl.concat(
        staged(rows, (rows[0][1], rows[-1][2]), subject=subject, offset_s=offset_s, record=number)
        for number, rows in enumerate(sessions)
    )
