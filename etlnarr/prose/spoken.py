"""Sentences that the data ask for by name: silences and recommendations, each a macro of the template."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, cast

from jinja2 import pass_context
from jinja2.runtime import Context, Macro

from etlnarr.errors import GateError
from etlnarr.prose.fact import Fact
from etlnarr.prose.facts import Facts, Node

MOST_SILENCES: Final = 2
MOST_RECOMMENDATIONS: Final = 3


@pass_context
def tell_silences(context: Context, silences: Iterable[Node]) -> str:
    """The first two silences, each by the macro `silence_` and the last part of its path.

    Errors: GateError when the template has no such macro.
    """
    entries = list(islice(silences, MOST_SILENCES))
    return " ".join(_macro(context, f"silence_{_path(entry).rsplit('.', 1)[-1]}")(entry) for entry in entries)


@pass_context
def tell_recommendations(context: Context, recommendations: Iterable[Node]) -> str:
    """The first three recommendations, each by the macro of its name.

    Errors: GateError when the template has no such macro.
    """
    return " ".join(_macro(context, _text(name))() for name in islice(recommendations, MOST_RECOMMENDATIONS))


def _macro(context: Context, name: str) -> Callable[..., str]:
    found = context.resolve_or_missing(name)
    if not isinstance(found, Macro):
        raise GateError(f"the template has no macro {name}")
    return cast("Callable[..., str]", found)


def _path(entry: Node) -> str:
    return _text(entry.child("path")) if isinstance(entry, Facts) else ""


def _text(name: Node) -> str:
    return str(name.value) if isinstance(name, Fact) else ""
