"""The table of the data block."""

from collections.abc import Iterable

from etlnarr.errors import GateError
from etlnarr.prose.fact import Fact
from etlnarr.prose.facts import Facts, Node
from etlnarr.prose.filters import FACT_FILTERS
from etlnarr.prose.formats import written
from etlnarr.prose.page import PAGE, Print


def table(rows: Iterable[Node], **columns: int | str) -> str:
    """A header and a line per row, cells two spaces apart, a dash where there is no value.

    Shapes: columns by name, in order, with the decimals of a number or the name of a filter (`start="clock"`).

    Errors: GateError for a column the rows lack, a withheld row, or a filter that cannot write a cell.
    """
    lines = ["  ".join(name.replace("_", " ") for name in columns)]
    lines += ["  ".join(_cell(row, name, form) for name, form in columns.items()) for row in rows]
    return PAGE.get().put(Print("", None, "\n".join(lines), ""))


def _cell(row: Node, name: str, form: int | str) -> str:
    if not isinstance(row, Facts) or row.withheld or name not in row.values:
        raise GateError(f"the table has no column {name} that may be shown")
    value = row.values[name]
    if value is None:
        return "-"
    if isinstance(form, int) and isinstance(value, int | float):
        return written(value, form)
    cell = row.child(name)
    if not isinstance(cell, Fact) or isinstance(form, int) or form not in FACT_FILTERS:
        raise GateError(f"column {name} of the table cannot be written as {form}")
    return FACT_FILTERS[form](cell).text()
