import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from etlnarr.prose import evenly, facts, load, tell
from tests.narration import STYLES, VALUES, WITHHELD, always, story, tell_story

THREE = "{% vary %}a{% or %}b{% or %}c{% endvary %}"
LETTERS = "abc"


def told_by(folder: Path, output: str, ids: list[str], head: str = "") -> list[str]:
    (folder / "story.jinja").write_text(story(output, "", head=head))
    templates, tree = load(folder), facts(VALUES, STYLES, WITHHELD)
    return [tell(templates, "story.jinja", tree, evenly(each)).output for each in ids]


def test_alternatives_are_spread_evenly(tmp_path: Path) -> None:
    counts = Counter(told_by(tmp_path, THREE, [f"example {n}" for n in range(3000)]))
    assert counts.keys() == set(LETTERS)
    # 1,000 each; five standard deviations of a fair choice are 129
    assert all(abs(count - 1000) < 129 for count in counts.values())


def test_tags_choose_independently_of_each_other(tmp_path: Path) -> None:
    counts = Counter(told_by(tmp_path, f"{THREE} {THREE}", [f"example {n}" for n in range(3000)]))
    assert len(counts) == 9
    assert all(abs(count - 333) < 86 for count in counts.values())


def test_one_example_is_always_told_alike_whatever_the_hash_seed(tmp_path: Path) -> None:
    here = told_by(tmp_path, THREE, ["one", "another", "third", "fourth"])
    code = (
        "from pathlib import Path; from tests.test_prose_vary import THREE, told_by;"
        f"print(told_by(Path({str(tmp_path)!r}), THREE, ['one', 'another', 'third', 'fourth']))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        there = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == str(here)


def test_the_choice_is_sha256_of_example_and_tag() -> None:
    # sha256(b"id\0story.jinja#fi1") begins with these eight bytes
    assert evenly("id")("story.jinja#fi1", 1 << 64) == 0x63F84E35E983325D


def test_a_choice_may_be_forced_everywhere_in_macros_in_loops_and_in_each_other(tmp_path: Path) -> None:
    macro = "{% macro one_of(word) %}{% vary %}{{ word }}{% or %}no {{ word }}{% endvary %}{% endmacro %}"
    (tmp_path / "shared.jinja").write_text(macro)
    output = (
        "{% for word in ['sun', 'rain'] %}{{ one_of(word) }} {% endfor %}"
        "{% vary %}x {{ glucose.risk }}{% or %}y{% vary %} z{% or %} {{ glucose.risk }}{% endvary %}{% endvary %}"
    )
    text = story(output, head='{% from "shared.jinja" import one_of %}')
    assert tell_story(tmp_path, text, choice=always(0)).output == "sun rain x very low"
    assert tell_story(tmp_path, text, choice=always(1)).output == "no sun no rain y very low"
    assert tell_story(tmp_path, text, choice=always(4)).output == "sun rain x very low"


def test_a_choice_sees_the_tag_and_its_alternatives(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []

    def watch(tag: str, alternatives: int) -> int:
        seen.append((tag, alternatives))
        return 0

    tell_story(tmp_path, story(THREE, "{% vary %}a{% or %}b{% endvary %}"), choice=watch)
    assert seen == [("story.jinja#fi1", 2), ("story.jinja#fi2", 3)]
