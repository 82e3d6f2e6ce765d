import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlnarr.errors import GateError
from etlnarr.prose import formats


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (111.478, 1, "111.5"),
        (3933, 0, "3,933"),
        (1234567.891, 2, "1,234,567.89"),
        (0.5, 0, "0"),
        (1.5, 0, "2"),
        (2.675, 2, "2.68"),  # the float lies below; people read 2.675, and its neighbours are 2.67 and 2.68
        (2.665, 2, "2.66"),
        (0.125, 2, "0.12"),
        (-0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (-0.06, 1, "-0.1"),
        (83, 1, "83.0"),
        (1e22, 0, "10,000,000,000,000,000,000,000"),
        (1e300, 0, "1" + ",000" * 100),
    ],
)
def test_numbers(value: float, decimals: int, text: str) -> None:
    assert formats.fixed(formats.exact(value), decimals) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 6))
def test_a_number_reads_back_within_half_of_its_last_place(value: float, decimals: int) -> None:
    text = formats.fixed(formats.exact(value), decimals)
    assert re.fullmatch(r"-?\d{1,3}(,\d{3})*" + (rf"\.\d{{{decimals}}}" if decimals else ""), text)
    assert not re.fullmatch(r"-[0.,]+", text)
    read = Decimal(text.replace(",", ""))
    assert abs(read - Decimal(repr(value))) * 2 * 10**decimals <= 1


@pytest.mark.parametrize("value", [None, True, "7", float("nan"), float("inf")])
def test_what_is_no_number_is_refused_without_being_named(value: formats.Scalar) -> None:
    with pytest.raises(GateError, match=r"^is not (a number|finite)$"):
        formats.exact(value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (370, "min", "6 h 10 min"),
        (45.4, "", "45 min"),
        (360, "min", "6 h"),
        (0, "min", "0 min"),
        (59.5, "min", "1 h"),
        (60.5, "min", "1 h"),  # half to even
        (61.5, "min", "1 h 2 min"),
        (-70, "min", "-1 h 10 min"),
        (21.0, "h", "21 h"),
        (90, "s", "2 min"),
        (30, "s", "0 min"),
        (390_000, "ms", "6 min"),
        (2.5, "d", "60 h"),
        (100, "days", "2,400 h"),
    ],
)
def test_durations(value: float, unit: str, text: str) -> None:
    assert formats.duration(formats.minutes(value, unit)) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("2025-09-19T17:25:52", "", "17:25"),
        ("2025-09-19T17:25:52Z", "", "17:25"),
        (1758302752000, "ms", "17:25"),
        (1758302752000, "", "17:25"),
        (343.6, "min", "05:43"),
        (17, "h", "17:00"),
        (25.5, "h", "01:30"),
        (-30, "min", "23:30"),
    ],
)
def test_clocks(value: formats.Scalar, unit: str, text: str) -> None:
    assert formats.clock(value, unit) == text


@pytest.mark.parametrize("value", ["yesterday", None, True, 1e30, float("nan")])
def test_what_is_no_time_is_refused_without_being_named(value: formats.Scalar) -> None:
    with pytest.raises(GateError, match=r"^is not (a time|a number|finite)$"):
        formats.moment(value)


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        *(("04", "night"), ("05", "morning"), ("11", "morning"), ("12", "afternoon"), ("16", "afternoon")),
        *(("17", "evening"), ("21", "evening"), ("22", "night"), ("00", "night")),
    ],
)
def test_dayparts(hour: str, part: str) -> None:
    assert formats.daypart(f"2025-09-19T{hour}:59:59") == part


@pytest.mark.parametrize(("value", "name"), [("2025-09-19", "Friday"), (1758302752000, "Friday"), ("sunday", "Sunday")])
def test_weekdays(value: formats.Scalar, name: str) -> None:
    assert formats.weekday(value) == name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *((0, "zero"), (1, "one"), (19, "nineteen"), (20, "twenty"), (21, "twenty-one"), (99, "ninety-nine")),
        *((100, None), (-1, None), (21.5, None), (-0.5, None), (1e30, None)),
    ],
)
def test_numbers_in_words(value: float, words: str | None) -> None:
    assert formats.spelled(formats.exact(value)) == words
