"""The texts of templates to code: parsed together, checked and compiled."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import NamedTuple

from jinja2 import TemplateSyntaxError, nodes

from etlnarr.errors import GateError
from etlnarr.prose.environment import FactEnvironment, environment
from etlnarr.prose.static import check_blocks, declare, imports_of, names_of, refuse_tokens, trim_macros


class Compiled(NamedTuple):
    """What is left of templates that passed all checks, by file name; names are there for stories alone."""

    codes: dict[str, CodeType]
    constants: dict[str, tuple[str, ...]]  # the texts each declares, in the order of their tokens
    needs: dict[str, frozenset[str]]  # the names each looks up in the facts
    names: dict[str, frozenset[str]]  # what a story defines outside its blocks


def compiled(texts: Mapping[str, str]) -> Compiled:
    """Check and compile templates that import nothing but each other.

    Errors: GateError naming the template, and the line where there is one.
    """
    language = environment({})
    trees: dict[str, nodes.Template] = {}
    for name, text in texts.items():
        with _naming(name):
            trees[name] = language.parse(text, name, name)
        refuse_tokens(name, trees[name])
        trim_macros(trees[name])
    constants: list[str] = []
    declared = {name: declare(name, tree, constants) for name, tree in trees.items()}
    for name in trees:
        imports_of(name, trees)
    codes = {name: _code(name, language, tree) for name, tree in trees.items()}
    needs = {name: _needs(name, language, tree) for name, tree in trees.items()}
    told = {name for name, tree in trees.items() if tree.find(nodes.Block)}
    _check(trees, told, needs)
    return Compiled(codes, declared, needs, {name: frozenset(names_of(trees[name])) for name in sorted(told)})


def _code(name: str, language: FactEnvironment, tree: nodes.Template) -> CodeType:
    with _naming(name):
        return language.compile(tree, name, name)


def _needs(name: str, language: FactEnvironment, tree: nodes.Template) -> frozenset[str]:
    """The names that a template looks up in the facts; one that is set in some branch only is not among them."""
    own = names_of(tree) | {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"}
    return frozenset(language.looked_up[name]) - own


def _check(trees: Mapping[str, nodes.Template], told: set[str], needs: Mapping[str, frozenset[str]]) -> None:
    for name, tree in trees.items():
        if name in told:
            check_blocks(name, tree)
        elif needs[name]:
            raise GateError(
                f"{name} has no blocks and sees no facts: pass {', '.join(sorted(needs[name]))} to its macros"
            )


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        raise GateError(f"{error.name or name} line {error.lineno}: {(error.message or '').rstrip('.')}") from error
    except RecursionError as error:
        raise GateError(f"{name} is nested too deeply") from error
