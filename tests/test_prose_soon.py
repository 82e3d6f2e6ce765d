"""What is told in fewer steps is told as by the steps that are left out."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlnarr import example
from etlnarr.errors import GateError
from etlnarr.model import Json
from etlnarr.prose import facts, gates
from etlnarr.prose.facts import FactList
from etlnarr.prose.page import PAGE, PARAGRAPH, TOKENS, Print, Witness, blank, flowing, in_lines
from etlnarr.prose.table import table
from etlnarr.wire import Evidence, Withheld
from tests.narration import VALUES, always, story, tell_story

PIECES = st.sampled_from(
    [
        *" \n\t\r\x1c.,;:!?aZ%)5",
        "\u2003",
        PARAGRAPH,
        chr(0xF0000),
        chr(0x100000),
        "\n\n",
        " .",
        ". ",
        "is.A",
        "a",
        "0.5",
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
LOOSE = re.compile(r" +(?=[.,;:!?])")
TIGHT = re.compile(rf"(?<=[a-z)%{TOKENS}][.?!])(?=[A-Z{TOKENS}])")


@given(TEXTS)
def test_text_flows_as_by_two_patterns(text: str) -> None:
    paragraphs = (" ".join(part.split()) for part in text.split(PARAGRAPH))
    assert flowing(text) == "\n\n".join(TIGHT.sub(" ", LOOSE.sub("", part)) for part in paragraphs if part)


@given(TEXTS)
def test_text_keeps_its_lines_as_line_by_line(text: str) -> None:
    lines = [" ".join(line.split()) for line in text.replace(PARAGRAPH, "\n\n").split("\n")]
    assert in_lines(text) == re.sub(r"\n{3,}", "\n\n", LOOSE.sub("", "\n".join(lines))).strip("\n")


NUMERIC = st.lists(st.sampled_from([*"0159.,: -a\n٣", ", ", ": ", "10", "1,200", "17:25"]), max_size=25).map("".join)


@given(st.lists(NUMERIC, min_size=1, max_size=4), NUMERIC, st.booleans())
def test_numbers_are_found_in_the_data_as_by_the_pattern(proofs: Sequence[str], data: str, word: bool) -> None:
    prints: list[Print] = [("a.b", "word" if word else 1, proof) for proof in proofs]
    given_numbers = set(gates.NUMBER.findall(data))
    allowed = {"10"} if word else set()
    founded = all(set(gates.NUMBER.findall(proof)) - given_numbers <= allowed for proof in proofs)
    try:
        gates.refuse_unfounded(prints, data, ["10 days"])
    except GateError:
        assert not founded
    else:
        assert founded


@pytest.mark.parametrize(
    ("proof", "data"), [("1200", "1,200"), ("5", "5٣ 1.5 5.1 15"), ("1,200", "1, 200"), ("17:25", "17: 25, 17.25")]
)
def test_a_number_in_another_form_is_not_found(proof: str, data: str) -> None:
    assert _refused(lambda: gates.refuse_unfounded([("a.b", 1, proof)], data, ["10 days"]))
    assert not _refused(lambda: gates.refuse_unfounded([("a.b", 1, proof)], f"{data} é({proof}), or", ["10 days"]))


WORDS = st.sampled_from(
    ["fair", "Fair", "unfair", "very", "low", "two", "Twofold", "seven", "7", "½", "é", "\0", "normal"]
)


@given(st.lists(st.tuples(WORDS, st.sampled_from([" ", "-", "_", "\0", "'"])), max_size=8))
def test_words_are_refused_as_by_the_patterns(words: Sequence[tuple[str, str]]) -> None:
    text = "".join(word + apart for word, apart in words)
    number = re.search(r"\d|½", text) or {"two", "twofold", "seven"} & set(re.findall("[a-z]+", text.lower()))
    verdict = re.search(r"\b(fair|very[\s_-]+low|normal)\b", text, re.IGNORECASE)
    assert _refused(lambda: gates.refuse_strays(text, "output", tuple)) == bool(number)
    vocabulary = frozenset({"fair", "very_low"})
    assert _refused(lambda: gates.refuse_verdicts(text, vocabulary, tuple)) == bool(verdict)


CELLS: st.SearchStrategy[Json] = st.sampled_from(
    [None, 0, 7, 1200, 2.675, -0.04, 1e300, True, "", " ", "light_sleep", "a  b", "2025-09-19T01:56:00", [1], {"n": 1}]
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b"]), CELLS, min_size=1) | st.sampled_from([None, "a", 1, ["a"]]), max_size=3
)
FORMS = st.sampled_from([0, 1, "name", "date", "weekday", "year", "clock", "words", "loud"])


@given(ROWS, FORMS, FORMS, st.sampled_from(["rows", "rows.0", "rows.1.b", "row", "rowst.0"]))
def test_a_table_is_made_of_values_as_of_facts(rows: list[Json], a: int | str, b: int | str, withheld: str) -> None:
    group = facts({"rows": rows}, {}, frozenset({withheld})).child("rows")
    assert isinstance(group, FactList)
    assert _table(group, a=a, b=b) == _table(list(group), a=a, b=b)


@pytest.mark.parametrize(
    ("row", "withheld", "message"),
    [
        ({"a": 1.25, "b": "x"}, "rows.0", "the table has no column a that may be shown"),
        ({"a": 1.25, "b": "x"}, "rows.0.b", "rows.0.b is withheld, ask .stated first"),
        ({"a": 1.25, "b": ""}, "none", "rows.0.b is not defined, ask .stated first"),
    ],
)
def test_a_cell_that_may_not_be_shown(row: Json, withheld: str, message: str) -> None:
    group = facts({"rows": [row]}, {}, frozenset({withheld})).child("rows")
    assert isinstance(group, FactList)
    assert _table(group, a=1, b="name") == f"refused: {message}"


def test_a_table_of_plain_values_makes_no_facts() -> None:
    group = facts({"rows": [{"a": 1.25, "b": "x"}, {"a": None, "b": "y z"}]}, {}, frozenset({"rowst.0"})).child("rows")
    assert isinstance(group, FactList)
    assert _table(group, a=1, b="name") == "a  b\n1.2  x\n-  y z"
    assert group.grown == []


def _table(rows: Sequence[object], **columns: int | str) -> str:
    page = blank(always(0), ())
    token = PAGE.set(page)
    try:
        return page.texts[table(rows, **columns)]  # type: ignore[arg-type]  # nodes all
    except GateError as error:
        return f"refused: {error}"
    finally:
        PAGE.reset(token)


MACROS = """
{% macro of(one, other="none") %}
  {{ one }} and {{ other }}
{% endmacro %}
{% macro around() %}<{{ caller() }}>{% endmacro %}
{% macro rest(one) %}{{ one }}{{ "+" if varargs }}{{ varargs|join }}{% endmacro %}
{% macro named(one) %}{{ one }}{{ kwargs|join }}{% endmacro %}
{% macro all() %}{{ varargs|join("+") }} {{ kwargs.x }}{% endmacro %}
{% set constants = {"items": "70", "keys": "80", "low": "90"} %}
"""


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("{{ of('a', 'b') }}; {{ of('a') }}; {{ of(other='b', one='a') }}", "a and b; a and none; a and b"),
        ("{% call around() %} so {% endcall %}", "< so >"),
        ("{{ all('a', 'b', x='c') }}", "a+b c"),
        ("{{ rest('a') }} {{ rest('a', 'b') }} {{ named('a') }} {{ named('a', x='b') }}", "a a+b a ax"),
        ("{% filter trim %} a {% endfilter %}", "a"),
        ("{% filter trim(chars='ab') %}abXab{% endfilter %}", "X"),
        ("{{ constants.low }} {{ constants['items'] }}", "90 70"),
        ("{{ names|select('eq', 'Oura')|list|length == 1 and 'found' }}", "found"),
        ("{{ glucose.hours|selectattr('hour', 'gt', 7)|map(attribute='hour')|first|integer }}", "8"),
        ("{% autoescape true %}{{ of('<', 'b') }}{% endautoescape %}", "&lt; and b"),
        (
            "{% autoescape true %}{% macro less() %}<{% endmacro %}{{ [less(), '>']|join }}{% endautoescape %}",
            "&lt;&amp;gt;",
        ),
    ],
)
def test_macros_and_tags_say_what_jinja2_lets_them_say(tmp_path: Path, output: str, text: str) -> None:
    assert tell_story(tmp_path, story(output, head=MACROS)).output == text


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("{{ of('a', 'b', 'c') }}", "macro 'of' takes not more than 2 argument"),
        ("{{ of('a', 'b', more='c') }}", "macro 'of' takes no keyword argument 'more'"),
        ("{{ around() }}", "No caller defined"),
        ("{{ of() }}", "parameter 'one' was not provided"),
        ("{{ constants.items }}", "only facts, constants and text can be printed: not builtin_function_or_method"),
        ("{{ names|select('odd')|list|length }}", "No test named 'odd'"),
        ("{{ spare() }}", "missing 2 required positional arguments"),
    ],
)
def test_macros_and_functions_refuse_what_jinja2_lets_them_refuse(tmp_path: Path, output: str, message: str) -> None:
    with pytest.raises(GateError, match=re.escape(message)):
        tell_story(tmp_path, story(output, head=MACROS))


def test_a_macro_that_is_told_by_name_sees_what_the_block_sets(tmp_path: Path) -> None:
    head = "{% macro walk() %}Walk.{% endmacro %}{% set asked = tell_recommendations %}"
    told = tell_story(
        tmp_path, story("{{ asked(recommendations) }}", head=head), {**VALUES, "recommendations": ["walk"]}
    )
    assert told.output == "Walk."


def test_a_spoken_silence_is_the_entry_that_equals_it() -> None:
    first, other = (Withheld(path="a.b", reason=reason, needs="days") for reason in ("one", "another"))
    witnesses = [Witness("silences.0.reason", "another", "another", 0, 7), Witness("a.c", 1.5, "2", 8, 9)]
    assert example.evidence_of(witnesses, [other], [first, other]) == [
        Evidence(path="withheld.1.reason", value="another", text="another", start=0, end=7),
        Evidence(path="a.c", value=1.5, text="2", start=8, end=9),
    ]


def _refused(gate: Callable[[], None]) -> bool:
    try:
        gate()
    except GateError:
        return True
    return False
