"""Rows that lie in order or together, of which little need be looked at."""

from collections.abc import Sequence
from typing import Final

import polars as pl

NO: Final = "_no"
"""Column for the number of a row's key."""


def numbered(rows: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """List the keys of rows in order of appearance, and number the rows by them.

    Null is a value like others. Rows of one key mostly lie together, and only the first of each run is compared.

    Shapes: by names the columns of the key; the result one row per key, with these columns, and for each of the rows
    the position of its key in it, as the column NO; that is marked as sorted where no key comes back.
    """
    run = rows.select(pl.struct(by).rle_id().alias(NO)).to_series()
    first = rows.select(by).filter((run != run.shift()).fill_null(value=True))
    keys = first.unique(maintain_order=True)
    if keys.height == first.height:
        return keys, run.set_sorted()
    found = first.join(keys.with_row_index(NO), on=by, how="left", nulls_equal=True, maintain_order="left")
    return keys, found[NO].gather(run)


def in_order(rows: pl.DataFrame, *, strictly: bool = False) -> bool:
    """Tell whether rows are ordered by subject and start; strictly, if no two of a subject start together."""
    subject, start = pl.col("subject").diff(), pl.col("start").diff()
    follows = (subject > 0) | ((subject == 0) & (start > 0 if strictly else start >= 0))
    return bool(rows.select(follows.slice(1).fill_null(value=False).all()).item())
