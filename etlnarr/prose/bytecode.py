"""Compiled templates kept beside their texts, as Python keeps modules in __pycache__: to compile them takes long."""

import hashlib
import marshal
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import Final

from etlnarr.prose.compiling import Compiled

SIZE: Final = hashlib.sha256().digest_size


def framed_hash(parts: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of parts, each with its length before it, so that none can be taken for another."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8) + part)
    return hashed.digest()


def find(folder: Path, texts: Mapping[str, str]) -> Compiled | None:
    """Return what was kept of these very texts by this very program; None where nothing was."""
    try:
        kept = _place(folder, texts).read_bytes()
    except OSError:
        return None
    made_from, check, code = kept[:SIZE], kept[SIZE : 2 * SIZE], kept[2 * SIZE :]
    whole = made_from == _source(texts) and check == framed_hash(
        [code]
    )  # marshal must not see what a full disk cut off
    return Compiled(*marshal.loads(code)) if whole else None  # noqa: S302  who can write here can write templates, which are code


def keep(folder: Path, texts: Mapping[str, str], made: Compiled) -> None:
    """Keep what was made of texts, where the folder may be written and Python keeps its modules too."""
    if sys.dont_write_bytecode or not texts:
        return
    code = marshal.dumps(tuple(made))
    place = _place(folder, texts)
    aside = place.with_suffix(f".{os.getpid()}")  # several processes compile at once
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("xb") as file:  # never through a link that somebody put there
            file.write(_source(texts) + framed_hash([code]) + code)
        aside.replace(place)
    with suppress(OSError):
        aside.unlink(missing_ok=True)


def _place(folder: Path, texts: Iterable[str]) -> Path:
    """One file for each choice of templates: their constants are numbered together."""
    return Path(cache_from_source(str(folder / f"templates-{framed_hash(map(str.encode, texts)).hex()[:16]}.jinja")))


def _source(texts: Mapping[str, str]) -> bytes:
    return framed_hash([_program(), *(text.encode() for pair in texts.items() for text in pair)])


@cache
def _program() -> bytes:
    """The code that compiles, and what it is written in."""
    own = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return framed_hash([MAGIC_NUMBER, version("jinja2").encode(), *own])
