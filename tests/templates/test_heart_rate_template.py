"""The narrative of heart rate: every branch, in every phrasing."""

import re
from collections.abc import Mapping
from typing import cast

import pytest

from etlnarr import prose
from etlnarr.example import styles, vocabulary
from etlnarr.model import Json, Recommendation
from etlnarr.prose import Choice, Told, evenly, facts
from etlnarr.records.heart_rate import HEART_RATE as KIND
from tests.command import ROOT
from tests.narration import OF_UPLOAD, always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PLACES = range(6)
FIRST = always(0)
H, D, A, T = "heart_rate_statistics", "device_agreement", "clinical_assessment", "temporal_patterns"
N = f"{T}.nocturnal"
REASON, NEEDS = "the record is too thin", "a fuller record"
SAMSUNG: Json = {"package": "com.sec.android.app.shealth", "name": "Samsung Health", "records": 77}
OURA: Json = {"package": "com.ouraring.oura", "name": "Oura", "records": 1}


def under(group: str, **values: Json) -> dict[str, Json]:
    """Name facts by their path."""
    return {f"{group}.{name}": value for name, value in values.items()}


PLAIN = (
    under(H, count=548, covered_hours=19.47, mean=77.43, sample_mean=77.51, median=78.0, std=7.27, min=57.0, max=102.0)
    | under(f"{H}.percentiles", p5=66.0, p25=72.0, p75=83.0, p95=89.0)
    | under(H, readings_above_100=12, readings_below_60=1, readings_below_50=0)
    | under("period", **OF_UPLOAD)
    | under("period", start="2025-09-19T17:30:29", end="2025-09-20T17:00:29", span_hours=23.499985)
    | under("period", offset="UTC-05:00", offset_source="record")
    | under(T, interval_minutes=1.0, peak_hour=13)
)
ASLEEP = (
    under(f"{H}.resting", lowest_sustained_sleeping=66.6, awake_hours=12.3, awake_p5=65.0)
    | under(f"{H}.active", awake_p95=88.0)
    | under(N, nights=1, sleeping_mean=78.1, waking_mean=79.5, dip=1.7)
    | under(A, nocturnal_dip="blunted", resting_heart_rate="usual")
)
UNAPART = under(f"{H}.resting", overall_p5=67.0)
SEVERAL = under(N, nights=3, dip=12.5, dip_min=-1.5, dip_max=20.5) | under(A, resting_heart_rate="usual")
RISE = under(N, dip=-12.5) | under(A, nocturnal_dip="reversed", resting_heart_rate="fast")
FALL = under(N, dip=15.0) | under(A, nocturnal_dip="usual", resting_heart_rate="slow")
AGED = (
    under(f"{H}.zones", below_zone_1=90.2, zone_1=8.4, zone_2=0.0, zone_3=1.4, zone_4=0.01, zone_5=0.0)
    | under(f"{H}.active", moderate_minutes=22.0, vigorous_minutes=25.0)
    | under(f"{H}.sessions", count=1, minutes=37.0)
    | under(H, hr_max=180.0, readings_above_hr_max=0)
)
RESERVE = under(
    f"{H}.reserve_zones", very_light=80.0, light=11.0, moderate=6.5, vigorous=2.4, near_maximal=0.1
) | under(f"{H}.sessions", reserve_count=2, reserve_minutes=52.0, exercise_count=1, exercise_minutes=29.0)
NO_EXERCISE = under(f"{H}.sessions", reserve_count=0, reserve_minutes=0.0, exercise_count=0, exercise_minutes=0.0)
RUNS = under(f"{H}.sustained_above_100", count=2, minutes=38.0)
SLOW_RUNS = under(f"{H}.sustained_below_50", count=3, minutes=75.0)
FEW = (
    PLAIN | under(H, count=19, sample_mean=71.25) | dict.fromkeys(under(f"{H}.percentiles", p5=0, p25=0, p75=0, p95=0))
)
BRIEF = under("period", start="2025-09-20T10:00:05", end="2025-09-20T10:00:55", span_hours=0.013889)
SINGLE = FEW | under(H, count=1, covered_hours=0.0, std=None, min=70.0, max=70.0) | BRIEF
SECOND = under(D, windows=74, bias=-0.124, mean_absolute_error=1.092)
CASES: Mapping[str, dict[str, Json]] = {
    "rates alone": PLAIN,
    "sleep known": PLAIN | ASLEEP | SECOND,
    "a rise asleep": PLAIN | ASLEEP | RISE | RUNS | under(f"{H}.resting", awake_p5=105.0),
    "several nights": PLAIN | {path: value for path, value in ASLEEP.items() if "dip" not in path} | SEVERAL,
    "slow": PLAIN | ASLEEP | FALL | under(H, readings_above_100=0),
    "an effort": PLAIN | ASLEEP | AGED | RUNS | SECOND | under(D, bias=0.97) | under(H, readings_above_100=1),
    "no effort": PLAIN | AGED | under(f"{H}.sessions", count=0) | under(f"{H}.sustained_above_100", count=0, minutes=0),
    "no local time": PLAIN | under("period", offset=None, offset_source=None) | under(T, peak_hour=None),
    "no sleep known": PLAIN | UNAPART | RUNS | SLOW_RUNS | under(f"{H}.sustained_above_100", count=1),
    "fast": PLAIN | ASLEEP | RUNS | under(f"{H}.resting", awake_p5=105.0) | under(A, resting_heart_rate="fast"),
    "slow stretches": PLAIN | ASLEEP | FALL | SLOW_RUNS | under(f"{H}.resting", awake_p5=44.0),
    "exercise": PLAIN | ASLEEP | AGED | RESERVE | RUNS,
    "all of it exercise": PLAIN | ASLEEP | AGED | RESERVE | under(f"{H}.sessions", exercise_minutes=37.0),
    "fever": PLAIN | ASLEEP | AGED | RESERVE | NO_EXERCISE,
    "a low estimate": PLAIN | ASLEEP | AGED | under(H, readings_above_hr_max=4, max=188.0),
    "even devices": PLAIN | SECOND | under(D, bias=0.004),
    "all alike": PLAIN | UNAPART | under(H, min=70.0, max=70.0),
    "few": FEW,
    "few at once": FEW | BRIEF,
    "single": SINGLE,
    "single without local time": SINGLE | under("period", offset=None, offset_source=None),
    "whole": PLAIN | under(H, covered_hours=23.52),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def given(advice: Recommendation, case: Mapping[str, Json]) -> bool:
    """Whether the case is one for this advice."""
    value = case.get(advice.follows)
    if advice.name == "record_sleep":
        return case.get(f"{H}.resting.awake_hours") is None
    return value in ("fast", "slow") if isinstance(value, str) else value not in (None, 0)


def told(case: Mapping[str, Json], choice: Choice = FIRST, advise: bool = True) -> Told:
    paths = [*(metric.path for metric in KIND.metrics), *(verdict.path for verdict in KIND.verdicts)]
    silent = {path for path in paths if case.get(path) is None}
    advice: list[Json] = [advice.name for advice in KIND.recommendations if advise and given(advice, case)]
    everything: dict[str, Json] = {
        "sources": {"primary": SAMSUNG, "chosen": [SAMSUNG], "others": [OURA]},
        "silences": [{"path": path, "reason": REASON, "needs": NEEDS} for path in KIND.silences if path in silent],
        "recommendations": advice,
        "recommendations_on": advise,
        "series": [{"label": "hour 1", "n": 3, "mean": 74.7, "lowest": 68.0, "highest": 83.0}],
    }
    for path, value in (dict.fromkeys(paths) | dict(case)).items():
        *groups, name = path.split(".")
        node = everything
        for group in groups:
            node = cast("dict[str, Json]", node.setdefault(group, {}))
        node[name] = value
    return prose.tell(
        TEMPLATES, KIND.template, facts({"change": None, **everything}, styles(KIND), silent), choice, vocabulary(KIND)
    )


@EVERY
@pytest.mark.parametrize("place", PLACES)
def test_every_phrasing_states_the_same(case: dict[str, Json], place: int) -> None:
    one, other = told(case), told(case, always(place))
    assert {(w.path, w.value) for w in one.evidence} == {(w.path, w.value) for w in other.evidence}
    assert not re.search(r" [,.;:]|  |\(\)|\.\.|,,", f"{other.output} {other.instruction}")
    assert not re.search("arrhythm|normal", other.output)
    assert other.output.count(REASON) <= 2


@EVERY
def test_every_number_moves_with_its_fact(case: dict[str, Json]) -> None:
    before = told(case)
    moving = [p for p in before.paths & case.keys() if not isinstance(case[p], str) or p.startswith("period")]
    assert len(moving) >= 3
    decisive = {f"{H}.count"} if case[f"{H}.count"] == 1 else {f"{H}.min"} if case[f"{H}.min"] == 70 else set()
    for path in {*moving} - decisive:
        after = told(case | {path: perturbed(case[path])})
        own = [{w.text for w in row.evidence if w.path == path} for row in (before, after)]
        assert not own[0] & own[1], path


@EVERY
def test_no_digit_without_witness(case: dict[str, Json]) -> None:
    row = told(case)
    text = list(row.output)
    for witness in row.evidence:
        text[witness.start : witness.end] = "_" * (witness.end - witness.start)
    rest = "".join(text)
    for constant in sorted(TEMPLATES.stories[KIND.template].constants, key=len, reverse=True):
        rest = rest.replace(constant, "")
    assert not re.search(r"\d", rest)


@pytest.mark.parametrize("place", PLACES)
def test_what_the_words_stand_for(place: int) -> None:
    output = {name: told(case, always(place)).output for name, case in CASES.items()}
    assert re.search("12.5 % higher.*a rise asleep is called reversed", output["a rise asleep"])
    assert re.search("1.7 % lower.*less than 10 % is called blunted", output["sleep known"])
    assert re.search("12.5 % lower.*by night it was between 1.5 % higher and 20.5 % lower", output["several nights"])
    assert not re.search("blunted|usual", output["several nights"])
    assert re.search("105 bpm, above 100 bpm", output["a rise asleep"])
    assert re.search("65 bpm, below 50 bpm", output["slow"])
    assert re.search("not a resting rate|a resting rate is something else", output["sleep known"])
    assert re.search("[Nn]o(ne)? .*above 100 bpm|[Aa]bove 100 bpm there was no", output["slow"])
    assert "all 23.5 hours" in output["whole"]
    assert not re.search(r"\d:\d", output["no local time"] + output["single without local time"])
    assert "sleep" not in output["rates alone"].split("\n\n")[0]
    assert not any(re.search("Awake|waking", text.split("\n\n")[0]) for text in output.values())


@pytest.mark.parametrize("place", PLACES)
def test_stretches_are_told_with_what_is_not_known_of_them(place: int) -> None:
    output = {name: told(case, always(place)).output for name, case in CASES.items()}
    fast = output["fast"]
    assert re.search("2 stretches of 10 min or more", fast)
    assert "38 min" in fast
    assert re.search("[Oo]utside the main sleep.*at rest or in effort", fast)
    assert "samples exceeded" not in fast
    assert "asleep or awake, at rest or in effort" in output["no sleep known"]
    assert "asleep or awake is not known" in output["no sleep known"]
    assert "outside" not in output["no sleep known"]
    assert re.search("below 50 bpm .*3 stretches of 10 min|3 stretches.*below 50 bpm", output["slow stretches"], re.I)
    assert "not known" not in output["slow stretches"].split("\n\n")[0]


@pytest.mark.parametrize("place", PLACES)
def test_effort_is_exercise_only_with_a_rise_over_rest(place: int) -> None:
    output = {name: told(case, always(place)).output for name, case in CASES.items()}
    assert "90.2 % below 50 % of it, 8.4 % at 50-60 % and 1.4 % at 70-80 %" in output["an effort"]
    for name in ("an effort", "fever"):
        assert "1 stretch of 10 min or more" in output[name]
        assert "64 % of it or more" in output[name]
        assert "whatever the cause" in output[name]
        assert "exercise" not in output[name]
    assert re.search("37 min together.*29 min of that.*counts as exercise", output["exercise"])
    assert re.search("37 min together.*all of that.*counts as exercise", output["all of it exercise"])
    assert "recovery" in output["exercise"]
    assert "recovery" not in output["fever"]
    assert re.search("estimate is too low for you", output["a low estimate"])
    assert "too low" not in output["an effort"]


@pytest.mark.parametrize("place", PLACES)
def test_devices_are_compared_in_plain_words(place: int) -> None:
    output = told(CASES["sleep known"], always(place)).output
    assert re.search("at the same times.*1.09 bpm on average, Samsung Health reading 0.12 bpm lower", output, re.I)
    assert "Samsung Health reading 0.97 bpm higher" in told(CASES["an effort"], always(place)).output
    assert "neither read higher" in told(CASES["even devices"], always(place)).output


@pytest.mark.parametrize("place", PLACES)
def test_a_few_samples_have_no_percentiles_and_one_no_range(place: int) -> None:
    output = {name: told(case, always(place)).output for name, case in CASES.items()}
    for name in ("few", "few at once", "single"):
        assert not re.search(r"90 %|percentile|median|\b0\.0|hours", output[name].split("\n\n")[0]), name
    assert "71.2" in output["few"]
    assert "57 to 102" in output["few"]
    assert "at 10:00 on 20 september 2025" in output["few at once"].lower()
    assert "at 10:00 on 20 september 2025" in output["single"].lower()
    assert re.search("1 heart rate sample", output["single"])
    assert output["single"].split("\n\n")[0].count("70") == 1


@pytest.mark.parametrize("place", PLACES)
def test_samples_that_are_all_alike_have_no_range(place: int) -> None:
    output = told(CASES["all alike"], always(place)).output.split("\n\n")[0]
    assert re.search("[Aa]ll samples|[Ee]very sample", output)
    assert output.count("70") == 1
    assert "percentile" not in output


@pytest.mark.parametrize("place", PLACES)
def test_without_sleep_the_percentiles_are_of_all_samples(place: int) -> None:
    output = told(CASES["no sleep known"], always(place)).output
    assert re.search(
        "all samples.*asleep or awake.*5th percentile.*67 bpm|5th percentile.*asleep or awake.*67", output, re.I
    )
    assert "middle 90 %" not in output
    assert re.search("neither is a resting rate|no resting rates|not a resting rate", output)


@pytest.mark.parametrize("place", PLACES)
def test_advice_on_one_matter_is_one_sentence(place: int) -> None:
    fast, slow = (told(CASES[name], always(place)).output.split("\n\n")[1] for name in ("fast", "slow stretches"))
    assert fast.count("doctor") == slow.count("doctor") == 1
    assert re.search("[Nn]early all your samples outside the main sleep were above 100 bpm.*at rest", fast)
    assert re.search("lowest rates outside the main sleep were below 50 bpm.*awake", slow)
    alone = told(CASES["fast"] | under(f"{H}.sustained_above_100", count=0), always(place)).output
    assert "those stretches" not in alone
    each = told(CASES["no sleep known"], always(place)).output
    assert "that stretch above 100 bpm" in each
    assert "those stretches below 50 bpm" in each


def test_openings_and_instructions_vary() -> None:
    rows = [told(CASES["sleep known"], evenly(str(number))) for number in range(80)]
    assert len({" ".join(row.output.split()[:5]) for row in rows}) >= 5
    assert len({" ".join(row.instruction.split()[:5]) for row in rows}) >= 4
    assert all("September 2025" in row.instruction for row in rows)


def test_advice_is_asked_for_only_when_it_is_on() -> None:
    for number in range(20):
        asked, plain = (told(PLAIN, evenly(str(number)), advise=on).instruction for on in (True, False))
        assert asked.startswith(plain)
        assert re.search("recommend|should|change", asked[len(plain) :])
