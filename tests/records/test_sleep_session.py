from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from etlnarr import insights
from etlnarr.insights import Insights
from etlnarr.records.sleep_session import RULES, SLEEP_SESSION
from etlnarr.records.sources import habit_gates
from tests.amounts import chosen, uploaded
from tests.sessions import WATCH, Stage, fortnight, session, unstaged
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, person, reference

SAMSUNG = "com.sec.android.app.shealth"
OURA = "com.ouraring.oura"
STATISTICS = "sleep_statistics"
CONSISTENCY = "sleep_consistency"
ASSESSMENT = "clinical_assessment"
TST = f"{STATISTICS}.total_sleep_time"
BED = MIDNIGHT + DAY - HOUR


def told(*frames: pl.DataFrame, age: int | None = None) -> Insights:
    own = chosen(SLEEP_SESSION, *frames, people=person({"age": age}))
    habits = habit_gates(SLEEP_SESSION.name)
    return next(insights.unfold(SLEEP_SESSION, insights.evaluate(SLEEP_SESSION, own, habits), habits))


def at(found: Insights, path: str) -> object:
    node: object = found.clinical
    for part in path.split("."):
        assert isinstance(node, dict)
        node = node[part]
    return node


def withheld(found: Insights) -> Mapping[str, str]:
    return {entry.path: entry.reason for entry in found.withheld}


def night(minutes: float, awake: float = 0, source: str = WATCH, offset_s: int | None = 0) -> pl.DataFrame:
    stages: Sequence[Stage] = [("LIGHT", minutes / 2), ("AWAKE", awake), ("REM", minutes / 2)]
    return session(BED, [stage for stage in stages if stage[1]], source, offset_s=offset_s)


def many(count: int, hours: Sequence[float] = (0,), awake: float = 0) -> pl.DataFrame:
    """Nights in a row, each so many hours after 23:00."""
    return pl.concat(
        night(480, awake).with_columns(
            pl.col("start", "end", "record_start", "record_end")
            + number * DAY
            + round(hours[number % len(hours)] * HOUR),
            record=pl.lit(number, pl.Int64),
        )
        for number in range(count)
    )


@pytest.mark.parametrize(
    ("minutes", "age", "word"),
    [
        *((419, None, "short"), (420, None, "sufficient"), (600, None, "sufficient")),
        *((419, 40, "short"), (420, 40, "sufficient"), (540, 40, "sufficient"), (541, 40, "long")),
        *((480, 65, "sufficient"), (481, 65, "long"), (481, 64, "sufficient")),
    ],
)
def test_duration_against_the_guideline_for_the_age(minutes: float, age: int | None, word: str) -> None:
    found = told(night(minutes), age=age)
    assert at(found, f"{ASSESSMENT}.sleep_duration") == word
    assert f"{ASSESSMENT}.sleep_duration" not in withheld(found)


@pytest.mark.parametrize(("age", "stated"), [(17, False), (18, True), (None, True)])
def test_the_guideline_is_for_adults(age: int | None, stated: bool) -> None:
    found = told(night(300, 100), age=age)
    for name in ("sleep_duration", "efficiency_quality", "sleep_quality"):
        assert (f"{ASSESSMENT}.{name}" not in withheld(found)) is stated
    assert found.recommendations[-1:] == ["record_more_nights"]
    assert (len(found.recommendations) == 3) is stated
    if not stated:
        assert "made for adults" in withheld(found)[f"{ASSESSMENT}.sleep_duration"]


@pytest.mark.parametrize(
    ("slept", "word"), [(299, "poor"), (300, "borderline"), (339, "borderline"), (340, "good"), (400, "good")]
)
def test_efficiency_has_two_limits(slept: float, word: str) -> None:
    assert at(told(night(slept, 400 - slept)), f"{ASSESSMENT}.efficiency_quality") == word


@pytest.mark.parametrize(
    ("stages", "score", "word"),
    [
        ([("LIGHT", 480.0)], 4, "good"),
        ([("LIGHT", 200.0), ("AWAKE", 30), ("LIGHT", 250)], 3, "good"),
        ([("LIGHT", 200.0), ("AWAKE", 100), ("LIGHT", 180)], 2, "fair"),
        ([("AWAKE", 60.0), ("LIGHT", 200), ("AWAKE", 60), ("LIGHT", 160)], 1, "poor"),
        ([("AWAKE", 60.0), ("LIGHT", 200), ("AWAKE", 30), ("LIGHT", 9), ("AWAKE", 30), ("LIGHT", 150)], 0, "poor"),
    ],
)
def test_quality_is_how_many_criteria_are_met(stages: list[Stage], score: int, word: str) -> None:
    found = told(session(BED, stages))
    assert at(found, f"{STATISTICS}.quality_score") == score
    assert at(found, f"{ASSESSMENT}.sleep_quality") == word


@pytest.mark.parametrize(("nights", "stated"), [(4, False), (5, True)])
def test_regularity_needs_five_nights(nights: int, stated: bool) -> None:
    found = told(many(nights))
    assert at(found, f"{ASSESSMENT}.regularity") == "regular"
    assert (f"{CONSISTENCY}.midpoint_sd" not in withheld(found)) is stated
    assert (f"{ASSESSMENT}.regularity" not in withheld(found)) is stated


def test_times_that_wander_are_irregular() -> None:
    assert at(told(many(6, (0, 1.9))), f"{ASSESSMENT}.regularity") == "regular"  # an SD of 57 min
    assert at(told(many(6, (0, 2.1))), f"{ASSESSMENT}.regularity") == "irregular"


@pytest.mark.parametrize(("nights", "stated"), [(6, False), (7, True)])
def test_jetlag_needs_a_week(nights: int, stated: bool) -> None:
    """The first night ends on a Tuesday, so that the fifth and sixth are free."""
    assert (f"{CONSISTENCY}.social_jetlag" not in withheld(told(many(nights)))) is stated


def test_jetlag_needs_free_and_work_nights() -> None:
    weekends = pl.concat(
        many(2).with_columns(
            pl.col("start", "end", "record_start", "record_end") + (4 + 7 * week) * DAY,
            record=pl.col("record") + 2 * week,
        )
        for week in range(4)
    )
    found = told(weekends)
    assert at(found, f"{CONSISTENCY}.free_nights") == 8
    assert withheld(found)[f"{CONSISTENCY}.social_jetlag"] == "fewer than 3 nights before other days"


@pytest.mark.parametrize(
    ("hours", "word"), [(0.98, "small"), (1.0, "notable"), (1.98, "notable"), (2.0, "large"), (5, "large")]
)
def test_jetlag_has_two_limits(hours: float, word: str) -> None:
    later = (0, 0, 0, 0, hours, hours, 0)
    assert at(told(many(7, later)), f"{ASSESSMENT}.social_jetlag") == word


def test_a_week_without_local_time_is_not_said_to_lack_free_nights() -> None:
    found = told(many(9).with_columns(offset_s=pl.lit(None, pl.Int32)))
    assert "local time" in withheld(found)[f"{CONSISTENCY}.social_jetlag"]


def test_the_regularity_index_is_worked_out_and_never_stated() -> None:
    found = told(fortnight())
    expected = reference("sleep_14d", "values", "SRI_pooled_calendar_days2_13_30s")
    assert at(found, f"{CONSISTENCY}.regularity_index") == pytest.approx(expected, rel=1e-6)
    assert "worn" in withheld(found)[f"{CONSISTENCY}.regularity_index"]


def test_a_subject_with_a_nap_alone_has_no_night() -> None:
    found = told(session(MIDNIGHT + 15 * HOUR, [("LIGHT", 104)]))
    assert (at(found, f"{STATISTICS}.nights"), at(found, f"{STATISTICS}.naps")) == (0, 1)
    assert at(found, f"{STATISTICS}.total_sleep_time") is None
    assert (at(found, f"{STATISTICS}.nap_minutes"), at(found, f"{STATISTICS}.nap_sleep_minutes")) == (104, 104)
    lost = withheld(found)
    for path in (f"{STATISTICS}.time_in_bed", TST, f"{CONSISTENCY}.midpoint", "temporal_patterns.bed_time"):
        assert lost[path] == "no session of 3 to 16 hours could be used"
    assert f"{STATISTICS}.nap_sleep_minutes" not in lost
    assert at(found, f"{ASSESSMENT}.sleep_duration") is None
    assert found.recommendations == ["record_more_nights"]


def test_a_night_without_stages_has_a_length_alone() -> None:
    found = told(unstaged(BED, 450))
    assert at(found, f"{STATISTICS}.time_in_bed") == 450
    assert "stages" in withheld(found)[TST]
    assert at(found, "temporal_patterns.bed_time") == 1380


def test_nights_without_stages_have_no_timing_of_sleep_and_no_spread() -> None:
    found = told(*(unstaged(BED + number * DAY, 440, record=number) for number in range(9)))
    silent = ("midpoint", "midpoint_sd", "free_midpoint", "work_midpoint", "social_jetlag")
    paths = [TST, f"{TST}_std", *(f"{CONSISTENCY}.{name}" for name in silent)]
    paths += [f"{ASSESSMENT}.regularity", f"{ASSESSMENT}.social_jetlag"]
    assert {withheld(found)[path] for path in paths} == {
        "no night was recorded with stages that cover it and tell of sleep"
    }
    assert {at(found, path) for path in paths} == {None}
    assert found.recommendations == []


@pytest.mark.parametrize(("plain", "reason"), [(0, "one night has no spread"), (1, "only one night was recorded")])
def test_one_night_with_stages_has_no_spread(plain: int, reason: str) -> None:
    others = [unstaged(BED + number * DAY, 440, record=number) for number in range(1, plain + 1)]
    assert withheld(told(night(450), *others))[f"{TST}_std"].startswith(reason)


@pytest.mark.parametrize(
    ("staged", "path", "reason"),
    [
        (4, "midpoint_sd", "fewer than 5 nights with their stages"),
        (5, "midpoint_sd", None),
        (6, "social_jetlag", "fewer than 7 nights with their stages"),
        (7, "social_jetlag", None),
    ],
)
def test_only_nights_with_their_stages_count_for_their_timing(staged: int, path: str, reason: str | None) -> None:
    """The plain nights come last, so that the fifth and sixth, which are free, are among the others."""
    plain = [unstaged(BED + number * DAY, 440, record=number) for number in range(staged, 9)]
    assert withheld(told(many(staged), *plain)).get(f"{CONSISTENCY}.{path}") == reason


@pytest.mark.parametrize(("pause", "slept", "word"), [(60, 430, "sufficient"), (61, 220, "short")])
def test_a_night_in_parts_is_judged_as_one(pause: int, slept: float, word: str) -> None:
    late = session(BED + (220 + pause) * MINUTE, [("REM", 210)], record=1)
    found = told(session(BED, [("LIGHT", 220)]), late)
    assert at(found, TST) == slept
    assert at(found, f"{ASSESSMENT}.sleep_duration") == word
    assert at(found, f"{STATISTICS}.naps") == (0 if pause == 60 else 1)
    assert f"{ASSESSMENT}.sleep_duration" not in withheld(found)


@pytest.mark.parametrize(("pause", "stated"), [(60, False), (61, True)])
def test_what_cannot_be_joined_to_a_night_keeps_it_from_being_judged(pause: int, stated: bool) -> None:
    late = session(BED + (220 + pause) * MINUTE, [("REM", 210)], "org.example.ring", record=1)
    found = told(session(BED, [("LIGHT", 220)]), late)
    assert at(found, f"{ASSESSMENT}.sleep_duration") == "short"
    for path in (f"{ASSESSMENT}.sleep_duration", f"{ASSESSMENT}.sleep_quality"):
        assert (path not in withheld(found)) is stated
    assert ("longer_sleep" in found.recommendations) is stated


def test_without_local_time_no_clock_is_told() -> None:
    found = told(night(450, offset_s=None))
    assert at(found, f"{STATISTICS}.total_sleep_time") == 450
    assert "local time" in withheld(found)[f"{CONSISTENCY}.midpoint"]
    assert "temporal_patterns.bed_time" in withheld(found)


@pytest.mark.parametrize(
    ("source", "hidden", "plain"),
    [(SAMSUNG, "sleep_onset_latency", "waso"), (OURA, "waso", "sleep_onset_latency")],
)
def test_a_source_withholds_what_it_cannot_see_and_the_score_with_it(source: str, hidden: str, plain: str) -> None:
    found = told(night(450, 10, source=source))
    missing = withheld(found)
    assert f"{STATISTICS}.{hidden}" in missing
    assert f"{STATISTICS}.{plain}" not in missing
    assert f"{ASSESSMENT}.sleep_quality" in missing
    assert at(found, f"{STATISTICS}.{hidden}") is not None
    assert f"{STATISTICS}.rem_latency" not in missing


def test_what_the_stages_do_not_tell_has_its_own_reason() -> None:
    missing = withheld(told(session(BED, [("SLEEPING", 400)])))
    assert missing[f"{STATISTICS}.rem_latency"] == "no REM sleep was recorded"
    assert "alone" in missing[f"{STATISTICS}.stages.deep_percent"]
    assert TST not in missing


@pytest.mark.parametrize(
    ("frame", "advice"),
    [
        (night(410), ["longer_sleep", "record_more_nights"]),
        (night(450, 100), ["discuss_efficiency", "record_more_nights"]),
        (many(6, (0, 3)), ["steady_times"]),
        (many(5), []),
    ],
    ids=["short", "inefficient", "irregular", "nothing to say"],
)
def test_advice_follows_from_what_is_stated(frame: pl.DataFrame, advice: list[str]) -> None:
    assert told(frame).recommendations == advice


def test_never_more_than_three_pieces_of_advice() -> None:
    worst = told(many(6, (0, 3), awake=200)).recommendations
    assert len(worst) <= 3


def failed(name: str, rows: pl.DataFrame) -> list[bool]:
    rule = next(rule for rule in RULES if rule.name == name)
    return rows.select(rule.fails.fill_null(value=False)).to_series().to_list()


@pytest.mark.parametrize(("minutes", "fails"), [(29, True), (30, False), (16 * 60, False), (16 * 60 + 1, True)])
def test_a_session_lasts_half_an_hour_to_sixteen(minutes: int, fails: bool) -> None:
    record = pl.DataFrame({"start": [MIDNIGHT], "end": [MIDNIGHT + minutes * MINUTE]})
    assert failed("sleep_duration_out_of_range", record) == [fails]
    assert (
        failed("sleep_duration_out_of_range", pl.concat([record] * 9)) == [fails] * 9
    )  # a column is divided otherwise


def test_rules_of_stages() -> None:
    """The second stage begins in the first, the third in it; the fourth is of another record; the fifth ends early."""
    rows = pl.DataFrame(
        {
            "upload": [1, 1, 1, 1, 2],
            "record": [0, 0, 0, 1, 0],
            "start": [0, 90, 100, 95, 50],
            "end": [100, 105, 110, 99, 40],
        }
    )
    assert failed("overlapping_stages", rows) == [False, True, True, False, False]
    assert failed("stage_end_before_start", rows) == [False, False, False, False, True]
    far = pl.DataFrame({"upload": [1, 1], "record": [0, 1], "start": [0, -(2**62)], "end": [2**62, 0]})
    assert failed("overlapping_stages", far) == [False, False], "whatever a time is, it stays in its record"
    gone = pl.DataFrame({"start": [1, None, 1], "end": [2, 2, None]})
    assert failed("stage_time_missing", gone) == [False, True, True]


YASA = {
    "time_in_bed": "TIB_min",
    "total_sleep_time": "TST_min",
    "sleep_period_time": "SPT_min",
    "efficiency": "SE_pct",
    "sleep_onset_latency": "SOL_min",
    "waso": "WASO_within_SPT_min",
    "rem_latency": "REM_latency_from_onset_min",
    "awakenings": "awakenings_ge_5min",
    "awakenings_over_5_min": "awakenings_gt_5min",
    "stages.light_minutes": "light_min",
    "stages.deep_minutes": "deep_min",
    "stages.rem_minutes": "rem_min",
    "stages.light_percent": "light_pct",
    "stages.deep_percent": "deep_pct",
    "stages.rem_percent": "rem_pct",
}


@pytest.mark.parametrize(
    ("only", "session_name"),
    [(SAMSUNG, "2025-09-20T01:56:00_sec"), (OURA, "2025-09-20T02:39:30_ouraring")],
)
def test_a_real_night_agrees_with_yasa(real_samples: Path, only: str, session_name: str) -> None:
    whole = uploaded(real_samples, "SleepSessionRecord_1758407139312", SLEEP_SESSION)
    own = whole.filter(pl.col("source") == only).with_columns(subject=pl.lit(1, pl.Int64))
    found = told(own)
    for name, key in YASA.items():
        expected = reference("real_sleep_2025-09-20", "sessions", session_name, "own", key)
        assert at(found, f"{STATISTICS}.{name}") == pytest.approx(expected, rel=1e-6), name


def test_a_real_night_of_two_devices(real_samples: Path) -> None:
    whole = uploaded(real_samples, "SleepSessionRecord_1758407139312", SLEEP_SESSION)
    found = told(whole.with_columns(subject=pl.lit(1, pl.Int64)))
    assert at(found, f"{STATISTICS}.count") == 1
    assert at(found, f"{STATISTICS}.total_sleep_time") == 370
    agreed = reference("real_sleep_2025-09-20", "samsung_vs_oura")
    assert isinstance(agreed, dict)
    for name, key, factor in (
        ("sleep_wake_agreement", "epoch_agreement_sleep_wake", 100),
        ("sleep_wake_kappa", "kappa_sleep_wake", 1),
        ("stage_agreement", "epoch_agreement_4stage", 100),
        ("stage_kappa", "kappa_4stage", 1),
    ):
        value = at(found, f"device_agreement.{name}")
        assert isinstance(value, float)
        assert value / factor == pytest.approx(agreed[key], abs=5e-4), name
    assert at(found, "device_agreement.nights") == 1
    assert at(found, "device_agreement.overlap_minutes") == agreed["overlap_min"]
    assert at(found, "device_agreement.other_total_sleep_time") == agreed["correct_TST_if_oura_primary"]


@pytest.mark.parametrize(
    ("number", "nights", "naps", "slept"),
    [("1758494067274", 1, 0, 292), ("1758554834823", 1, 1, 471.5)],
)
def test_the_other_real_uploads(real_samples: Path, number: str, nights: int, naps: int, slept: float) -> None:
    whole = uploaded(real_samples, f"SleepSessionRecord_{number}", SLEEP_SESSION)
    found = told(whole.with_columns(subject=pl.lit(1, pl.Int64)))
    assert (at(found, f"{STATISTICS}.nights"), at(found, f"{STATISTICS}.naps")) == (nights, naps)
    assert at(found, f"{STATISTICS}.total_sleep_time") == slept
    assert at(found, f"{STATISTICS}.nap_minutes") == 104 * naps
    assert at(found, f"{STATISTICS}.nap_sleep_minutes") == 80.5 * naps
    assert at(found, f"{STATISTICS}.rem_latency") == (113 if naps else 77.5)
    assert f"{STATISTICS}.sleep_onset_latency" in withheld(found)
