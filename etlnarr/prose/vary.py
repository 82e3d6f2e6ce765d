"""`{% vary %} ... {% or %} ... {% endvary %}`: one of several phrasings, chosen by the example."""

import hashlib

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from etlnarr.prose.page import PAGE, Choice


def evenly(example_id: str) -> Choice:
    """Choose by a hash of the example and the tag: stable everywhere, and spread evenly over examples."""

    def choose(tag: str, alternatives: int) -> int:
        digest = hashlib.sha256(f"{example_id}\0{tag}".encode()).digest()
        return int.from_bytes(digest[:8]) % alternatives

    return choose


class Vary(Extension):
    """The tag; it is named by its template and its place among the tags of that template."""

    tags = {"vary"}  # noqa: RUF012  as jinja2 declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Turn the alternatives into branches on one choice."""
        line = next(parser.stream).lineno
        chosen = parser.free_identifier(line)  # numbered in the order of the tags, nothing else here takes numbers
        bodies = [parser.parse_statements(("name:or", "name:endvary"))]
        while next(parser.stream).value == "or":
            bodies.append(parser.parse_statements(("name:or", "name:endvary")))
        if len(bodies) == 1:
            parser.fail("vary needs an alternative: {% or %}", line)
        asked = self.call_method("chosen", [nodes.Const(f"{parser.name}#{chosen.name}"), nodes.Const(len(bodies))])
        branches = [
            nodes.If(nodes.Compare(chosen, [nodes.Operand("eq", nodes.Const(place))]), body, [], [], lineno=line)
            for place, body in enumerate(bodies)
        ]
        return [nodes.Assign(chosen, asked, lineno=line), *branches]

    def chosen(self, tag: str, alternatives: int) -> int:
        """The alternative for the render in progress."""
        return PAGE.get().choice(tag, alternatives) % alternatives
