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


def in_order(rows: pl.DataFrame, by: Sequence[str] = ("subject", "start"), *, strictly: bool = False) -> bool:
    """Tell whether rows are ordered by some columns, none of them null; strictly, if no two are alike in all of them.

    Shapes: by names columns of numbers.
    """
    follows = pl.lit(value=not strictly)
    for name in reversed(by):
        step = pl.col(name).diff()
        follows = (step > 0) | ((step == 0) & follows)
    return bool(rows.select(follows.slice(1).fill_null(value=False).all()).item())
