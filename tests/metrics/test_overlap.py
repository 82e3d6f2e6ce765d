"""Overlapping amounts, with sums worked out by hand."""

import random

import polars as pl
import pytest

from etlnarr.metrics.overlap import pro_rata

HOUR = 3_600_000
Record = tuple[str, float, float, float, int]  # source, start and end in hours, value, last write


def shares(*records: Record, by: tuple[str, ...] = ("subject",), first: str | None = None) -> list[float]:
    frame = pl.DataFrame(
        [
            ("a", source, round(start * HOUR), round(end * HOUR), value, modified, place)
            for place, (source, start, end, value, modified) in enumerate(records)
        ],
        schema=["subject", "source", "start", "end", "value", "modified", "record"],
        orient="row",
    )
    return pro_rata(frame, by, [pl.col("source").ne(first)] if first else [])["value"].to_list()


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([("s", 0, 1, 100, 1), ("s", 1, 2, 50, 1)], [100, 50]),  # side by side
        ([("s", 0, 2, 100, 1), ("s", 1, 2, 30, 2)], [50, 30]),  # the later write counts where both tell
        ([("s", 0, 2, 100, 2), ("s", 1, 2, 30, 1)], [100, 0]),
        ([("s", 0, 4, 80, 1), ("s", 1, 2, 9, 2), ("s", 2, 3, 7, 2)], [40, 9, 7]),
        ([("s", 0, 1, 10, 1), ("s", 0, 1, 10, 1)], [10, 0]),  # the same twice
        ([("s", 1, 1, 5, 1), ("s", 0, 2, 20, 2)], [5, 20]),  # no length, no share
        ([("s", 0, 2, 20, 1), ("s", 1, 3, 20, 2), ("s", 2, 4, 20, 3)], [10, 10, 20]),
    ],
)
def test_each_instant_counts_once(records: list[Record], expected: list[float]) -> None:
    assert shares(*records) == pytest.approx(expected)


def test_a_priority_comes_before_the_time_of_the_write() -> None:
    day = [("watch", 0.0, 24.0, 3933.0, 1), ("ring", 4.0, 24.0, 2517.0, 2)]
    assert sum(shares(*day, first="watch")) == pytest.approx(3933)
    assert sum(shares(*day, first="ring")) == pytest.approx(3172.5)
    assert shares(*day, by=("subject", "source")) == [3933, 2517]


def test_no_order_of_rows_and_no_cut_changes_the_sum() -> None:
    chance = random.Random(5)
    for _ in range(40):
        starts = [chance.randrange(40) for _ in range(12)]
        records = [("s", s, s + chance.randrange(1, 12), chance.randrange(1, 100), n) for n, s in enumerate(starts)]
        by_minute: dict[int, float] = {}
        for _, start, end, value, _ in records:  # a later write overwrites what was there, hour by hour
            by_minute |= dict.fromkeys(range(int(start), int(end)), value / (end - start))
        shuffled = list(records)
        chance.shuffle(shuffled)
        assert sum(shares(*records)) == pytest.approx(sum(by_minute.values()))
        assert sum(shares(*shuffled)) == pytest.approx(sum(by_minute.values()))
