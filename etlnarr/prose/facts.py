"""The tree of facts a template reads, grown where it is touched."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, TypeAlias, overload

from etlnarr.model import Json
from etlnarr.prose.fact import UNSTYLED, Fact, Style

KNOWN: Final = frozenset({"defined", "stated", "unit", "withheld"})
"""What a template may ask of a fact or a group; a fact below a group that has one of these names comes first."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of paths: their style, and which of them (with all below) may not be claimed."""

    styles: Mapping[str, Style]
    withheld: AbstractSet[str]


@dataclass(slots=True)  # not frozen, as a fact is not
class Facts:
    """A named group of facts."""

    path: str
    values: Mapping[str, Json]
    sheet: Sheet
    style: Style = UNSTYLED
    withheld: bool = False
    grown: dict[str, "Node"] = field(default_factory=dict, init=False)

    def child(self, name: str) -> "Node":
        """The fact or group of that name."""
        found = self.grown.get(name)
        if found is None:
            found = self.grown[name] = _grow(self, name, self.values[name])
        return found


@dataclass(slots=True)  # as above
class FactList(Sequence["Node"]):
    """Facts or groups in order."""

    path: str
    values: Sequence[Json]
    sheet: Sheet
    style: Style = UNSTYLED
    withheld: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator["Node"]:
        return (_grow(self, str(index), value) for index, value in enumerate(self.values))

    @overload
    def __getitem__(self, index: int) -> "Node": ...
    @overload
    def __getitem__(self, index: slice) -> Sequence["Node"]: ...
    def __getitem__(self, index: int | slice) -> "Node | Sequence[Node]":
        return list(self)[index]


Node: TypeAlias = Fact | Facts | FactList


def facts(values: Mapping[str, Json], styles: Mapping[str, Style], withheld: AbstractSet[str]) -> Facts:
    """The tree over the values of one subject.

    Shapes: values nested as in the insights; styles and withheld by dotted path (`sources.others.0.name` in lists).
    """
    return Facts("", values, Sheet(styles, withheld))


def ask(node: Node, name: str) -> "Node | bool | str | None":
    """What a template finds under a name; None when there is nothing of that name.

    A fact that is not defined may be a group that is missing whole: what lies below it is not defined either.
    """
    if isinstance(node, Facts):
        if name in node.values:
            return node.child(name)
    elif name == "stated" and isinstance(node, Fact):  # what is asked most
        return node.stated
    if name not in KNOWN:
        missing = isinstance(node, Fact) and not node.defined
        return Fact(f"{node.path}.{name}", None, node.style, node.withheld) if missing else None
    if name == "unit":
        return node.style.unit
    if name == "withheld":
        return node.withheld
    defined = node.defined if isinstance(node, Fact) else bool(node.values)
    return defined and not (name == "stated" and node.withheld)


def _grow(parent: Facts | FactList, name: str, value: Json) -> Node:
    path = f"{parent.path}.{name}" if parent.path else name
    style = parent.sheet.styles.get(path, parent.style)
    withheld = parent.withheld or path in parent.sheet.withheld
    if isinstance(value, dict):
        return Facts(path, value, parent.sheet, style, withheld)
    if isinstance(value, list):
        return FactList(path, value, parent.sheet, style, withheld)
    return Fact(path, value, style, withheld)
