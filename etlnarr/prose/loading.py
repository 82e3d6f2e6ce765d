"""A folder of templates, read, checked and compiled once."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from etlnarr.errors import GateError
from etlnarr.prose.environment import FactEnvironment, environment
from etlnarr.prose.gates import Literal
from etlnarr.prose.page import TOKEN
from etlnarr.prose.static import check_blocks, declare, imports_of, names_of, trim_macros


@dataclass(frozen=True, slots=True)
class Story:
    """A template that tells something, with what it imports."""

    template: Template
    hash: str  # SHA-256 of its text and of all it imports
    needs: frozenset[str]  # the names it looks up in the facts
    names: frozenset[str]  # what it defines outside its blocks, macros above all
    constants: tuple[str, ...]  # the declared texts, those of its imports too
    literals: tuple[Literal, ...]  # what it says by itself, running text first


@dataclass(frozen=True, slots=True)
class Templates:
    """The stories of a folder by file name, and the texts of the declared constants in the order of their tokens."""

    stories: Mapping[str, Story]
    constants: tuple[str, ...]


def load(folder: Path) -> Templates:
    """Read, check and compile the templates of a folder; one with blocks is a story.

    Errors: GateError naming the template, and the line where there is one.
    """
    texts = {path.name: _read(path) for path in sorted(folder.glob("*.jinja"))}
    trees: dict[str, nodes.Template] = {}
    language = environment(trees)
    for name, text in texts.items():
        with _naming(name):
            trees[name] = language.parse(text, name, name)
            trim_macros(trees[name])
    constants: list[str] = []
    declared = {name: declare(name, tree, constants) for name, tree in trees.items()}
    imports = {name: imports_of(name, trees) for name in trees}
    compiled = {name: _compiled(name, language, trees[name]) for name in trees}
    told = {name for name, tree in trees.items() if tree.find(nodes.Block)}
    _check(trees, told, {name: needs for name, (_, needs) in compiled.items()})
    stories = {}
    for name in sorted(told):
        parts = sorted(_closure(name, imports))
        own = tuple(text for part in parts for text in declared[part])
        literals = _literals({part: texts[part] for part in parts}, language)
        names = frozenset(names_of(trees[name]))
        stories[name] = Story(compiled[name][0], _digest(parts, texts), compiled[name][1], names, own, literals)
    return Templates(stories, tuple(constants))


def story(templates: Templates, name: str) -> Story:
    """The story of a file name.

    Errors: GateError when there is none.
    """
    found = templates.stories.get(name)
    if found is None:
        raise GateError(f"{name} is not a template that tells something")
    return found


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GateError(f"{path.name} is not UTF-8") from error
    if TOKEN.search(text):
        raise GateError(f"{path.name} holds a private-use character")
    return text


def _compiled(name: str, language: FactEnvironment, tree: nodes.Template) -> tuple[Template, frozenset[str]]:
    """The template with the names it looks up in the facts; one that is set in some branch only is not among them."""
    own = names_of(tree) | {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"}
    with _naming(name):
        return language.get_template(name), frozenset(find_undeclared_variables(tree)) - own


def _check(trees: Mapping[str, nodes.Template], told: set[str], needs: Mapping[str, frozenset[str]]) -> None:
    for name, tree in trees.items():
        if name in told:
            check_blocks(name, tree)
        elif needs[name]:
            raise GateError(
                f"{name} has no blocks and sees no facts: pass {', '.join(sorted(needs[name]))} to its macros"
            )


def _closure(name: str, imports: Mapping[str, frozenset[str]]) -> set[str]:
    found, ends = {name}, [name]
    while ends:
        new = imports[ends.pop()] - found
        found |= new
        ends += new
    return found


def _digest(parts: Sequence[str], texts: Mapping[str, str]) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        for text in (part.encode(), texts[part].encode()):
            hashed.update(len(text).to_bytes(8) + text)
    return hashed.hexdigest()


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


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        raise GateError(f"{error.name or name} line {error.lineno}: {(error.message or '').rstrip('.')}") from error
