"""Which upload brings something new, whatever the order in which uploads arrive."""

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.catalog import Catalog, open_catalog, quality, uploads
from etlnarr.catalog.uploads import Place, Upload

MEMORY = Path(":memory:")
Version = tuple[str, int, int]  # identity, modified, version
SCHEMA = {
    "upload": pl.Int64, "record": pl.Int64, "identity": pl.String, "modified": pl.Int64, "version": pl.Int64,
    "source": pl.String, "device": pl.String, "start": pl.Int64, "end": pl.Int64, "offset": pl.String,
    "fetched": pl.Int64,
}  # fmt: skip


def store(con: Catalog, no: int, uploaded: int, content: str, versions: list[Version], user: str = "u") -> None:
    row = Upload(
        no, user, content, "StepsRecord", uploaded, content, "b", content, 1, "limits", "accepted", len(versions)
    )
    lines = [
        (no, i, name, modified, version, "app", None, 0, 1, None, None)
        for i, (name, modified, version) in enumerate(versions)
    ]
    records = pl.DataFrame(lines, schema=SCHEMA, orient="row")
    uploads.add(con, [row], [Place(content, 1, "s", content, "b", uploaded, no, fits=True)], [records], [])


def new_ones(con: Catalog) -> set[str]:
    quality.refresh_novelty(con)
    return {content for (content,) in con.execute("SELECT content_hash FROM uploads WHERE brings_new").fetchall()}


def told(*arrivals: tuple[int, str, list[Version]]) -> set[str]:
    with open_catalog(MEMORY, 0) as con:
        for no, (uploaded, content, versions) in enumerate(arrivals, 1):
            store(con, no, uploaded, content, versions)
        return new_ones(con)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([("a", 1, 0)], [("a", 1, 0)], {"x"}),  # a repeat
        ([("a", 1, 0)], [("a", 1, 0), ("b", 1, 0)], {"x", "y"}),  # a repeat and a new record
        ([("a", 1, 0)], [("a", 2, 0)], {"x", "y"}),  # a later write
        ([("a", 2, 0)], [("a", 1, 9)], {"x"}),  # an earlier write, whatever its version
        ([("a", 1, 0)], [("a", 1, 1)], {"x", "y"}),  # the same write, a later version
        ([("a", 1, 1)], [("a", 1, 0)], {"x"}),  # the same write, an earlier version
        ([("a", 1, 0)], [("a", 1, 0), ("a", 1, 0)], {"x"}),  # a repeat that repeats itself
    ],
)
def test_a_later_upload_brings_something_new_or_not(
    first: list[Version], second: list[Version], expected: set[str]
) -> None:
    assert told((1, "x", first), (2, "y", second)) == expected
    assert told((2, "y", second), (1, "x", first)) == expected


def test_of_two_uploads_of_one_time_the_hash_decides() -> None:
    assert told((1, "y", [("a", 1, 0)]), (1, "x", [("a", 1, 0)])) == {"x"}


def test_another_user_has_records_of_their_own() -> None:
    with open_catalog(MEMORY, 0) as con:
        store(con, 1, 1, "x", [("a", 1, 0)], "u")
        store(con, 2, 2, "y", [("a", 1, 0)], "v")
        assert new_ones(con) == {"x", "y"}


def test_a_late_arrival_takes_the_novelty_of_one_already_told() -> None:
    with open_catalog(MEMORY, 0) as con:
        store(con, 1, 5, "y", [("a", 1, 0)])
        assert new_ones(con) == {"y"}
        store(con, 2, 4, "x", [("a", 1, 0)])
        assert new_ones(con) == {"x"}


def test_an_upload_stands_under_its_earliest_place() -> None:
    with open_catalog(MEMORY, 0) as con:
        store(con, 1, 5, "x", [("a", 1, 0)])
        uploads.add(con, [], [Place("elsewhere", 1, "s", "earlier.avro", "b", 3, 1, fits=True)], [], [])
        uploads.add(con, [], [Place("nowhere", 1, "s", "later.avro", "b", 9, 1, fits=True)], [], [])
        uploads.add(con, [], [Place("wrong", 1, "s", "HeartRate/x.avro", "b", 1, 1, fits=False)], [], [])
        assert con.execute("SELECT uploaded, key, url FROM uploads").fetchall() == [(3, "earlier.avro", "elsewhere")]


VERSIONS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=4)
ARRIVALS = st.lists(st.tuples(st.integers(0, 3), VERSIONS), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(ARRIVALS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_answer_and_loses_no_version(
    arrivals: list[tuple[int, list[Version]]], chance: random.Random
) -> None:
    named = [(uploaded, f"h{no}", versions) for no, (uploaded, versions) in enumerate(arrivals)]
    expected = told(*named)
    shuffled = list(named)
    chance.shuffle(shuffled)
    assert told(*shuffled) == expected
    kept = [version for _, content, versions in named if content in expected for version in versions]
    for _, _, versions in named:
        for identity, modified, version in versions:
            assert any(i == identity and (m, v) >= (modified, version) for i, m, v in kept)
