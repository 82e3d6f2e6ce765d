"""Bounded tables of dated rows for the data block of an example."""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS

MOST_ROWS: Final = 31
DECIMALS: Final = 6


def iso_date(day: str) -> pl.Expr:
    """Write a column of days since 1970-01-01 as ISO dates."""
    return (pl.col(day).cast(pl.Int64) * DAY_MS).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%d")


def dated(prefix: str, day: str, counted: str) -> pl.Expr:
    """Label a row by its local date, by its number within the subject where the date is not known.

    Shapes: day names a column of days since 1970-01-01; the frame has the column dated, in order of time.
    """
    moment = iso_date(day)
    number = pl.int_range(1, pl.len() + 1).over("subject")
    return pl.when("dated").then(pl.format(f"{prefix}{{}}", moment)).otherwise(pl.format(f"{counted} {{}}", number))


def latest_rows(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Gather the last 31 rows of each subject.

    Shapes: subject, series: a list of structs of the named columns.
    """
    schema = rows.schema
    floats = [name for name in columns if schema[name].is_float()]
    line = pl.struct(columns).tail(MOST_ROWS)
    return rows.with_columns(pl.col(floats).round(DECIMALS)).group_by("subject", maintain_order=True).agg(series=line)
