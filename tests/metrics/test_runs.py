import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlnarr.metrics.runs import NO, in_order, numbered

SCHEMA = pl.Schema({"subject": pl.Int64(), "source": pl.Enum(["a", "b"])})
KEYS = st.lists(st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from([None, "a", "b"])), max_size=30)


@given(KEYS)
def test_each_row_has_the_number_of_its_key(rows: list[tuple[int | None, str | None]]) -> None:
    keys, of = numbered(pl.DataFrame(rows, schema=SCHEMA, orient="row"), SCHEMA.names())
    assert keys.schema == SCHEMA
    assert keys.rows() == list(dict.fromkeys(rows))
    assert [keys.row(number) for number in of] == rows
    assert of.name == NO


@pytest.mark.parametrize(("subjects", "together"), [([1, 1, 2, 2], True), ([1, 2, 1, 2], False)])
def test_numbers_are_known_to_be_sorted_where_no_key_comes_back(subjects: list[int], together: bool) -> None:
    _, of = numbered(pl.DataFrame({"subject": subjects}), ["subject"])
    assert of.flags["SORTED_ASC"] is together


@pytest.mark.parametrize(
    ("rows", "ordered", "strictly"),
    [
        ([], True, True),
        ([(1, 5)], True, True),
        ([(1, 5), (1, 6), (2, 0)], True, True),
        ([(1, 5), (1, 5), (2, 0)], True, False),
        ([(1, 6), (1, 5)], False, False),
        ([(2, 5), (1, 6)], False, False),
        ([(1, 5), (1, None)], False, False),
    ],
)
def test_order_is_that_of_subject_and_start(rows: list[tuple[int, int | None]], ordered: bool, strictly: bool) -> None:
    frame = pl.DataFrame(rows, schema={"subject": pl.Int64, "start": pl.Int64}, orient="row")
    assert in_order(frame) is ordered
    assert in_order(frame, strictly=True) is strictly
