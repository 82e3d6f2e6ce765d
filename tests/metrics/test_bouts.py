import polars as pl
import pytest

from etlnarr.metrics.bouts import bouts, lasting

MINUTE = 60_000
Row = tuple[str, int, int, bool]


def found(rows: list[Row], gap: int = 2) -> list[tuple[str, int, int]]:
    frame = pl.DataFrame(rows, schema=["subject", "start", "end", "inside"], orient="row")
    minutes = frame.with_columns(pl.col("start", "end") * MINUTE)
    return [(s, b // MINUTE, e // MINUTE) for s, b, e in bouts(minutes, gap * MINUTE).rows()]


@pytest.mark.parametrize(("start", "expected"), [(3, [("s", 0, 4)]), (4, [("s", 0, 1), ("s", 4, 5)])])
def test_a_gap_of_two_minutes_is_bridged_and_a_longer_one_is_not(
    start: int, expected: list[tuple[str, int, int]]
) -> None:
    assert found([("s", 0, 1, True), ("s", start, start + 1, True)]) == expected


def test_a_row_outside_ends_a_bout() -> None:
    rows = [("s", 0, 1, False), ("s", 1, 2, True), ("s", 2, 3, False), ("s", 3, 4, True), ("s", 4, 5, True)]
    assert found(rows) == [("s", 1, 2), ("s", 3, 5)]


def test_no_bout_reaches_into_another_subject() -> None:
    assert found([("t", 1, 2, True), ("s", 0, 1, True)]) == [("s", 0, 1), ("t", 1, 2)]
    assert found([("s", 0, 1, False)]) == []


def test_bouts_that_last_are_counted() -> None:
    rows = [("s", 0, 10, True), ("s", 20, 29, True), ("s", 40, 55, True), ("t", 0, 9, True)]
    frame = pl.DataFrame(rows, schema=["subject", "start", "end", "inside"], orient="row")
    counted = lasting(bouts(frame.with_columns(pl.col("start", "end") * MINUTE), 0), 10, "n")
    assert counted.rows() == [("s", 2, 25.0)]
