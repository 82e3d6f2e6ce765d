from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.analysis.rows import canonical
from etlnarr.metrics import sources
from etlnarr.model import READINGS
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, readings

A, B = "org.example.a", "org.example.b"
Row = tuple[int, str, int, int, int, str | None]
Chosen = tuple[pl.DataFrame, pl.DataFrame]


def choose(*frames: pl.DataFrame, priority: tuple[str, ...] = ()) -> Chosen:
    places = {package: place for place, package in enumerate(priority)}
    place = pl.col("source").replace_strict(places, default=None, return_dtype=pl.Int64) if priority else None
    whole = pl.concat(frames) if place is None else pl.concat(frames).with_columns(place=place)
    return sources.choose(whole, sources.local_date())


def winners(*frames: pl.DataFrame, priority: tuple[str, ...] = ()) -> list[str]:
    return choose(*frames, priority=priority)[0]["source"].unique().sort().to_list()


def steady(source: str, minutes: int, n: int = 12, start: int = MIDNIGHT, label: str | None = None) -> pl.DataFrame:
    return readings(at_steps([60.0] * n, minutes * MINUTE, start), source=source, label=label)


def test_the_finer_source_speaks_and_the_other_stands_aside() -> None:
    chosen, others = choose(steady(A, 5, n=24), steady(B, 1, n=120))
    assert chosen["source"].unique().to_list() == [B]
    assert others["source"].unique().to_list() == [A]
    assert (chosen.height, others.height) == (120, 24)
    assert chosen.schema == others.schema == READINGS


def test_each_period_has_a_source_of_its_own() -> None:
    chosen, _ = choose(steady(A, 1), steady(B, 5, start=MIDNIGHT + DAY))
    assert chosen["source"].unique(maintain_order=True).to_list() == [A, B]


def test_priority_comes_before_all_else() -> None:
    frames = (steady(A, 5, n=24), steady(B, 1, n=120))
    assert winners(*frames, priority=(A,)) == [A]
    assert winners(*frames, priority=("org.example.none", B, A)) == [B]


@pytest.mark.parametrize(("minutes", "winner"), [(59, A), (60, B)])
def test_a_finer_source_needs_half_of_the_longest_coverage(minutes: int, winner: str) -> None:
    """The first source covers 120 minutes."""
    assert winners(steady(A, 10, n=13), steady(B, 1, n=minutes + 1)) == [winner]


def test_more_kinds_of_label_come_before_resolution() -> None:
    rich = pl.concat([steady(A, 10, label="LIGHT"), steady(A, 10, start=MIDNIGHT + 2 * HOUR, label="DEEP")])
    assert winners(rich, steady(B, 5, n=48, label="LIGHT")) == [A]


def test_unknown_is_no_kind_of_label() -> None:
    told = pl.concat([steady(A, 10, label="LIGHT"), steady(A, 10, start=MIDNIGHT + 2 * HOUR, label="UNKNOWN")])
    assert winners(told, steady(B, 5, n=48, label="LIGHT")) == [B]


def test_longer_coverage_then_the_name_decide_between_equals() -> None:
    assert winners(steady(A, 5), steady(B, 5, n=13)) == [B]
    assert winners(steady(B, 5), steady(A, 5)) == [A]


def test_a_single_reading_has_no_resolution_to_win_with() -> None:
    assert winners(steady(A, 5, n=1), steady(B, 60, n=2)) == [B]


def test_of_a_repeated_reading_the_last_written_stands() -> None:
    old = readings([(MIDNIGHT, 79.0)], source=A)
    new = readings([(MIDNIGHT, 75.0)], source=A).with_columns(modified=pl.lit(7, pl.Int64))
    for frames in ((old, new), (new, old)):
        assert choose(*frames)[0]["value"].to_list() == [75.0]


@pytest.mark.parametrize(("offset_s", "day"), [(0, 0), (None, 0), (-3600, -1), (3600, 0)])
def test_the_local_date_is_that_of_utc_where_the_offset_is_unknown(offset_s: int | None, day: int) -> None:
    found = readings([(MIDNIGHT, 1.0)], offset_s=offset_s).select(sources.local_date()).item()
    assert found == MIDNIGHT // DAY + day


def test_the_date_of_a_later_moment() -> None:
    evening = readings([(MIDNIGHT + 13 * HOUR, 1.0)])
    assert evening.select(sources.local_date(later_ms=DAY // 2)).item() == MIDNIGHT // DAY + 1


def test_what_a_reading_covers() -> None:
    points = readings([(MIDNIGHT, 1.0), (MIDNIGHT + 4 * MINUTE, 1.0), (MIDNIGHT + 4 * HOUR, 1.0)])
    assert points.select(sources.covered_ms()).to_series().to_list() == [4 * MINUTE, 10 * MINUTE, 0]
    long = points.with_columns(end=pl.col("start") + HOUR)
    assert long.select(sources.covered_ms()).to_series().to_list() == [HOUR, HOUR, HOUR]


def test_nothing_is_chosen_from_nothing() -> None:
    chosen, others = choose(READINGS.to_frame())
    assert chosen.is_empty()
    assert others.is_empty()


points = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([A, B]),
        st.integers(0, 3000),
        st.integers(40, 200),
        st.integers(0, 3),
        st.sampled_from(["LIGHT", "DEEP", None]),
    ),
    min_size=1,
    max_size=40,
)


def scattered(rows: list[Row]) -> pl.DataFrame:
    frames = [
        readings([(MIDNIGHT + minute * MINUTE, float(value))], subject, source=source, label=label).with_columns(
            modified=pl.lit(written, pl.Int64), record=pl.lit(minute, pl.Int64)
        )
        for subject, source, minute, value, written, label in rows
    ]
    return canonical(pl.concat(frames))


@settings(max_examples=60, deadline=None)
@given(points, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_the_cut_into_batches_matters(rows: list[Row], random: Random) -> None:
    whole = choose(scattered(rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    for side, again in zip(whole, choose(scattered(shuffled)), strict=True):
        assert side.equals(again)
    for subject in {row[0] for row in rows}:
        alone = choose(scattered([row for row in rows if row[0] == subject]))
        for side, part in zip(whole, alone, strict=True):
            assert side.filter(pl.col("subject") == subject).equals(part)


@settings(max_examples=60, deadline=None)
@given(points)
def test_every_start_of_a_stream_is_kept_once_and_a_period_has_one_source(rows: list[Row]) -> None:
    chosen, others = choose(scattered(rows))
    kept = pl.concat([chosen, others]).select("subject", "source", "start")
    assert kept.height == len({(subject, source, minute) for subject, source, minute, *_ in rows})
    assert kept.is_unique().all()
    days = chosen.group_by("subject", sources.local_date()).agg(pl.col("source").n_unique())
    assert days["source"].to_list() == [1] * days.height
