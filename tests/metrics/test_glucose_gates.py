"""What glucose claims need before they may be made."""

from collections.abc import Mapping

import pytest

from etlnarr import insights
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from tests.glucose import (
    ASSESSMENT,
    COVERAGE,
    HABITS,
    HYPER,
    HYPO,
    PATTERNS,
    STATISTICS,
    STELO,
    TIR,
    VARIABILITY,
    days,
    row_of,
    silences,
)
from tests.traces import DAY, HOUR, MIDNIGHT, batch, nights, person, readings

NEEDS_TRACE = [
    *(
        f"{VARIABILITY}.{name}"
        for name in ("mage", "modd", "conga_1", "conga_2", "conga_4", "conga_24", "auc", "auc_hourly")
    ),
    *(f"{HYPO}.{name}" for name in ("level_1", "level_1_exclusive", "level_2", "extended", "ongoing", "minutes")),
    *(f"{HYPER}.{name}" for name in ("level_1", "level_2", "extended", "ongoing", "minutes")),
    *(f"{COVERAGE}.{name}" for name in ("active_percent", "active_percent_14d", "days", "gaps", "grade")),
]


@pytest.mark.parametrize("path", NEEDS_TRACE)
def test_finger_sticks_have_no_trace_metrics(path: str) -> None:
    sticks = batch(readings(days(20, 100.0, 4 * HOUR), label="CAPILLARY_BLOOD"))
    assert row_of(sticks)[path] is None
    assert path in silences(sticks)


def test_finger_sticks_are_described_without_percentages() -> None:
    silent = silences(batch(readings(days(20, 100.0, 4 * HOUR))))
    stated = {"count", "mean", "median", "min", "max", "range", "hypoglycemic_events.readings_below_70"}
    assert not stated & {path.removeprefix(f"{STATISTICS}.") for path in silent}
    for name in ("std", "cv", "gmi", "time_in_range.target_range"):
        assert silent[f"{STATISTICS}.{name}"] == "single measurements are no sensor trace"


LEAST_DAYS = {
    f"{STATISTICS}.std": 0.5,
    f"{STATISTICS}.cv": 0.5,
    f"{TIR}.target_range": 0.5,
    f"{VARIABILITY}.lbgi": 0.5,
    f"{HYPO}.level_1": 0.5,
    f"{VARIABILITY}.mage": 2,
    f"{STATISTICS}.gmi": 10,
    f"{STATISTICS}.estimated_hba1c": 10,
    f"{VARIABILITY}.j_index": 10,
    f"{ASSESSMENT}.control_quality": 10,
    f"{ASSESSMENT}.variability": 10,
    f"{ASSESSMENT}.stability": 10,
    f"{ASSESSMENT}.hypoglycemia_risk": 10,
    **{f"{ASSESSMENT}.{name}": 10 for name in ("j_index", "lbgi_risk", "hbgi_risk")},
    **{f"{ASSESSMENT}.{name}": 14 for name in ("gri_zone", "adrr_risk")},
    f"{VARIABILITY}.gri": 14,
    f"{VARIABILITY}.adrr": 14,
}


@pytest.mark.parametrize("path", LEAST_DAYS)
def test_claims_need_their_days(path: str) -> None:
    points = days(LEAST_DAYS[path])
    rising = [(start, value + number / 100) for number, (start, value) in enumerate(points) if value is not None]
    assert path not in silences(batch(readings([*rising])))
    short = batch(readings([*rising[:-1]]))
    assert "span less than" in silences(short)[path]
    assert row_of(short)[path] is not None


@pytest.mark.parametrize("path", LEAST_DAYS)
def test_claims_need_70_percent_of_the_readings(path: str) -> None:
    points = days(LEAST_DAYS[path] * 2)
    # the first and the last reading stay, of the rest what makes 70 % or one less
    kept = round(len(points) * 0.7)
    enough, fewer = ([*points[: number - 1], points[-1]] for number in (kept + 1, kept - 1))
    assert "less than 70 %" in silences(batch(readings(fewer)))[path]
    assert "less than 70 %" not in silences(batch(readings(enough))).get(path, "")


@pytest.mark.parametrize(("hours", "least"), [(1, 13), (2, 14), (4, 16), (24, 36)])
def test_conga_needs_half_a_day_more_than_it_looks_back(hours: int, least: int) -> None:
    path = f"{VARIABILITY}.conga_{hours}"
    exactly = days((least * 12 + 1) / 288)  # a reading at either end
    assert path in silences(batch(readings(exactly)))
    assert path not in silences(batch(readings(days((least * 12 + 2) / 288))))


def test_modd_needs_70_percent_of_pairs() -> None:
    path = f"{VARIABILITY}.modd"
    whole = days(2)
    assert path not in silences(batch(readings(whole)))
    holed = whole[:288] + whole[288 + 100 :]
    assert silences(batch(readings(holed)))[path] == "less than 70 % of the readings have one 24 hours before"


@pytest.mark.parametrize(("number", "grade"), [(0.99, "D"), (1, "C"), (9.99, "C"), (10, "B"), (13.99, "B"), (14, "A")])
def test_grades(number: float, grade: str) -> None:
    assert row_of(batch(readings(days(number))))[f"{COVERAGE}.grade"] == grade


def test_a_fortnight_of_holes_is_grade_d() -> None:
    points = days(14)
    assert row_of(batch(readings(points[:100] + points[-100:])))[f"{COVERAGE}.grade"] == "D"


CENSORED_LOW = [
    *(f"{TIR}.{name}" for name in ("severe_hypoglycemia", "hypoglycemia", "below_range")),
    *(f"{HYPO}.{name}" for name in ("level_1", "level_1_exclusive", "level_2", "extended", "ongoing", "minutes")),
    *(f"{HYPO}.readings_below_{limit}" for limit in (54, 70)),
    f"{VARIABILITY}.lbgi",
    f"{VARIABILITY}.gri",
    f"{VARIABILITY}.adrr",
    f"{PATTERNS}.nocturnal.below_70",
    f"{ASSESSMENT}.hypoglycemia_risk",
    f"{TIR}.pregnancy_below_range",
    *(f"{ASSESSMENT}.{name}" for name in ("time_below_range_target", "time_below_54_target")),
    *(f"{ASSESSMENT}.{name}" for name in ("lbgi_risk", "adrr_risk", "gri_zone")),
]
CENSORED_HIGH = [
    f"{TIR}.severe_hyperglycemia",
    f"{VARIABILITY}.hbgi",
    *(f"{ASSESSMENT}.{name}" for name in ("hbgi_risk", "time_above_250_target")),
    *(f"{HYPER}.{name}" for name in ("level_2", "extended", "readings_above_250")),
]


@pytest.mark.parametrize("path", [*CENSORED_LOW, *CENSORED_HIGH])
def test_what_a_stelo_cannot_see_keeps_its_number_and_is_withheld(path: str) -> None:
    people = person({"diabetes": "t2", "age": 50})
    stelo = batch(readings(days(14), source=STELO), people=people)
    assert row_of(stelo)[path] is not None
    assert silences(stelo)[path] == "the source reports 70 to 250 mg/dL only"
    assert path not in silences(batch(readings(days(14)), people=people))


@pytest.mark.parametrize("path", [f"{TIR}.target_range", f"{TIR}.tight_range", f"{STATISTICS}.gmi", f"{HYPER}.level_1"])
def test_what_a_stelo_sees_is_stated(path: str) -> None:
    assert path not in silences(batch(readings(days(14), source=STELO)))


CLOCK = [
    *(f"{PATTERNS}.{name}" for name in ("hourly_distribution", "weekday_distribution", "peak_glucose_hour")),
    *(f"{PATTERNS}.nocturnal.{name}" for name in ("count", "mean", "below_70")),
    f"{VARIABILITY}.adrr",
]


@pytest.mark.parametrize("path", CLOCK)
def test_without_a_clock_nothing_is_said_of_the_time_of_day(path: str) -> None:
    unknown, known = (batch(readings(days(14), offset_s=offset)) for offset in (None, 0))
    assert row_of(unknown)[path] is None
    assert path in silences(unknown)
    assert path not in silences(known)


def test_a_night_needs_70_percent_of_its_readings() -> None:
    path = f"{PATTERNS}.nocturnal.mean"
    late = [point for point in days(1) if point[0] >= MIDNIGHT + 2 * HOUR]
    assert silences(batch(readings(late)))[path] == "less than 70 % of one night is covered"
    assert path not in silences(batch(readings(days(1))))


def test_dawn_needs_three_nights() -> None:
    path = f"{PATTERNS}.dawn_phenomenon.elevation"
    sleep = [(MIDNIGHT + day * DAY, MIDNIGHT + day * DAY + 7 * HOUR) for day in range(3)]
    two, three = (batch(readings(days(4)), sleep=nights(*sleep[:count])) for count in (2, 3))
    assert silences(two)[path] == "fewer than 3 complete nights with a known wake-up"
    assert row_of(two)[path] is not None
    assert path not in silences(three)


def judged(path: str, points: list[tuple[int, float | None]], facts: Mapping[str, object]) -> tuple[object, str | None]:
    whole = batch(readings(points), people=person(facts))
    return row_of(whole)[path], silences(whole).get(path)


TARGETS: dict[str, dict[str, object]] = {
    "time_in_range_target": {"diabetes": "t2", "age": 40},
    "time_below_range_target": {"diabetes": "t1", "age": 64},
    "time_below_54_target": {"diabetes": "t1", "age": 18},
    "time_above_range_target": {"diabetes": "t1"},
    "time_above_250_target": {"diabetes": "t2"},
    "older_time_in_range_target": {"diabetes": "t2", "age": 65},
    "older_time_below_range_target": {"diabetes": "t2", "age": 80},
    "older_time_above_250_target": {"diabetes": "t2", "age": 65},
    **{
        f"pregnancy_time_{name}_target": {"diabetes": "t1", "pregnant": True}
        for name in ("in_range", "below_range", "below_54", "above_range")
    },
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_for_those_they_were_made_for(name: str) -> None:
    word, silent = judged(f"{ASSESSMENT}.{name}", days(10), TARGETS[name])
    assert word in {"above", "below"}
    assert silent is None


NOT_KNOWN = "the target is for people with type 1 or type 2 diabetes, which is not known of you"
HAS_NONE = "the targets are for people with diabetes, and you are recorded as having none"
GESTATIONAL = "no target for gestational diabetes is used here"
OLDER = "the target is for people of 65 and over"
NOTHING = "no readings can change this"
STATUS = "your diabetes status"


@pytest.mark.parametrize(
    ("name", "facts", "reason", "needs"),
    [
        ("time_in_range", {"age": 40}, NOT_KNOWN, STATUS),
        ("time_in_range", {"age": 40, "diabetes": "unknown"}, NOT_KNOWN, STATUS),
        ("time_in_range", {"age": 40, "diabetes": "none"}, HAS_NONE, NOTHING),
        ("time_in_range", {"age": 40, "diabetes": "gdm"}, GESTATIONAL, NOTHING),
        ("time_in_range", {"age": 17, "diabetes": "t1"}, "the target is for adults under 65", NOTHING),
        ("time_in_range", {"age": 65, "diabetes": "t1"}, "the target is for adults under 65", NOTHING),
        ("time_above_250", {"diabetes": "t1", "pregnant": True}, "other targets hold in pregnancy", NOTHING),
        (
            "older_time_in_range",
            {"diabetes": "t2"},
            f"{OLDER}, and your age is not known",
            "your age",
        ),
        ("older_time_in_range", {"diabetes": "t2", "age": 64}, OLDER, NOTHING),
        ("older_time_above_250", {"diabetes": "none", "age": 70}, HAS_NONE, NOTHING),
        ("pregnancy_time_in_range", {"diabetes": "gdm", "pregnant": True}, GESTATIONAL, NOTHING),
        ("pregnancy_time_in_range", {"diabetes": "none"}, HAS_NONE, NOTHING),
        (
            "pregnancy_time_in_range",
            {"diabetes": "t2", "pregnant": True},
            "the target is for type 1 diabetes in pregnancy, and you are recorded as having type 2",
            NOTHING,
        ),
        (
            "pregnancy_time_below_54",
            {"pregnant": True},
            "the target is for type 1 diabetes in pregnancy, which is not known of you",
            STATUS,
        ),
        (
            "pregnancy_time_above_range",
            {"diabetes": "t1", "pregnant": False},
            "the target is for pregnancy, and you are recorded as not pregnant",
            NOTHING,
        ),
        (
            "pregnancy_time_below_range",
            {"diabetes": "t1"},
            "the target is for pregnancy, which is not known of you",
            "knowledge of a pregnancy",
        ),
    ],
)
def test_targets_are_not_for_others(name: str, facts: Mapping[str, object], reason: str, needs: str) -> None:
    whole = batch(readings(days(10)), people=person(facts))
    (found,) = insights.unfold(BLOOD_GLUCOSE, insights.evaluate(BLOOD_GLUCOSE, whole, HABITS), HABITS)
    (entry,) = (entry for entry in found.withheld if entry.path == f"{ASSESSMENT}.{name}_target")
    assert (entry.reason, entry.needs) == (reason, needs)


@pytest.mark.parametrize("path", [f"{STATISTICS}.gmi", f"{STATISTICS}.estimated_hba1c"])
def test_no_hba1c_is_estimated_in_pregnancy(path: str) -> None:
    for pregnant, silent in ((True, True), (False, False), (None, False)):
        _, reason = judged(path, days(10), {"diabetes": "t1", "pregnant": pregnant})
        assert reason == ("estimates of HbA1c from the mean are not validated in pregnancy" if silent else None)
