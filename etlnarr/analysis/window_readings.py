"""The readings of people around a time, each in the version that counts, and the windows that they fall into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import polars as pl

from etlnarr.analysis import calendar, nights, rows
from etlnarr.analysis.calendar import Reach
from etlnarr.analysis.rows import Rows
from etlnarr.catalog import Catalog
from etlnarr.catalog import windows as catalogued
from etlnarr.metrics.clock import DAY_MS
from etlnarr.metrics.sources import SEEN_FROM, SEEN_TO
from etlnarr.model import RecordType
from etlnarr.people import Person
from etlnarr.records.sleep_session import SLEEP_SESSION


@dataclass(frozen=True, slots=True)
class Window:
    """A day, night, week or month of a person.

    Units: first and last in local days since 1970-01-01; begins and reached (first start and last end of its readings),
    ends (of the window) and written (the last write, shifted to local time) in epoch ms.
    """

    user_id: str
    key: str
    first: int
    last: int
    month: str  # of the last day
    begins: int
    reached: int
    ends: int
    before: int | None  # subject of the window before
    written: int
    open: bool  # not over when the type was last fetched


@dataclass(frozen=True, slots=True)
class Held:
    """What the catalog holds of several people in a span, all that their windows are worked out from.

    Shapes: own and slept as rows.read(), the latter None where the type is sleep itself; uploads as
    catalog.windows.resolved(); fetched tells by user when the type was last fetched, in epoch ms.
    """

    own: Rows
    slept: Rows | None
    uploads: pl.DataFrame
    fetched: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Readings:
    """What the windows of several people are made of.

    Shapes: inside has a row per reading as READINGS, with user_id, person (the number of the user), upload, position
    (of the record in the upload), day and the subject it belongs to; around the same of all that lies around, without
    a subject; main as nights.main_sleep(); windows by subject; records and uploads as catalog.windows.resolved().
    """

    inside: pl.DataFrame
    around: pl.DataFrame
    main: pl.DataFrame
    windows: dict[int, Window]
    records: pl.DataFrame
    uploads: pl.DataFrame


def read(
    con: Catalog,
    kind: RecordType,
    span: tuple[int, int],
    persons: Sequence[Person],
    fetched: Mapping[str, int],
) -> Held:
    """Read what lies in a span of epoch ms.

    Shapes: fetched tells by user when the type was last fetched, in epoch ms.
    """
    records, readings, uploads = catalogued.resolved(con, sorted(fetched), kind.name, kind.told, span)
    around = records.group_by("user_id").agg(pl.col("start").min(), pl.col("end").max())
    own = rows.read(con, (records, readings), rows.numbered(records), persons, around)
    slept = None if kind is SLEEP_SESSION else nights.read(con, around, persons)
    return Held(own, slept, uploads, fetched)


def gather(kind: RecordType, window: str, reach: Reach, held: Held) -> Readings:
    """Find the windows that end in reach."""
    records = held.own.records
    main = nights.nobody() if held.slept is None else nights.main_sleep(held.slept)
    placed = _by_day(kind, _renumbered(rows.resolved(kind, held.own), records), main)
    marked = placed.with_columns(
        first=calendar.first_day(window, pl.col("day")), last=calendar.last_day(window, pl.col("day"))
    )
    wanted = _numbered(marked.filter(pl.col("last").is_between(reach.first, reach.last)), window)
    return Readings(wanted, placed, main, _windows(wanted, held.fetched, window), records, held.uploads)


def _numbered(marked: pl.DataFrame, window: str) -> pl.DataFrame:
    """Name the window of each reading, and number the windows by person and time."""
    names = marked.select("user_id", "first").unique().sort("user_id", "first").with_row_index("subject")
    numbers = names.with_columns(pl.col("subject").cast(pl.Int64), key=calendar.key(window, pl.col("first")))
    return marked.join(numbers, on=["user_id", "first"])


def _renumbered(resolved: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Let record count the records of a person, whatever uploads they came in; position is that inside the upload."""
    order = records.select("user_id", "upload", "start", "end", "identity", position="record")
    numbers = order.sort("user_id", "start", "end", "identity").with_row_index("number")
    named = numbers.select("upload", "position", record=pl.col("number").cast(pl.Int64))
    return resolved.rename({"record": "position"}).join(named, on=["upload", "position"])


def _by_day(kind: RecordType, resolved: pl.DataFrame, main: pl.DataFrame) -> pl.DataFrame:
    """Add the local day that each reading belongs to, and how far its source was seen."""
    seen = resolved.with_columns(
        pl.col("record_start").min().over("person", "source").alias(SEEN_FROM),
        pl.col("modified").max().over("person", "source").alias(SEEN_TO),
    )
    people = resolved.select("user_id", subject="person").unique()
    placed = kind.by_day(seen.rename({"person": "subject"}), main.join(people, on="user_id"))
    return placed.rename({"subject": "person"})


def _windows(marked: pl.DataFrame, fetched: Mapping[str, int], window: str) -> dict[int, Window]:
    last_fetch = pl.DataFrame(list(fetched.items()), schema={"user_id": pl.String, "fetched": pl.Int64}, orient="row")
    last, shift = pl.col("last"), pl.col("shift")
    follows = (pl.col("user_id") == pl.col("user_id").shift()) & (pl.col("first") == last.shift() + 1)
    lines = (
        marked.sort("subject", "start", "record")
        .group_by("subject", maintain_order=True)
        .agg(
            pl.col("user_id", "key", "first", "last").first(),
            begins=pl.col("start").min(),
            reached=pl.col("end").max(),
            shift=pl.col("offset_s").last().cast(pl.Int64).fill_null(0) * 1000,
            written=pl.col("modified").max(),
        )
        .join(last_fetch, on="user_id", how="left", maintain_order="left")
        .with_columns(
            month=calendar.month_of(last),
            ends=(last + 1) * DAY_MS - shift,
            before=pl.when(follows).then(pl.col("subject").shift()),
        )
        .with_columns(
            open=(pl.col("fetched") < pl.col("ends")) & (window != "night"),
            written=pl.when(pl.col("written") > 0).then("written").otherwise("fetched") + shift,
        )
    )
    names = [field.name for field in fields(Window)]
    return {line["subject"]: Window(**{name: line[name] for name in names}) for line in lines.iter_rows(named=True)}
