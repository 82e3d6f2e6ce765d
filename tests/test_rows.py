import random

import polars as pl

from etlnarr.analysis.rows import canonical
from etlnarr.insights import tidy
from etlnarr.metrics.activity import combined
from etlnarr.metrics.grid import area, trace, traced
from etlnarr.model import PEOPLE, READINGS, SLEEP, Batch

STEP_MS = 300_000


def readings(subject: int, many: int, seed: int) -> pl.DataFrame:
    drawn = random.Random(seed)
    lines = [
        {"subject": subject, "record": n, "source": "a", "start": n * STEP_MS, "end": n * STEP_MS, "value": value}
        for n, value in enumerate(drawn.uniform(40, 300) for _ in range(many))
    ]
    return pl.DataFrame(lines, schema=READINGS)


def test_a_sum_does_not_depend_on_who_else_is_in_the_batch() -> None:
    stranger = readings(2, 50, 0).reverse()
    for seed in range(20):
        own = readings(1, 999, seed)
        alone, beside = canonical(own), canonical(pl.concat([own, stranger]))
        sums = [f.group_by("subject").agg(pl.col("value").sum()).filter(subject=1)["value"] for f in (alone, beside)]
        assert sums[0].equals(sums[1])


def batch_of(frame: pl.DataFrame, others: pl.DataFrame) -> Batch:
    return Batch(frame, others, SLEEP.to_frame(), PEOPLE.to_frame())


def area_of(frame: pl.DataFrame) -> tuple[object, ...]:
    batch = batch_of(frame, frame.clear())
    assert batch.once(traced).equals(trace(frame))
    return area(batch).filter(subject=1).row(0)


def test_an_area_does_not_depend_on_who_else_is_in_the_batch() -> None:
    stranger = readings(2, 50, 0).reverse()
    for seed in range(20):
        own = readings(1, 999, seed)
        assert area_of(own) == area_of(pl.concat([own, stranger]))


def told_by(source: str, first_slot: int, subject: int, seed: int) -> pl.DataFrame:
    begins = pl.col("record") * 2 * STEP_MS + first_slot * STEP_MS
    found = readings(subject, 140, seed).with_columns(pl.lit(source).alias("source"), start=begins)
    whole = found.with_columns(end=pl.col("start") + STEP_MS, modified=pl.lit(0, pl.Int64))
    return whole.with_columns(record_start="start", record_end="end")


def test_what_two_devices_tell_together_does_not_depend_on_whose_records_overlap() -> None:
    overlapping = told_by("a", 0, 2, 0), told_by("b", 0, 2, 1)
    for seed in range(20):
        own = told_by("a", 0, 1, seed), told_by("b", 1, 1, seed + 100)
        alone = combined(batch_of(*own))
        beside = combined(batch_of(*(pl.concat(pair) for pair in zip(own, overlapping, strict=True))))
        assert alone.height == 1
        assert alone.equals(beside.filter(subject=1))


def test_a_number_half_way_between_two_is_not_left_to_noise() -> None:
    half = 30.028517375
    beside = pl.DataFrame({"value": [half, half - 7e-15, half + 7e-15, half - 1e-11, half + 1e-11]})
    up, down = 30.02851738, 30.02851737
    assert beside.select(tidy(pl.col("value"))).to_series().to_list() == [up, up, up, down, up]
