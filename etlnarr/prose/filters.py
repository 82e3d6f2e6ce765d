"""The filters and tests of the template language: each returns the fact with another way to be written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from etlnarr.errors import GateError
from etlnarr.prose import formats
from etlnarr.prose.fact import Fact, Style, in_words
from etlnarr.prose.facts import Facts, Node
from etlnarr.prose.formats import MONTHS, Scalar
from etlnarr.prose.page import TOKEN


def _wording(write: Callable[[Scalar], str]) -> Callable[[Fact], Fact]:
    def of_value(fact: Fact) -> str:
        return write(fact.value)

    return lambda fact: _checked(fact).told(of_value)


def _finishing(finish: Callable[[str], str]) -> Callable[[Fact], Fact]:
    return lambda fact: _checked(fact).finished(finish)


def _checked(fact: Fact) -> Fact:
    if not isinstance(fact, Fact):
        raise GateError(f"this filter takes a fact, not {type(fact).__name__}")
    return fact


def decimals(fact: Fact, places: int) -> Fact:
    """The number with so many decimals instead of those of its metric."""
    return _checked(fact).told(fact.write, Style(fact.style.unit, places))


def integer(fact: Fact) -> Fact:
    """The number rounded half to even."""
    return decimals(fact, 0)


def hours(fact: Fact) -> Fact:
    """A span of time as a number of hours with one decimal."""
    return _checked(fact).told(_hours, Style(fact.style.unit, 1))


def duration(fact: Fact) -> Fact:
    """A span of time as `6 h 10 min`."""
    return _checked(fact).told(_duration)


def clock(fact: Fact) -> Fact:
    """The time of day as `17:25`."""
    return _checked(fact).told(_clock)


def words(fact: Fact, texts: Mapping[Scalar, str] | None = None) -> Fact:
    """A word as the text given for it; without texts, with spaces for underscores."""
    if texts is None:
        return _checked(fact).told(_unscored)
    return _checked(fact).told(lambda own: _text_for(own.value, texts))


def spelled(fact: Fact) -> Fact:
    """A whole number below a hundred in words."""
    return _checked(fact).told(in_words)


def capital(text: Fact | str) -> Fact | str:
    """The text, or the fact, with a capital first letter; the rest stays as it is."""
    if isinstance(text, Fact):
        return text.finished(_capital)
    return _capital(text.strip())


def listed(items: Iterable[Fact | str], last: str = "and") -> str:
    """`a`, `a and b`, or `a, b and c`."""
    texts = [str(item).strip() for item in items]
    return f" {last} ".join(part for part in (", ".join(texts[:-1]), *texts[-1:]) if part)


def pairs(group: Facts) -> Iterator[tuple[Fact, Node]]:
    """The names in a group, as facts, with what they name."""
    for name in group.values:
        node = group.child(name)
        yield Fact(node.path, name, withheld=node.withheld), node


def _hours(fact: Fact) -> str:
    return formats.fixed(formats.minutes(fact.value, fact.style.unit) / 60, fact.style.decimals or 0)


def _duration(fact: Fact) -> str:
    return formats.duration(formats.minutes(fact.value, fact.style.unit))


def _clock(fact: Fact) -> str:
    return formats.clock(fact.value, fact.style.unit)


def _unscored(fact: Fact) -> str:
    return _word(fact.value).replace("_", " ")


def _text_for(value: Scalar, texts: Mapping[Scalar, str]) -> str:
    if value not in texts:
        raise GateError("has a word that words() has no text for")
    if TOKEN.search(texts[value]):
        raise GateError("takes plain texts in words(), no fact and no constant")
    return texts[value]


def _word(value: Scalar) -> str:
    if not isinstance(value, str):
        raise GateError("is not a word")
    return value


def _signed(text: str) -> str:
    return f"+{text}" if text[0] != "-" and any(digit in text for digit in "123456789") else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _day(value: Scalar) -> str:
    moment = formats.moment(value)
    return f"{moment.day} {MONTHS[moment.month - 1]}"


def _date(value: Scalar) -> str:
    return f"{_day(value)} {formats.moment(value).year}"


def _agree(*parts: str) -> Callable[[Fact, Fact], bool]:
    def test(one: Fact, other: Fact) -> bool:
        first, second = formats.moment(one.claim()), formats.moment(other.claim())
        return all(getattr(first, part) == getattr(second, part) for part in parts)

    return test


WORDINGS: Final[Mapping[str, Callable[[Scalar], str]]] = {
    "date": _date,
    "day": _day,
    "daypart": formats.daypart,
    "month": lambda value: MONTHS[formats.moment(value).month - 1],
    "name": _word,
    "weekday": formats.weekday,
    "year": lambda value: str(formats.moment(value).year),
}
"""The filters that need nothing of a fact but its value."""

FACT_FILTERS: Final[Mapping[str, Callable[..., Fact]]] = {
    "absolute": _finishing(lambda text: text.removeprefix("-")),
    "clock": clock,
    "decimals": decimals,
    "duration": duration,
    "hours": hours,
    "integer": integer,
    "signed": _finishing(_signed),
    "spelled": spelled,
    "words": words,
    **{name: _wording(write) for name, write in WORDINGS.items()},
}
OTHER_FILTERS: Final[Mapping[str, Callable[..., object]]] = {"capital": capital, "listed": listed, "pairs": pairs}
TESTS: Final[Mapping[str, Callable[[Fact, Fact], bool]]] = {
    "same_day": _agree("year", "month", "day"),
    "same_month": _agree("year", "month"),
    "same_year": _agree("year"),
}
