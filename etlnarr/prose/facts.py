"""The tree of facts a template reads, grown where it is touched."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeAlias, overload

from etlnarr.model import Json
from etlnarr.prose.fact import UNSTYLED, Answer, Fact, Style


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
    grown: dict[str, "Node"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def child(self, name: str) -> "Node":
        """The fact or group of that name."""
        found = self.grown.get(name)
        if found is None:
            found = self.grown[name] = _grow(self, name, self.values[name])
        return found

    def ask(self, name: str) -> "Node | Answer":
        """What a template finds under a name; None when there is nothing of that name."""
        found = self.grown.get(name)
        if found is None:
            if name not in self.values:
                return _known(self, name)
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
    grown: list["Node"] = field(default_factory=list, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator["Node"]:
        return iter(self._nodes())

    @overload
    def __getitem__(self, index: int) -> "Node": ...
    @overload
    def __getitem__(self, index: slice) -> Sequence["Node"]: ...
    def __getitem__(self, index: int | slice) -> "Node | Sequence[Node]":
        return self._nodes()[index]

    def ask(self, name: str) -> "Answer":
        """What a template finds under a name; None when there is nothing of that name."""
        return _known(self, name)

    def withholds(self) -> bool:
        """Whether it is withheld, or anything in it."""
        return self.withheld or any(path.startswith(f"{self.path}.") for path in self.sheet.withheld)

    def _nodes(self) -> list["Node"]:
        if not self.grown:
            self.grown = [_grow(self, str(index), value) for index, value in enumerate(self.values)]
        return self.grown


Node: TypeAlias = Fact | Facts | FactList


def facts(values: Mapping[str, Json], styles: Mapping[str, Style], withheld: AbstractSet[str]) -> Facts:
    """The tree over the values of one subject.

    Shapes: values nested as in the insights; styles and withheld by dotted path (`sources.others.0.name` in lists).
    """
    return Facts("", values, Sheet(styles, withheld))


def _known(group: Facts | FactList, name: str) -> Answer:
    match name:
        case "stated":
            return bool(group.values) and not group.withheld
        case "defined":
            return bool(group.values)
        case "withheld":
            return group.withheld
        case "unit":
            return group.style.unit
    return None


def _grow(parent: Facts | FactList, name: str, value: Json) -> Node:
    sheet = parent.sheet
    path = f"{parent.path}.{name}" if parent.path else name
    style = sheet.styles.get(path, parent.style)
    withheld = parent.withheld or path in sheet.withheld
    if isinstance(value, dict):
        return Facts(path, value, sheet, style, withheld)
    if isinstance(value, list):
        return FactList(path, value, sheet, style, withheld)
    return Fact(path, value, style, withheld)
