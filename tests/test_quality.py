"""Which records of an upload may reach a metric."""

import polars as pl
import pytest

from etlnarr import quality
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from etlnarr.records.steps import STEPS_RECORD
from tests.test_identity import SCHEMA

FETCHED = 10**9
NOON = 1_763_208_000_000

ONE = [
    ("a", 5, 0, 1), ("b", 5, 0, 1), ("c", 5, 0, 1), ("b", 0, 9, 1), ("b", 5, 1, 1), ("c", 5, 0, 1),
    ("d", 1, 0, 1), ("d", 2, 0, -1), ("e", 1, 0, 1),
]  # fmt: skip
"""Identity, modified, version and length of each record."""

OTHER = [("b", 1, 0, 1), ("a", 1, 0, 1), ("b", 2, 0, 1)]
KEPT = {(1, 0), (1, 2), (1, 4), (1, 8), (2, 1), (2, 2)}
"""The last version of each identity, the first of those that are the same, and none where that is unfit."""


@pytest.mark.parametrize("descending", [False, True])
def test_of_records_with_one_identity_in_one_upload_the_last_version_stands(descending: bool) -> None:
    records = pl.DataFrame(
        [
            (upload, record, name, modified, version, "app", None, 100, 100 + length, None, FETCHED)
            for upload, rows in ((1, ONE), (2, OTHER))
            for record, (name, modified, version, length) in enumerate(rows)
        ],
        schema=SCHEMA,
        orient="row",
    )
    readings = records.select("upload", "record", "start", "end", value=pl.lit(7.0))
    ordered = readings.sort("upload", "record", descending=descending)
    kept, inside = quality.usable(records, ordered, STEPS_RECORD)
    assert kept.select("upload", "record").rows() == sorted(KEPT)
    assert inside.select("upload", "record").rows() == sorted(KEPT, reverse=descending)
    assert kept[inside[quality.AT]].select("upload", "record").equals(inside.select("upload", "record"))
    scored = quality.assess(records, ordered, STEPS_RECORD)
    assert dict(scored.select("upload", "usable").iter_rows()) == {1: 4, 2: 2}


def test_a_reading_without_a_record_is_dropped_and_of_two_versions_the_last_stands() -> None:
    rows = {"upload": [1, 1], "identity": ["id:a", "id:a"], "modified": [NOON, NOON + 1], "version": [0, 0]}
    times = {"start": [NOON, NOON], "end": [NOON, NOON], "fetched": [NOON + 9, NOON + 9], "source": ["a.b", "a.b"]}
    records = pl.DataFrame({**rows, **times, "record": [0, 1]})
    readings = pl.DataFrame(
        {"upload": [1, 1, 1], "record": [0, 1, 7], "start": [NOON] * 3, "end": [NOON] * 3, "value": [99.0, 101.0, 5.0]}
    )
    kept, inside = quality.usable(records, readings, BLOOD_GLUCOSE)
    assert kept["record"].to_list() == [1]
    assert inside["value"].to_list() == [101.0]
    assert quality.assess(records, readings, BLOOD_GLUCOSE)["usable"].to_list() == [1]
