"""The narrative of heart rate: every branch, in every phrasing."""

import re
from collections.abc import Mapping
from typing import cast

import pytest

from etlnarr import prose
from etlnarr.example import styles, vocabulary
from etlnarr.model import Json
from etlnarr.prose import Choice, Told, evenly, facts
from etlnarr.records.heart_rate import HEART_RATE as KIND
from tests.command import ROOT
from tests.narration import always, perturbed

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
    under(H, count=548, covered_hours=19.47, mean=77.43, median=78.0, std=7.27, min=57.0, max=102.0)
    | under(f"{H}.percentiles", p5=66.0, p25=72.0, p75=83.0, p95=89.0)
    | under(H, readings_above_100=12, readings_below_60=1, readings_below_50=0)
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
RISE = under(N, nights=3, dip=-12.5) | under(A, nocturnal_dip="reversed", resting_heart_rate="fast")
FALL = under(N, dip=15.0) | under(A, nocturnal_dip="usual", resting_heart_rate="slow")
AGED = (
    under(f"{H}.zones", below_zone_1=90.2, zone_1=8.4, zone_2=0.0, zone_3=1.4, zone_4=0.01, zone_5=0.0)
    | under(f"{H}.active", moderate_minutes=22.0, vigorous_minutes=25.0)
    | under(f"{H}.sessions", count=1, minutes=37.0)
    | under(H, hr_max=180.0)
)
RUNS = under(f"{H}.sustained_above_100", count=2, minutes=38.0)
SECOND = under(D, windows=74, bias=-0.124, mean_absolute_error=1.092)
CASES: Mapping[str, dict[str, Json]] = {
    "rates alone": PLAIN,
    "sleep known": PLAIN | ASLEEP | SECOND,
    "a rise asleep": PLAIN | ASLEEP | RISE | RUNS | under(f"{H}.resting", awake_p5=105.0),
    "slow": PLAIN | ASLEEP | FALL | under(H, readings_above_100=0),
    "an effort": PLAIN | ASLEEP | AGED | RUNS | SECOND | under(D, bias=0.97) | under(H, readings_above_100=1),
    "no effort": PLAIN | AGED | under(f"{H}.sessions", count=0) | under(f"{H}.sustained_above_100", count=0, minutes=0),
    "no local time": PLAIN | under("period", offset=None, offset_source=None) | under(T, peak_hour=None),
    "whole": PLAIN | under(H, covered_hours=23.52),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def told(case: Mapping[str, Json], choice: Choice = FIRST, advise: bool = True) -> Told:
    paths = [*(metric.path for metric in KIND.metrics), *(verdict.path for verdict in KIND.verdicts)]
    silent = {path for path in paths if case.get(path) is None}
    advice: list[Json] = [advice.name for advice in KIND.recommendations] if advise else []
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
    return prose.tell(TEMPLATES, KIND.template, facts(everything, styles(KIND), silent), choice, vocabulary(KIND))


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
    assert len(moving) > 8
    for path in moving:
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
    assert re.search("105 bpm, above 100 bpm", output["a rise asleep"])
    assert re.search("65 bpm, below 50 bpm", output["slow"])
    assert re.search("not a resting rate|a resting rate is something else", output["sleep known"])
    assert re.search("0.12 (bpm )?lower", output["sleep known"])
    assert re.search("[Nn]o(ne)? .*above 100 bpm|[Aa]bove 100 bpm there was no", output["slow"])
    assert "90.2 % below zone 1, 8.4 % in zone 1 and 1.4 % in zone 3" in output["an effort"]
    assert "all 23.5 hours" in output["whole"]
    assert not re.search(r"\d:\d", output["no local time"])
    assert "sleep" not in output["rates alone"].split("\n\n")[0]


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
