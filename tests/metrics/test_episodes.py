import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.metrics.episodes import (
    HIGH,
    LOW,
    VERY_HIGH,
    VERY_LOW,
    Limit,
    episodes,
    extended_highs,
    hyperglycemia,
    hypoglycemia,
)
from etlnarr.metrics.grid import trace
from tests.traces import MIDNIGHT, MINUTE, at_steps, batch, readings

FINE = 100.0
Point = tuple[int, float | None]


def low(*values: float, step: int = 5 * MINUTE) -> list[dict[str, object]]:
    """Episodes below 70 of values that follow an hour in range."""
    return found(at_steps([FINE] * 12 + list(values), step))


def found(points: list[Point], limit: Limit = LOW) -> list[dict[str, object]]:
    return episodes(trace(readings(points)), limit).drop("subject").to_dicts()


@pytest.mark.parametrize(
    ("limit", "within", "beyond"),
    [
        (LOW, 70.0, 69.9),
        (VERY_LOW, 54.0, 53.9),
        (HIGH, 180.0, 180.1),
        (VERY_HIGH, 250.0, 250.1),
        (LOW, 69.9999999, 69.999),  # the first is noise of a conversion
        (VERY_HIGH, 250.00000000000003, 250.001),
    ],
)
def test_the_limit_itself_is_within(limit: Limit, within: float, beyond: float) -> None:
    assert found(at_steps([FINE, *[within] * 6, *[FINE] * 3]), limit) == []
    assert len(found(at_steps([FINE, *[beyond] * 6, *[FINE] * 3]), limit)) == 1


@pytest.mark.parametrize(("step", "least"), [(5 * MINUTE, 3), (1 * MINUTE, 15), (15 * MINUTE, 1), (4 * MINUTE, 4)])
def test_an_episode_takes_fifteen_minutes_of_readings(step: int, least: int) -> None:
    assert low(*[60.0] * (least - 1), *[FINE] * 20, step=step) == []
    assert len(low(*[60.0] * least, *[FINE] * 20, step=step)) == 1


def test_two_readings_in_range_do_not_end_an_episode_and_three_do() -> None:
    four = [60.0] * 4
    assert [e["minutes"] for e in low(*four, FINE, FINE, *four, *[FINE] * 3)] == [50.0]
    assert [e["minutes"] for e in low(*four, FINE, FINE, FINE, *four, *[FINE] * 3)] == [20.0, 20.0]


def test_an_episode_knows_its_extent() -> None:
    (episode,) = low(65.0, 58.0, 61.0, FINE, 69.0, FINE, FINE, FINE)
    start = MIDNIGHT + 60 * MINUTE
    assert episode == {
        "start": start,
        "last": start + 20 * MINUTE,
        "readings": 5,
        "extreme": 58.0,
        "minutes": 25.0,
        "ongoing": False,
    }


def test_the_extreme_of_a_high_episode_is_its_highest() -> None:
    (episode,) = found(at_steps([FINE, 190.0, 240.0, 200.0, FINE, FINE, FINE]), HIGH)
    assert episode["extreme"] == 240.0


def test_a_short_low_inside_a_recovery_belongs_to_no_episode() -> None:
    (episode,) = low(60.0, 60.0, 60.0, FINE, FINE, FINE, 60.0, 60.0, FINE, FINE, FINE)
    assert episode["minutes"] == 15.0


@pytest.mark.parametrize(("after", "ongoing"), [(0, True), (2, True), (3, False)])
def test_an_episode_without_recovery_is_ongoing(after: int, ongoing: bool) -> None:
    (episode,) = low(60.0, 60.0, 60.0, *[FINE] * after)
    assert (episode["ongoing"], episode["minutes"]) == (ongoing, 15.0)


@pytest.mark.parametrize(("gap", "count"), [(45 * MINUTE, 1), (45 * MINUTE + 1, 2)])
def test_a_gap_of_more_than_45_minutes_breaks_an_episode(gap: int, count: int) -> None:
    before = at_steps([FINE] * 6 + [60.0] * 3)
    after = at_steps([60.0] * 3 + [FINE] * 3, start=before[-1][0] + gap)
    events = found(before + after)
    assert [event["ongoing"] for event in events] == [True, False][-count:]


def test_a_gap_breaks_the_fifteen_minutes_too() -> None:
    before = at_steps([FINE] * 6 + [60.0] * 2)
    assert found(before + at_steps([60.0] * 2 + [FINE] * 3, start=before[-1][0] + 50 * MINUTE)) == []


def counted(points: list[Point]) -> tuple[dict[str, object], dict[str, object]]:
    whole = batch(readings(points))
    return hypoglycemia(whole).row(0, named=True), hyperglycemia(whole).row(0, named=True)


def test_level_one_is_exclusive_when_no_level_two_lies_inside() -> None:
    deep, shallow, rest = [60.0] * 2 + [50.0] * 3, [60.0] * 4, [FINE] * 3
    row, _ = counted(at_steps(rest + deep + rest + shallow + rest + shallow + rest))
    assert (row["hypo_level_1"], row["hypo_level_1_exclusive"], row["hypo_level_2"]) == (3, 2, 1)
    assert (row["hypo_minutes"], row["hypo_lowest"], row["hypo_ongoing"]) == (65.0, 50.0, 0)


@pytest.mark.parametrize(("readings_low", "extended"), [(23, 0), (24, 1)])
def test_two_hours_below_70_are_extended(readings_low: int, extended: int) -> None:
    row, _ = counted(at_steps([FINE, *[60.0] * readings_low, *[FINE] * 3]))
    assert row["hypo_extended"] == extended


def test_minutes_of_an_ongoing_episode_are_not_counted() -> None:
    row, _ = counted(at_steps([FINE] * 3 + [60.0] * 3 + [FINE] * 3 + [60.0] * 6))
    assert (row["hypo_level_1"], row["hypo_ongoing"], row["hypo_minutes"]) == (2, 1, 15.0)


def test_nothing_beyond_is_none_and_not_unknown() -> None:
    low_row, high_row = counted(at_steps([FINE] * 9))
    assert low_row == {
        "subject": 1, "hypo_level_1": 0, "hypo_level_1_exclusive": 0, "hypo_level_2": 0, "hypo_extended": 0,
        "hypo_ongoing": 0, "hypo_ended": 0, "hypo_minutes": 0.0, "hypo_lowest": None, "hypo_episodes": [],
    }  # fmt: skip
    assert high_row == {
        "subject": 1, "hyper_level_1": 0, "hyper_level_2": 0, "hyper_extended": 0, "hyper_ongoing": 0,
        "hyper_ended": 0, "hyper_minutes": 0.0, "hyper_highest": None, "hyper_episodes": [],
    }  # fmt: skip


def test_finger_sticks_have_no_episodes() -> None:
    whole = batch(readings(at_steps([60.0] * 9, 60 * MINUTE)))
    assert hypoglycemia(whole).is_empty()
    assert hyperglycemia(whole).is_empty()


def extended(values: list[float]) -> int:
    return extended_highs(trace(readings(at_steps(values)))).height


@pytest.mark.parametrize(("very_high", "count"), [(17, 0), (18, 1)])
def test_ninety_minutes_above_250_are_extended(very_high: int, count: int) -> None:
    assert extended([FINE, *[260.0] * very_high, *[FINE] * 3]) == count


@pytest.mark.parametrize(("between", "count"), [(6, 1), (7, 0)])
def test_the_ninety_minutes_lie_within_two_hours(between: int, count: int) -> None:
    assert extended([FINE, *[260.0] * 9, *[200.0] * between, *[260.0] * 9, *[FINE] * 3]) == count


def test_an_extended_high_lasts_until_fifteen_minutes_at_180() -> None:
    high = [260.0] * 18
    assert extended([FINE, *high, *[200.0] * 30, *high, *[180.0] * 3]) == 1
    assert extended([FINE, *high, *[180.0] * 2, *high, *[180.0] * 3]) == 1
    assert extended([FINE, *high, *[180.0] * 3, *high, *[180.0] * 3]) == 2


def test_minutes_before_a_recovery_do_not_count_after_it() -> None:
    assert extended([FINE, *[260.0] * 10, *[180.0] * 3, *[260.0] * 8, *[180.0] * 3]) == 0


def test_jitter_does_not_change_the_ninety_minutes() -> None:
    points = at_steps([FINE, *[260.0] * 18, *[FINE] * 3])
    jittered = [(start + (700 if number % 2 else -700), value) for number, (start, value) in enumerate(points)]
    assert extended_highs(trace(readings(jittered))).height == 1


def walked(values: list[float]) -> int:
    """Count episodes below 70 reading by reading, as a person would."""
    count, inside, lows, fine = 0, False, 0, 0
    for value in values:
        lows, fine = (lows + 1, 0) if value < 70 else (0, fine + 1)
        if lows == 3 and not inside:
            inside, count = True, count + 1
        if fine == 3:
            inside = False
    return count


@given(st.lists(st.sampled_from([60.0, FINE]), min_size=2, max_size=80))
def test_columns_count_what_a_walk_along_the_trace_counts(values: list[float]) -> None:
    assert len(found(at_steps(values))) == walked(values)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([50.0, 60.0, FINE, 200.0, 260.0]), min_size=3, max_size=60), min_size=2, max_size=4
    )
)
def test_subjects_do_not_touch_each_other(many: list[list[float]]) -> None:
    frames = [readings(at_steps(values), subject=number) for number, values in enumerate(many)]
    together = hypoglycemia(batch(*frames)).join(hyperglycemia(batch(*frames)), on="subject")
    alone = [hypoglycemia(batch(frame)).join(hyperglycemia(batch(frame)), on="subject") for frame in frames]
    assert together.sort("subject").equals(pl.concat(alone).sort("subject"))


@pytest.mark.parametrize(("offset_s", "start"), [(-5 * 3600, "2025-03-02T19:15:00"), (None, "2025-03-03T00:15:00Z")])
def test_episodes_are_told_one_by_one(offset_s: int | None, start: str) -> None:
    values = [90.0] * 3 + [65.0, 60.0, 66.0] + [90.0] * 6 + [60.0] * 3
    found = hypoglycemia(batch(readings(at_steps(values), offset_s=offset_s))).row(0, named=True)["hypo_episodes"]
    assert found[0] == {"minutes": 15.0, "extreme": 60.0, "ongoing": False, "start": start}
    assert [one["ongoing"] for one in found] == [False, True]
    assert hypoglycemia(batch(readings(at_steps([90.0] * 9)))).row(0, named=True)["hypo_episodes"] == []
