"""The narrative of active energy: every branch, every phrasing, every reason of a silence."""

import re
from collections.abc import Mapping

import pytest

from etlnarr import prose
from etlnarr.example import styles, vocabulary
from etlnarr.insights import claims_of
from etlnarr.model import Json
from etlnarr.records.active_calories_burned import ACTIVE_CALORIES_BURNED as KIND
from etlnarr.records.sources import habit_gates
from tests.command import ROOT
from tests.narration import OF_UPLOAD, always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PHRASINGS = pytest.mark.parametrize("place", range(6))
GUIDELINE = KIND.verdicts[0].path
ELAPSED = "energy_statistics.latest.day_elapsed_percent"
APPS: list[Json] = [{"package": "com.example", "name": name, "records": 8} for name in ("Oura", "Google Fit")]


def energy(group: str = "energy_statistics", /, **found: Json) -> dict[str, Json]:
    return {f"{group}.{name}": value for name, value in found.items()}


PERIOD = energy("period", **OF_UPLOAD) | energy(
    "period", end="2025-09-20T23:59:59", offset="UTC-05:00", offset_source="record"
)
NO_ZONE = energy("period", offset=None, offset_source=None) | energy("energy_statistics.latest", as_of=None)
DAY = PERIOD | energy("period", start="2025-09-20T04:00:00", span_hours=20.0)
DAY |= energy(count=1, days=1, complete_days=0, total=124.0)
OPEN = energy("energy_statistics.latest", total=124.0, as_of=1024.2) | {ELAPSED: 65.3}
FEW = DAY | energy("period", start="2025-09-13T00:00:00", span_hours=192.0)
FEW |= energy(count=3, days=3, total=733.4, daily_min=209.2, daily_max=291.6)
WEEK = FEW | energy(count=147, days=8, complete_days=7, daily_mean=256.4, daily_std=26.3)
SECOND = energy("device_agreement", shared_days=4, other_total=736.0, other_day_start=240.0)
EFFORT = energy("energy_statistics.intensity", mean_met=4.27, light_minutes=60.0, moderate_minutes=95.0)
EFFORT |= energy("energy_statistics.intensity", vigorous_minutes=31.0, weekly_minutes=157.0) | {GUIDELINE: "reached"}
SESSIONS = energy("energy_statistics.sessions", count=3, minutes=125.0)
BODY = energy("energy_statistics.metabolic", basal_rate=1548.2, total_expenditure=1804.6)
HOURS = energy("temporal_patterns.hourly_distribution", **{f"h{hour:02}": hour * 7.0 for hour in range(24)})
CUT = energy(cut_days=1, cut_day="2025-09-13")
CASES: Mapping[str, dict[str, Json]] = {
    "not over": DAY | OPEN,
    "not over, second source": DAY | OPEN | SECOND | energy("device_agreement", shared_days=1),
    "not over, no local time": DAY | OPEN | NO_ZONE,
    "end not known": DAY,
    "complete": DAY | energy(complete_days=1, daily_min=124.0, daily_max=124.0),
    "one complete of several": FEW | OPEN | energy(complete_days=1),
    "two complete": FEW | OPEN | energy(complete_days=2),
    "none complete": FEW | OPEN | NO_ZONE | energy(complete_days=0) | {ELAPSED: None},
    "week": WEEK | OPEN | HOURS | {"temporal_patterns.peak_hour": 18},
    "week with effort": WEEK | EFFORT | SESSIONS | BODY,
    "week, second source": WEEK | SECOND | energy("device_agreement", difference_percent=-25.71),
    "week of equal days": WEEK | energy(daily_min=256.0, daily_max=256.0, daily_std=0.0, daily_mean=256.0),
    "week of nearly equal days": WEEK | energy(daily_min=256.2, daily_max=256.6, daily_std=0.2),
    "two equal days": FEW | energy(complete_days=2, daily_max=209.2),
    "low days": WEEK | energy(low_days=3),
    "low day": WEEK | energy(low_days=1),
    "one low day": FEW | energy(complete_days=1, low_days=1, daily_min=9.0, daily_max=9.0),
    "day cut": DAY | OPEN | energy("period", start="2025-09-20T07:55:00") | CUT | energy(cut_day="2025-09-20"),
    "beginning cut": WEEK | CUT,
    "middle cut": WEEK | OPEN | CUT | energy(cut_day="2025-09-15"),
    "days cut": WEEK | CUT | energy(cut_days=2),
    "all complete": WEEK | energy(days=7) | HOURS | {"temporal_patterns.peak_hour": 18},
    "no session": WEEK | EFFORT | energy("energy_statistics.sessions", count=0, minutes=0.0),
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
        "series": [{"label": "2025-09-20", "n": 1, "total": 3933.0, "complete": False}],
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
    assert not re.search(r" [,.;:]|  |\(\)|\.\.|,,|normal", f"{row.output} {row.instruction}")
    rest = "".join(" " if any(w.start <= at < w.end for w in row.evidence) else c for at, c in enumerate(row.output))
    for constant in sorted(TEMPLATES.stories[KIND.template].constants, key=len, reverse=True):
        rest = rest.replace(constant, "")
    assert not re.search(r"\d", rest)


@EVERY
def test_every_number_moves_with_its_fact(case: dict[str, Json]) -> None:
    before = told(case)
    kept = {*energy(days=0, complete_days=0, count=0), GUIDELINE, *SESSIONS}  # these decide what is told
    for path in (before.paths & case.keys()) - kept:
        after = told(case | {path: perturbed(case[path])})
        own = [{w.text for w in row.evidence if w.path == path} for row in (before, after)]
        assert not own[0] & own[1], path


@pytest.mark.parametrize("silence", REASONS, ids=lambda entry: f"{entry['path']}: {entry['reason']}")
@PHRASINGS
def test_every_silence_says_its_reason_and_not_the_claim(silence: dict[str, str], place: int) -> None:
    row = told(WEEK | EFFORT | SESSIONS | BODY, place, silence)
    assert silence["reason"].lower() in row.output.lower()
    assert "--" not in row.output
    assert silence["path"] not in row.paths


@PHRASINGS
def test_what_is_said_of_energy(place: int) -> None:
    output = {name: told(case, place).output for name, case in CASES.items()}
    assert re.search("17:04, after 65 % of its day .from 04:00.*the (whole )?day", output["not over"])
    assert all(re.search("(at|beyond) rest.* below 20 %", text) for text in output.values())
    assert not re.search(r"\d:\d", output["not over, no local time"])
    assert "209 and 292 kcal of active energy on the complete days, 733 in all" in output["two complete"]
    assert re.search("no hour held more than that from 18:00|any other|the most active energy", output["week"])
    assert "incomplete days included" in output["week"].lower()
    assert "incomplete" not in output["all complete"]
    assert "3 sessions of exercise, 10 min or more at 3 MET or more, 2 h 5 min in all" in output["week with effort"]
    assert "no sessions of exercise" in output["no session"]
    assert "1,548 kcal a day, 1,805 with the average active energy" in output["week with effort"]
    assert "Google Fit, whose day begins at 04:00, counted 736 kcal" in output["not over, second source"]
    assert "shares 4 days and counted 25.7 % less on days complete in each" in output["week, second source"]


@PHRASINGS
def test_equal_low_and_cut_days(place: int) -> None:
    output = {name: told(case, place).output.lower() for name, case in CASES.items()}
    assert "without a difference between the days" in output["week of equal days"]
    assert "with hardly a difference between the days" in output["week of nearly equal days"]
    assert "209 kcal of active energy on each complete day, 733 in all" in output["two equal days"]
    assert "3 of the complete days have less than 25 kcal" in output["low days"]
    assert "1 of the complete days has less than 25 kcal" in output["low day"]
    assert "the complete day has less than 25 kcal" in output["one low day"]
    assert "25 kcal" not in output["week"]
    assert re.search("records begin at 07:55", output["day cut"])
    assert "the first day, 13 september" in output["beginning cut"]
    assert re.search(r"15 september (may)[^.]*left out\.", output["middle cut"])
    assert re.search(r"2 (days )?(that )?may be cut off at their start and are left out\.", output["days cut"])


@pytest.mark.parametrize(("word", "text"), [("not_reached", "below"), ("reached", "within"), ("exceeded", "above")])
@PHRASINGS
def test_the_guideline_names_its_limits(word: str, text: str, place: int) -> None:
    row = told(WEEK | EFFORT | {GUIDELINE: word}, place)
    assert [w.text for w in row.evidence if w.path == GUIDELINE] == [text]
    assert re.search(f"157 moderate minutes.*{text} the 150 to 300 advised to adults", row.output)


def test_openings_and_instructions_vary_and_advice_is_asked_for_when_it_is_on() -> None:
    for case in (CASES["not over"], CASES["two complete"], CASES["end not known"], WEEK):
        rows = [(told(case, str(number)), told(case, str(number), on=False)) for number in range(60)]
        for part in ("output", "instruction"):
            assert len({" ".join(getattr(row, part).split()[:5]) for row, _ in rows}) >= 5
        for row, plain in rows:
            assert "20 September 2025" in plain.instruction
            assert re.search("recommend|should|change", row.instruction.removeprefix(plain.instruction))
            assert re.search("doctor.*7 complete days", row.output.removeprefix(plain.output))
