from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.metrics.agreement import stage_agreement, value_agreement
from etlnarr.model import READINGS, Batch
from tests.sessions import WATCH, session, unstaged
from tests.traces import HOUR, MIDNIGHT, MINUTE, batch, readings

RING = "org.example.ring"
MAT = "org.example.mat"
BED = MIDNIGHT + 23 * HOUR


def both(own: pl.DataFrame, *others: pl.DataFrame) -> Batch:
    plain = batch(own)
    return Batch(plain.readings, pl.concat(others), plain.sleep, plain.people)


def compared(own: pl.DataFrame, *others: pl.DataFrame) -> Mapping[str, float | str | None]:
    return stage_agreement(both(own, *others)).row(0, named=True)


def test_agreement_worked_out_by_hand() -> None:
    """Of 400 shared minutes 300 are in one stage; awake or asleep they agree on 340.

    Chance for awake and asleep: (60 x 80 + 340 x 320) / 400^2 = 0.71; for four stages: awake 60 x 80, light 240 x 220,
    deep 60 x 100, REM 40 x 0, together 0.3975.
    """
    own = session(BED, [("LIGHT", 240), ("AWAKE", 60), ("DEEP", 60), ("REM", 40)])
    ring = session(BED, [("LIGHT", 200), ("AWAKE", 80), ("LIGHT", 20), ("DEEP", 100)], RING)
    assert compared(own, ring) == {
        "subject": 1,
        "other_source": RING,
        "overlap_minutes": 400,
        "sleep_wake_agreement": 85,
        "sleep_wake_kappa": pytest.approx((0.85 - 0.71) / (1 - 0.71)),
        "stage_minutes": 400,
        "stage_agreement": 75,
        "stage_kappa": pytest.approx((0.75 - 0.3975) / (1 - 0.3975)),
        "other_total_sleep_time": 320,
        "other_efficiency": 80,
        "compared_nights": 1,
    }


def test_only_shared_time_is_compared() -> None:
    own = session(BED, [("LIGHT", 300)])
    late = session(BED + HOUR, [("AWAKE", 30), ("LIGHT", 300)], RING)
    found = compared(own, late)
    assert (found["overlap_minutes"], found["sleep_wake_agreement"]) == (240, 87.5)
    assert (found["other_total_sleep_time"], found["sleep_wake_kappa"]) == (300, 0)


def test_subjects_with_several_other_sources_are_told_apart() -> None:
    """The first has two sources beside its own, of which the ring shares more; the second has the ring alone."""
    frames = [session(BED, [("LIGHT", 300)], subject=subject) for subject in (1, 2)]
    beside = [
        session(BED, [("LIGHT", 60)], MAT),
        session(BED, [("LIGHT", 200), ("AWAKE", 40)], RING),
        session(BED + HOUR, [("LIGHT", 240)], RING, subject=2),
    ]
    others = pl.concat(beside).sort("subject", "start", "record", "source", "end")
    found = stage_agreement(both(pl.concat(frames), others)).sort("subject")
    assert found["other_source"].to_list() == [RING, RING]
    assert found["overlap_minutes"].to_list() == [240, 240]
    assert found["other_total_sleep_time"].to_list() == [200, 240]


def test_sameness_without_variety_has_no_kappa() -> None:
    found = compared(session(BED, [("LIGHT", 300)]), session(BED, [("LIGHT", 300)], RING))
    assert (found["stage_agreement"], found["stage_kappa"]) == (100, None)


def test_sleep_of_no_told_stage_is_compared_as_sleep_alone() -> None:
    found = compared(session(BED, [("SLEEPING", 200), ("AWAKE", 100)]), session(BED, [("LIGHT", 300)], RING))
    assert found["sleep_wake_agreement"] == pytest.approx(100 * 200 / 300)
    assert (found["stage_agreement"], found["stage_kappa"]) == (0, 0)  # of the 100 minutes awake


def test_unknown_stages_are_left_out() -> None:
    found = compared(session(BED, [("UNKNOWN", 200), ("LIGHT", 100)]), session(BED, [("LIGHT", 300)], RING))
    assert (found["overlap_minutes"], found["stage_agreement"]) == (100, 100)


def test_a_trailing_part_of_an_epoch_is_dropped() -> None:
    found = compared(session(BED, [("LIGHT", 300)]), session(BED, [("LIGHT", 240 + 8 / 60)], RING))
    assert found["overlap_minutes"] == 240


def test_the_source_that_shares_most_is_the_second_one() -> None:
    own = session(BED, [("LIGHT", 300)])
    mat, ring = session(BED, [("LIGHT", 290)], MAT), session(BED, [("LIGHT", 280)], RING)
    assert compared(own, ring, mat)["other_source"] == MAT
    assert compared(own, ring, session(BED, [("LIGHT", 280)], MAT))["other_source"] == MAT


def test_nights_are_pooled_and_the_sleep_of_the_other_averaged() -> None:
    day = 24 * HOUR
    own = pl.concat([session(BED, [("LIGHT", 300)]), session(BED + day, [("LIGHT", 300)], record=1)])
    halves = [session(BED, [("LIGHT", 100)], RING), session(BED + 2 * HOUR, [("LIGHT", 100)], RING, record=1)]
    found = compared(own, *halves, session(BED + day, [("LIGHT", 150), ("AWAKE", 150)], RING, record=2))
    assert found["overlap_minutes"] == 500
    assert found["sleep_wake_agreement"] == pytest.approx(100 * 350 / 500)
    assert (found["other_total_sleep_time"], found["other_efficiency"]) == (175, 75)
    assert found["compared_nights"] == 2


def test_the_nights_that_the_other_did_not_see_are_not_counted() -> None:
    own = [session(BED + day * 24 * HOUR, [("LIGHT", 300)], record=day) for day in range(3)]
    found = compared(pl.concat(own), session(BED + 24 * HOUR, [("LIGHT", 240), ("AWAKE", 60)], RING))
    assert (found["compared_nights"], found["other_total_sleep_time"], found["sleep_wake_agreement"]) == (1, 240, 80)


def test_the_pause_of_a_night_is_not_compared() -> None:
    own = session(BED, [("LIGHT", 200), ("PAUSE", 50), ("LIGHT", 200)])
    found = compared(own, session(BED, [("LIGHT", 450)], RING))
    assert (found["overlap_minutes"], found["sleep_wake_agreement"]) == (400, 100)


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (session(BED, [("LIGHT", 300)]), READINGS.to_frame()),
        (session(BED, [("LIGHT", 300)]), unstaged(BED, 300, source=RING)),
        (session(BED, [("LIGHT", 90)]), session(BED, [("LIGHT", 90)], RING)),
    ],
    ids=["no second source", "no stages", "a nap"],
)
def test_without_a_second_view_of_the_night_there_is_no_row(own: pl.DataFrame, other: pl.DataFrame) -> None:
    assert stage_agreement(both(own, other)).is_empty()


labels = st.sampled_from(["LIGHT", "DEEP", "REM", "AWAKE", "SLEEPING", "UNKNOWN"])
staging = st.lists(st.tuples(labels, st.integers(1, 60)), min_size=4, max_size=15)


@settings(max_examples=50, deadline=None)
@given(staging, staging)
def test_agreement_has_no_side(one: list[tuple[str, int]], two: list[tuple[str, int]]) -> None:
    """Shared time and agreement are the same whichever device is the chosen one; each session is made a night long."""
    own, other = session(BED, [*one, ("LIGHT", 180)]), session(BED, [*two, ("DEEP", 180)], RING)
    swapped = stage_agreement(both(other, own)).row(0, named=True)
    found = stage_agreement(both(own, other)).row(0, named=True)
    for name in ("overlap_minutes", "sleep_wake_agreement", "stage_agreement", "sleep_wake_kappa", "stage_kappa"):
        assert found[name] == (None if swapped[name] is None else pytest.approx(swapped[name]))
    assert 0 <= found["sleep_wake_agreement"] <= 100
    assert found["sleep_wake_kappa"] is None or -1 <= found["sleep_wake_kappa"] <= 1


def values(points: list[tuple[float, float]], source: str = WATCH) -> pl.DataFrame:
    return readings([(MIDNIGHT + round(minute * MINUTE), value) for minute, value in points], source=source)


def test_bias_and_error_worked_out_by_hand() -> None:
    """Means of 60 and 70 against 62 and 66; the third value of the ring has nothing beside it."""
    own = values([(0, 58), (2, 62), (20, 70)])
    ring = values([(1, 62), (21, 66), (40, 50)], RING)
    found = value_agreement(both(own, ring)).row(0, named=True)
    assert found == {"subject": 1, "other_source": RING, "windows": 2, "bias": 1, "mean_absolute_error": 3}


@pytest.mark.parametrize(("minute", "windows"), [(7.5, 1), (12.5, 0), (12.49, 1), (7.49, 0)])
def test_a_window_reaches_from_two_and_a_half_minutes_before_to_just_short_of_after(
    minute: float, windows: int
) -> None:
    found = value_agreement(both(values([(minute, 60)]), values([(10, 60)], RING)))
    assert found.height == windows


def test_the_source_with_most_windows_is_the_second_one() -> None:
    own = values([(0, 60), (10, 60), (20, 60)])
    few, many = values([(0, 50)], "org.example.a"), values([(0, 61), (10, 61)], RING)
    assert value_agreement(both(own, few, many))["other_source"].to_list() == [RING]


def test_another_subject_lends_no_values() -> None:
    own = values([(0, 60)]).with_columns(subject=pl.lit(2, pl.Int64))
    assert value_agreement(both(own, values([(0, 60)], RING))).is_empty()
