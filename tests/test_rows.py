import random

import polars as pl

from etlnarr.analysis.rows import canonical
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


def area_of(frame: pl.DataFrame) -> tuple[object, ...]:
    batch = Batch(frame, frame.clear(), SLEEP.to_frame(), PEOPLE.to_frame())
    assert batch.once(traced).equals(trace(frame))
    return area(batch).filter(subject=1).row(0)


def test_an_area_does_not_depend_on_who_else_is_in_the_batch() -> None:
    stranger = readings(2, 50, 0).reverse()
    for seed in range(20):
        own = readings(1, 999, seed)
        assert area_of(own) == area_of(pl.concat([own, stranger]))
