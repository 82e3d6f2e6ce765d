"""The shared wording: every phrasing of every macro, on facts of each kind."""

from pathlib import Path

import pytest

from etlnarr.model import Json
from etlnarr.prose import Style, Told, evenly, facts, load, tell
from tests.narration import OF_UPLOAD, always, story, unmoved

SHARED = Path(__file__).parents[1] / "templates" / "shared.jinja"
SPAN = "19 September 2025, 17:25 to 20 September 2025, 14:25"
MOST = 4  # phrasings of one tag
NIGHT: dict[str, Json] = {
    **OF_UPLOAD,
    "start": "2025-09-19T17:25:52",
    "end": "2025-09-20T14:25:00",
    "offset": "UTC-05:00",
    "offset_source": "inferred",
    "span_hours": 20.986,
}
DAY = NIGHT | {"start": "2025-09-20T00:05:00", "offset_source": "record", "span_hours": 14.333}
WEEKS = NIGHT | {"start": "2025-09-05T17:25:52", "offset_source": "setting", "span_hours": 357.0}
YEARS = NIGHT | {"start": "2024-12-31T23:00:00", "span_hours": 6300.0}
UNKNOWN: dict[str, Json] = {
    **OF_UPLOAD,
    "start": "2025-09-19T22:25:52Z",
    "end": "2025-09-20T19:25:00Z",
    "offset": None,
    "offset_source": None,
    "span_hours": 20.986,
}
MONTH = NIGHT | {"kind": "month", "first": "2025-09-01T00:00:00", "last": "2025-09-30T00:00:00"}
WEEK = NIGHT | {"kind": "week", "first": "2025-12-29T00:00:00", "last": "2026-01-04T00:00:00"}
TODAY = NIGHT | {"kind": "day", "first": "2025-09-20T00:00:00", "last": "2025-09-20T00:00:00"}
SO_FAR = {"as_of": "2025-09-20T10:25:00"}
SOURCES: dict[str, Json] = {
    "primary": {"package": "com.dexcom.stelo", "name": "Dexcom_Stelo", "records": 1253},
    "others": [{"package": "com.ouraring.oura", "name": "Oura", "records": 1}],
}
SILENCE: dict[str, Json] = {"path": "a.gmi", "reason": "the readings span too little time", "needs": "more days"}


def told(folder: Path, call: str, place: int = 0, **values: Json) -> Told:
    macros = "when, dates, asked, offset_clause, period_line, source_lines, counted, unsaid, talk_over"
    head = f'{{% from "shared.jinja" import {macros}, asking_advice, asking_limits %}}'
    (folder / "shared.jinja").write_text(SHARED.read_text(encoding="utf-8"), encoding="utf-8")
    data = "{{ period_line(period) }}\n{{ source_lines(sources) }}"
    (folder / "story.jinja").write_text(story(call, data, call, head))
    everything: dict[str, Json] = {"period": NIGHT, "sources": SOURCES, "silence": SILENCE, "on": True, **values}
    tree = facts(everything, {"period.span_hours": Style("h", 1)}, frozenset())
    return tell(load(folder), "story.jinja", tree, always(place))


@pytest.mark.parametrize(
    ("call", "period", "text"),
    [
        ("when", NIGHT, "from 17:25 on 19 September to 14:25 on 20 September 2025"),
        ("when", DAY, "on 20 September 2025 from 00:05 to 14:25"),
        ("when", WEEKS, "from 5 September to 20 September 2025"),
        ("when", YEARS, "from 31 December 2024 to 20 September 2025"),
        ("when", UNKNOWN, "from 19 September to 20 September 2025 UTC"),
        ("dates", DAY, "on 20 September 2025"),
        ("dates", UNKNOWN | {"start": UNKNOWN["end"]}, "on 20 September 2025 UTC"),
        ("asked", NIGHT, "from the evening of 19 September to the afternoon of 20 September 2025"),
        ("asked", DAY, "on 20 September 2025"),
        ("asked", WEEKS, "from 5 September to 20 September 2025"),
        ("asked", UNKNOWN, "from 19 September to 20 September 2025 UTC"),
        ("when", MONTH, "in September 2025"),
        ("dates", MONTH | SO_FAR, "in September 2025 (so far, as of 10:25 on 20 September)"),
        ("asked", MONTH | SO_FAR, "in September 2025"),
        ("when", WEEK, "in the week from 29 December 2025 to 4 January 2026"),
        ("dates", TODAY, "on 20 September 2025"),
        ("dates", TODAY | SO_FAR, "on 20 September 2025 (so far, as of 10:25)"),
        ("dates", TODAY | {"kind": "night"}, "in the night to 20 September 2025"),
        ("dates", TODAY | {"offset": None, "offset_source": None}, "on 20 September 2025 UTC"),
        ("offset_clause", DAY, ""),
        ("offset_clause", WEEKS, ""),
    ],
)
def test_the_period_in_words(tmp_path: Path, call: str, period: dict[str, Json], text: str) -> None:
    assert told(tmp_path, f"{{{{ {call}(period) }}}}", period=period).output == text


@pytest.mark.parametrize("period", [NIGHT, DAY, WEEKS, YEARS, UNKNOWN, MONTH, WEEK | SO_FAR, TODAY | SO_FAR])
@pytest.mark.parametrize("place", range(MOST))
def test_every_phrasing_states_the_same_of_a_period(tmp_path: Path, period: dict[str, Json], place: int) -> None:
    call = "{{ when(period)|capital }}, {{ dates(period) }}. {{ offset_clause(period) }}"
    one, other = told(tmp_path, call, period=period), told(tmp_path, call, place, period=period)
    assert {(w.path, w.text) for w in one.evidence} == {(w.path, w.text) for w in other.evidence}
    assert "  " not in other.output
    assert "tell" not in other.output


@pytest.mark.parametrize("place", range(MOST))
def test_an_unknown_local_time_has_no_clock(tmp_path: Path, place: int) -> None:
    output = told(tmp_path, "{{ when(period) }} {{ asked(period) }} {{ offset_clause(period) }}", place, period=UNKNOWN)
    assert ":2" not in output.output
    assert "UTC" in output.output


@pytest.mark.parametrize("place", range(3))
def test_an_inferred_offset_is_said_to_be_so(tmp_path: Path, place: int) -> None:
    assert "UTC-05:00" in told(tmp_path, "{{ offset_clause(period) }}", place).output
    mixed = NIGHT | {"offset": "UTC-05:00, UTC-04:00", "offset_source": "inferred, record"}
    for period, phrase in ((NIGHT, " inferred from your other devices"), (mixed, "in part inferred from your other")):
        text = told(tmp_path, "{{ offset_clause(period) }}", place, period=period).output
        assert phrase in text
        assert ("in part" in text) == (period is mixed)


@pytest.mark.parametrize(
    ("period", "line"),
    [
        (
            NIGHT,
            "19 September 2025, 17:25 to 20 September 2025, 14:25, UTC-05:00 (inferred from other devices), 21.0 h",
        ),
        (DAY, "20 September 2025, 00:05 to 20 September 2025, 14:25, UTC-05:00 (as recorded), 14.3 h"),
        (WEEKS, "5 September 2025, 17:25 to 20 September 2025, 14:25, UTC-05:00 (time zone given), 357.0 h"),
        (UNKNOWN, "19 September 2025, 22:25 to 20 September 2025, 19:25 UTC (local time not known), 21.0 h"),
        (
            NIGHT | {"offset_source": "inferred, record"},
            f"{SPAN}, UTC-05:00 (in part inferred from other devices), 21.0 h",
        ),
    ],
)
def test_the_head_of_the_data_block(tmp_path: Path, period: dict[str, Json], line: str) -> None:
    assert told(tmp_path, "Told.", period=period).input == (
        f"{line}\nsource: Dexcom_Stelo (com.dexcom.stelo), 1,253 records\nnot used: Oura (com.ouraring.oura), 1 record"
    )


def test_counted_things(tmp_path: Path) -> None:
    one, many = "sources.others[0].records", "sources.primary.records"
    call = f'{{{{ counted({one}, "entry", "entries") }}}}, {{{{ counted({many}, "entry", "entries") }}}}'
    assert told(tmp_path, call).output == "1 entry, 1,253 entries"


@pytest.mark.parametrize("place", range(MOST))
def test_a_silence_gives_its_reason_and_what_would_end_it(tmp_path: Path, place: int) -> None:
    output = told(tmp_path, '{{ unsaid("an estimate", silence) }}', place)
    assert [witness.text for witness in output.evidence] in (
        ["the readings span too little time", "more days"],
        ["more days", "the readings span too little time"],
    )
    assert "an estimate" in output.output
    assert output.output.endswith(".")


@pytest.mark.parametrize("place", range(MOST))
def test_what_an_instruction_asks_for(tmp_path: Path, place: int) -> None:
    assert told(tmp_path, "{{ asking_limits() }}", place).instruction.endswith((".", "?"))
    assert told(tmp_path, "{{ asking_advice(on) }}", place).instruction.endswith((".", "?"))
    assert told(tmp_path, "{{ asking_advice(on) }}", place, on=False).instruction == ""


@pytest.mark.parametrize("place", range(3))
def test_a_professional_is_named(tmp_path: Path, place: int) -> None:
    output = told(tmp_path, '{{ talk_over("these readings", "your doctor") }}', place).output
    assert "these readings" in output
    assert "your doctor" in output


@pytest.mark.parametrize("period", [NIGHT, DAY, WEEKS, UNKNOWN])
@pytest.mark.parametrize("place", range(MOST))
def test_every_number_moves_with_its_fact(tmp_path: Path, period: dict[str, Json], place: int) -> None:
    call = '{{ when(period) }} {{ counted(sources.primary.records, "record") }}'
    assert unmoved(lambda values: told(tmp_path, call, place, **values), {"period": period, "sources": SOURCES}) == []


def test_phrasings_of_the_opening_are_all_used(tmp_path: Path) -> None:
    told(tmp_path, "{{ when(period) }}")
    templates = load(tmp_path)
    tree = facts(
        {"period": DAY, "sources": SOURCES, "silence": SILENCE, "on": True}, {"period": Style("h", 1)}, frozenset()
    )
    assert len({tell(templates, "story.jinja", tree, evenly(str(n))).output for n in range(40)}) == 3
