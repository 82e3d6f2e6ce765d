"""Several workers on one lake, each with its own catalog: what they learnt, and whose turn it is to write."""

from etlnarr.sharing.parts import TELLINGS, UPLOADS, absorb, compact, publish, shared, unknown
from etlnarr.sharing.turns import admit, place_of, take_over, turn

__all__ = [
    "TELLINGS",
    "UPLOADS",
    "absorb",
    "admit",
    "compact",
    "place_of",
    "publish",
    "shared",
    "take_over",
    "turn",
    "unknown",
]
