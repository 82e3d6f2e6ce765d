"""What a told text must prove: no number or verdict without a witness, no number that the data block lacks.

The gates read the text with a NUL in the place of each fact and each declared constant, so whatever they find in it
was written by hand.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, NamedTuple

from etlnarr.errors import GateError
from etlnarr.prose.page import Print

NUMBER_WORDS: Final = (
    "zero nil one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety twenties thirties forties "
    "fifties sixties seventies eighties nineties tens hundred hundreds thousand thousands million millions billion "
    "billions dozen dozens pair pairs couple fortnight once twice thrice double doubled twofold triple tripled "
    "threefold fourfold fivefold tenfold half halves halved quarter quarters "
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth "
    "eightieth ninetieth hundredth thousandth thirds fifths sixths sevenths eighths ninths tenths hundredths "
    "thousandths both"
)
"""Words that count as digits; not "seconds", which is a unit."""

JUDGEMENTS: Final = frozenset(
    {
        *("normal", "abnormal", "healthy", "unhealthy", "excellent", "ideal", "optimal", "suboptimal", "perfect"),
        *("dangerous", "alarming", "worrying", "concerning", "impressive", "terrible"),
        *("significant", "significantly", "insignificant"),
    }
)
"""Words that judge and are no verdict of any type: whoever writes one has no table of bands behind it."""

NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_DIGIT: Final = re.compile(r"\d")
_AROUND: Final = re.compile(r"\w*\d\w*(?:[.,:]\d\w*)*")  # with the word around it, for the message
_UNUSUAL: Final = re.compile(r"[^\x00-\x7f]")  # may be a numeral that \d does not know
_WORD: Final = re.compile("[a-z]+")
_COUNTING: Final = frozenset(NUMBER_WORDS.split(" "))
_WORDS: Final = {
    code: chr(code).lower() if chr(code).isalpha() else "0" if chr(code).isdigit() else " " for code in range(128)
}
"""ASCII as words in lower case with blanks between them, and each digit as a zero."""
_NUMBERS: Final = {code: chr(code) if chr(code) in "0123456789.,:" else " " for code in range(128)}
"""ASCII as numbers with blanks between them; the signs that may stand in a number may also stand around it."""


class Literal(NamedTuple):
    """Text that a template holds, and the line it begins on; a macro stands in no block."""

    template: str
    line: int
    block: str
    text: str


def refuse_strays(text: str, block: str, literals: Callable[[], Sequence[Literal]]) -> None:
    """Refuse a number, in digits or in words, that is neither a fact nor a declared constant.

    Errors: GateError with the stray text when a template holds it, and without it when it may be a reading.
    """
    if _spotless(text, _COUNTING):
        return
    strays = _AROUND.findall(text) if _DIGIT.search(text) else []
    strays += [word for word in _WORD.findall(text.lower()) if word in _COUNTING]
    strays += [sign for sign in _UNUSUAL.findall(text) if sign.isnumeric()]
    if strays:
        stray, where = _named(strays[0], "a number", block, literals())
        raise GateError(f"{block}: {stray} is neither a fact nor a declared constant{where}")


def refuse_verdicts(text: str, vocabulary: AbstractSet[str], literals: Callable[[], Sequence[Literal]]) -> None:
    """Refuse a word of the verdicts that is not the print of a verdict, and a word that judges without one.

    Errors: GateError with the word.
    """
    judging = JUDGEMENTS | vocabulary
    if _spotless(text, _beginnings(judging)):
        return  # as nearly always, and far sooner than the pattern would know
    found = _any_of(judging).search(text)
    if found:
        word, where = _named(found.group(), "a word", "output", literals())
        raise GateError(f"output: {word} is a verdict and has no witness{where}")


def refuse_unfounded(prints: Sequence[Print], data: str, constants: Sequence[str]) -> None:
    """Refuse a printed number that does not stand in the data block in the same form.

    A text, such as the reason of a silence, may also repeat numbers of the declared constants.

    Errors: GateError with the path of the fact.
    """
    if _founded(prints, data):
        return  # as nearly always
    given = set(NUMBER.findall(data))
    for path, value, proof in prints:
        lacking = set() if proof in given else set(NUMBER.findall(proof)) - given
        if lacking and isinstance(value, str):
            lacking.difference_update(*map(NUMBER.findall, constants))
        if lacking:
            raise GateError(f"output: {path} prints a number that input does not hold in this form")


def refuse_tables(prints: Iterable[Print]) -> None:
    """Refuse a table outside the data block, where it has no witness.

    Errors: GateError.
    """
    if not all(path for path, _, _ in prints):
        raise GateError("a table has no witness, it belongs to input")


def _spotless(text: str, refused: frozenset[str]) -> bool:
    """Whether a text has surely no numeral, and no such word."""
    words = text.translate(_WORDS)
    return text.isascii() and "0" not in words and refused.isdisjoint(words.split())


def _founded(prints: Sequence[Print], data: str) -> bool:
    """Whether every number that is printed stands surely in the data, between blanks and what else is in no number."""
    apart = set(data.replace(", ", " ").replace(": ", " ").translate(_NUMBERS).split())
    return all(proof in apart or apart.issuperset(NUMBER.findall(proof)) for _, _, proof in prints)


@lru_cache(maxsize=64)
def _beginnings(vocabulary: frozenset[str]) -> frozenset[str]:
    return frozenset(_WORD.findall(word.lower())[0] for word in vocabulary)


@lru_cache(maxsize=64)
def _any_of(vocabulary: frozenset[str]) -> re.Pattern[str]:
    phrases = (r"[\s_-]+".join(map(re.escape, re.split(r"[\s_]+", word))) for word in sorted(vocabulary, reverse=True))
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


def _named(stray: str, otherwise: str, told: str, literals: Sequence[Literal]) -> tuple[str, str]:
    own = re.compile(rf"(?<!\w){re.escape(stray)}(?!\w)", re.IGNORECASE)
    for template, line, block, text in literals:
        found = own.search(text) if block in ("", told) else None
        if found:
            return f"'{stray}'", f" ({template} line {line + text.count(chr(10), 0, found.start())})"
    return otherwise, ""
