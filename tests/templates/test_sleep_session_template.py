"""The narrative of sleep sessions: every branch, in every phrasing."""

import re
from collections.abc import Mapping

import pytest

from etlnarr import prose
from etlnarr.model import Json
from etlnarr.prose import Told, evenly, facts
from etlnarr.records.sleep_session import SLEEP_SESSION as KIND
from etlnarr.stages.narrate import styles, vocabulary
from tests.command import ROOT
from tests.narration import always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PLACES = range(6)
S, C, T, D, A = "sleep_statistics", "sleep_consistency", "temporal_patterns", "device_agreement", "clinical_assessment"
REASON, NEEDS = "the record is too thin", "a fuller record"
SAMSUNG = {"package": "com.sec.android.app.shealth", "name": "Samsung Health", "records": 1}
OURA = {"package": "com.ouraring.oura", "name": "Oura", "records": 1}
NIGHT: dict[str, Json] = {
    **{f"{S}.{name}": count for name, count in {"count": 1, "nights": 1, "naps": 0, "nap_minutes": 0.0}.items()},
    **{f"{S}.time_in_bed": 443.0, f"{S}.total_sleep_time": 370.0, f"{S}.efficiency": 83.5214},
    **{f"{S}.waso": 69.5, f"{S}.awakenings": 1.0, f"{T}.bed_time": 116.0, f"{T}.wake_time": 559.0},
    **{f"{S}.stages.{name}_percent": share for name, share in {"light": 45.81, "deep": 28.92, "rem": 25.27}.items()},
    **{f"{C}.midpoint": 335.75, f"{A}.sleep_duration": "short", f"{A}.efficiency_quality": "borderline"},
    "period.start": "2025-09-20T01:56:00",
    "period.end": "2025-09-20T09:19:00",
    "period.offset": "UTC-05:00",
    "period.offset_source": "record",
    "period.span_hours": 7.383333,
}
SECOND: dict[str, Json] = {
    **{f"{D}.other_total_sleep_time": 325.0, f"{D}.other_efficiency": 86.64, f"{D}.overlap_minutes": 375.0},
    **{f"{D}.sleep_wake_agreement": 84.93, f"{D}.sleep_wake_kappa": 0.25},
    **{f"{D}.stage_agreement": 64.4, f"{D}.stage_kappa": 0.485},
}
JUDGED = {
    **{f"{S}.sleep_onset_latency": 42.0, f"{S}.quality_score": 2.0, f"{A}.sleep_quality": "fair"},
    **{f"{S}.total_sleep_time": 580.0, f"{A}.sleep_duration": "long"},
    **{f"{S}.efficiency": 72.25, f"{A}.efficiency_quality": "poor"},
}
FORTNIGHT = {
    **{f"{S}.count": 16, f"{S}.nights": 14, f"{S}.naps": 2, f"{S}.nap_minutes": 150.0, f"{S}.awakenings": 1.357},
    **{f"{S}.total_sleep_time_{name}": minutes for name, minutes in {"std": 33.2, "min": 285.5, "max": 402.5}.items()},
    **{f"{C}.midpoint_sd": 86.86, f"{C}.social_jetlag": 181.2, f"{A}.regularity": "irregular"},
    **{f"{A}.social_jetlag": "large", "period.start": "2025-09-06T23:40:00", "period.span_hours": 321.65},
}
UNTIMED = {name: None for name in (f"{T}.bed_time", f"{T}.wake_time", f"{C}.midpoint", "period.offset")} | {
    "period.offset_source": None
}
NAP = {path: None for path in NIGHT if not path.startswith("period")} | {
    **{f"{S}.count": 1, f"{S}.nights": 0, f"{S}.naps": 1, f"{S}.nap_minutes": 104.0}
}
UNSTAGED = {path: None for path in NIGHT if re.search("stages|total|effic|waso|awaken|duration", path)}
CASES: Mapping[str, dict[str, Json]] = {
    "a night": NIGHT,
    "two devices": NIGHT | SECOND,
    "a night and a nap": NIGHT | JUDGED | {f"{S}.naps": 1, f"{S}.nap_minutes": 84.0, f"{S}.awakenings": 0.0},
    "enough sleep": NIGHT | {f"{A}.sleep_duration": "sufficient", f"{A}.efficiency_quality": "good"},
    "by day": NIGHT | {f"{T}.bed_time": 540.0, f"{T}.wake_time": 983.0},
    "a fortnight": NIGHT | FORTNIGHT | SECOND,
    "a judged fortnight": NIGHT | FORTNIGHT | JUDGED,
    "no local time": NIGHT | UNTIMED,
    "a fortnight without": NIGHT | FORTNIGHT | UNTIMED | {f"{A}.regularity": None, f"{A}.social_jetlag": None},
    "a nap alone": NIGHT | NAP,
    "no stages": NIGHT | UNSTAGED,
    "nights without stages": NIGHT | FORTNIGHT | UNSTAGED,
    "a coarse device": NIGHT | {f"{S}.waso": None, f"{S}.awakenings": None, f"{S}.sleep_onset_latency": 20.0},
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def told(
    values: Mapping[str, Json], choice: prose.Choice = always(0), withheld: tuple[str, ...] = (), advise: bool = True
) -> Told:
    paths = [*(metric.path for metric in KIND.metrics), *(verdict.path for verdict in KIND.verdicts)]
    silent = {path for path in paths if values.get(path) is None} | set(withheld)
    everything: dict[str, Json] = {
        "sources": {"primary": SAMSUNG, "chosen": [SAMSUNG], "others": [OURA]},
        "silences": [{"path": path, "reason": REASON, "needs": NEEDS} for path in KIND.silences if path in silent],
        "recommendations": [advice.name for advice in KIND.recommendations][:3] if advise else [],
        "recommendations_on": advise,
        "series": [{"label": "session 1", "bed_time": None, "wake_time": None, "time_in_bed": 443.0}
                   | dict.fromkeys(["total_sleep_time", "efficiency", "light_minutes", "deep_minutes", "rem_minutes"])],
    }  # fmt: skip
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


@EVERY
def test_every_number_moves_with_its_fact(case: dict[str, Json]) -> None:
    before = told(case)
    for path in before.paths & case.keys():
        if not isinstance(case[path], str) or path in ("period.start", "period.end"):
            after = told(case | {path: perturbed(case[path])})
            own = [{w.text for w in row.evidence if w.path == path} for row in (before, after)]
            assert not own[0] & own[1], path


@EVERY
def test_no_digit_without_witness(case: dict[str, Json]) -> None:
    row = told(case)
    rest = list(row.output)
    for witness in row.evidence:
        rest[witness.start : witness.end] = "_" * (witness.end - witness.start)
    text = "".join(rest)
    for constant in sorted(TEMPLATES.stories[KIND.template].constants, key=len, reverse=True):
        text = text.replace(constant, "")
    assert not re.search(r"\d", text)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_withheld_is_nowhere(place: int) -> None:
    case = NIGHT | JUDGED | {f"{S}.sleep_onset_latency": 777.0}
    row = told(case, always(place), (f"{S}.sleep_onset_latency", f"{S}.quality_score", f"{A}.sleep_quality"))
    assert "12 h 57 min" not in row.input + row.output
    assert "criteria" not in row.input + row.output
    assert REASON in row.output


@pytest.mark.parametrize("place", PLACES)
def test_a_nap_alone_is_no_night(place: int) -> None:
    output = told(CASES["a nap alone"], always(place)).output
    assert "one nap of 1 h 44 min" in output
    assert re.search("[Nn]o night|not a night", output)
    assert not re.search("efficiency|in bed \\(|the night", output.split("\n\n")[0])


@pytest.mark.parametrize("place", PLACES)
def test_without_local_time_there_is_neither_clock_nor_night(place: int) -> None:
    output = told(CASES["no local time"], always(place), advise=False).output
    assert not re.search(r"\d:\d|night", output)
    assert "UTC" in output


@pytest.mark.parametrize("place", PLACES)
def test_the_devices_are_compared_and_not_added(place: int) -> None:
    output = told(CASES["two devices"], always(place)).output
    assert all(text in output for text in ("6 h 10 min", "5 h 25 min", "84.9 %", "64.4 %", "Oura", "estimate"))
    assert "11 h 35 min" not in output


def test_sleep_of_the_day_is_not_called_a_night() -> None:
    assert "night" not in told(CASES["by day"], advise=False).output.split("\n\n")[0]


@EVERY
def test_silences_and_advice_come_last(case: dict[str, Json]) -> None:
    output = told(case).output
    assert output.count(REASON) <= 2
    assert output.split("\n\n")[1].rstrip().endswith(told(case, advise=False).output[-1:])
    assert "doctor" not in output.split("\n\n")[0]


def test_openings_and_instructions_vary() -> None:
    for case in (NIGHT, NIGHT | FORTNIGHT, CASES["a nap alone"], CASES["no stages"], CASES["nights without stages"]):
        rows = [told(case, evenly(str(number))) for number in range(80)]
        assert len({" ".join(row.output.split()[:5]) for row in rows}) >= 5
        assert len({row.instruction.split(" in the ")[0] for row in rows}) >= 4
        assert all("September 2025" in row.instruction for row in rows)


def test_advice_is_asked_for_only_when_it_is_on() -> None:
    for number in range(20):
        asked, plain = (told(NIGHT, evenly(str(number)), advise=on).instruction for on in (True, False))
        assert asked.startswith(plain)
        assert re.search("recommend|should|change", asked[len(plain) :])
