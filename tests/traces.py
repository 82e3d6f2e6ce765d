"""Frames of readings for the tests of metrics."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from etlnarr.model import PEOPLE, READINGS, SLEEP, Batch, Json

REFERENCE: Final = Path(__file__).parent / "reference"
MIDNIGHT: Final = 1_740_960_000_000  # Monday 2025-03-03T00:00:00Z
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def at_steps(values: Sequence[float], step: int = 5 * MINUTE, start: int = MIDNIGHT) -> list[tuple[int, float | None]]:
    """Readings one step apart."""
    return [(start + number * step, value) for number, value in enumerate(values)]


def readings(
    points: Sequence[tuple[int, float | None]],
    subject: int = 1,
    offset_s: int | None = 0,
    source: str = "org.example.cgm",
    label: str | None = "INTERSTITIAL_FLUID",
    meal_type: str | None = None,
    relation_to_meal: str | None = None,
) -> pl.DataFrame:
    """The canonical frame of points in time."""
    starts = [start for start, _ in points]
    return pl.DataFrame(
        {
            "subject": subject,
            "record": list(range(len(points))),
            "source": source,
            "record_start": starts,
            "record_end": starts,
            "start": starts,
            "end": starts,
            "value": [value for _, value in points],
            "label": label,
            "meal_type": meal_type,
            "relation_to_meal": relation_to_meal,
            "modified": 0,
            "offset_s": offset_s,
            "offset_origin": None if offset_s is None else "record",
        },
        schema=READINGS,
    )


def batch(*frames: pl.DataFrame, sleep: pl.DataFrame | None = None, people: pl.DataFrame | None = None) -> Batch:
    """A batch of readings, of which every subject is a stranger unless told otherwise."""
    whole = pl.concat(frames).sort("subject", "start", "record")
    strangers = whole.select(pl.col("subject").unique(maintain_order=True)).with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in PEOPLE.items() if name != "subject"
    )
    return Batch(
        whole, whole.clear(), SLEEP.to_frame() if sleep is None else sleep, strangers if people is None else people
    )


def nights(*spans: tuple[int, int], subject: int = 1) -> pl.DataFrame:
    """Main sleep sessions."""
    rows = [(subject, start, end, "org.example.watch") for start, end in spans]
    return pl.DataFrame(rows, schema=SLEEP, orient="row")


def trace_file(name: str, subject: int = 1) -> pl.DataFrame:
    """Readings of a reference trace, which is in UTC."""
    with (REFERENCE / "traces" / f"{name}.csv").open() as lines:
        points = [(int(line["epoch_ms"]), float(line["mg_dl"])) for line in csv.DictReader(lines)]
    return readings(points, subject)


def reference(*keys: str) -> Json:
    """A value of the reference by its keys."""
    node: Json = json.loads((REFERENCE / "values.json").read_text())
    for key in keys:
        assert isinstance(node, dict)
        node = node[key]
    return node


def person(facts: Mapping[str, object]) -> pl.DataFrame:
    """What is known of the person behind subject 1."""
    return pl.DataFrame({name: [1 if name == "subject" else facts.get(name)] for name in PEOPLE}, schema=PEOPLE)
