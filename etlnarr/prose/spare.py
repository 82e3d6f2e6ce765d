"""Sentences that may be left out of a text that is too long: `{{ spare(sentence(), 2) }}`, the highest number first."""

import re
from collections.abc import Mapping
from typing import Final

from etlnarr.errors import GateError
from etlnarr.prose.page import plain

FIRST_RANK: Final = 0xE000
RANKS: Final = range(1, 10)
END: Final = chr(FIRST_RANK)
MARK: Final = re.compile(f"[{END}-{chr(FIRST_RANK + 9)}]")
SPARE: Final = re.compile(rf"([{chr(FIRST_RANK + 1)}-{chr(FIRST_RANK + 9)}])([^{END}]*){END}")


def spare(text: str, rank: int) -> str:
    """Mark a sentence as one that a long text can do without.

    Errors: GateError for a rank that is none of 1 to 9, and for a spare sentence inside of another.
    """
    if rank not in RANKS or END in text:
        raise GateError("spare takes a text without another spare one, and a rank from 1 to 9")
    return f"{chr(FIRST_RANK + rank)}{text}{END}" if text.strip() else ""


def shortened(text: str, texts: Mapping[str, str], most_words: int | None) -> str:
    """Leave out spare sentences, the later ones of the highest rank first, until the text is short enough."""
    while most_words is not None and len(plain(text, texts).split()) > most_words:
        found = list(SPARE.finditer(text))
        if not found:
            break
        out = max(found, key=lambda match: (match.group(1), match.start()))
        text = text[: out.start()] + " " + text[out.end() :]
    return SPARE.sub(lambda match: match.group(2), text)
