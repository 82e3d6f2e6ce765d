"""What can be known of a template before anything is told: its imports, its names, its blocks, its constants."""

from collections.abc import Iterator, Mapping
from typing import Final

from jinja2 import nodes
from jinja2.meta import find_referenced_templates

from etlnarr.errors import GateError
from etlnarr.prose.page import FIRST_CONSTANT, TOKEN
from etlnarr.prose.spare import MARK

BLOCKS: Final = ("instruction", "input", "output")


def imports_of(name: str, trees: Mapping[str, nodes.Template]) -> frozenset[str]:
    """The templates that a template names.

    Errors: GateError when one does not exist, or lacks what is imported from it.
    """
    found = frozenset(other or "" for other in find_referenced_templates(trees[name]))
    lost = sorted(found - trees.keys())
    if lost:
        raise GateError(f"{name} imports '{lost[0]}', which is not a template of the folder")
    for statement in trees[name].find_all(nodes.FromImport):
        (other,) = find_referenced_templates(nodes.Template([statement]))
        wanted = {item if isinstance(item, str) else item[0] for item in statement.names}
        missing = sorted(wanted - names_of(trees[other or ""]))
        if missing:
            raise GateError(f"{name} line {statement.lineno}: {other} has no {', '.join(missing)}")
    return found


def names_of(tree: nodes.Template) -> set[str]:
    """What a template defines outside its blocks."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, nodes.Macro):
            found.add(node.name)
        elif isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
            found.add(node.target.name)
        elif isinstance(node, nodes.Import):
            found.add(node.target)
        elif isinstance(node, nodes.FromImport):
            found |= {item if isinstance(item, str) else item[1] for item in node.names}
    return found


def check_blocks(name: str, tree: nodes.Template) -> None:
    """Refuse a story that lacks a block, or says something outside its blocks.

    Errors: GateError.
    """
    present = {block.name for block in tree.find_all(nodes.Block)}
    missing = [block for block in BLOCKS if block not in present]
    if missing:
        raise GateError(f"{name} has no block {', '.join(missing)}")
    for output in tree.body:
        if isinstance(output, nodes.Output) and any(map(_speaks, output.nodes)):
            raise GateError(f"{name} line {output.lineno}: what stands outside the blocks is told nowhere")


def declare(name: str, tree: nodes.Template, constants: list[str]) -> tuple[str, ...]:
    """Put a private-use character in the place of every declared constant, and return their texts.

    Errors: GateError when the declaration is anything but a dict of names to texts.
    """
    first = len(constants)
    for line, value in _declared(tree):
        if not isinstance(value, nodes.Const) or not isinstance(value.value, str):
            raise GateError(f"{name} line {line}: constants are a dict of names to texts")
        constants.append(" ".join(value.value.split()))
        value.value = chr(FIRST_CONSTANT + len(constants) - 1)
    return tuple(constants[first:])


def refuse_tokens(name: str, tree: nodes.Template) -> None:
    """Refuse a string that is written with an escape and means a private-use character.

    Errors: GateError.
    """
    for const in tree.find_all(nodes.Const):
        if isinstance(const.value, str) and (TOKEN.search(const.value) or MARK.search(const.value)):
            raise GateError(f"{name} line {const.lineno}: a string holds a private-use character")


def trim_macros(tree: nodes.Template) -> None:
    """Let a macro tell its text without the blank space around it, so that it may be broken into lines."""
    for macro in tree.find_all(nodes.Macro):
        macro.body = [nodes.FilterBlock(macro.body, nodes.Filter(None, "trim", [], [], None, None))]


def _declared(tree: nodes.Template) -> Iterator[tuple[int, nodes.Node]]:
    for assign in tree.find_all(nodes.Assign):
        if isinstance(assign.target, nodes.Name) and assign.target.name == "constants":
            values = (
                [pair.value for pair in assign.node.items] if isinstance(assign.node, nodes.Dict) else [assign.node]
            )
            yield from ((assign.lineno, value) for value in values)


def _speaks(part: nodes.Node) -> bool:
    return not isinstance(part, nodes.TemplateData) or bool(part.data.strip())
