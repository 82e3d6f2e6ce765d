import hashlib
from pathlib import Path

import pytest

from etlnarr.errors import GateError, TemporaryError
from etlnarr.prose import load
from etlnarr.stages.tell import _loaded
from tests.command import ROOT
from tests.narration import story

IMPORT = '{% from "shared.jinja" import of, constants as shared with context %}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (story("{% if %}"), "story.jinja line 7: Expected an expression, got 'end of statement block'"),
        (story("{{ a"), "story.jinja line 8: "),
        (story("{{ a|nothing }}"), "story.jinja line 7: No filter named 'nothing'"),
        ("{% block output %}{% endblock %}", "story.jinja has no block instruction, input"),
        (story(head="Hello\n"), "story.jinja line 1: what stands outside the blocks is told nowhere"),
        (story(head="{{ glucose.mean }}\n"), "story.jinja line 1: what stands outside the blocks"),
        (story(head="\n{% set constants = ['a'] %}"), "story.jinja line 2: constants are a dict of names to texts"),
        (story(head="{% set constants = {'a': 7} %}"), "story.jinja line 1: constants are a dict of names to texts"),
        (story(head="{% set constants = {'a': 'b' ~ 'c'} %}"), "story.jinja line 1: constants are a dict"),
        (story(head=f"{'{% if true %}' * 500}{'{% endif %}' * 500}"), "story.jinja is nested too deeply"),
        (story(head="{% from 'shared.jinja' import off %}"), "story.jinja line 1: shared.jinja has no off"),
        (story(head="{% import 'lost.jinja' as lost %}"), "story.jinja imports 'lost.jinja', which is not a template"),
        (story(head="{% import glucose.risk as lost %}"), "story.jinja imports '', which is not a template"),
        (story("{% vary %}a{% endvary %}"), "story.jinja line 7: vary needs an alternative"),
        (story("{% vary %}a{% or %}b"), "story.jinja line "),
        (story("a{% or %}b"), "story.jinja line 7: Encountered unknown tag 'or'"),
        (story("\U000f0000"), "story.jinja holds a private-use character"),
        (story("{{ '\\U000f0005' }}"), "story.jinja line 7: a string holds a private-use character"),
        (story(head="{% set constants = {'a': '\\ue001b'} %}"), "story.jinja line 1: a string holds a private-use"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "shared.jinja").write_text("{% macro of(fact) %}{{ fact }}{% endmacro %}")
    (tmp_path / "story.jinja").write_text(text, encoding="utf-8")
    with pytest.raises(GateError) as refused:
        load(tmp_path)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_template_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "story.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(GateError, match=r"^story\.jinja is not UTF-8$"):
        load(tmp_path)


def test_an_imported_template_sees_no_facts(tmp_path: Path) -> None:
    (tmp_path / "shared.jinja").write_text("{% macro of() %}{{ period.start }}{{ glucose.mean }}{% endmacro %}")
    (tmp_path / "story.jinja").write_text(story(head="{% import 'shared.jinja' as shared %}"))
    with pytest.raises(
        GateError, match=r"^shared\.jinja has no blocks and sees no facts: pass glucose, period to its macro"
    ):
        load(tmp_path)


def linked(folder: Path, inner: str = "inner", shared: str = "shared", text: str = "Told.") -> str:
    (folder / "inner.jinja").write_text(f"{{% set constants = {{'a': '{inner} 1'}} %}}")
    (folder / "shared.jinja").write_text(
        "{% import 'inner.jinja' as inner %}{% from 'inner.jinja' import constants as all, constants %}"
        f"{{% macro of(fact) %}}{shared}{{{{ fact }}}}{{% endmacro %}}"
    )
    (folder / "story.jinja").write_text(story(text, head=f"{IMPORT}{{% set constants = {{'b': 'own 2'}} %}}"))
    return load(folder).stories["story.jinja"].hash


def test_the_hash_covers_all_that_is_imported_and_nothing_else(tmp_path: Path) -> None:
    before = linked(tmp_path)
    assert before == linked(tmp_path)
    (tmp_path / "other.jinja").write_text(story())
    assert before == linked(tmp_path)
    changed = [linked(tmp_path, inner="else"), linked(tmp_path, shared="else"), linked(tmp_path, text="Else.")]
    assert len({before, *changed}) == 4


def test_the_hash_is_sha256_over_names_and_texts(tmp_path: Path) -> None:
    (tmp_path / "story.jinja").write_text(story())
    name, text = b"story.jinja", story().encode()
    framed = len(name).to_bytes(8) + name + len(text).to_bytes(8) + text
    assert load(tmp_path).stories["story.jinja"].hash == hashlib.sha256(framed).hexdigest()


def test_a_story_knows_its_constants_and_those_of_its_imports(tmp_path: Path) -> None:
    linked(tmp_path)
    templates = load(tmp_path)
    assert templates.stories.keys() == {"story.jinja"}
    assert templates.stories["story.jinja"].names == {"of", "shared", "constants"}
    assert templates.stories["story.jinja"].constants == ("inner 1", "own 2")


def test_names_that_a_template_sets_itself_are_not_needed(tmp_path: Path) -> None:
    output = "{% if glucose.complete %}{% set part = 'whole' %}{% else %}{% set part = 'part' %}{% endif %}{{ part }}"
    (tmp_path / "story.jinja").write_text(story(output, "", head="{% macro a(b) %}{{ b }}{% endmacro %}"))
    assert load(tmp_path).stories["story.jinja"].needs == {"glucose"}


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "story.jinja").mkdir()
    with pytest.raises(GateError, match=r"^story\.jinja cannot be read; it must be a file of text$"):
        load(tmp_path)


def test_a_template_that_is_not_the_one_that_was_hashed_does_not_tell() -> None:
    with pytest.raises(TemporaryError, match=r"^steps\.jinja was changed while it told; run again$"):
        _loaded(ROOT / "templates", frozenset({("steps.jinja", "0" * 64)}))
