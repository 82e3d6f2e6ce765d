"""The page of one render: a printed fact leaves one private-use character, which is resolved when the text stands.

So whatever a template does to the text around a fact, the fact itself is carried whole, and what is not such a
character when the text stands was written by the template.
"""

import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from etlnarr.errors import GateError
from etlnarr.prose.formats import Scalar

FIRST_FACT: Final = 0xF0000
FIRST_CONSTANT: Final = 0x100000
PARAGRAPH: Final = chr(0x10FFFD)
TOKENS: Final = f"{chr(FIRST_FACT)}-{PARAGRAPH}"  # as a range of a character class
_MANY: Final = 0xFFFE
TOKEN: Final = re.compile(f"([{TOKENS}])")
_LOOSE: Final = re.compile(r" +(?=[.,;:!?])")
_TIGHT: Final = re.compile(rf"(?<=[a-z)%{TOKENS}][.?!])(?=[A-Z{TOKENS}])")
_BLANKS: Final = re.compile(r"\n{3,}")

Choice: TypeAlias = Callable[[str, int], int]
"""(name of the vary tag, number of its alternatives) -> the alternative, modulo their number."""


class Witness(NamedTuple):
    """Where a fact stands in the output.

    Units: start and end in code points of the output, value as in the JSON of the insights.
    """

    path: str
    value: Scalar
    text: str
    start: int
    end: int


class Print(NamedTuple):
    """A fact as it was printed; proof is what the data block must hold for it."""

    path: str
    value: Scalar
    text: str
    proof: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one render has printed so far, and how it chooses between phrasings."""

    choice: Choice
    prints: list[Print] = field(default_factory=list)

    def put(self, printed: Print) -> str:
        """Keep a print and return the character that stands for it."""
        place = len(self.prints)
        if place == _MANY:
            raise GateError("prints too many facts")
        self.prints.append(printed)
        return chr(FIRST_FACT + place)


PAGE: Final[ContextVar[Page]] = ContextVar("page")
"""The page of the render in progress: macros imported without context have no other way to it."""


def flowing(text: str) -> str:
    """Text with one space between words and sentences; a blank line where the template asks for a paragraph."""
    paragraphs = (" ".join(part.split()) for part in text.split(PARAGRAPH))
    return "\n\n".join(_TIGHT.sub(" ", _LOOSE.sub("", part)) for part in paragraphs if part)


def in_lines(text: str) -> str:
    """Text that keeps its lines, with one space between words and at most one blank line between lines."""
    lines = [" ".join(line.split()) for line in text.replace(PARAGRAPH, "\n\n").split("\n")]
    return _BLANKS.sub("\n\n", _LOOSE.sub("", "\n".join(lines))).strip("\n")


def printed_in(text: str, prints: Sequence[Print]) -> list[Print]:
    """The prints whose characters stand in the text."""
    return [prints[code - FIRST_FACT] for code in map(ord, TOKEN.findall(text)) if code < FIRST_CONSTANT]


def resolve(text: str, prints: Sequence[Print], constants: Sequence[str]) -> tuple[str, tuple[Witness, ...]]:
    """The text with every private-use character replaced, and a witness for each fact in it."""
    parts = TOKEN.split(text)  # every second one is such a character
    witnesses: list[Witness] = []
    at = 0
    for place in range(1, len(parts), 2):
        at += len(parts[place - 1])
        code = ord(parts[place])
        if code < FIRST_CONSTANT:
            path, value, printed, _ = prints[code - FIRST_FACT]
            witnesses.append(Witness(path, value, printed, at, at + len(printed)))
        else:
            printed = constants[code - FIRST_CONSTANT]
        parts[place] = printed
        at += len(printed)
    return "".join(parts), tuple(witnesses)


def plain(text: str, prints: Sequence[Print], constants: Sequence[str]) -> str:
    """The text alone, as resolve() makes it; a character that stands for none becomes a blank."""
    parts = TOKEN.split(text)
    parts[1::2] = [_text_of(ord(token), prints, constants) for token in parts[1::2]]
    return "".join(parts)


def _text_of(code: int, prints: Sequence[Print], constants: Sequence[str]) -> str:
    if code < FIRST_CONSTANT:
        return prints[code - FIRST_FACT].text
    return constants[code - FIRST_CONSTANT] if code - FIRST_CONSTANT < len(constants) else " "
