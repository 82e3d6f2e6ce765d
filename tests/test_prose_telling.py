from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlnarr.errors import GateError
from etlnarr.model import Json
from etlnarr.prose import Style, Templates, Witness, evenly, facts, load, tell
from tests.narration import STYLES, VALUES, WITHHELD, output_of, story, tell_story, unmoved

SILENT = """
{% macro silence_gmi(silence) %}No estimate: {{ silence.reason }}.{% endmacro %}
{% macro silence_dawn(silence) %}
  No dawn, for want of {{ silence.needs }}.
{% endmacro %}
{% macro walk() %}Walk more.{% endmacro %}
{% macro sleep_longer() %}Sleep longer.{% endmacro %}
"""


def test_the_three_blocks_and_their_witnesses(tmp_path: Path) -> None:
    text = story(
        "Überall {{ glucose.mean }} mg/dL 😀 at {{ period.start|clock }}.", "{{ glucose.mean }} 17:25", "Tell!"
    )
    told = tell_story(tmp_path, text)
    assert (told.instruction, told.input, told.output) == ("Tell!", "111.5 17:25", "Überall 111.5 mg/dL 😀 at 17:25.")
    assert told.evidence == (
        Witness("glucose.mean", 111.478, "111.5", 8, 13),
        Witness("period.start", "2025-09-05T17:25:52", "17:25", 25, 30),
    )
    assert told.paths == {"glucose.mean", "period.start"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("  a \n\n  b\t{{ glucose.mean }} \n .", "a b 111.5."),
        ("a\n{{ paragraph }}\nb {{ paragraph }}{{ paragraph }} ", "a\n\nb"),
        ("So it is.{{ glucose.mean }} is the mean.Thus.", "So it is. 111.5 is the mean. Thus."),
        ("a{% if true %}, b{% endif %}\nand c", "a, b and c"),
        ("a{% if true %}, b{# why #}\n{% endif +%}\nand c", "a, b and c"),
        ("{% if true %}\na\n{% endif %}\nb", "a b"),
    ],
)
def test_prose_flows(tmp_path: Path, template: str, text: str) -> None:
    assert output_of(tmp_path, template) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ glucose.mean ~ '!' }}",
        "{{ '%s!' % glucose.mean }}",
        "{{ '{}!'.format(glucose.mean) }}",
        "{{ (glucose.mean ~ '!').upper() }}",
    ],
)
def test_a_fact_keeps_its_witness_inside_other_text(tmp_path: Path, template: str) -> None:
    told = tell_story(tmp_path, story(template))
    assert told.output == "111.5!"
    assert told.evidence == (Witness("glucose.mean", 111.478, "111.5", 0, 5),)


def test_the_data_block_keeps_its_lines(tmp_path: Path) -> None:
    data = """
      mean   {{ glucose.mean }}{% if true %} , all{% endif %}

      {% for hour in glucose.hours %}
        {% if true %}
        at {{ hour.hour|integer }}
        {% endif %}
      {% endfor %}



      {{ table(glucose.hours, hour=0, mean=1) }}
    """
    told = tell_story(tmp_path, story(data=data))
    assert told.input == "mean 111.5, all\n\nat 7\nat 8\n\nhour  mean\n7  101.2\n8  -"


ROWS: dict[str, Json] = {
    "rows": [{"start": "2025-09-19T01:56:00", "stage": "light_sleep", "minutes": 70, "n": 1200, "more": {}}],
    "gone": [{"n": 1}],
}


def test_cells_are_written_by_decimals_or_by_a_filter(tmp_path: Path) -> None:
    table = '{{ table(rows, start="clock", stage="words", minutes="duration", n=0) }}'
    told = tell_story(tmp_path, story(data=table), ROWS)
    assert told.input == "start  stage  minutes  n\n01:56  light sleep  1 h 10 min  1,200"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("table(rows, typo=1)", "the table has no column typo"),
        ("table(names, typo=1)", "the table has no column typo"),
        ("table(rows, stage=1)", "column stage of the table cannot be written as 1"),
        ('table(rows, stage="loud")', "column stage of the table cannot be written as loud"),
        ('table(rows, more="words")', "column more of the table cannot be written as words"),
        ('table(rows, stage="clock")', "rows.0.stage is not a time"),
        ("table(gone, n=1)", "the table has no column n that may be shown"),
    ],
)
def test_a_table_that_cannot_be_written(tmp_path: Path, call: str, message: str) -> None:
    (tmp_path / "story.jinja").write_text(story(data=f"{{{{ {call} }}}}"))
    tree = facts({**ROWS, "names": ["a"]}, {}, frozenset({"gone"}))
    with pytest.raises(GateError, match=f"story.jinja line 7: {message}"):
        tell(load(tmp_path), "story.jinja", tree, evenly("x"))


def test_silences_and_recommendations_call_macros_by_name(tmp_path: Path) -> None:
    silence = {"reason": "too few days", "needs": "a wake time"}
    values: dict[str, Json] = {
        "silences": [{"path": f"glucose.{leaf}", **silence} for leaf in ("gmi", "patterns.dawn", "third")],
        "recommendations": ["walk", "sleep_longer", "walk", "nothing"],
    }
    output = "{{ tell_silences(silences) }}{{ tell_recommendations(recommendations) }}"
    told = tell_story(tmp_path, story(output, head=SILENT), values)
    assert told.output == (
        "No estimate: too few days. No dawn, for want of a wake time. Walk more. Sleep longer. Walk more."
    )
    assert told.paths == {"silences.0.reason", "silences.1.needs"}


@pytest.mark.parametrize(
    ("values", "macro"),
    [
        ({"silences": [{"path": "glucose.mage"}], "recommendations": []}, "silence_mage"),
        ({"silences": [], "recommendations": ["fly"]}, "fly"),
        ({"silences": [], "recommendations": ["silences"]}, "silences"),
        ({"silences": ["gmi"], "recommendations": []}, "silence_"),
        ({"silences": [], "recommendations": [{"name": "walk"}]}, ""),
    ],
)
def test_a_macro_that_is_not_there(tmp_path: Path, values: dict[str, Json], macro: str) -> None:
    output = "{{ tell_silences(silences) }}{{ tell_recommendations(recommendations) }}"
    with pytest.raises(GateError, match=f"story.jinja line [0-9]+: the template has no macro {macro}$"):
        tell_story(tmp_path, story(output, head=SILENT), values)


def test_an_error_is_placed_in_every_template_it_came_through(tmp_path: Path) -> None:
    (tmp_path / "shared.jinja").write_text("{% macro of(fact) %}\n\n{{ fact }}{% endmacro %}")
    text = story("{{ of(glucose.mage) }}", "", head='{% from "shared.jinja" import of %}')
    with pytest.raises(GateError) as refused:
        tell_story(tmp_path, text)
    assert str(refused.value) == (
        "story.jinja line 11, shared.jinja line 3: glucose.mage is not defined, ask .stated first"
    )


def test_names_that_no_fact_has_are_refused_even_where_they_are_not_reached(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"^story\.jinja: slep is not among the facts$"):
        tell_story(tmp_path, story("{% if glucose.mean > 500 %}{{ slep.efficiency }}{% endif %}"))


def test_a_template_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"^other\.jinja is not a template that tells something$"):
        tell(load(tmp_path), "other.jinja", facts({}, {}, frozenset()), evenly("x"))


def test_a_page_has_an_end(tmp_path: Path) -> None:
    values: dict[str, Json] = {"many": [0] * 65_535}
    with pytest.raises(GateError, match="prints too many facts"):
        tell_story(tmp_path, story("{% for each in many %}{{ each }} {% endfor %}", ""), values)


@pytest.fixture(scope="module")
def printing(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    folder = tmp_path_factory.mktemp("printing")
    (folder / "story.jinja").write_text(
        story("{% for each in many %} ¿ {{ each|signed }}. \n{{ text|name }} {{ each }}{{ paragraph }}{% endfor %}")
    )
    return load(folder)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)),
    st.text(min_size=1).filter(lambda text: bool(text.strip())),
)
def test_every_witness_stands_where_it_says(printing: Templates, many: list[float], text: str) -> None:
    tree = facts({"many": list(many), "text": text}, {"many": Style("", 1)}, frozenset())
    told = tell(printing, "story.jinja", tree, evenly("x"))
    assert len(told.evidence) == 3 * len(many)
    assert [told.output[witness.start : witness.end] for witness in told.evidence] == [w.text for w in told.evidence]
    assert [w.value for w in told.evidence if w.path == "text"] == [text] * len(many)


def test_every_printed_number_moves_with_its_fact(tmp_path: Path) -> None:
    text = story(
        "{{ glucose.count }} readings, {{ glucose.mean }} mg/dL, {{ glucose.awake|duration }}, {{ glucose.risk }} risk,"
        " from {{ period.start|clock }} on {{ period.start|day }} to {{ period.end|weekday }} in {{ period.end|month }}"
    )
    assert unmoved(lambda values: tell_story(tmp_path, text, values), VALUES) == []


def test_a_print_that_does_not_move_is_found(tmp_path: Path) -> None:
    text = story("{{ glucose.count|words({3933: 'many', 3934: 'many'}) }}")
    assert unmoved(lambda values: tell_story(tmp_path, text, values), VALUES) == ["glucose.count"]


def test_facts_are_told_alike_however_often(tmp_path: Path) -> None:
    (tmp_path / "story.jinja").write_text(story("{{ glucose.mean }}"))
    templates, tree = load(tmp_path), facts(VALUES, STYLES, WITHHELD)
    assert tell(templates, "story.jinja", tree, evenly("x")) == tell(templates, "story.jinja", tree, evenly("x"))
