"""Frames of amounts over intervals for the tests of steps and energy."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from etlnarr import avro, avro_columns, canonical
from etlnarr.local_time import seconds
from etlnarr.model import READINGS, SLEEP, Batch, RecordType
from tests.traces import DAY, HOUR, MIDNIGHT

Amount = tuple[int, int, float, int]
"""Start, end, value, last write; 0 when the last write is not known."""

WATCH = "org.example.watch"
LAST_MILLISECOND = 1


def amounts(rows: Sequence[Amount], subject: int = 1, source: str = WATCH, offset_s: int | None = 0) -> pl.DataFrame:
    """The canonical frame of amounts over intervals."""
    return pl.DataFrame(
        {
            "subject": subject,
            "record": list(range(len(rows))),
            "source": source,
            "record_start": [start for start, *_ in rows],
            "record_end": [end for _, end, *_ in rows],
            "start": [start for start, *_ in rows],
            "end": [end for _, end, *_ in rows],
            "value": [value for _, _, value, _ in rows],
            "label": None,
            "meal_type": None,
            "relation_to_meal": None,
            "modified": [modified for *_, modified in rows],
            "offset_s": offset_s,
            "offset_origin": None if offset_s is None else "record",
        },
        schema=READINGS,
    )


def a_day(number: int, value: float, written: float = 25.0, begins: int = 0, offset_s: int = 0) -> Amount:
    """The total of a local day, last written so many hours after its midnight."""
    midnight = MIDNIGHT + number * DAY - offset_s * 1000
    return (midnight + begins * HOUR, midnight + DAY - LAST_MILLISECOND, value, round(midnight + written * HOUR))


def days_of(*values: float) -> list[Amount]:
    """Totals of complete days in a row."""
    return [a_day(number, value) for number, value in enumerate(values)]


def chosen(kind: RecordType, *frames: pl.DataFrame, people: pl.DataFrame, sleep: pl.DataFrame | None = None) -> Batch:
    """A batch as analyse makes it: one source for each period."""
    whole = pl.concat(frames).sort("subject", "start", "record", "end")
    own, others = kind.choose(whole)
    return Batch(own, others, SLEEP.to_frame() if sleep is None else sleep, people)


def uploaded(folder: Path, name: str, kind: RecordType) -> pl.DataFrame:
    """Readings of a real upload, all of whose records carry an offset."""
    (decoded,) = avro_columns.decode([(folder / f"{name}.avro").read_bytes()], avro.Limits(100_000, 60.0))
    assert isinstance(decoded, avro_columns.Decoded)
    rows = decoded.rows.with_row_index("record").with_columns(upload=pl.lit(1, pl.Int64))
    whole = rows.with_columns(pl.col("record").cast(pl.Int64))
    records = canonical.records(whole, kind)
    found = canonical.readings(whole, records, kind)
    of_record = records.select("record", "source", "modified", "offset", record_start="start", record_end="end")
    return (
        found.join(of_record, on="record")
        .with_columns(subject=pl.lit(1), offset_s=seconds(pl.col("offset")), offset_origin=pl.lit("record"))
        .select(READINGS.names())
        .cast(READINGS)
    )


def slices(
    values: Sequence[float], start: int = MIDNIGHT, length: int = HOUR, modified: int | None = None
) -> list[Amount]:
    """Amounts one after the other, each written at its end, or all at one time."""
    bounds = [(start + n * length, start + (n + 1) * length) for n in range(len(values))]
    return [(s, e, value, e if modified is None else modified) for (s, e), value in zip(bounds, values, strict=True)]
