from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.metrics.architecture import ASLEEP, AWAKE, architecture
from tests.sessions import Stage, session, staged, unstaged
from tests.traces import HOUR, MIDNIGHT, MINUTE

BED = MIDNIGHT + 23 * HOUR
NEEDS_STAGES = (
    *("onset", "wake_up", "total_sleep_time", "sleep_period_time", "sleep_onset_latency", "waso", "rem_latency"),
    *("efficiency", "awakenings", "awakenings_over_5_min", "quality_score", "sleeping_minutes"),
)
NEEDS_DETAIL = tuple(f"{stage}_{part}" for stage in ("light", "deep", "rem") for part in ("minutes", "percent"))


def measured(stages: Sequence[Stage]) -> Mapping[str, float | None]:
    return architecture(session(BED, stages)).row(0, named=True)


def test_a_night_worked_out_by_hand() -> None:
    """480 min in bed: 20 to fall asleep, 400 asleep, 50 awake in between, 10 before getting up."""
    found = measured(
        [
            ("AWAKE", 20),
            *(("LIGHT", 90), ("DEEP", 70), ("AWAKE", 4), ("REM", 50)),
            *(("AWAKE", 20), ("OUT_OF_BED", 26), ("LIGHT", 130), ("REM", 60)),
            ("AWAKE", 10),
        ]
    )
    assert {name: value for name, value in found.items() if name not in ("subject", "source")} == {
        "record_start": BED,
        "record_end": BED + 480 * MINUTE,
        "parts": 1,
        "pause": 0,
        "onset": BED + 20 * MINUTE,
        "wake_up": BED + 470 * MINUTE,
        "time_in_bed": 480,
        "total_sleep_time": 400,
        "sleep_period_time": 450,
        "efficiency": pytest.approx(100 * 400 / 480),
        "sleep_onset_latency": 20,
        "waso": 50,
        "rem_latency": 164,
        "awakenings": 1,
        "awakenings_over_5_min": 1,
        "light_minutes": 220,
        "deep_minutes": 70,
        "rem_minutes": 110,
        "sleeping_minutes": 0,
        "light_percent": 55,
        "deep_percent": 17.5,
        "rem_percent": 27.5,
        "quality_score": 2,  # latency and awakenings; neither WASO nor efficiency
    }


@pytest.mark.parametrize(("minutes", "of_5", "over_5"), [(4.5, 0, 0), (5, 1, 0), (5.5, 1, 1)])
def test_an_awakening_lasts_five_minutes(minutes: float, of_5: int, over_5: int) -> None:
    found = measured([("LIGHT", 60), ("AWAKE", minutes), ("LIGHT", 60)])
    assert (found["awakenings"], found["awakenings_over_5_min"]) == (of_5, over_5)


def test_a_pause_between_the_parts_of_a_night_is_time_awake_out_of_bed() -> None:
    """440 min from the first start to the last end: 400 asleep, 10 awake before the pause of 30, one awakening."""
    found = measured([("LIGHT", 200), ("AWAKE", 10), ("PAUSE", 30), ("REM", 200)])
    assert (found["time_in_bed"], found["total_sleep_time"], found["pause"]) == (440, 400, 30)
    assert (found["waso"], found["awakenings"], found["sleep_onset_latency"]) == (40, 1, 0)
    assert found["efficiency"] == pytest.approx(90.909090909)


@pytest.mark.parametrize(("staged", "known"), [(180, True), (179, False)])
def test_a_pause_does_not_help_to_cover_a_night(staged: float, known: bool) -> None:
    """200 minutes in sessions, of which nine tenths are 180; the hour between them is nobody's stage."""
    found = measured([("LIGHT", staged), ("PAUSE", 60), ("UNKNOWN", 200 - staged)])
    assert (found["total_sleep_time"] is not None) is known


def test_an_unknown_stage_parts_two_awakenings_and_is_neither_sleep_nor_wake() -> None:
    found = measured([("LIGHT", 60), ("AWAKE", 6), ("UNKNOWN", 10), ("AWAKE", 6), ("LIGHT", 60)])
    assert (found["awakenings"], found["waso"], found["total_sleep_time"]) == (2, 12, 120)


@pytest.mark.parametrize(
    ("stages", "score"),
    [
        ([("AWAKE", 30.0), ("LIGHT", 380), ("AWAKE", 20), ("LIGHT", 40)], 4),
        ([("AWAKE", 30.5), ("LIGHT", 380), ("AWAKE", 20), ("LIGHT", 40)], 3),
        ([("AWAKE", 30.0), ("LIGHT", 380), ("AWAKE", 20.5), ("LIGHT", 40)], 3),
        ([("AWAKE", 10.0), ("LIGHT", 380), ("AWAKE", 8), ("LIGHT", 10), ("AWAKE", 8), ("LIGHT", 30)], 3),
        ([("LIGHT", 340.0), ("AWAKE", 60)], 4),
        ([("LIGHT", 339.5), ("AWAKE", 60.5)], 3),
    ],
)
def test_each_criterion_of_good_sleep_has_two_sides(stages: list[Stage], score: int) -> None:
    assert measured(stages)["quality_score"] == score


def test_a_session_without_stages_has_a_length_and_no_more() -> None:
    found = architecture(unstaged(BED, 420)).row(0, named=True)
    assert found["time_in_bed"] == 420
    assert {found[name] for name in (*NEEDS_STAGES, *NEEDS_DETAIL)} == {None}


def test_sleep_of_no_told_stage_is_sleep_without_stages() -> None:
    found = measured([("SLEEPING", 400), ("AWAKE", 10), ("SLEEPING", 70)])
    assert (found["total_sleep_time"], found["sleeping_minutes"], found["waso"]) == (470, 470, 10)
    assert {found[name] for name in NEEDS_DETAIL} == {None}


def test_a_session_all_awake_is_no_sleep_of_nought_minutes() -> None:
    found = measured([("AWAKE", 300)])
    assert found["time_in_bed"] == 300
    assert {found[name] for name in (*NEEDS_STAGES, *NEEDS_DETAIL)} == {None}


def test_a_night_without_rem_has_no_rem_latency() -> None:
    found = measured([("LIGHT", 300)])
    assert (found["rem_latency"], found["rem_minutes"]) == (None, 0)


def test_stages_that_exceed_their_session_say_nothing() -> None:
    twice = [("LIGHT", BED, BED + 6 * HOUR), ("DEEP", BED + HOUR, BED + 7 * HOUR)]
    found = architecture(staged(twice, (BED, BED + 8 * HOUR))).row(0, named=True)
    assert found["time_in_bed"] == 480
    assert {found[name] for name in (*NEEDS_STAGES, *NEEDS_DETAIL)} == {None}


def test_what_lies_outside_of_the_session_does_not_count() -> None:
    rows = [("LIGHT", BED - HOUR, BED + 4 * HOUR), ("REM", BED + 4 * HOUR, BED + 9 * HOUR)]
    found = architecture(staged(rows, (BED, BED + 8 * HOUR))).row(0, named=True)
    assert (found["light_minutes"], found["rem_minutes"], found["total_sleep_time"]) == (240, 240, 480)
    assert (found["onset"], found["wake_up"]) == (BED, BED + 8 * HOUR)


stages = st.lists(
    st.tuples(
        st.sampled_from([*ASLEEP, "AWAKE", "OUT_OF_BED", "UNKNOWN"]), st.integers(1, 200).map(lambda half: half / 2)
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=80, deadline=None)
@given(stages)
def test_the_parts_of_a_night_make_the_whole(rows: list[Stage]) -> None:
    found = measured(rows)
    slept = found["total_sleep_time"]
    unknown = sum(minutes for label, minutes in rows if label == "UNKNOWN")
    if unknown > sum(minutes for _, minutes in rows) / 10 or not any(label in ASLEEP for label, _ in rows):
        assert slept is None
        return
    assert slept == sum(minutes for label, minutes in rows if label in ASLEEP)
    awake = sum(minutes for label, minutes in rows if label in AWAKE)
    assert slept + awake + unknown == found["time_in_bed"]
    assert found["sleep_period_time"] is not None
    assert found["waso"] is not None
    assert slept <= found["sleep_period_time"] <= slept + awake + unknown
    assert found["waso"] <= found["sleep_period_time"] - slept
    assert (found["awakenings_over_5_min"] or 0) <= (found["awakenings"] or 0)
