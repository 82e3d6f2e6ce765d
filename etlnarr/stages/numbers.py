"""What each number of a row is: definition, source, and how much it was worked out from."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from etlnarr import change, definitions
from etlnarr.definitions import Definition
from etlnarr.model import PEOPLE, RecordType
from etlnarr.wire import Document, Evidence, Metadata

READINGS: Final = "readings"
RECORDS: Final = "records"
PERIODS: Final = "periods"
PERSON: Final = "facts of the person"
COMPARED: Final = 2


class Inputs(Document):
    """So many of what a number was worked out from.

    Shapes: noun is a plural; counted_by the metric that counts them, null where none does.
    """

    count: int | float
    noun: str
    counted_by: str | None = None


class Number(Document):
    """One printed fact and where it comes from."""

    text: str
    path: str
    value: JsonValue
    unit: str
    definition: str
    source: str
    inputs: list[Inputs]


def numbers(kind: RecordType, told: Metadata, readings: int) -> list[Number]:
    """Return the printed facts of a row in their order; readings are those of the chosen sources."""
    known = {one.path: one for one in definitions.of(kind)}
    return [_number(known, entry, _inputs(kind, known, told, entry.path, readings)) for entry in told.evidence]


def _number(known: Mapping[str, Definition], entry: Evidence, inputs: list[Inputs]) -> Number:
    parts = entry.path.split(".")
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    found = next((known[path] for path in above if path in known), None)
    return Number(
        text=entry.text,
        path=entry.path,
        value=entry.value,
        unit=found.unit if found else "",
        definition=found.definition if found else "said of the subject itself",
        source=found.source if found else "",
        inputs=inputs,
    )


def _inputs(
    kind: RecordType, known: Mapping[str, Definition], told: Metadata, path: str, readings: int
) -> list[Inputs]:
    group, *rest = path.split(".")
    match group:
        case "sources":
            return [Inputs(count=_records(told, rest), noun=RECORDS)]
        case change.GROUP:
            return [Inputs(count=1 if rest[-1] == "previous" else COMPARED, noun=PERIODS)]
        case "withheld":
            path = told.withheld[int(rest[0])].path  # what was not enough for the claim
    names = definitions.inputs(kind, path)
    person = sum(name in PEOPLE for name in names)
    counted = [_count(kind, known, told, name, readings) for name in names if name not in PEOPLE]
    return [*counted, *([Inputs(count=person, noun=PERSON)] if person else [])]


def _count(kind: RecordType, known: Mapping[str, Definition], told: Metadata, name: str, readings: int) -> Inputs:
    """Return the count of a metric; of all readings where it is not known for this row."""
    for counted_by in (name, *kind.inputs[""]):
        value = _at(told.clinical_insights or {}, counted_by)
        if isinstance(value, int | float):
            return Inputs(count=value, noun=known[counted_by].unit, counted_by=counted_by)
    return Inputs(count=readings, noun=READINGS)


def _records(told: Metadata, place: Sequence[str]) -> int:
    """Return the records of the app that a path below sources leads to."""
    kind, *rest = place
    if kind == "primary":
        return told.sources.primary.records
    return (told.sources.chosen if kind == "chosen" else told.sources.others)[int(rest[0])].records


def _at(tree: JsonValue, path: str) -> JsonValue:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree
