import os
import sys
from pathlib import Path

import pytest

from etlnarr.prose import Templates, evenly, facts, load, tell
from tests.narration import story

SHARED = "{% set constants = {'low': 'below 70 mg/dL'} %}{% macro said(fact) %}{{ fact }}{% endmacro %}"
STORY = story("Told.", head="{% from 'shared.jinja' import said, constants as limits %}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "shared.jinja").write_text(SHARED)
    (tmp_path / "story.jinja").write_text(STORY)
    return tmp_path


def kept(folder: Path) -> list[Path]:
    return list((folder / "__pycache__").glob("*"))


def told(templates: Templates) -> tuple[str, str]:
    done = tell(templates, "story.jinja", facts({"glucose": {}}, {}, frozenset()), evenly("x"))
    return done.output, done.template_hash


def test_what_was_compiled_once_tells_the_same(folder: Path) -> None:
    first = load(folder)
    (file,) = kept(folder)
    before = file.stat()
    second = load(folder)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "compiled again"
    assert told(second) == told(first)
    assert second.constants == first.constants == ("below 70 mg/dL",)
    for name in ("hash", "needs", "names", "constants"):
        assert getattr(second.stories["story.jinja"], name) == getattr(first.stories["story.jinja"], name)
    assert second.stories["story.jinja"].literals() == first.stories["story.jinja"].literals()


def test_another_text_is_compiled_in_the_place_of_the_former(folder: Path) -> None:
    before = told(load(folder))
    (folder / "story.jinja").write_text(STORY.replace("Told.", "Else."))
    after = told(load(folder))
    assert (before[0], after[0]) == ("Told.", "Else.")
    assert len(kept(folder)) == 1


def test_a_choice_of_templates_is_kept_apart(folder: Path) -> None:
    (folder / "other.jinja").write_text(story(head="{% set constants = {'high': 'above 180 mg/dL'} %}"))
    whole, alone = load(folder), load(folder, {"story.jinja"})
    assert len(whole.constants) == 2
    assert load(folder).constants == whole.constants
    assert load(folder, {"story.jinja"}).constants == alone.constants == ("below 70 mg/dL",)


@pytest.mark.parametrize("cut", [0, 40, 64, 500, -1])
def test_what_was_cut_off_is_compiled_again(folder: Path, cut: int) -> None:
    before = told(load(folder))
    (file,) = kept(folder)
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    assert told(load(folder)) == before
    assert file.read_bytes() == whole


def test_what_was_compiled_from_something_else_is_not_used(folder: Path) -> None:
    before = told(load(folder))
    (file,) = kept(folder)
    whole = file.read_bytes()
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])  # as if another program or other texts had made it
    assert told(load(folder)) == before
    assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert told(load(folder))[0] == "Told."
    assert not kept(folder)


def test_no_folder_is_made_for_nothing(folder: Path) -> None:
    assert not load(folder / "missing").stories
    assert not load(folder, {"lost.jinja"}).stories
    assert sorted(path.name for path in folder.iterdir()) == ["shared.jinja", "story.jinja"]


def test_nothing_is_written_through_a_link(folder: Path) -> None:
    load(folder)
    (file,) = kept(folder)
    file.unlink()
    victim = folder / "victim"
    victim.write_text("whole")
    file.with_suffix(f".{os.getpid()}").symlink_to(victim)
    assert told(load(folder))[0] == "Told."
    assert victim.read_text() == "whole"
    assert not kept(folder), "the link is gone, and the next run keeps it"


def test_a_folder_that_cannot_hold_it_does_without(folder: Path) -> None:
    (folder / "__pycache__").write_text("in the way")
    assert told(load(folder))[0] == "Told."
    assert sorted(path.name for path in folder.iterdir()) == ["__pycache__", "shared.jinja", "story.jinja"]
