"""The template language: jinja2 with facts for values, and little else that could print."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any, Final

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.utils import internalcode

from etlnarr.errors import GateError
from etlnarr.prose.fact import Fact
from etlnarr.prose.facts import FactList, Facts
from etlnarr.prose.filters import FACT_FILTERS, OTHER_FILTERS, TESTS
from etlnarr.prose.page import PARAGRAPH
from etlnarr.prose.spare import spare
from etlnarr.prose.spoken import tell_recommendations, tell_silences
from etlnarr.prose.table import table
from etlnarr.prose.vary import Vary

KEPT_FILTERS: Final = (
    "first",
    "join",
    "last",
    "length",
    "list",
    "map",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "trim",
)
KEPT_TESTS: Final = ("eq", "ge", "gt", "in", "le", "lt", "ne")
GLOBALS: Final[Mapping[str, object]] = {
    "paragraph": PARAGRAPH,
    "spare": spare,
    "table": table,
    "tell_recommendations": tell_recommendations,
    "tell_silences": tell_silences,
}
NODES: Final = (Fact, Facts, FactList)
PRINTABLE: Final = (str, Fact, Undefined)
OF_DICTS: Final = frozenset(dir(dict))  # jinja2 prefers these to the names that a dict holds
_TAG: Final = re.compile(r"\{%.*?%\}|\{#.*?#\}")


class Lines(Extension):
    """Keeps the line break after a tag that ends a line of text; a line of tags alone leaves nothing."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - as jinja2 calls it
        """Turn the closing `%}` of such lines into `+%}`, so that no line changes its number."""
        return "\n".join(map(_kept, source.split("\n")))


class Looking(CodeGenerator):
    """Notes, while it compiles a template, which names it looks up in the facts; writes no detour that none needs."""

    def enter_frame(self, frame: Frame) -> None:
        """Note the names that the frame resolves from the context."""
        super().enter_frame(frame)
        looked_up = {name for action, name in frame.symbols.loads.values() if action == "resolve" and name is not None}
        if isinstance(self.environment, FactEnvironment):
            self.environment.looked_up[str(self.name)] |= looked_up - self.environment.globals.keys()

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802, FBT001, FBT002 - as jinja2 calls it
        """Let a tag of an extension, which takes nothing of the context, be asked straight away."""
        if not isinstance(node.node, nodes.ExtensionAttribute):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for argument in node.args:
            self.visit(argument, frame)
            self.write(", ")
        self.write(")")

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802 - as above
        """Let the text of a macro, which is one already, be trimmed by itself."""
        plain = not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
        if node.node is None and node.name == "trim" and plain and not _escapes(frame):
            self.write(f"concat({frame.buffer}).strip()")
        else:
            super().visit_Filter(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if _escapes(frame):
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(finalize.src)  # without str(): it is text that finalize returns

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if _escapes(frame):
            super()._output_child_post(node, frame, finalize)
        else:
            self.write(")")


class Calling(Context):
    """Calls straight away what takes nothing of the context: a macro, and a function that does not ask for it."""

    @internalcode
    def call(self, called: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what a macro or function says."""
        macro = type(called) is Macro
        if not macro and (type(called) is not FunctionType or called.__dict__):  # where jinja2 notes what is asked for
            return super().call(called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        if macro and len(args) == called._argument_count and not (kwargs or _asks_for_more(called)):
            return called._func(*args)  # where it would come to itself, after many steps
        return called(*args, **kwargs)


class FactEnvironment(Environment):
    """Looks names up in facts, where a value cannot be had without its witness."""

    code_generator_class = Looking
    context_class = Calling

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.looked_up: dict[str, set[str]] = defaultdict(set)  # by the name of a compiled template

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what stands under a name."""
        if isinstance(obj, NODES):
            found = obj.ask(attribute)
            return self.undefined(f"{obj.path}.{attribute} is not among the facts") if found is None else found
        if type(obj) is dict and attribute in obj and attribute not in OF_DICTS:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_test(
        self,
        name: str,
        value: Any,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        context: Context | None = None,
        eval_ctx: EvalContext | None = None,
    ) -> Any:
        """Ask a test, as selectattr does for each entry; none of those here takes anything of the context."""
        test: Any = self.tests.get(name)
        if test is None:
            return super().call_test(name, value, args, kwargs, context, eval_ctx)
        return test(value, *(args or ()), **(kwargs or {}))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return what stands under a name or a number."""
        if isinstance(argument, str) and isinstance(obj, NODES):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)


class Ready(BaseLoader):
    """Loads templates that are compiled."""

    has_source_access = False

    def __init__(self, codes: Mapping[str, CodeType]) -> None:
        self.codes = codes

    def load(
        self,
        environment: Environment,
        name: str,
        globals: Any = None,  # noqa: A002  the name is jinja2's
    ) -> Template:
        """Return the template of that name."""
        return environment.template_class.from_code(environment, self.codes[name], globals or {}, None)


def environment(codes: Mapping[str, CodeType]) -> FactEnvironment:
    """The language, with what it may import."""
    made = FactEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        auto_reload=False,
        finalize=printable,
        extensions=[Vary, Lines],
        loader=Ready(codes),
    )
    made.filters = {name: made.filters[name] for name in KEPT_FILTERS} | dict(FACT_FILTERS) | dict(OTHER_FILTERS)
    made.tests = {name: made.tests[name] for name in KEPT_TESTS} | dict(TESTS)
    made.globals = dict(GLOBALS)
    return made


def printable(value: object) -> str:
    """The text of what a template prints: a fact, or text.

    Errors: GateError for all else, such as the bare number of a loop.
    """
    if type(value) is str:
        return value
    if type(value) is Fact:
        return value.__str__()
    if isinstance(value, PRINTABLE):
        return str(value)
    where = f"{value.path} is a group" if isinstance(value, Facts | FactList) else f"not {type(value).__name__}"
    raise GateError(f"only facts, constants and text can be printed: {where}")


def _asks_for_more(macro: Macro) -> bool:
    return bool(macro.caller or macro.catch_kwargs or macro.catch_varargs or macro._default_autoescape)


def _escapes(frame: Frame) -> bool:
    return frame.eval_ctx.volatile or frame.eval_ctx.autoescape


def _kept(line: str) -> str:
    text = line.rstrip()
    rest = _TAG.sub("", text).strip()
    inline = text.endswith(("%}", "#}")) and rest and not rest.endswith(("%}", "#}"))
    return f"{text[:-2]}+{text[-2:]}" if inline and text[-3] not in "+-" else text
