from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.analysis.rows import canonical
from etlnarr.metrics import sleep
from etlnarr.model import READINGS, SLEEP
from tests.sessions import WATCH, session, unstaged
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, nights, readings

RING = "org.example.ring"
BED = MIDNIGHT + 23 * HOUR
FINE = [("LIGHT", 30.0), ("DEEP", 30.0), ("REM", 30.0)] * 4
COARSE = [("LIGHT", 120.0), ("DEEP", 120.0), ("REM", 60.0)]


def spans(frame: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Sources and bounds of the sessions, in hours after midnight."""
    bounds = frame.select("source", "record_start", "record_end").unique().sort("record_start", "record_end", "source")
    return [(source, (start - MIDNIGHT) // HOUR, (end - MIDNIGHT) // HOUR) for source, start, end in bounds.rows()]


def test_two_devices_of_one_night_are_not_added() -> None:
    chosen, others = sleep.choose(pl.concat([session(BED, COARSE, RING), session(BED, FINE)]))
    assert spans(chosen) == [(WATCH, 23, 29)]
    assert spans(others) == [(RING, 23, 28)]
    assert chosen.schema == READINGS


def test_a_preferred_source_speaks_for_its_nights() -> None:
    both = pl.concat([session(BED, COARSE, RING), session(BED, FINE), session(BED + DAY, FINE)])
    chosen, _ = sleep.choose(both.with_columns(place=pl.when(pl.col("source") == RING).then(0)))
    assert spans(chosen) == [(RING, 23, 28), (WATCH, 47, 53)]


@pytest.mark.parametrize(("late", "same"), [(120, True), (121, False)])
def test_half_of_the_shorter_session_makes_one_night(late: int, same: bool) -> None:
    """The first session ends four hours after the second began, less the minutes it is late."""
    first = unstaged(BED, 8 * 60)
    second = unstaged(BED + 8 * HOUR - 4 * HOUR + late * MINUTE, 4 * 60, source=RING)
    _, others = sleep.choose(pl.concat([first, second]))
    assert others.is_empty() is not same


def test_sessions_that_only_touch_are_apart() -> None:
    parts = [unstaged(BED, 60), unstaged(BED + HOUR, 60, source=RING), unstaged(BED + HOUR, 0, source="org.example.c")]
    assert sleep.choose(pl.concat(parts))[1].is_empty()


def test_a_night_that_one_device_cut_in_two_is_one_night() -> None:
    """The halves do not overlap each other; each does the whole that the other device saw."""
    halves = [session(BED, FINE[:4], RING), session(BED + 4 * HOUR, FINE[:4], RING, record=1)]
    whole = unstaged(BED, 6 * 60)
    assert spans(sleep.choose(pl.concat([*halves, whole]))[0]) == [(RING, 23, 25), (RING, 27, 29)]


def test_of_sessions_that_a_source_repeats_the_longest_stands() -> None:
    short = session(BED + HOUR, [("LIGHT", 300.0)], modified=9, record=1)
    chosen, others = sleep.choose(pl.concat([session(BED, FINE), short]))
    assert spans(chosen) == [(WATCH, 23, 29)]
    assert others.is_empty()


def test_a_nap_is_no_night() -> None:
    nap = session(MIDNIGHT + 15 * HOUR, [("LIGHT", 104.0)])
    assert sleep.sessions(nap)["main"].to_list() == [False]
    assert sleep.main_sessions(nap).equals(SLEEP.to_frame())


@pytest.mark.parametrize(("minutes", "main"), [(179, False), (180, True)])
def test_a_main_session_lasts_three_hours(minutes: int, main: bool) -> None:
    assert sleep.sessions(unstaged(BED, minutes))["main"].to_list() == [main]


def test_the_longest_session_that_ends_on_a_date_is_main() -> None:
    one_day = [unstaged(MIDNIGHT, 200), unstaged(MIDNIGHT + 5 * HOUR, 240), unstaged(MIDNIGHT + 12 * HOUR, 190)]
    found = sleep.sessions(pl.concat(one_day))
    assert found["main"].to_list() == [False, True, False]
    assert found["wake_day"].unique().to_list() == [MIDNIGHT // DAY]


@pytest.mark.parametrize(("offset_s", "mains"), [(0, 2), (-5 * 3600, 1), (None, 2)])
def test_dates_are_local(offset_s: int | None, mains: int) -> None:
    """In UTC the sessions end on two dates; five hours to the west on one."""
    first = unstaged(BED + 21 * HOUR, 4 * 60, offset_s=offset_s)
    second = unstaged(BED + 2 * HOUR, 6 * 60, offset_s=offset_s)
    assert sleep.sessions(pl.concat([first, second]))["main"].sum() == mains


def parted(pause: float, *lengths: float, sources: tuple[str, ...] = (WATCH,) * 3) -> pl.DataFrame:
    """Sessions of these minutes, each so long after the one before."""
    starts = [BED + round(sum(lengths[:number]) + number * pause) * MINUTE for number in range(len(lengths))]
    return pl.concat(
        session(start, [("LIGHT", length)], source, record=number)
        for number, (start, length, source) in enumerate(zip(starts, lengths, sources, strict=False))
    )


@pytest.mark.parametrize(("pause", "nights"), [(0, 1), (30, 1), (60, 1), (61, 2)])
def test_sessions_with_at_most_an_hour_between_them_are_one_night(pause: int, nights: int) -> None:
    chosen, _ = sleep.choose(parted(pause, 210, 200))
    assert sleep.sessions(chosen).height == nights
    assert chosen.filter(pl.col("label") == sleep.PAUSE).select("start", "end").rows() == (
        [(BED + 210 * MINUTE, BED + (210 + pause) * MINUTE)] if 0 < pause <= 60 else []
    )
    ends = chosen["record_end"].unique().sort().to_list()
    assert ends == [BED + (410 + pause) * MINUTE] if nights == 1 else [BED + 210 * MINUTE, BED + (410 + pause) * MINUTE]


@pytest.mark.parametrize(("last", "joined"), [(60, True), (59, False)])
def test_naps_that_do_not_make_three_hours_stay_apart(last: int, joined: bool) -> None:
    found = sleep.sessions(sleep.choose(parted(60, 60, 60, last))[0])
    assert (found.height == 1) is joined
    assert found["main"].any() is joined


def test_parts_of_another_source_or_around_another_session_are_not_joined() -> None:
    assert sleep.sessions(sleep.choose(parted(30, 210, 200, sources=(WATCH, RING)))[0]).height == 2
    assert sleep.sessions(sleep.choose(parted(10, 200, 30, 200, sources=(WATCH, RING, WATCH)))[0]).height == 3


def test_a_night_in_parts_is_one_main_session() -> None:
    assert sleep.main_sessions(parted(30, 210, 200)).rows() == [(1, BED, BED + 440 * MINUTE, WATCH)]


def test_main_sessions_have_one_source_a_night() -> None:
    both = pl.concat([session(BED, COARSE, RING), session(BED, FINE), session(BED + 17 * HOUR, COARSE[:1])])
    assert sleep.main_sessions(both).rows() == [(1, BED, BED + 6 * HOUR, WATCH)]


def test_a_reading_is_in_sleep_from_the_first_to_the_last_moment() -> None:
    night = nights((BED, BED + 6 * HOUR))
    moments = [BED - 1, BED, BED + 6 * HOUR, BED + 6 * HOUR + 1]
    found = sleep.in_sleep(readings([(moment, 60.0) for moment in moments]), night)
    assert found["night_start"].to_list() == [None, BED, BED, None]
    assert found["night_end"].to_list() == [None, BED + 6 * HOUR, BED + 6 * HOUR, None]
    assert sleep.in_sleep(readings([(BED, 60.0)], subject=2), night)["night_start"].to_list() == [None]


bounds = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.sampled_from([WATCH, RING]), st.integers(0, 3000), st.integers(30, 900)),
    min_size=1,
    max_size=12,
)
Bounds = tuple[str, str, int, int]


def drawn(rows: list[Bounds]) -> pl.DataFrame:
    return canonical(
        pl.concat(
            unstaged(MIDNIGHT + start * MINUTE, minutes, source=source, subject=subject)
            for subject, source, start, minutes in rows
        )
    )


@settings(max_examples=60, deadline=None)
@given(bounds, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_the_cut_into_batches_matters(rows: list[Bounds], random: Random) -> None:
    whole = sleep.choose(drawn(rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    for side, again in zip(whole, sleep.choose(drawn(shuffled)), strict=True):
        assert side.equals(again)
    for subject in {row[0] for row in rows}:
        alone = sleep.choose(drawn([row for row in rows if row[0] == subject]))
        for side, part in zip(whole, alone, strict=True):
            assert side.filter(pl.col("subject") == subject).equals(part)


@settings(max_examples=60, deadline=None)
@given(bounds)
def test_chosen_sessions_never_overlap_by_half(rows: list[Bounds]) -> None:
    chosen, _ = sleep.choose(drawn(rows))
    for subject in chosen["subject"].unique():
        own = chosen.filter(pl.col("subject") == subject).select("source", "record_start", "record_end").unique()
        kept = own.select("record_start", "record_end").rows()
        for number, (start, end) in enumerate(kept):
            for other_start, other_end in kept[number + 1 :]:
                shared = min(end, other_end) - max(start, other_start)
                assert shared < 0.5 * min(end - start, other_end - other_start)
