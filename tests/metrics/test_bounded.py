import polars as pl

from etlnarr.metrics.bounded import dated, latest_rows


def test_only_the_latest_rows_are_kept_and_rounded() -> None:
    rows = pl.DataFrame({"subject": [1] * 40 + [2], "day": range(41), "amount": [1 / 3] * 41})
    found = latest_rows(rows, ["day", "amount"])
    many, one = found["series"].to_list()
    assert [row["day"] for row in many] == list(range(9, 40))
    assert one == [{"day": 40, "amount": 0.333333}]


def test_a_row_is_called_by_its_date_or_by_its_number() -> None:
    rows = pl.DataFrame({"subject": [1, 2, 2], "day": [20351, 5, 9], "dated": [True, False, False]})
    labels = rows.with_columns(label=dated("night to ", "day", "night"))["label"].to_list()
    assert labels == ["night to 2025-09-20", "night 1", "night 2"]
