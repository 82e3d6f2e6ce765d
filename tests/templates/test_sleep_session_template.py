"""The narrative of sleep sessions: every branch, in every phrasing."""

import re
from collections.abc import Mapping
from typing import cast

import pytest

from etlnarr import prose
from etlnarr.example import styles, vocabulary
from etlnarr.model import Json
from etlnarr.prose import Choice, Told, evenly, facts
from etlnarr.records.sleep_session import SLEEP_SESSION as KIND
from tests.command import ROOT
from tests.narration import OF_UPLOAD, always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PLACES = range(6)
FIRST, NONE = always(0), frozenset[str]()
S, C, T, D, A = "sleep_statistics", "sleep_consistency", "temporal_patterns", "device_agreement", "clinical_assessment"
REASON, NEEDS = "the record is too thin", "a fuller record"
SAMSUNG: Json = {"package": "com.sec.android.app.shealth", "name": "Samsung Health", "records": 1}
OURA: Json = {"package": "com.ouraring.oura", "name": "Oura", "records": 1}


def under(group: str, **values: Json) -> dict[str, Json]:
    return {f"{group}.{name}": value for name, value in values.items()}


def without(pattern: str) -> dict[str, Json]:
    return {path: None for path in NIGHT if re.search(pattern, path)}


NIGHT = (
    under(
        S,
        count=1,
        nights=1,
        naps=0,
        nap_minutes=0.0,
        nap_sleep_minutes=0.0,
        time_in_bed=443.0,
        total_sleep_time=370.0,
        efficiency=83.52,
    )
    | under(f"{S}.stages", light_percent=45.81, deep_percent=28.92, rem_percent=25.27)
    | under(S, waso=69.5, awakenings=1.0, staged_nights=1, nights_in_parts=0, pause_minutes=0.0, broken_nights=0)
    | under(T, bed_time=116.0, wake_time=559.0, wake_date="2025-09-20")
    | under(C, midpoint=335.75)
    | under(A, sleep_duration="short", efficiency_quality="borderline")
    | under("period", **OF_UPLOAD)
    | under("period", start="2025-09-20T01:56:00", end="2025-09-20T09:19:00", span_hours=7.38)
    | under("period", offset="UTC-05:00", offset_source="record")
)
SECOND = under(
    D, nights=1, other_total_sleep_time=325.0, overlap_minutes=375.0, sleep_wake_agreement=84.93, stage_agreement=64.4
)
JUDGED = under(S, sleep_onset_latency=42.0, quality_score=2.0, total_sleep_time=580.0, efficiency=72.25)
JUDGED |= under(A, sleep_quality="fair", sleep_duration="long", efficiency_quality="poor")
FORTNIGHT = (
    under(S, count=16, nights=14, staged_nights=14, naps=2, nap_minutes=150.0, nap_sleep_minutes=121.0)
    | under(S, awakenings=1.357)
    | under(D, nights=13)
    | under(S, total_sleep_time_std=33.2, total_sleep_time_min=285.5, total_sleep_time_max=402.5)
    | under(C, midpoint_sd=86.86, social_jetlag=181.2)
    | under(A, regularity="irregular", social_jetlag="large")
    | under("period", start="2025-09-06T23:40:00", span_hours=321.65)
)
UNTIMED = without("_time$|wake_date|midpoint|offset") | under(S, total_sleep_time=370.0) | under(A, regularity=None)
UNSTAGED = without("stages|total|effic|waso|awaken|duration|midpoint") | under(S, staged_nights=0)
UNSTAGED |= dict.fromkeys([f"{S}.total_sleep_time_std", f"{C}.midpoint_sd", f"{A}.regularity", f"{A}.social_jetlag"])
CHILD = NIGHT | under(A, sleep_duration=None, efficiency_quality=None)
PARTS = under(S, count=2, nights_in_parts=1, pause_minutes=30.0)
NAP = NIGHT | without("^[^p]") | under(S, count=1, nights=0, naps=1, nap_minutes=104.0, nap_sleep_minutes=80.0)
NAP |= under(S, nights_in_parts=0, pause_minutes=0.0, broken_nights=0, staged_nights=0)
LIGHT = under(f"{S}.stages", light_percent=100.0, deep_percent=0.0, rem_percent=0.0)
EVEN = under(S, total_sleep_time_std=0.0, total_sleep_time_min=370.0, total_sleep_time_max=370.0, awakenings=1.0)
EVEN |= under(S, quality_score=4.0, sleep_onset_latency=12.0) | under(C, midpoint_sd=0.0, social_jetlag=0.0)
EVEN |= under(A, sleep_quality="good", regularity="regular", social_jetlag="small")
CASES: Mapping[str, dict[str, Json]] = {
    "a night": NIGHT,
    "two devices": NIGHT | SECOND,
    "a night and a nap": NIGHT | JUDGED | under(S, naps=1, nap_minutes=84.0, awakenings=0.0),
    "enough sleep": NIGHT | under(A, sleep_duration="sufficient", efficiency_quality="good"),
    "by day": NIGHT | under(T, bed_time=540.0, wake_time=983.0),
    "a fortnight": NIGHT | SECOND | FORTNIGHT,
    "a fortnight beside another": NIGHT | SECOND | FORTNIGHT | under(D, nights=14),
    "a judged fortnight": NIGHT | FORTNIGHT | JUDGED,
    "no local time": NIGHT | UNTIMED,
    "a fortnight without": NIGHT | FORTNIGHT | UNTIMED,
    "a nap alone": NAP,
    "a nap without stages": NAP | under(S, nap_sleep_minutes=None),
    "naps alone": NAP | under(S, count=2, naps=2),
    "a child": CHILD,
    "a night in parts": NIGHT | PARTS,
    "nights in parts": NIGHT | FORTNIGHT | PARTS,
    "a broken night": NIGHT
    | JUDGED
    | under(S, naps=1, nap_minutes=84.0, broken_nights=1)
    | under(A, sleep_duration=None),
    "some nights with stages": NIGHT | FORTNIGHT | under(S, staged_nights=9),
    "light sleep alone": NIGHT | LIGHT,
    "nights that are alike": NIGHT | FORTNIGHT | EVEN,
    "no stages": NIGHT | UNSTAGED,
    "nights without stages": NIGHT | FORTNIGHT | UNSTAGED,
    "a coarse device": NIGHT | under(S, waso=None, awakenings=None, sleep_onset_latency=20.0),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def told(case: Mapping[str, Json], choice: Choice = FIRST, hidden: frozenset[str] = NONE, advise: bool = True) -> Told:
    paths = [*(metric.path for metric in KIND.metrics), *(verdict.path for verdict in KIND.verdicts)]
    silent = {path for path in paths if case.get(path) is None} | hidden
    blank = ["wake_time", "total_sleep_time", "efficiency", "light_minutes", "deep_minutes", "rem_minutes"]
    row: dict[str, Json] = {"label": "session 1", "bed_time": "01:56", "time_in_bed": 443.0, **dict.fromkeys(blank)}
    advice: list[Json] = [advice.name for advice in KIND.recommendations] if advise else []
    everything: dict[str, Json] = {
        "sources": {"primary": SAMSUNG, "chosen": [SAMSUNG], "others": [OURA]},
        "silences": [{"path": path, "reason": REASON, "needs": NEEDS} for path in KIND.silences if path in silent],
        "recommendations": advice,
        "recommendations_on": advise,
        "series": [row],
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
    assert other.output.count(REASON) <= 2
    said = [*(w.text for w in other.evidence), *TEMPLATES.stories[KIND.template].constants]
    written = re.split("|".join(map(re.escape, sorted(said, key=len, reverse=True))), other.output)
    assert not re.search(r"\d", "".join(written))


@EVERY
def test_every_number_moves_with_its_fact(case: dict[str, Json]) -> None:
    before = told(case)
    moving = [p for p in before.paths & case.keys() if not isinstance(case[p], str) or p.startswith("period")]
    assert len(moving) > 2
    for path in moving:
        after = told(case | {path: perturbed(case[path])})
        own = [{w.text for w in row.evidence if w.path == path} for row in (before, after)]
        assert not own[0] & own[1], path


@pytest.mark.parametrize("place", PLACES)
def test_what_is_withheld_is_nowhere(place: int) -> None:
    hidden = under(S, sleep_onset_latency=777.0, quality_score=2.0) | under(A, sleep_quality="fair")
    row = told(NIGHT | hidden, always(place), frozenset(hidden))
    assert not re.search("12 h 57 min|criteria", row.input + row.output)
    assert REASON in row.output


@pytest.mark.parametrize("place", PLACES)
def test_what_is_a_night_and_what_is_not(place: int) -> None:
    output = {name: told(case, always(place), advise=False).output for name, case in CASES.items()}
    assert re.search("6 h 10 min.* 5 h 25 min.* 84.9 %.* 64.4 %.* estimate", output["two devices"])
    assert "the night to 20 September 2025" in output["a night"]
    assert re.search("[Nn]o night|not a night", output["a nap alone"])
    assert "one nap of 1 h 44 min in bed, 1 h 20 min of it asleep" in output["a nap alone"]
    assert re.search("01:56.* 09:19", output["a nap alone"])
    assert not re.search("efficiency|time asleep|[Oo]nly", output["a nap alone"])
    assert re.search(f"the time asleep.* {REASON}|[Tt]he time asleep .*{REASON}", output["a nap without stages"])
    assert "two naps" in output["naps alone"]
    assert "of 1 h 24 min in bed" in output["a night and a nap"]
    assert "night" not in output["by day"]
    assert not re.search(r"\d:\d|night", output["no local time"])
    assert "UTC" in output["no local time"]


@pytest.mark.parametrize("place", PLACES)
def test_no_claim_is_louder_than_its_data(place: int) -> None:
    output = {name: told(case, always(place), advise=False).output for name, case in CASES.items()}
    assert not re.search(r"7 hours|\bmarks? of|85 %|criteria", output["a child"])
    assert re.search(f"sleep time recommended.* {REASON}", output["a child"])
    assert re.search("30 min.* time awake out of bed", output["a night in parts"])
    assert re.search("out of bed", output["nights in parts"])
    assert not re.search("7 hours|nap|(?<!a )night", output["a broken night"].split(REASON)[0])
    assert re.search("9 of these nights|the 9 nights", output["some nights with stages"])
    assert re.search("(?<!all )13 of these nights", output["a fortnight"])
    assert re.search("all 14 of these nights", output["a fortnight beside another"])
    assert not re.search(r"0\.0 %|REM sleep was 0", output["light sleep alone"])
    assert re.search("[Nn]o.* REM|none.* REM", output["light sleep alone"])
    assert re.search("continuity", output["a night and a nap"])
    assert not re.search(r"SD 0 min|1\.0 awak|4\.0|0 min social|by 0 min", output["nights that are alike"])
    assert "all 4 published criteria" in output["nights that are alike"]
    assert "one awakening of" in output["nights that are alike"]


@pytest.mark.parametrize("name", ["a night", "a fortnight", "a nap alone", "no stages", "nights without stages"])
def test_openings_and_instructions_vary(name: str) -> None:
    rows = [told(CASES[name], evenly(str(number))) for number in range(60)]
    assert len({" ".join(row.output.split()[:5]) for row in rows}) >= 5
    assert len({row.instruction.split(" in the ")[0] for row in rows}) >= 4
    for row, plain in (
        (row, told(CASES[name], evenly(str(n)), advise=False).instruction) for n, row in enumerate(rows)
    ):
        assert "September 2025" in plain
        assert row.instruction.startswith(plain)
        assert re.search("recommend|should|change", row.instruction[len(plain) :])
