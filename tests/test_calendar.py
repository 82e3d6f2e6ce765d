"""The names and bounds of windows, against the calendar of the standard library."""

from datetime import date, timedelta

import polars as pl
import pytest

from etlnarr.analysis import calendar
from etlnarr.analysis.calendar import EPOCH, Reach

DAYS = [date(2023, 12, 25) + timedelta(days=n) for n in range(0, 1_200, 3)]
NUMBERS = pl.DataFrame({"day": [(day - EPOCH).days for day in DAYS]})


def column(expr: pl.Expr) -> list[object]:
    return NUMBERS.select(expr).to_series().to_list()


def test_weeks_are_those_of_iso_8601() -> None:
    day = pl.col("day")
    iso = [each.isocalendar() for each in DAYS]
    assert column(calendar.key("week", day)) == [f"{year}-W{week:02}" for year, week, _ in iso]
    first = column(calendar.first_day("week", day))
    assert first == [(each - EPOCH).days - weekday + 1 for each, (_, _, weekday) in zip(DAYS, iso, strict=True)]
    assert column(calendar.last_day("week", day)) == [int(str(number)) + 6 for number in first]


def test_months_begin_on_the_first_and_end_before_the_next() -> None:
    day = pl.col("day")
    assert column(calendar.key("month", day)) == [each.strftime("%Y-%m") for each in DAYS]
    assert column(calendar.first_day("month", day)) == [(each.replace(day=1) - EPOCH).days for each in DAYS]
    following = [(each.replace(day=1) + timedelta(days=32)).replace(day=1) for each in DAYS]
    assert column(calendar.last_day("month", day)) == [(each - EPOCH).days - 1 for each in following]


@pytest.mark.parametrize("window", ["day", "night"])
def test_a_day_is_a_day(window: str) -> None:
    assert column(calendar.key(window, pl.col("day"))) == [each.isoformat() for each in DAYS]
    assert column(calendar.last_day(window, pl.col("day"))) == NUMBERS["day"].to_list()


@pytest.mark.parametrize(
    ("month", "first", "last"),
    [("2025-11", date(2025, 11, 1), date(2025, 11, 30)), ("2024-02", date(2024, 2, 1), date(2024, 2, 29))],
)
def test_the_reach_of_a_month(month: str, first: date, last: date) -> None:
    assert calendar.reach(month) == Reach((first - EPOCH).days, (last - EPOCH).days)


def test_midnight_is_a_local_time() -> None:
    assert calendar.midnight((date(2025, 9, 20) - EPOCH).days) == "2025-09-20T00:00:00"
