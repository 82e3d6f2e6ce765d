"""Which rows may reach a metric, on frames that no catalog returns."""

import polars as pl

from etlnarr import quality
from etlnarr.records import by_name

NOON = 1_763_208_000_000


def test_a_reading_without_a_record_is_dropped_and_of_two_versions_the_last_stands() -> None:
    rows = {"upload": [1, 1], "identity": ["id:a", "id:a"], "modified": [NOON, NOON + 1], "version": [0, 0]}
    times = {"start": [NOON, NOON], "end": [NOON, NOON], "fetched": [NOON + 9, NOON + 9], "source": ["a.b", "a.b"]}
    records = pl.DataFrame({**rows, **times, "record": [0, 1]})
    readings = pl.DataFrame(
        {"upload": [1, 1, 1], "record": [0, 1, 7], "start": [NOON] * 3, "end": [NOON] * 3, "value": [99.0, 101.0, 5.0]}
    )
    kept, inside = quality.usable(records, readings, by_name["BloodGlucoseRecord"])
    assert kept["record"].to_list() == [1]
    assert inside["value"].to_list() == [101.0]
    assert quality.assess(records, readings, by_name["BloodGlucoseRecord"])["usable"].to_list() == [1]
