"""Tiny templates and facts for the tests of the narrative engine, and facts that are all different."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from pathlib import Path

from etlnarr.model import Json
from etlnarr.prose import Choice, Style, Told, evenly, facts, load, tell

OF_UPLOAD: Mapping[str, Json] = {"kind": "upload", "first": None, "last": None, "as_of": None}
"""What the period of an upload says of windows."""

VALUES: Mapping[str, Json] = {
    "glucose": {
        "count": 3933,
        "mean": 111.478,
        "change": -2.25,
        "awake": 70.0,
        "gmi": 5.9,
        "mage": None,
        "risk": "very_low",
        "complete": True,
        "undeclared": 1.5,
        "meals": {"lunch": {"mean": 120.0}, "dinner": {"mean": 98.0}},
        "hours": [{"hour": 7, "mean": 101.25}, {"hour": 8, "mean": None}],
    },
    "period": {"start": "2025-09-05T17:25:52", "end": "2025-10-06T09:05:00", **OF_UPLOAD},
    "sleep": None,
    "names": ["Oura", "Samsung_Health"],
    "silences": [],
    "recommendations": [],
}
STYLES: Mapping[str, Style] = {
    "glucose.mean": Style("mg/dL", 1),
    "glucose.change": Style("%", 1),
    "glucose.awake": Style("min", 0),
    "glucose.gmi": Style("%", 1),
    "glucose.mage": Style("mg/dL", 1),
    "glucose.meals": Style("mg/dL", 0),
    "glucose.hours": Style("mg/dL", 1),
    "sleep": Style("min", 0),
}
WITHHELD: AbstractSet[str] = frozenset({"glucose.gmi"})


def story(output: str = "Told.", data: str | None = None, instruction: str = "Tell.", head: str = "") -> str:
    """A template; without a data block of its own, input repeats output."""
    blocks = {"instruction": instruction, "input": output if data is None else data, "output": output}
    return head + "".join(f"\n{{% block {name} %}}\n{text}\n{{% endblock %}}\n" for name, text in blocks.items())


def tell_story(
    folder: Path,
    text: str,
    values: Mapping[str, Json] = VALUES,
    choice: Choice | None = None,
    vocabulary: AbstractSet[str] = frozenset(),
) -> Told:
    """Tell a template that stands alone in a folder, or beside what was put there."""
    (folder / "story.jinja").write_text(text, encoding="utf-8")
    tree = facts(values, STYLES, WITHHELD)
    return tell(load(folder), "story.jinja", tree, choice or evenly("an example"), vocabulary)


def output_of(folder: Path, output: str, values: Mapping[str, Json] = VALUES) -> str:
    """What a template says whose data block says the same."""
    return tell_story(folder, story(output), values).output


def always(place: int) -> Choice:
    """Take the same alternative everywhere."""
    return lambda _, alternatives: place % alternatives


def perturbed(value: Json) -> Json:
    """The same tree with another number at every number and another month, day, hour and minute at every time."""
    if isinstance(value, dict):
        return {name: perturbed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [perturbed(inner) for inner in value]
    if isinstance(value, str):
        return _shifted(value)
    return value if isinstance(value, bool) or value is None else value + (1 if isinstance(value, int) else 1.1)


def unmoved(told: Callable[[Mapping[str, Json]], Told], values: Mapping[str, Json]) -> list[str]:
    """The paths whose print does not change when every number and time does."""
    other = {name: perturbed(value) for name, value in values.items()}
    before, after = told(values).evidence, told(other).evidence
    assert [witness.path for witness in before] == [witness.path for witness in after]
    return [one.path for one, two in zip(before, after, strict=True) if one.value != two.value and one.text == two.text]


def _shifted(text: str) -> str:
    try:
        return (datetime.fromisoformat(text) + timedelta(days=32, hours=1, minutes=1)).isoformat()
    except ValueError:
        return text
