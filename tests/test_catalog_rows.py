"""Rows as the catalog returns them: in the order of the files, whatever the order they were stored in."""

from pathlib import Path

import polars as pl
import pytest

from etlnarr.catalog import open_catalog, rows, uploads
from etlnarr.catalog.uploads import READING_COLUMNS, Place, Upload
from tests.test_identity import SCHEMA

TOLD = ("value", "label")
ORDERED: list[tuple[object, ...]] = [
    (1, 0, 10, 20, 1.0, None), (1, 0, 10, 30, 1.0, None), (1, 2, 5, 5, 2.0, "a"), (2, 0, 1, 2, None, "b"),
    (2, 1, None, None, None, None),
]  # fmt: skip
DTYPES = {
    "upload": pl.Int64, "record": pl.Int64, "start": pl.Int64, "end": pl.Int64, "value": pl.Float64, "label": pl.String,
}  # fmt: skip


def readings(lines: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(lines, schema=DTYPES, orient="row")


@pytest.mark.parametrize("order", [range(5), (4, 3, 2, 1, 0), (0, 1, 2, 4, 3), (1, 0, 2, 3, 4), (2, 0, 1, 3, 4)])
def test_readings_come_in_the_order_of_their_times_those_without_one_last(order: list[int]) -> None:
    assert rows.as_in_files(readings([ORDERED[place] for place in order]), TOLD).rows() == ORDERED


@pytest.mark.parametrize("lines", [[], ORDERED[:1], ORDERED[4:]])
def test_few_readings_are_in_order(lines: list[tuple[object, ...]]) -> None:
    assert rows.as_in_files(readings(lines), TOLD).rows() == lines


def test_what_readings_tell_decides_between_those_of_one_time() -> None:
    twins: list[tuple[object, ...]] = [
        (1, 0, 10, 20, 1.0, None), (1, 0, 10, 20, 3.0, None), (1, 0, None, None, 1.0, "a"),
        (1, 0, None, None, 1.0, "b"),
    ]  # fmt: skip
    assert rows.as_in_files(readings(twins[::-1]), TOLD).rows() == twins
    assert rows.as_in_files(readings(twins), TOLD).rows() == twins
    assert rows.as_in_files(readings([twins[1], twins[0], *twins[2:]]), TOLD).rows() == twins


@pytest.mark.parametrize("numbers", [[2, 3, 4], [4, 2, 3], [3], [1, 4], [4, 1], [2, 2, 4], []])
def test_the_rows_of_uploads_are_theirs_alone_neighbours_or_not(numbers: list[int]) -> None:
    with open_catalog(Path(":memory:"), 0) as con:
        for no in (3, 1, 4, 2):
            text = str(no)
            row = Upload(no, "u", text, "StepsRecord", no, text, "b", text, 1, "limits", "accepted", 2)
            lines = [(no, record, f"{no}/{record}", 0, 0, "app", None, 0, 1, None, None) for record in (1, 0)]
            records = pl.DataFrame(lines, schema=SCHEMA, orient="row")
            blank = (pl.lit(None, pl.String).alias(name) for name in READING_COLUMNS[5:])
            found = records.select("upload", "record", "start", "end", value=pl.lit(7.0)).with_columns(blank)
            place = Place(text, 1, "s", text, "b", no, no, fits=True)
            uploads.add(con, [row], [place], [records], [found])
        wanted = [(no, record) for no in sorted({*numbers}) for record in (0, 1)]
        assert rows.records_of(con, numbers).select("upload", "record").rows() == wanted
        assert rows.readings_of(con, numbers, ("value",)).select("upload", "record").rows() == wanted
