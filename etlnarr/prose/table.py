"""The table of the data block."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from etlnarr.errors import GateError
from etlnarr.prose.fact import Fact
from etlnarr.prose.facts import FactList, Facts, Node
from etlnarr.prose.filters import FACT_FILTERS, WORDINGS
from etlnarr.prose.formats import NUMBERS, written
from etlnarr.prose.page import PAGE


def table(rows: Iterable[Node], **columns: int | str) -> str:
    """A header and a line per row, cells two spaces apart, a dash where there is no value.

    Shapes: columns by name, in order, with the decimals of a number or the name of a filter (`start="clock"`).

    Errors: GateError for a column the rows lack, a withheld row, or a filter that cannot write a cell.
    """
    lines = ["  ".join(name.replace("_", " ") for name in columns)]
    lines += _of_values(rows, columns) or ["  ".join(_cells(row, columns)) for row in rows]
    return PAGE.get().put("", None, "\n".join(lines), "")


def _of_values(rows: Iterable[Node], columns: Mapping[str, int | str]) -> list[str]:
    """The lines, made without a fact for each cell; none when a row or cell has to be asked, or something is wrong."""
    writers = [(name, write) for name, form in columns.items() if (write := _writer(form))]
    if not isinstance(rows, FactList) or rows.withholds() or len(writers) < len(columns):
        return []
    values: Iterable[Any] = rows.values
    try:
        return [
            "  ".join(["-" if row[name] is None else write(row[name]) for name, write in writers]) for row in values
        ]
    except (GateError, LookupError, TypeError):
        return []


def _writer(form: int | str) -> Callable[[Any], str] | None:
    """How a value is written of which nothing else needs to be known."""
    if isinstance(form, int):
        return lambda value: written(value, form)
    word = WORDINGS.get(form)
    return word and (lambda value: _filled(word(value)))


def _filled(text: str) -> str:
    cell = " ".join(text.split())
    if not cell:
        raise GateError("is blank")
    return cell


def _cells(row: Node, columns: Mapping[str, int | str]) -> Iterator[str]:
    values = row.values if isinstance(row, Facts) and not row.withheld else {}
    for name, form in columns.items():
        if name not in values:
            raise GateError(f"the table has no column {name} that may be shown")
        value = values[name]
        if value is None:
            yield "-"
        elif isinstance(form, int) and isinstance(value, NUMBERS):
            yield written(value, form)
        else:
            yield _worded(row, name, form)


def _worded(row: Node, name: str, form: int | str) -> str:
    cell = row.child(name) if isinstance(row, Facts) else row
    if not isinstance(cell, Fact) or isinstance(form, int) or form not in FACT_FILTERS:
        raise GateError(f"column {name} of the table cannot be written as {form}")
    return FACT_FILTERS[form](cell).text()
