"""A folder of templates: what each depends on, and those that are told, read, checked and compiled."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from jinja2 import Template

from etlnarr.errors import GateError
from etlnarr.prose import bytecode
from etlnarr.prose.compiling import compiled
from etlnarr.prose.environment import FactEnvironment, environment
from etlnarr.prose.gates import Literal
from etlnarr.prose.page import TOKEN
from etlnarr.prose.spare import MARK

IMPORT: Final = re.compile(r"""\{%[-+]?\s*(?:from|import|include|extends)\s*["']([^"']*)["']""")


@dataclass(frozen=True, slots=True)
class Story:
    """A template that tells something, with what it imports."""

    template: Template
    hash: str  # SHA-256 of its text and of all it imports
    needs: frozenset[str]  # the names it looks up in the facts
    names: frozenset[str]  # what it defines outside its blocks, macros above all
    constants: tuple[str, ...]  # the declared texts, those of its imports too
    literals: Callable[[], tuple[Literal, ...]]  # what it says by itself, running text first


@dataclass(frozen=True, slots=True)
class Templates:
    """The stories of a folder by file name, and the texts of the declared constants in the order of their tokens."""

    stories: Mapping[str, Story]
    constants: tuple[str, ...]


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of each template of a folder with all that it imports, by file name; nothing is compiled.

    Errors: GateError naming a template that is not text.
    """
    texts = _texts(folder)
    return {name: _digest(sorted(_closure(name, texts)), texts) for name in texts}


def load(folder: Path, names: AbstractSet[str] | None = None) -> Templates:
    """Read, check and compile templates of a folder, by default all; one with blocks is a story.

    Errors: GateError naming the template, and the line where there is one.
    """
    texts = _texts(folder)
    if names is not None:
        wanted = {part for name in names if name in texts for part in _closure(name, texts)}
        texts = {name: text for name, text in texts.items() if name in wanted}
    made = bytecode.find(folder, texts)
    if made is None:
        made = compiled(texts)
        bytecode.keep(folder, texts, made)
    language = environment(made.codes)
    stories = {}
    for name, defined in made.names.items():
        parts = sorted(_closure(name, texts))
        own = tuple(text for part in parts for text in made.constants[part])
        literals = partial(_literals, {part: texts[part] for part in parts}, language)
        template = language.get_template(name)
        stories[name] = Story(template, _digest(parts, texts), made.needs[name], defined, own, literals)
    return Templates(stories, tuple(chain.from_iterable(made.constants.values())))


def story(templates: Templates, name: str) -> Story:
    """The story of a file name.

    Errors: GateError when there is none.
    """
    found = templates.stories.get(name)
    if found is None:
        raise GateError(f"{name} is not a template that tells something")
    return found


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: _read(path) for path in sorted(folder.glob("*.jinja"))}


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GateError(f"{path.name} is not UTF-8") from error
    except OSError as error:
        raise GateError(f"{path.name} cannot be read; it must be a file of text") from error
    if TOKEN.search(text) or MARK.search(text):
        raise GateError(f"{path.name} holds a private-use character")
    return text


def _closure(name: str, texts: Mapping[str, str]) -> set[str]:
    """The template with all that it imports, as far as the folder has it."""
    found, ends = {name}, [name]
    while ends:
        new = set(IMPORT.findall(texts[ends.pop()])) & texts.keys() - found
        found |= new
        ends += new
    return found


def _digest(parts: Sequence[str], texts: Mapping[str, str]) -> str:
    return bytecode.framed_hash(text.encode() for part in parts for text in (part, texts[part])).hex()


def _literals(texts: Mapping[str, str], language: FactEnvironment) -> tuple[Literal, ...]:
    said = [found for name, text in texts.items() for found in _said(name, text, language)]
    return tuple(literal for wanted in ("data", "string") for kind, literal in said if kind == wanted)


def _said(name: str, text: str, language: FactEnvironment) -> Iterator[tuple[str, Literal]]:
    block, tag = "", [""]  # the names in the tag that the lexer stands in
    for line, kind, value in language.lex(text):
        if kind in ("block_begin", "variable_begin"):
            tag = [kind]
        elif kind == "name":
            tag.append(value)
            block = value if tag == ["block_begin", "block", value] else "" if value == "endblock" else block
        elif kind in ("data", "string"):
            yield kind, Literal(name, line, block, value)
