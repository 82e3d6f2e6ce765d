"""Rows of the catalog to readings that metrics understand: fit ones, in local time, each with its source."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr import local_time, people, quality
from etlnarr.catalog import Catalog, analyses
from etlnarr.metrics.runs import in_order
from etlnarr.metrics.sources import KNOWN_MORE, PLACE
from etlnarr.model import READINGS, TOLD, RecordType
from etlnarr.people import Person
from etlnarr.records import sources


@dataclass(frozen=True, slots=True)
class Rows:
    """All that the catalog tells of some readings; what becomes of them takes no more, whatever process works it out.

    Shapes: records and readings as catalog.quality.rows_of(); users upload, user_id and what else is to stand beside
    each reading; lenders as analyses.near_records().
    """

    records: pl.DataFrame
    readings: pl.DataFrame
    users: pl.DataFrame
    lenders: pl.DataFrame
    persons: Sequence[Person]


def read(
    con: Catalog,
    found: tuple[pl.DataFrame, pl.DataFrame],
    users: pl.DataFrame,
    persons: Sequence[Person],
    around: pl.DataFrame,
) -> Rows:
    """Add what the records of people around a time may borrow to records and readings.

    Shapes: around as analyses.spans().
    """
    return Rows(*found, users, _lenders(con, found[0].join(users, on="upload"), around), persons)


def resolved(kind: RecordType, rows: Rows) -> pl.DataFrame:
    """Return the readings that may reach a metric, with their record, their local time and the place of their source.

    Shapes: READINGS without a subject, and the columns of users, offset, and PLACE where a person prefers a source.
    """
    kept, inside = quality.usable(rows.records, rows.readings, kind)
    names = ("upload", "source", "modified", "offset")
    whole = kept.select(*names, record_start="start", record_end="end")
    whole = whole.join(rows.users, on="upload", how="left", maintain_order="left")
    told = _placed(local_time.own(whole, sources.ALWAYS_UTC), rows.persons)
    coded = told.with_columns(pl.col("source").cast(pl.Enum(told["source"].unique().sort())))
    told_of = (
        pl.col(name).cast(READINGS[name]) if name in inside.columns else pl.lit(None, READINGS[name]).alias(name)
        for name in TOLD
    )
    beside = inside.with_columns(told_of).hstack(coded.drop("upload")[inside[quality.AT]]).drop(quality.AT)
    return local_time.resolve(beside, people.zones(rows.persons), rows.lenders)


def canonical(located: pl.DataFrame) -> pl.DataFrame:
    """Return readings with a subject as READINGS, with what more is known of their sources, in order."""
    names = [*READINGS.names(), *(name for name in KNOWN_MORE if name in located.columns)]
    told = located.select(names)
    if in_order(told, strictly=True):  # as most files are written
        return told.with_columns(pl.col("subject").set_sorted())  # as the sort marks it: groups are summed in one way
    # a stable sort is the faster one for what is nearly in order
    return told.sort("subject", "start", "record", "source", "end", maintain_order=True)


def numbered(records: pl.DataFrame) -> pl.DataFrame:
    """Return the uploads behind records, with a number for each person: upload, user_id, person."""
    users = records.select("upload", "user_id").unique()
    return users.with_columns(person=pl.col("user_id").rank("dense").cast(pl.Int64))


def _lenders(con: Catalog, records: pl.DataFrame, around: pl.DataFrame) -> pl.DataFrame:
    """Return the records that may lend their offset; of people all of whose records carry their own, none is read."""
    borrowers = records.filter(local_time.mute(sources.ALWAYS_UTC)).select("user_id").unique()
    wanted = around.join(borrowers, on="user_id", how="semi")
    if wanted.is_empty():  # the usual case, and the queries look at every record
        return analyses.NOBODY.to_frame()
    written = analyses.near_offsets(con, wanted)
    return analyses.near_records(con, wanted, local_time.lending(written, sources.ALWAYS_UTC))


def _placed(records: pl.DataFrame, persons: Sequence[Person]) -> pl.DataFrame:
    """Add the place of each source in its person's order of preference, where that names any."""
    order = [(p.user_id, name, place) for p in persons for place, name in enumerate(p.source_priority)]
    if not order:
        return records
    places = pl.DataFrame(order, schema={"user_id": pl.String, "source": pl.String, PLACE: pl.Int64}, orient="row")
    return records.join(
        places.unique(["user_id", "source"]), on=["user_id", "source"], how="left", maintain_order="left"
    )
