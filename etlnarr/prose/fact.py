"""One value as a template meets it: it can be asked, compared and printed, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from etlnarr.errors import GateError
from etlnarr.prose.formats import Scalar, exact, number, spelled, written
from etlnarr.prose.page import PAGE


@dataclass(frozen=True, slots=True)
class Style:
    """How a metric is written; what lies below its path inherits it."""

    unit: str = ""
    decimals: int | None = None


UNSTYLED = Style()
Answer: TypeAlias = "Fact | bool | str | None"
"""What a template learns of a fact or a group: what lies below it, or its stated, defined, withheld or unit."""


@dataclass(slots=True, eq=False, repr=False)  # not frozen: hundreds are made for an example, and no template can write
class Fact:
    """One value with its path; as text it is the private-use character of its print.

    It cannot be hashed: a text looked up by a fact would have no witness.

    Errors: GateError when it is printed or compared although it is not defined or withheld.
    """

    path: str
    value: Scalar
    style: Style = UNSTYLED
    withheld: bool = False
    write: Callable[["Fact"], str] | None = None
    finish: tuple[Callable[[str], str], ...] = ()

    @property
    def defined(self) -> bool:
        """Whether there is a value, withheld or not."""
        return self.value is not None and self.value != ""

    @property
    def stated(self) -> bool:
        """Whether there is a value and it may be claimed."""
        return not self.withheld and self.value is not None and self.value != ""

    def ask(self, name: str) -> Answer:
        """What a template finds under a name; None when there is nothing of that name.

        A fact that is not defined may be a group that is missing whole: what lies below it is not defined either.
        """
        match name:
            case "stated":
                return self.stated
            case "defined":
                return self.defined
            case "withheld":
                return self.withheld
            case "unit":
                return self.style.unit
        return None if self.defined else Fact(f"{self.path}.{name}", None, self.style, self.withheld)

    def told(self, write: Callable[["Fact"], str] | None, style: Style | None = None) -> "Fact":
        """The fact with another way to be written."""
        return Fact(self.path, self.value, style or self.style, self.withheld, write, self.finish)

    def finished(self, finish: Callable[[str], str]) -> "Fact":
        """The fact with something done to its text at the end."""
        return Fact(self.path, self.value, self.style, self.withheld, self.write, (*self.finish, finish))

    def claim(self) -> Scalar:
        """The value, when it may be claimed."""
        if self.withheld or self.value is None or self.value == "":
            raise GateError(f"{self.path} is {'withheld' if self.defined else 'not defined'}, ask .stated first")
        return self.value

    def text(self) -> str:
        """The value as it is printed."""
        if self.withheld or self.value is None or self.value == "":
            self.claim()
        try:
            text = self.write(self) if self.write else plain(self)
        except GateError as error:
            raise GateError(f"{self.path} {error}") from error
        for finish in self.finish:
            text = finish(text)
        bare = self.write is None and not self.finish and not isinstance(self.value, str)  # digits, and no blanks
        return text if bare else " ".join(text.split())

    def __str__(self) -> str:
        text = self.text()
        proof = plain(self) if self.write is in_words else text
        return PAGE.get().put(self.path, self.value, text, proof)

    def __repr__(self) -> str:
        return f"<fact {self.path}>"

    def __bool__(self) -> bool:
        value = self.claim()
        if not isinstance(value, bool):
            raise GateError(f"{self.path} is no yes or no, ask .stated or compare it")
        return value

    __hash__ = None  # type: ignore[assignment]  # equality compares what is told, which may be unhashable

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Fact):
            return self.claim() == other.claim()
        return self.claim() == other if isinstance(other, Scalar) else NotImplemented

    def __lt__(self, other: "Fact | float") -> bool:
        return self._number() < _number_of(other)

    def __gt__(self, other: "Fact | float") -> bool:
        return self._number() > _number_of(other)

    def __le__(self, other: "Fact | float") -> bool:
        return self._number() <= _number_of(other)

    def __ge__(self, other: "Fact | float") -> bool:
        return self._number() >= _number_of(other)

    def _number(self) -> int | float:
        try:
            return number(self.claim())
        except GateError as error:
            raise GateError(f"{self.path} cannot be compared: it {error}") from error


def plain(fact: Fact) -> str:
    """A number with its declared decimals, a word with spaces for underscores."""
    value, decimals = fact.value, fact.style.decimals
    if isinstance(value, str):
        return value.replace("_", " ")
    if decimals is None:
        if not isinstance(value, int):
            raise GateError("has no declared decimals")
        decimals = 0
    return written(value, decimals)


def in_words(fact: Fact) -> str:
    """A whole number below a hundred in words, any other as digits."""
    return spelled(exact(fact.value)) or plain(fact)


def _number_of(other: Fact | float) -> int | float:
    return other._number() if isinstance(other, Fact) else number(other)
