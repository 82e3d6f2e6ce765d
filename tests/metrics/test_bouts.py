import polars as pl
import pytest

from etlnarr.metrics.bouts import bouts, lasting

MINUTE = 60_000
Row = tuple[int, int, int, bool]


def found(rows: list[Row], gap: int = 2) -> list[tuple[int, int, int]]:
    frame = pl.DataFrame(rows, schema=["subject", "start", "end", "inside"], orient="row")
    minutes = frame.with_columns(pl.col("start", "end") * MINUTE)
    return [(s, b // MINUTE, e // MINUTE) for s, b, e in bouts(minutes, gap * MINUTE).rows()]


@pytest.mark.parametrize(("start", "expected"), [(3, [(1, 0, 4)]), (4, [(1, 0, 1), (1, 4, 5)])])
def test_a_gap_of_two_minutes_is_bridged_and_a_longer_one_is_not(
    start: int, expected: list[tuple[int, int, int]]
) -> None:
    assert found([(1, 0, 1, True), (1, start, start + 1, True)]) == expected


def test_a_row_outside_ends_a_bout() -> None:
    rows = [(1, 0, 1, False), (1, 1, 2, True), (1, 2, 3, False), (1, 3, 4, True), (1, 4, 5, True)]
    assert found(rows) == [(1, 1, 2), (1, 3, 5)]


def test_no_bout_reaches_into_another_subject() -> None:
    assert found([(2, 1, 2, True), (1, 0, 1, True)]) == [(1, 0, 1), (2, 1, 2)]
    assert found([(1, 0, 1, False)]) == []


def test_bouts_that_last_are_counted() -> None:
    rows = [(1, 0, 10, True), (1, 20, 29, True), (1, 40, 55, True), (2, 0, 9, True)]
    frame = pl.DataFrame(rows, schema=["subject", "start", "end", "inside"], orient="row")
    counted = lasting(bouts(frame.with_columns(pl.col("start", "end") * MINUTE), 0), 10, "n")
    assert counted.rows() == [(1, 2, 25.0)]
