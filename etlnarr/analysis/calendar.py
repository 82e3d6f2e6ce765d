"""Days, nights, weeks and months of the local calendar; a night is named by the day on which it ends."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from etlnarr.metrics.clock import THURSDAY

EPOCH: Final = date(1970, 1, 1)
WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Reach:
    """The local days that the windows of a month end on; all days without a month.

    Units: days since 1970-01-01, both included.
    """

    first: int
    last: int


def reach(month: str | None) -> Reach:
    """Return the days of a month such as 2025-11."""
    if month is None:
        return Reach(-200_000, 200_000)
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return Reach((first - EPOCH).days, (following - EPOCH).days - 1)


def first_day(window: str, day: pl.Expr) -> pl.Expr:
    """Return the first local day of the window that a day lies in."""
    if window == "week":
        return (day + THURSDAY) // WEEK * WEEK - THURSDAY
    return _number(_date(day).dt.month_start()) if window == "month" else day


def last_day(window: str, day: pl.Expr) -> pl.Expr:
    """Return the last local day of the window that a day lies in."""
    if window == "week":
        return first_day(window, day) + WEEK - 1
    return _number(_date(day).dt.month_end()) if window == "month" else day


def key(window: str, day: pl.Expr) -> pl.Expr:
    """Return the name of the window that a day lies in: 2025-09-20, 2025-W38 (ISO 8601) or 2025-09."""
    pattern = {"week": "%G-W%V", "month": "%Y-%m"}.get(window, "%Y-%m-%d")
    return _date(day).dt.strftime(pattern)


def month_of(day: pl.Expr) -> pl.Expr:
    """Return the month of a day as YYYY-MM."""
    return _date(day).dt.strftime("%Y-%m")


def midnight(day: int) -> str:
    """Return the beginning of a local day in ISO 8601."""
    return f"{(EPOCH + timedelta(days=day)).isoformat()}T00:00:00"


def _date(day: pl.Expr) -> pl.Expr:
    return pl.from_epoch(day.cast(pl.Int32), "d")


def _number(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Int32).cast(pl.Int64)
