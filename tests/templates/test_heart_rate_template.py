"""The narrative of heart rate: every branch, in every phrasing."""

import re
from collections.abc import Mapping

import pytest

from etlnarr import prose
from etlnarr.model import Json
from etlnarr.prose import Told, evenly, facts
from etlnarr.records.heart_rate import HEART_RATE as KIND
from etlnarr.stages.narrate import styles, vocabulary
from tests.command import ROOT
from tests.narration import always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PLACES = range(6)
H, N, D, A = "heart_rate_statistics", "temporal_patterns.nocturnal", "device_agreement", "clinical_assessment"
DIP, RATE = f"{A}.nocturnal_dip", f"{A}.resting_heart_rate"
REASON, NEEDS = "the record is too thin", "a fuller record"
SAMSUNG = {"package": "com.sec.android.app.shealth", "name": "Samsung Health", "records": 77}
OURA = {"package": "com.ouraring.oura", "name": "Oura", "records": 1}
PLAIN: dict[str, Json] = {
    **{f"{H}.count": 548, f"{H}.covered_hours": 19.47, f"{H}.mean": 77.43, f"{H}.median": 78.0, f"{H}.std": 7.27},
    **{f"{H}.min": 57.0, f"{H}.max": 102.0},
    **{f"{H}.percentiles.p{p}": value for p, value in {5: 66.0, 25: 72.0, 75: 83.0, 95: 89.0}.items()},
    **{f"{H}.readings_above_100": 12, f"{H}.readings_below_60": 1, f"{H}.readings_below_50": 0},
    "temporal_patterns.interval_minutes": 1.0,
    "period.start": "2025-09-19T17:30:29",
    "period.end": "2025-09-20T17:00:29",
    "period.offset": "UTC-05:00",
    "period.offset_source": "record",
    "period.span_hours": 23.499985,
}
ASLEEP: dict[str, Json] = {
    **{f"{H}.resting.lowest_sustained_sleeping": 66.6, f"{H}.resting.awake_hours": 12.3},
    **{f"{H}.resting.awake_p5": 65.0, f"{H}.active.awake_p95": 88.0, RATE: "usual"},
    **{f"{N}.nights": 1, f"{N}.sleeping_mean": 78.1, f"{N}.waking_mean": 79.5, f"{N}.dip": 1.7, DIP: "blunted"},
}
AGED: dict[str, Json] = {
    **{f"{H}.hr_max": 180.0, f"{H}.active.moderate_minutes": 22.0, f"{H}.active.vigorous_minutes": 25.0},
    **{f"{H}.zones.below_zone_1": 90.2, f"{H}.zones.zone_1": 8.4, f"{H}.zones.zone_2": 0.0},
    **{f"{H}.zones.zone_3": 1.4, f"{H}.zones.zone_4": 0.01, f"{H}.zones.zone_5": 0.0},
    **{f"{H}.sessions.count": 1, f"{H}.sessions.minutes": 37.0},
}
RUNS: dict[str, Json] = {f"{H}.sustained_above_100.count": 2, f"{H}.sustained_above_100.minutes": 38.0}
SECOND: dict[str, Json] = {f"{D}.windows": 74, f"{D}.bias": -0.124, f"{D}.mean_absolute_error": 1.092}
REVERSED = {f"{N}.dip": -12.5, DIP: "reversed", f"{N}.nights": 3, RATE: "fast", f"{H}.resting.awake_p5": 105.0}
CASES: Mapping[str, dict[str, Json]] = {
    "rates alone": PLAIN,
    "sleep known": PLAIN | ASLEEP | SECOND,
    "a rise asleep": PLAIN | ASLEEP | REVERSED | RUNS,
    "slow": PLAIN | ASLEEP | {f"{N}.dip": 15.0, DIP: "usual", RATE: "slow", f"{H}.readings_above_100": 0},
    "an effort": PLAIN | ASLEEP | AGED | RUNS | SECOND | {f"{D}.bias": 0.97, f"{H}.readings_above_100": 1},
    "no effort": PLAIN | AGED | {path: 0 for path in (*RUNS, f"{H}.sessions.count", f"{H}.sessions.minutes")},
    "no local time": PLAIN | {"period.offset": None, "period.offset_source": None},
    "whole": PLAIN | {f"{H}.covered_hours": 23.52},
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def told(values: Mapping[str, Json], choice: prose.Choice = always(0), advise: bool = True) -> Told:
    paths = [*(metric.path for metric in KIND.metrics), *(verdict.path for verdict in KIND.verdicts)]
    silent = {path for path in paths if values.get(path) is None}
    everything: dict[str, Json] = {
        "sources": {"primary": SAMSUNG, "chosen": [SAMSUNG], "others": [OURA]},
        "silences": [{"path": path, "reason": REASON, "needs": NEEDS} for path in KIND.silences if path in silent],
        "recommendations": [advice.name for advice in KIND.recommendations] if advise else [],
        "recommendations_on": advise,
        "series": [{"label": "hour 1", "n": 3, "mean": 74.7, "lowest": 68.0, "highest": 83.0}],
    }
    for path, value in (dict.fromkeys(paths) | dict(values)).items():
        *groups, name = path.split(".")
        node = everything
        for group in groups:
            node = node.setdefault(group, {})  # type: ignore[assignment]  # a group is a dict
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
