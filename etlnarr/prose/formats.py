"""How one value is written: numbers, durations, moments and words, the same in every locale."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache, lru_cache
from math import isfinite
from typing import Final, TypeAlias

from etlnarr.errors import GateError

Scalar: TypeAlias = bool | int | float | str | None
NUMBERS: Final = (int, float)

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MINUTES: Final = {"ms": (1, 60_000), "s": (1, 60), "min": (1, 1), "h": (60, 1), "d": (1440, 1), "days": (1440, 1)}
"""Minutes in one of the unit, as a fraction."""

_WIDE: Final = Context(prec=400, rounding=ROUND_HALF_EVEN)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  a wall clock has no zone
_SMALL: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPELLED: Final = (*_SMALL, *(f"{tens}-{ones}" if ones != "zero" else tens for tens in _TENS for ones in _SMALL[:10]))


def number(value: Scalar) -> int | float:
    """The value itself.

    Errors: GateError for anything but a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, NUMBERS):
        raise GateError("is not a number")
    if isinstance(value, float) and not isfinite(value):
        raise GateError("is not finite")
    return value


def exact(value: Scalar) -> Decimal:
    """The value as people read it in JSON, without the binary tail of a float.

    Errors: GateError for anything but a finite number.
    """
    return Decimal(repr(number(value)))


def fixed(value: Decimal, decimals: int) -> str:
    """A number with its decimals and a comma between thousands, rounded half to even, zero without a sign."""
    rounded = value.quantize(_unit(decimals), context=_WIDE)
    return f"{rounded if rounded else rounded.copy_abs():,f}"


@cache
def _unit(decimals: int) -> Decimal:
    return Decimal((0, (1,), -decimals))


@lru_cache(maxsize=65_536, typed=True)  # typed: true equals 1 and is no number
def written(value: Scalar, decimals: int) -> str:
    """A number as fixed() writes it; the same few stand in most examples.

    Errors: GateError for anything but a finite number.
    """
    return fixed(exact(value), decimals)


def minutes(value: Scalar, unit: str) -> Decimal:
    """A span of time in minutes, which it is in when the unit says nothing of time."""
    factor, divisor = MINUTES.get(unit, (1, 1))
    return exact(value) * factor / divisor


def duration(span: Decimal) -> str:
    """A span in minutes as `6 h 10 min`, `6 h` or `45 min`."""
    whole = int(span.quantize(Decimal(1), context=_WIDE))
    hours, rest = divmod(abs(whole), 60)
    parts = [f"{hours:,} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return "-" * (whole < 0) + " ".join(parts)


def spelled(value: Decimal) -> str | None:
    """A whole number below a hundred in words; None for any other."""
    whole = int(value)
    return _SPELLED[whole] if whole == value and 0 <= whole < len(_SPELLED) else None


@lru_cache(maxsize=4_096, typed=True)  # as above; the same few times stand in many places of an example
def moment(value: Scalar) -> datetime:
    """The wall clock of an ISO 8601 text, or of milliseconds since 1970 that were already made local.

    Errors: GateError when the value is neither.
    """
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=None)
        return _EPOCH + timedelta(milliseconds=int(exact(value)))
    except (ValueError, OverflowError) as error:
        raise GateError("is not a time") from error


def clock(value: Scalar, unit: str) -> str:
    """The time of day as `17:25`; a number in minutes or hours counts from midnight."""
    if isinstance(value, str) or unit not in ("min", "h"):
        return f"{moment(value):%H:%M}"
    hour, rest = divmod(int(minutes(value, unit)) % 1440, 60)
    return f"{hour:02d}:{rest:02d}"


def daypart(value: Scalar) -> str:
    """Morning from 05:00, afternoon from 12:00, evening from 17:00, night from 22:00."""
    hour = moment(value).hour
    starts = ((22, "night"), (17, "evening"), (12, "afternoon"), (5, "morning"), (0, "night"))
    return next(part for start, part in starts if hour >= start)


def weekday(value: Scalar) -> str:
    """The name of the day of a time, or of a name in lower case."""
    named = value.capitalize() if isinstance(value, str) else ""
    return named if named in WEEKDAYS else WEEKDAYS[moment(value).weekday()]
