from pathlib import Path

import pytest

from etlnarr.errors import GateError
from etlnarr.prose import Told
from tests.narration import VALUES, always, story, tell_story

CONSTANTS = '{% set constants = {"target": "70-180", "first": "first", "fair": "fair"} %}\n'
IMPORTED = "{% macro band() %}\nthe band\nfrom 70 up\n{% endmacro %}"


def refusal(folder: Path, text: str, vocabulary: frozenset[str] = frozenset()) -> str:
    with pytest.raises(GateError) as refused:
        tell_story(folder, text, vocabulary=vocabulary)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("stray", "named"),
    [
        ("within 70-180 mg/dL", "70"),
        ("an HbA1c estimate", "HbA1c"),
        ("at 7.5 %", "7.5"),
        ("two nights", "two"),
        ("Twenty-one hours", "twenty"),
        ("the FIRST night", "first"),
        ("half of them", "half"),
        ("only once", "once"),
        ("in ½ of them", "½"),
        ("in ² steps", "²"),
        ("about ٣ times", "٣"),
        ("{{ glucose.mean }}0", "0"),
        ("{{ '70 and more' }}", "70"),
    ],
)
def test_a_number_written_by_hand_is_refused_with_its_line(tmp_path: Path, stray: str, named: str) -> None:
    message = refusal(tmp_path, story(f"{{{{ glucose.mean }}}} is told,\nand {stray} too."))
    assert message == f"story.jinja: output: '{named}' is neither a fact nor a declared constant (story.jinja line 13)"


def test_the_same_holds_for_the_instruction(tmp_path: Path) -> None:
    assert refusal(tmp_path, story(instruction="Tell of 7 nights.")).startswith(
        "story.jinja: instruction: '7' is neither"
    )


def test_a_number_from_an_imported_macro_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "bands.jinja").write_text(IMPORTED)
    message = refusal(tmp_path, story("In {{ band() }}.", head='{% from "bands.jinja" import band %}'))
    assert message.endswith("'70' is neither a fact nor a declared constant (bands.jinja line 3)")


def test_a_number_that_no_template_holds_is_not_printed_in_the_message(tmp_path: Path) -> None:
    message = refusal(tmp_path, story("{{ 7 * 6 ~ ' nights' }}"))
    assert message == "story.jinja: output: a number is neither a fact nor a declared constant"


def test_words_that_only_hold_a_number_word_are_free(tmp_path: Path) -> None:
    free = "Someone often weighs tenderness, everyone alone, seconds attenuate."
    assert tell_story(tmp_path, story(free)).output == free


def test_declared_constants_print_without_a_witness(tmp_path: Path) -> None:
    told = tell_story(
        tmp_path, story("{{ constants.first }} of {{ constants.target|join('') }}", "none", head=CONSTANTS)
    )
    assert (told.output, told.evidence) == ("first of 70-180", ())


def test_a_literal_that_equals_a_constant_is_still_refused(tmp_path: Path) -> None:
    assert "'180'" in refusal(tmp_path, story("{{ constants.target }}, not 180", head=CONSTANTS))


VOCABULARY = frozenset({"low", "very_low", "fair"})


@pytest.mark.parametrize(
    ("sentence", "word"), [("a Low risk", "Low"), ("a very low risk", "very low"), ("very-low", "very-low")]
)
def test_a_verdict_written_by_hand_is_refused(tmp_path: Path, sentence: str, word: str) -> None:
    message = refusal(tmp_path, story(f"There is {sentence}."), VOCABULARY)
    assert message.startswith(f"story.jinja: output: '{word}' is a verdict and has no witness (story.jinja")


def test_a_verdict_made_of_pieces_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, story("{{ 'lo' ~ 'w' }}"), VOCABULARY)
    assert message == "story.jinja: output: a word is a verdict and has no witness"


def test_a_verdict_is_printed_by_its_fact_or_declared_in_another_sense(tmp_path: Path) -> None:
    text = story("A {{ glucose.risk }} risk, {{ constants.fair }} enough, lower and unfair.", head=CONSTANTS)
    told = tell_story(tmp_path, text, vocabulary=VOCABULARY)
    assert told.output == "A very low risk, fair enough, lower and unfair."
    assert [(witness.value, witness.text) for witness in told.evidence] == [("very_low", "very low")]


def test_verdict_words_are_free_in_the_instruction(tmp_path: Path) -> None:
    assert tell_story(tmp_path, story(instruction="Was it fair?"), vocabulary=VOCABULARY).instruction == "Was it fair?"


@pytest.mark.parametrize(
    ("output", "data"),
    [
        ("{{ glucose.mean }}", "mean {{ glucose.mean|integer }}"),
        ("{{ glucose.count }}", "3933 readings"),
        ("{{ glucose.awake|duration }}", "awake {{ glucose.awake }} min"),
        ("{{ period.start|day }}", "2025-09-05"),
        ("{{ glucose.awake|spelled }}", "none"),
        ("{{ glucose.risk|words({'very_low': 'under 4 %'}) }}", "none"),
    ],
)
def test_a_printed_number_must_stand_in_the_data_block(tmp_path: Path, output: str, data: str) -> None:
    path = output.split()[1].split("|", maxsplit=1)[0]
    message = refusal(tmp_path, story(output, data))
    assert message == f"story.jinja: output: {path} prints a number that input does not hold in this form"


@pytest.mark.parametrize(
    ("output", "data"),
    [
        ("{{ glucose.mean }}", "mean={{ glucose.mean }}, SD"),
        ("{{ glucose.count }}", "3,933, or so"),
        ("{{ glucose.awake|duration }}", "10 min and 1 h"),
        ("{{ period.start|clock }} on {{ period.start|day }}", "5 September, 17:25."),
        ("{{ glucose.awake|spelled|capital }}", "70 min"),
        ("{{ glucose.risk|words({'very_low': 'under 180'}) }}", "none"),
    ],
)
def test_a_number_of_the_data_block_or_of_a_constant_may_be_told(tmp_path: Path, output: str, data: str) -> None:
    told: Told = tell_story(tmp_path, story(output, data, head=CONSTANTS))
    assert told.evidence[0].text in told.output


def test_a_table_stands_in_the_data_block_only(tmp_path: Path) -> None:
    table = "{{ table(glucose.hours, hour=0, mean=1) }}"
    for text in (story(table), story(data="", instruction=table)):
        assert refusal(tmp_path, text) == "story.jinja: a table has no witness, it belongs to input"


def test_no_gate_depends_on_the_phrasing_that_was_taken(tmp_path: Path) -> None:
    text = story("{% vary %}Told.{% or %}Told at 7.{% endvary %}")
    assert tell_story(tmp_path, text, VALUES, always(0)).output == "Told."
    with pytest.raises(GateError, match="'7'"):
        tell_story(tmp_path, text, VALUES, always(1))
