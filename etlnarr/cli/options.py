"""The options that several commands share."""

from enum import StrEnum, auto
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer


class Subject(StrEnum):
    """What an example may be about."""

    upload = auto()
    day = auto()
    night = auto()
    week = auto()
    month = auto()


Sources: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]...", help="Files, folders or globs, local or s3://; without one, <lake>/raw/."),
]
Month: TypeAlias = Annotated[
    str | None, typer.Option(metavar="YYYY-MM", help="The month of upload to tell; without it, all months.")
]
Lake: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="Folder or s3://bucket that holds raw/, training/, quarantine/.")
]
CatalogPath: TypeAlias = Annotated[
    Path | None, typer.Option("--catalog", metavar="PATH", help="The DuckDB file that remembers what was done.")
]
WaitLock: TypeAlias = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for a catalog that another process holds.")
]
UserId: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="Whose uploads these are, where the key does not say.")
]
Zone: TypeAlias = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="IANA time zone of the person, such as America/Chicago.")
]
Age: TypeAlias = Annotated[int | None, typer.Option(min=0, max=130, help="Age of the person in years.")]
Sex: TypeAlias = Annotated[Literal["female", "male"] | None, typer.Option(help="Sex of the person.")]
People: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="Facts per user: user_id, birth_year, sex, tz, diabetes, pregnant, mass_kg, ..."),
]
Per: TypeAlias = Annotated[
    list[Subject] | None,
    typer.Option(help="What an example is about; may be given several times. By default an upload."),
]
SourcePriority: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="PACKAGES", help="Apps in the order in which they are preferred, separated by commas."),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Strict: TypeAlias = Annotated[bool, typer.Option("--strict", help="Exit with 3 if an upload is quarantined.")]
