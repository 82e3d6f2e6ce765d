"""The page of one render: a printed fact leaves one private-use character, which is resolved when the text stands.

So whatever a template does to the text around a fact, the fact itself is carried whole, and what is not such a
character when the text stands was written by the template.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from etlnarr.errors import GateError
from etlnarr.prose.formats import Scalar

FIRST_FACT: Final = 0xF0000
FIRST_CONSTANT: Final = 0x100000
PARAGRAPH: Final = chr(0x10FFFD)
TOKENS: Final = f"{chr(FIRST_FACT)}-{PARAGRAPH}"  # as a range of a character class
_MANY: Final = 0xFFFE
TOKEN: Final = re.compile(f"([{TOKENS}])")
_SIGNS: Final = ".,;:!?"
_TIGHT: Final = re.compile(rf"[.?!](?<=[a-z)%{TOKENS}].)(?=[A-Z{TOKENS}])")  # a sign first: that is quickly searched
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


Print: TypeAlias = tuple[str, Scalar, str]
"""A fact that was printed: path, value, and the proof that the data block must hold for it."""


@dataclass(slots=True)
class Page:
    """What one render has printed so far, what each private-use character stands for, and how phrasings are chosen."""

    choice: Choice
    texts: dict[str, str]
    prints: list[Print] = field(default_factory=list)

    def put(self, path: str, value: Scalar, text: str, proof: str) -> str:
        """Keep a print and return the character that stands for it."""
        place = len(self.prints)
        if place == _MANY:
            raise GateError("prints too many facts")
        self.prints.append((path, value, proof))
        token = chr(FIRST_FACT + place)
        self.texts[token] = text
        return token


def blank(choice: Choice, constants: tuple[str, ...]) -> Page:
    """The page of a render that may print these constants."""
    return Page(choice, dict(_constant_texts(constants)))


@lru_cache(maxsize=8)
def _constant_texts(constants: tuple[str, ...]) -> Mapping[str, str]:
    return {PARAGRAPH: " "} | {chr(FIRST_CONSTANT + place): text for place, text in enumerate(constants)}


PAGE: Final[ContextVar[Page]] = ContextVar("page")
"""The page of the render in progress: macros imported without context have no other way to it."""


def flowing(text: str) -> str:
    """Text with one space between words and sentences; a blank line where the template asks for a paragraph."""
    paragraphs = (" ".join(part.split()) for part in text.split(PARAGRAPH))
    return "\n\n".join(_TIGHT.sub(r"\g<0> ", _drawn(part)) for part in paragraphs if part)


def in_lines(text: str) -> str:
    """Text that keeps its lines, with one space between words and at most one blank line between lines."""
    broken = text.replace(PARAGRAPH, "\n\n").replace("\n", f" {PARAGRAPH} ")  # as a word, to survive the next step
    lines = f" {' '.join(broken.split())}".replace(f" {PARAGRAPH}", "\n").replace("\n ", "\n")
    return _BLANKS.sub("\n\n", _drawn(lines.lstrip(" "))).strip("\n")


def _drawn(text: str) -> str:
    """Text without the space before a sign of punctuation; it holds no two spaces in a row."""
    for sign in _SIGNS:
        text = text.replace(f" {sign}", sign)
    return text


def pieces(text: str) -> list[str]:
    """Text in pieces, every second one a private-use character."""
    return TOKEN.split(text)


def printed_in(parts: Sequence[str], prints: Sequence[Print]) -> list[Print]:
    """The prints whose characters are among the pieces of a text."""
    return [prints[code - FIRST_FACT] for code in map(ord, parts[1::2]) if code < FIRST_CONSTANT]


def by_hand(parts: Sequence[str]) -> str:
    """What a template wrote itself, with a NUL for each private-use character."""
    return "\0".join(parts[::2])


def resolve(parts: Sequence[str], page: Page) -> tuple[str, tuple[Witness, ...]]:
    """The text with every private-use character replaced, and a witness for each fact in it."""
    told = list(parts)
    witnesses = []
    at = 0
    for place in range(1, len(told), 2):
        token = told[place]
        start = at + len(told[place - 1])
        told[place] = text = page.texts[token]
        at = start + len(text)
        if (code := ord(token)) < FIRST_CONSTANT:
            path, value, _ = page.prints[code - FIRST_FACT]
            witnesses.append(Witness(path, value, text, start, at))
    return "".join(told), tuple(witnesses)


def plain(text: str, texts: Mapping[str, str]) -> str:
    """The text alone, as resolve() makes it; where a paragraph begins stands a blank."""
    parts = pieces(text)
    parts[1::2] = [texts[token] for token in parts[1::2]]
    return "".join(parts)
