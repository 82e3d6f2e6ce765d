"""Facts to instruction, data block and narrative, with a witness for every fact that the narrative prints."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from jinja2 import Template, TemplateError
from jinja2.runtime import Context

from etlnarr.errors import GateError
from etlnarr.prose.facts import Facts, Node
from etlnarr.prose.gates import refuse_strays, refuse_tables, refuse_unfounded, refuse_verdicts
from etlnarr.prose.loading import Story, Templates, story
from etlnarr.prose.page import (
    PAGE,
    Choice,
    Page,
    Witness,
    blank,
    by_hand,
    flowing,
    in_lines,
    pieces,
    plain,
    printed_in,
    resolve,
)
from etlnarr.prose.spare import shortened
from etlnarr.prose.static import BLOCKS


@dataclass(frozen=True, slots=True)
class Told:
    """One example before its metadata."""

    instruction: str
    input: str
    output: str
    evidence: tuple[Witness, ...]
    template_hash: str

    @property
    def paths(self) -> frozenset[str]:
        """The distinct paths that the output states."""
        return frozenset(witness.path for witness in self.evidence)


def tell(
    templates: Templates,
    name: str,
    facts: Facts,
    choice: Choice,
    vocabulary: AbstractSet[str] = frozenset(),
    most_words: int | None = None,
) -> Told:
    """Tell the facts of one subject by a template.

    Shapes: name is a file name; choice decides between phrasings, as evenly(example_id) does; vocabulary holds the
    words of the type's verdicts; an output of more than most_words does without its spare sentences.

    Errors: GateError naming the template when a gate does not hold; no reading stands in its message.
    """
    own = story(templates, name)
    page = blank(choice, templates.constants)
    written = _rendered(own, facts, page)
    asked = pieces(flowing(written["instruction"]))
    told = pieces(flowing(shortened(written["output"], page.texts, most_words)))
    data = plain(in_lines(written["input"]), page.texts)
    printed = printed_in(told, page.prints)
    try:
        refuse_strays(by_hand(asked), "instruction", own.literals)
        refuse_strays(by_hand(told), "output", own.literals)
        refuse_verdicts(by_hand(told), vocabulary, own.literals)
        refuse_tables([*printed_in(asked, page.prints), *printed])
        refuse_unfounded(printed, data, own.constants)
    except GateError as error:
        raise GateError(f"{name}: {error}") from error
    instruction, _ = resolve(asked, page)
    output, evidence = resolve(told, page)
    return Told(instruction, data, output, evidence, own.hash)


def _rendered(told: Story, facts: Facts, page: Page) -> dict[str, str]:
    unknown = sorted(told.needs - facts.values.keys())
    if unknown:
        raise GateError(f"{told.template.name}: {', '.join(unknown)} is not among the facts")
    token = PAGE.set(page)
    try:
        context = _opened(told.template, {group: facts.child(group) for group in told.needs})
        written = {block: "".join(told.template.blocks[block](context)) for block in BLOCKS}
        context.vars.clear()  # its macros hold it in turn: thousands of such circles would wait for the collector
    except (GateError, TemplateError, TypeError) as error:  # their messages hold names and types, no values
        raise GateError(f"{_where(error)}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, ValueError) as error:
        raise GateError(f"{_where(error)}: {type(error).__name__}") from error
    finally:
        PAGE.reset(token)
    return written


def _opened(template: Template, groups: dict[str, Node]) -> Context:
    """Run what stands outside the blocks: imports, macros and constants."""
    context = template.new_context(groups)
    context.blocks = {block: [_silent] for block in context.blocks}
    for _ in template.root_render_func(context):
        pass
    return context


def _silent(_: Context) -> Iterator[str]:
    return iter(())


def _where(error: BaseException) -> str:
    """The lines of the templates that the error came through, from the story inwards."""
    lines: dict[str, int] = {}
    step = error.__traceback__
    while step is not None:
        template = step.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            lines[str(template.name)] = template.get_corresponding_lineno(step.tb_lineno)
        step = step.tb_next
    return ", ".join(f"{name} line {line}" for name, line in lines.items())
