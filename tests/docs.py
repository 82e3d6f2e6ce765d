"""Writes the generated parts of the README; `just docs` runs it, and a test compares."""

from pathlib import Path
from typing import Any

from typer.main import get_command

from etlnarr.cli import app
from etlnarr.records import RECORD_TYPES
from etlnarr.settings import Settings
from etlnarr.wire import Example, Metadata

README = Path(__file__).parent.parent / "README.md"


def leaves(group: Any = None, before: str = "") -> dict[str, Any]:
    """Return every command by its full name, those of a group in its place."""
    found: dict[str, Any] = {}
    group = group or get_command(app)
    for name, command in group.commands.items():
        full = f"{before}{name}"
        found |= leaves(command, f"{full} ") if hasattr(command, "commands") else {full: command}
    return found


def commands() -> str:
    """One line per command, from its own help."""
    lines = ["| command | what it does |", "|---|---|"]
    lines += [f"| `etlnarr {name}` | {command.help} |" for name, command in leaves().items()]
    return "\n".join(lines)


def metrics() -> str:
    """One line per record type: its category and how many metrics and verdicts it has, by group."""
    lines = ["| record type | training category | metrics by group |", "|---|---|---|"]
    for kind in RECORD_TYPES:
        groups: dict[str, int] = {}
        for path in (*(m.path for m in kind.metrics), *(v.path for v in kind.verdicts)):
            group = path.split(".")[0]
            groups[group] = groups.get(group, 0) + 1
        told = ", ".join(f"`{group}` {number}" for group, number in groups.items())
        lines.append(f"| {kind.name} | {kind.category} | {told} |")
    return "\n".join(lines)


def schema() -> str:
    """The keys of a row."""
    keys = ", ".join(f"`{name}`" for name in Example.model_fields)
    inner = ", ".join(f"`{name}`" for name in Metadata.model_fields)
    return f"One JSON object per line: {keys}. `metadata` holds {inner}."


def settings() -> str:
    """The variables that are read."""
    return ", ".join(f"`ETL_{name.upper()}`" for name in Settings.model_fields) + "."


PARTS = {"commands": commands, "metrics": metrics, "schema": schema, "settings": settings}


def written(text: str) -> str:
    """Return the README with its generated parts as they should be."""
    for name, part in PARTS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = text.split(start, 1)
        text = f"{before}{start}{part()}\n{end}{rest.split(end, 1)[1]}"
    return text


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
