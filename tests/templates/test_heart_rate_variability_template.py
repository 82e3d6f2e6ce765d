"""The narrative of heart rate variability: every branch, every phrasing, every reason of a silence."""

import re
from collections.abc import Mapping

import pytest

from etlnarr import prose
from etlnarr.example import styles, vocabulary
from etlnarr.insights import claims_of
from etlnarr.model import Json
from etlnarr.records.heart_rate_variability import HEART_RATE_VARIABILITY as KIND
from etlnarr.records.sources import habit_gates
from tests.command import ROOT
from tests.narration import OF_UPLOAD, always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PHRASINGS = pytest.mark.parametrize("place", range(6))
READINESS, STRESS, RECOVERY = (verdict.path for verdict in KIND.verdicts)
APPS: list[Json] = [{"package": "com.example", "name": name, "records": 74} for name in ("Oura", "Polar Flow")]


def rmssd(group: str = "hrv_statistics", /, **found: Json) -> dict[str, Json]:
    return {f"{group}.{name}": value for name, value in found.items()}


def hours(*dark: str) -> dict[str, Json]:
    return rmssd(HOURLY, **{f"h{hour:02}": 12 if f"h{hour:02}" in dark else 0 for hour in range(24)})


HOURLY = "temporal_patterns.hourly_distribution"
PERIOD = rmssd("period", **OF_UPLOAD) | rmssd(
    "period", end="2025-09-20T08:44:30", offset="UTC-05:00", offset_source="record"
)
NO_ZONE: dict[str, Json] = {HOURLY: None, "period.offset": None, "period.offset_source": None}
VALUES = PERIOD | rmssd("period", start="2025-09-20T02:39:30", span_hours=6.08) | hours("h03")
VALUES |= rmssd(count=74, mean=25.51, median=21.2, std=15.93, min=8.0, max=69.0)
NIGHT = VALUES | rmssd(nights=1, nightly_mean=24.52, nightly_median=20.3, ln_rmssd=3.239)
MONTH = NIGHT | rmssd("period", start="2025-08-24T02:48:30", span_hours=655.05) | rmssd(count=2201, nights=26)
NO_BASELINE = rmssd("hrv_statistics.trend", seven_day_nights=1, baseline_nights=0)
WEEK = rmssd("hrv_statistics.trend", seven_day_nights=6, seven_day_mean=3.4, baseline_nights=9, cv_7=4.38)
WEEK |= rmssd("hrv_statistics.trend", seven_day_ms=29.96)
BASELINE = rmssd("hrv_statistics.trend", baseline_nights=19, baseline_mean=3.384, baseline_sd=0.189, deviation=0.08)
BASELINE |= rmssd("hrv_statistics.trend", swc_low=3.29, swc_high=3.479)
BASELINE |= rmssd("hrv_statistics.trend", baseline_ms=29.49, swc_low_ms=26.83, swc_high_ms=32.41)
FOUR = rmssd("hrv_statistics.trend", seven_day_nights=4)
WORDS: dict[str, Json] = {READINESS: "usual", STRESS: "no_sign", RECOVERY: "within_band"}
CASES: Mapping[str, dict[str, Json]] = {
    "night": NIGHT,
    "sleep by day": NIGHT | hours("h12"),
    "no local time": NIGHT | NO_ZONE,
    "values": VALUES | {"hrv_statistics.nights": 0},
    "value": VALUES | rmssd(count=1, min=25.5, max=25.5, std=None),
    "values of unknown time": VALUES | NO_ZONE,
    "night without a baseline": NIGHT | NO_BASELINE,
    "nights": MONTH,
    "nights by day": MONTH | hours("h12"),
    "week": MONTH | WEEK,
    "baseline": MONTH | WEEK | BASELINE | WORDS,
    "reduced": MONTH | WEEK | BASELINE | {READINESS: "reduced", STRESS: "possible_sign", RECOVERY: "below_band"},
    "above": MONTH | WEEK | BASELINE | WORDS | {READINESS: "above_usual", RECOVERY: "above_band"},
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
REASONS = [
    {"path": claim.path, "reason": reason, "needs": needs}
    for claim in claims_of(KIND, habit_gates(KIND.name))
    for reason, needs in (*((gate.reason, gate.needs) for gate in claim.gates), claim.undefined)
    if claim.path in KIND.silences
]


def told(values: Mapping[str, Json], place: int | str = 0, *silences: dict[str, str], on: bool = True) -> prose.Told:
    paths = [*(metric.path for metric in KIND.metrics), *(verdict.path for verdict in KIND.verdicts)]
    blank = {path: None for path in paths if not any(key.startswith(f"{path}.") for key in values)}
    everything: dict[str, Json] = {
        "sources": {"primary": APPS[0], "chosen": APPS[:1], "others": APPS[1:]},
        "silences": [dict(entry) for entry in silences],
        "recommendations": [advice.name for advice in KIND.recommendations] if on else [],
        "recommendations_on": on,
        "series": [{"label": "2025-09-20 02:00", "n": 5, "mean": 22.4, "lowest": 13.0, "highest": 32.0}],
    }
    for path, value in (blank | dict(values)).items():
        *groups, name = path.split(".")
        node = everything
        for group in groups:
            node = node.setdefault(group, {})  # type: ignore[assignment]  # a group is a dict
        node[name] = value
    tree = prose.facts({"change": None, **everything}, styles(KIND), {entry["path"] for entry in silences})
    choice = prose.evenly(place) if isinstance(place, str) else always(place)
    return prose.tell(TEMPLATES, KIND.template, tree, choice, vocabulary(KIND))


@EVERY
@PHRASINGS
def test_every_phrasing_states_the_same_and_nothing_unwitnessed(case: dict[str, Json], place: int) -> None:
    one, row = told(case), told(case, place)
    assert {(w.path, w.text) for w in one.evidence} == {(w.path, w.text) for w in row.evidence}
    assert not re.search(r" [,.;:]|  |\(\)|\.\.|,,|normal|improv|excellent", f"{row.output} {row.instruction}")
    rest = "".join(" " if any(w.start <= at < w.end for w in row.evidence) else c for at, c in enumerate(row.output))
    for constant in sorted(TEMPLATES.stories[KIND.template].constants, key=len, reverse=True):
        rest = rest.replace(constant, "")
    assert not re.search(r"\d", rest)


@EVERY
def test_every_number_moves_with_its_fact(case: dict[str, Json]) -> None:
    before = told(case)
    kept = {*rmssd(nights=0, count=0), *WORDS}  # these decide what is told
    for path in (before.paths & case.keys()) - kept:
        after = told(case | {path: perturbed(case[path])})
        own = [{w.text for w in row.evidence if w.path == path} for row in (before, after)]
        assert not own[0] & own[1], path


@pytest.mark.parametrize("silence", REASONS, ids=lambda entry: f"{entry['path']}: {entry['reason']}")
@PHRASINGS
def test_every_silence_says_its_reason_and_not_the_claim(silence: dict[str, str], place: int) -> None:
    row = told(MONTH | WEEK, place, silence)
    assert silence["reason"].lower() in row.output.lower()
    assert silence["path"] not in row.paths
    assert "24.5" not in row.input or silence["path"] != "hrv_statistics.nightly_mean"


@PHRASINGS
def test_night_and_readiness_that_are_silent_for_one_reason_share_a_sentence(place: int) -> None:
    both = [{"path": path, "reason": "no sleep is known", "needs": "sleep"} for path in KIND.silences[:2]]
    output = told(VALUES, place, *both).output
    assert output.count("no sleep is known") == 1
    assert "no readiness" in output


@PHRASINGS
def test_what_is_said_of_nights(place: int) -> None:
    output = {name: told(case, place, on=False).output for name, case in CASES.items()}
    assert "n the night to 20 September 2025" in output["night"]
    assert re.search("74 RMSSD values.*from 8 to 69 ms", output["night"])
    assert re.search("single night.*trend|trend.*single night", output["night"])
    assert "night" not in output["sleep by day"] + output["nights by day"] + output["no local time"]
    assert not re.search(r"\d:\d", output["no local time"] + output["values of unknown time"])
    assert "26 nights" in output["nights"]
    assert "25.5 ms" in output["value"]
    assert "4.4 %" in output["week"]
    assert "3.40" not in output["week"]


@PHRASINGS
def test_what_is_said_against_the_baseline(place: int) -> None:
    usual, low, high = (told(CASES[name], place) for name in ("baseline", "reduced", "above"))
    assert "half a standard deviation" in usual.output
    assert "26.8 to 32.4 ms (lnRMSSD 3.29 to 3.48)" in usual.output
    assert re.search("logarithm of each .*weigh less", usual.output)
    assert usual.output.count("logarithm") == 1
    assert "30.0" in usual.output
    assert "29.5" in usual.output
    assert re.search("within the band.*usual.* no sign of stress", usual.output)
    assert re.search(
        "below the band.*reduced.* a possible sign of stress.*, though such a fall has many causes", low.output
    )
    assert re.search("above the band.*above usual.* no sign of stress.*may come with fatigue", high.output)
    assert all({READINESS, STRESS, RECOVERY} <= row.paths for row in (usual, low, high))


@PHRASINGS
def test_a_baseline_that_is_too_short_is_told_with_what_was_found(place: int) -> None:
    short = {"path": READINESS, "reason": "fewer than 14 nights of the 28 days before the last 7", "needs": "more"}
    assert re.search("before the last 7, with 9 found", told(MONTH | WEEK, place, short).output)
    assert re.search("before the last 7, with none found", told(NIGHT | NO_BASELINE, place, short).output)
    week = {"path": READINESS, "reason": "fewer than 3 nights of the last 7", "needs": "more"}
    lately = MONTH | WEEK | rmssd("hrv_statistics.trend", baseline_nights=14, seven_day_nights=2)
    assert re.search("nights of the last 7, with 2 found", told(lately, place, week).output)
    steady = {"path": "hrv_statistics.trend.cv_7", "reason": "fewer than 5 nights of the last 7", "needs": "more"}
    assert re.search("nights of the last 7, with 4 found", told(MONTH | WEEK | FOUR, place, steady).output)
    assert "found" not in told(MONTH | WEEK | rmssd("hrv_statistics.trend", baseline_nights=14), place, week).output


@PHRASINGS
def test_several_nights_have_means_that_are_averaged(place: int) -> None:
    assert re.search("nightly mean averaged 24.5 ms and the nightly median 20.3 ms", told(MONTH, place).output, re.I)
    assert re.search("mean of 24.5 ms and a median of 20.3 ms", told(NIGHT, place).output)
    assert "means of" not in told(MONTH, place).output


def test_openings_and_instructions_vary_and_advice_is_asked_for_when_it_is_on() -> None:
    for case in (NIGHT, VALUES, MONTH):
        rows = [(told(case, str(number)), told(case, str(number), on=False)) for number in range(60)]
        for part in ("output", "instruction"):
            assert len({" ".join(getattr(row, part).split()[:5]) for row, _ in rows}) >= 5
        for row, plain in rows:
            assert "20 September 2025" in plain.instruction
            assert re.search("recommend|should|change", row.instruction.removeprefix(plain.instruction))
            assert re.search("doctor.*14 nights", row.output.removeprefix(plain.output))
