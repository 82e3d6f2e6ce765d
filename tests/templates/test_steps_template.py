"""The narrative of steps: every branch, every phrasing, every reason of a silence."""

import re
from collections.abc import Mapping

import pytest

from etlnarr import prose
from etlnarr.example import styles, vocabulary
from etlnarr.insights import claims_of
from etlnarr.model import Json
from etlnarr.records.sources import habit_gates
from etlnarr.records.steps import STEPS_RECORD as KIND
from tests.command import ROOT
from tests.narration import OF_UPLOAD, always, perturbed

TEMPLATES = prose.load(ROOT / "templates")
PHRASINGS = pytest.mark.parametrize("place", range(6))
LEVEL, GUIDELINE, BANDS = KIND.verdicts[0].path, KIND.verdicts[1].path, KIND.verdicts[0].bands
APPS: list[Json] = [{"package": "com.example", "name": name, "records": 8} for name in ("Samsung Health", "Oura")]


def steps(group: str = "steps_statistics", /, **found: Json) -> dict[str, Json]:
    return {f"{group}.{name}": value for name, value in found.items()}


PERIOD = steps("period", **OF_UPLOAD) | steps(
    "period", end="2025-09-20T23:59:59", offset="UTC-05:00", offset_source="record"
)
NO_ZONE = steps("period", offset=None, offset_source=None) | steps("steps_statistics.latest", as_of=None)
LONG = PERIOD | steps("period", start="2025-09-13T00:00:00", span_hours=192.0)
DAY = PERIOD | steps("period", start="2025-09-20T00:00:00", span_hours=24.0)
DAY |= steps(count=1, days=1, complete_days=0, total=3933.0)
OPEN = steps("steps_statistics.latest", total=3933.0, as_of=1030.2, day_elapsed_percent=71.6)
FEW = LONG | steps(count=3, days=3, total=13233.0, daily_min=4100.0, daily_max=5200.0)
DAYS = FEW | steps(count=8, days=8, complete_days=7, daily_mean=6043.4, daily_std=747.8)
WEEK = DAYS | steps(days_at_least_7000=1, days_at_least_10000=0) | {LEVEL: "low_active", GUIDELINE: "not_reached"}
UNTIMED = steps("steps_statistics.latest", day_elapsed_percent=None)
SECOND = steps("device_agreement", shared_days=6, other_total=23878.0, other_day_start=240.0)
PACE = steps("steps_statistics.cadence", highest=165.4, moderate_minutes=174.0, vigorous_minutes=95.0)
HOURS = steps("temporal_patterns.hourly_distribution", **{f"h{hour:02}": hour * 7.0 for hour in range(24)})
LOW = steps(low_days=3)
CUT = steps(cut_days=1, cut_day="2025-09-13")
CASES: Mapping[str, dict[str, Json]] = {
    "not over": DAY | OPEN,
    "not over, second source": DAY | OPEN | SECOND | steps("device_agreement", shared_days=1),
    "from four o'clock": DAY | OPEN | steps("period", start="2025-09-20T04:00:00", span_hours=20.0),
    "not over, no local time": DAY | OPEN | NO_ZONE,
    "end not known": DAY,
    "complete": DAY | steps(complete_days=1, daily_min=3933.0, daily_max=3933.0),
    "one complete of several": FEW | OPEN | steps(complete_days=1),
    "two complete": FEW | OPEN | steps(complete_days=2),
    "none complete": FEW | OPEN | NO_ZONE | steps(complete_days=0) | UNTIMED,
    "week": WEEK,
    "week by the minute": WEEK | OPEN | PACE | HOURS | {"temporal_patterns.peak_hour": 18},
    "week, second source": WEEK | OPEN | SECOND | steps("device_agreement", difference_percent=-30.52),
    "second source with more": WEEK | SECOND | steps("device_agreement", difference_percent=4.25, other_day_start=0.0),
    "week of equal days": WEEK | steps(daily_min=6043.0, daily_max=6043.0, daily_std=0.0, daily_mean=6043.0),
    "week of nearly equal days": WEEK | steps(daily_min=6042.0, daily_max=6043.0, daily_std=0.38),
    "two equal days": FEW | OPEN | steps(complete_days=2, daily_max=4100.0),
    "low days": WEEK | LOW | {LEVEL: None, GUIDELINE: None},
    "low day": WEEK | LOW | steps(low_days=1) | {LEVEL: None, GUIDELINE: None},
    "one low day": FEW | LOW | steps(complete_days=1, low_days=1, daily_min=210.0, daily_max=210.0),
    "day cut": DAY | OPEN | steps("period", start="2025-09-20T07:55:00") | CUT | steps(cut_day="2025-09-20"),
    "beginning cut": WEEK | CUT,
    "middle cut": WEEK | OPEN | CUT | steps(cut_day="2025-09-15"),
    "days cut": WEEK | CUT | steps(cut_days=2),
    "cut, none complete": FEW | OPEN | CUT | steps(complete_days=0),
    "all complete by the minute": WEEK | steps(days=7) | PACE | HOURS | {"temporal_patterns.peak_hour": 18},
    "six days": WEEK | steps(complete_days=6) | {GUIDELINE: None},
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
    kept = {*steps(days=0, complete_days=0, count=0), LEVEL, GUIDELINE}  # these decide what is told
    for path in (before.paths & case.keys()) - kept:
        after = told(case | {path: perturbed(case[path])})
        own = [{w.text for w in row.evidence if w.path == path} for row in (before, after)]
        assert not own[0] & own[1], path


@pytest.mark.parametrize("silence", REASONS, ids=lambda entry: f"{entry['path']}: {entry['reason']}")
@PHRASINGS
def test_every_silence_says_its_reason_and_not_the_claim(silence: dict[str, str], place: int) -> None:
    row = told(WEEK | PACE | HOURS, place, silence)
    assert silence["reason"].lower() in row.output.lower()
    assert "--" not in row.output
    assert silence["path"] not in row.paths
    assert "6,043" not in row.input or silence["path"] != "steps_statistics.daily_mean"


@PHRASINGS
def test_hours_and_sitting_that_are_silent_for_one_reason_share_a_sentence(place: int) -> None:
    reason = "the source gives one total for the day"
    both = [{"path": path, "reason": reason, "needs": "shorter records"} for path in KIND.silences[2:4]]
    output = told(DAY | OPEN, place, *both).output.lower()
    assert output.count(reason) == 1
    assert "you walked and how long you sat" in output


@PHRASINGS
def test_what_is_said_of_the_days(place: int) -> None:
    output = {name: told(case, place).output for name, case in CASES.items()}
    assert re.search("17:10, after 72 % of the day.* no (daily total|activity level)", output["not over"])
    assert "after 72 % of its day (from 04:00)" in output["from four o'clock"]
    assert not re.search(r"\d:\d", output["not over, no local time"])
    assert "last written before the day was over" in output["none complete"]
    assert "4,100 and 5,200 steps on the complete days, 13,233 in all" in output["two complete"]
    assert "known to be complete" in output["end not known"]
    assert "Oura, whose day begins at 04:00, counted 23,878" in output["not over, second source"]
    assert "shares 6 days and counted 30.5 % fewer on days complete in each" in output["week, second source"]
    assert "Oura shares 6 days and counted 4.2 % more" in output["second source with more"]
    assert "mortality" not in output["six days"]
    assert "the fastest pace was 165." not in output["week by the minute"]
    assert re.search("165 steps a minute", output["week by the minute"])
    assert re.search("associat.* group.* not (as )?your own risk", output["week"])


@PHRASINGS
def test_equal_days_have_no_spread(place: int) -> None:
    output = {name: told(case, place).output for name, case in CASES.items()}
    assert "6,043 steps" in output["week of equal days"].replace("6,043 a day", "6,043 steps")
    assert "without a difference between the days" in output["week of equal days"]
    assert "with hardly a difference between the days" in output["week of nearly equal days"]
    assert not any("SD" in output[name] for name in ("week of equal days", "week of nearly equal days"))
    assert "4,100 steps on each complete day, 13,233 in all" in output["two equal days"]
    assert "from 4,100 to 5,200 (SD 748)" in output["week"]


@PHRASINGS
def test_low_days_are_named_and_what_is_not_known_of_them(place: int) -> None:
    output = {name: told(case, place).output.lower() for name, case in CASES.items()}
    assert "3 of the complete days have fewer than 500 steps" in output["low days"]
    assert "1 of the complete days has fewer than 500 steps" in output["low day"]
    assert "the complete day has fewer than 500 steps" in output["one low day"]
    assert all("the device was" in output[name] for name in ("low days", "low day", "one low day"))
    assert "the device was" not in told(WEEK | steps(low_days=0), place).output


@PHRASINGS
def test_days_that_may_be_cut_off_are_named(place: int) -> None:
    output = {name: told(case, place).output.lower() for name, case in CASES.items()}
    assert re.search(
        "records begin at 07:55.*start of the day|start of the day.*records begin at 07:55", output["day cut"]
    )
    assert re.search(
        "the first day, 13 september,.* (start|beginning)|start the first day, 13 september", output["beginning cut"]
    )
    assert re.search(r"15 september (may|is cut)[^.]*left out\.", output["middle cut"])
    assert "first day" not in output["middle cut"]
    assert re.search(r"2 (days )?(that )?may be cut off at their start and are left out\.", output["days cut"])
    assert "13 september" in output["cut, none complete"]
    assert "left out" not in output["cut, none complete"] + output["day cut"]


@PHRASINGS
def test_the_hour_with_most_is_not_said_to_hold_most(place: int) -> None:
    output = {name: told(case, place).output.lower() for name, case in CASES.items()}
    partial, full = output["week by the minute"], output["all complete by the minute"]
    assert "incomplete days included" in partial
    assert "incomplete" not in full
    for text in (partial, full):
        assert re.search("no hour held more than that from 18:00|more steps than any other|held the most steps", text)


@PHRASINGS
def test_level_and_studies_that_are_silent_for_one_reason_share_a_sentence(place: int) -> None:
    reason = "these marks are for adults, and you are under 18"
    same = [{"path": path, "reason": reason, "needs": "nothing"} for path in (LEVEL, GUIDELINE)]
    output = told(WEEK, place, *same).output
    assert output.count(reason) == 1
    assert "comparison with studies" in output


@pytest.mark.parametrize("number", range(len(BANDS)), ids=[band[0] for band in BANDS])
@PHRASINGS
def test_the_activity_level_names_its_limits(number: int, place: int) -> None:
    row = told(WEEK | {LEVEL: BANDS[number][0]}, place)
    own = next(part for part in row.output.split(".") if "step index" in part)
    assert [w.text for w in row.evidence if w.path == LEVEL] == [BANDS[number][0].replace("_", " ")]
    limits = [limit for _, limit, _ in BANDS[max(number - 1, 0) : number + 1] if limit < float("inf")]
    assert [int(limit.replace(",", "")) for limit in re.findall(r"\d+,\d+", own)] == limits


def test_openings_and_instructions_vary_and_advice_is_asked_for_when_it_is_on() -> None:
    for case in (CASES["not over"], CASES["two complete"], WEEK):
        rows = [(told(case, str(number)), told(case, str(number), on=False)) for number in range(60)]
        for part in ("output", "instruction"):
            assert len({" ".join(getattr(row, part).split()[:5]) for row, _ in rows}) >= 5
        for row, plain in rows:
            assert "20 September 2025" in plain.instruction
            assert re.search("recommend|should|change", row.instruction.removeprefix(plain.instruction))
            assert re.search("doctor.*7 complete days", row.output.removeprefix(plain.output))
