"""Sentences that a long text does without."""

from pathlib import Path

import pytest

from etlnarr.errors import GateError
from etlnarr.prose import evenly, facts, load, tell
from tests.narration import STYLES, VALUES, WITHHELD, story

LONG = (
    """
One sentence of six words stands. {{ spare("This part may go first, says its rank.", 3) }}
{{ spare("The mean was " ~ glucose.mean ~ " mg/dL.", 1) }} {{ spare("Second of its rank.", 2) }}
{{ spare("Last of its rank.", 2) }} The end.
""".replace("One sentence", "A sentence")
    .replace("Second", "Earlier")
    .replace("six", "some")
    .replace("first", "early")
)


def output(folder: Path, text: str, most_words: int | None) -> tuple[str, list[str]]:
    (folder / "story.jinja").write_text(story(text, "{{ glucose.mean }}"))
    told = tell(load(folder), "story.jinja", facts(VALUES, STYLES, WITHHELD), evenly("x"), most_words=most_words)
    return told.output, [witness.path for witness in told.evidence]


WHOLE = (
    "A sentence of some words stands. This part may go early, says its rank. "
    "The mean was 111.5 mg/dL. Earlier of its rank. Last of its rank. The end."
)


@pytest.mark.parametrize(
    ("most", "lost"),
    [
        (None, []),
        (29, []),
        (28, ["This part may go early, says its rank. "]),
        (20, ["This part may go early, says its rank. ", "Last of its rank. "]),
        (16, ["This part may go early, says its rank. ", "Last of its rank. ", "Earlier of its rank. "]),
    ],
)
def test_the_highest_rank_goes_first_and_of_one_rank_the_last(
    tmp_path: Path, most: int | None, lost: list[str]
) -> None:
    expected = WHOLE
    for sentence in lost:
        expected = expected.replace(sentence, "")
    assert output(tmp_path, LONG, most) == (expected, ["glucose.mean"])


def test_what_is_left_out_has_no_witness_and_what_must_stay_stays(tmp_path: Path) -> None:
    assert output(tmp_path, LONG, 3) == ("A sentence of some words stands. The end.", [])


@pytest.mark.parametrize("text", ['{{ spare("a", 0) }}', '{{ spare("a", 10) }}', '{{ spare(spare("a", 1), 2) }}'])
def test_a_wrong_rank_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(GateError, match="spare takes a text"):
        output(tmp_path, text, None)
