"""Records and readings as the catalog holds them, in the order of the files."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from etlnarr.catalog.connection import Catalog
from etlnarr.metrics.runs import in_order

IN_FILE: Final = ("upload", "record", "start", "end")


def records_of(con: Catalog, numbers: Sequence[int]) -> pl.DataFrame:
    """Return the records of uploads, without their device."""
    found = _of(con, "records", "* EXCLUDE (device)", numbers)
    return found if in_order(found, IN_FILE[:2], strictly=True) else found.sort(IN_FILE[:2])


def readings_of(con: Catalog, numbers: Sequence[int], told: Sequence[str]) -> pl.DataFrame:
    """Return the readings of uploads, as far as they tell."""
    return as_in_files(_of(con, "readings", _columns(told), numbers), told)


def readings_in(con: Catalog, chosen: str, told: Sequence[str]) -> pl.DataFrame:
    """Return the readings of the records that a view has chosen, as far as they tell."""
    query = f"SELECT {_columns(told)} FROM readings SEMI JOIN {chosen} USING (upload, record)"  # noqa: S608 - names of our own
    return as_in_files(con.sql(query).pl(), told)


def as_in_files(readings: pl.DataFrame, told: Sequence[str]) -> pl.DataFrame:
    """Return readings in the order of the files; where that leaves it open, what they tell decides."""
    if in_order(
        readings, IN_FILE, strictly=True
    ):  # nearly all come in this order, and ORDER BY takes ten times as long
        return readings
    ordered = readings.sort(IN_FILE, nulls_last=True, maintain_order=True)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in IN_FILE)
    if ordered.select(same.any()).item():  # only what they tell can say which comes first, every time
        return readings.sort(*IN_FILE, *told, nulls_last=True)
    return ordered


def _columns(told: Sequence[str]) -> str:
    return ", ".join(["upload", "record", "start", '"end"', *told])


def _of(con: Catalog, table: str, columns: str, numbers: Sequence[int]) -> pl.DataFrame:
    """Return rows of uploads, in any order; most are neighbours, and a join would shuffle them and take longer."""
    query = f"SELECT {columns} FROM {table}"  # noqa: S608 - names of our own
    first, last = min(numbers, default=1), max(numbers, default=0)
    if len({*numbers}) == last - first + 1:
        run = {"first": first, "last": last}
        found: pl.DataFrame = con.sql(f"{query} WHERE upload BETWEEN $first AND $last", params=run).pl()
        return found
    con.register("wanted", pl.DataFrame({"upload": numbers}, schema={"upload": pl.Int64}))
    found = con.sql(f"{query} SEMI JOIN wanted USING (upload)").pl()
    con.unregister("wanted")
    return found
