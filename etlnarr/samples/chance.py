"""Chance that repeats: every draw follows from words, and only exact arithmetic shapes it.

Sines, logarithms and powers differ in their last digit from one platform's mathematics library to the next; sums,
products and quotients do not. So normal draws are sums of uniform ones, curves are polynomials, and where many numbers
are added it is by fsum: what sum makes of floats changed with Python 3.12.
"""

from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import Final
from uuid import UUID

ROOT_3: Final = 1.7320508075688772
"""Makes the sum of four uniform draws, less its mean, a draw of variance one."""
DOUBLINGS: Final = 10


def digest(*words: object) -> bytes:
    """Return 32 bytes that follow from the words."""
    return sha256("\x1f".join(map(str, words)).encode()).digest()


def stream(*words: object) -> Random:
    """Return a source of uniform draws that follows from the words."""
    return Random(int.from_bytes(digest(*words), "big"))  # noqa: S311 - samples are to be foreseen


def between(draw: Random, low: float, high: float) -> float:
    """Return a uniform draw."""
    return low + (high - low) * draw.random()


def bell(draw: Random) -> float:
    """Return a nearly normal draw of mean 0 and variance 1, never beyond 3.5."""
    return (draw.random() + draw.random() + draw.random() + draw.random() - 2) * ROOT_3


def drift(key: str, at: int, period: int) -> float:
    """Return a smooth random course of mean 0 at one time: a new bell draw each period, eased in between."""
    index, rest = divmod(at, period)
    weight = ease(rest / period)
    return _knot(key, index) * (1 - weight) + _knot(key, index + 1) * weight


def course(key: str, times: range, period: int) -> list[float]:
    """Return drift() at many times."""
    first, last = times[0] // period, times[-1] // period + 1
    knots = [_knot(key, index) for index in range(first, last + 1)]
    weights = {rest: ease(rest / period) for rest in {at % period for at in times}}
    drawn = []
    for at in times:
        index, weight = at // period - first, weights[at % period]
        drawn.append(knots[index] * (1 - weight) + knots[index + 1] * weight)
    return drawn


def ease(share: float) -> float:
    """Return the way from 0 to 1, leaving and arriving softly; flat outside."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def hump(share: float, peak: float) -> float:
    """Return a single wave over 0 to 1 that reaches 1 at the peak and is 0 at both ends and outside."""
    return ease(share / peak) if share < peak else ease((1 - share) / (1 - peak))


def exponential(value: float) -> float:
    """Return e to a small value, by squaring."""
    grown = 1 + value / (1 << DOUBLINGS)
    for _ in range(DOUBLINGS):
        grown *= grown
    return grown


def random_id(*words: object) -> str:
    """Return a UUID that looks random (version 4) and follows from the words."""
    return str(UUID(bytes=digest(*words)[:16], version=4))


@lru_cache(maxsize=1 << 14)
def _knot(key: str, index: int) -> float:
    made = digest(key, index)
    drawn = sum(int.from_bytes(made[at : at + 8], "big") for at in (0, 8, 16, 24))
    return (drawn / (1 << 64) - 2) * ROOT_3
