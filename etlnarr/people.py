"""What is known of the people behind the uploads."""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from etlnarr.errors import UsageError
from etlnarr.settings import Settings
from etlnarr.zones import iana


class Person(BaseModel):
    """One line of the people file; what is empty is not known.

    Shapes: source_priority holds package names, the preferred one first; the file separates them by spaces.
    Units: mass in kg, height in cm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: str = Field(min_length=1)
    birth_year: int | None = Field(default=None, ge=1900, le=2100)
    sex: Literal["female", "male"] | None = None
    tz: str | None = None
    diabetes: Literal["none", "t1", "t2", "gdm", "unknown"] | None = None
    pregnant: bool | None = None
    mass_kg: float | None = Field(default=None, gt=0, lt=700)
    height_cm: float | None = Field(default=None, gt=30, lt=300)
    age: int | None = Field(default=None, ge=0, le=130)
    source_priority: tuple[str, ...] = ()

    @field_validator("source_priority", mode="before")
    @classmethod
    def _packages(cls, told: object) -> object:
        return tuple(told.replace(",", " ").split()) if isinstance(told, str) else told

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return iana(zone)

    def age_at(self, ms: int) -> int | None:
        """Return the age in years reached in the year of a time, None when not known."""
        if self.birth_year is None:
            return self.age
        return max(0, datetime.fromtimestamp(ms / 1000, UTC).year - self.birth_year)


def load(path: Path) -> dict[str, Person]:
    """Read a people file.

    Errors: UsageError naming the line and the column, never the value.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.DictReader(stream, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise UsageError(f"{path}: the people file cannot be read as CSV") from fault
    if not lines:
        raise UsageError(f"{path}: the people file holds nobody; its first line names the columns, user_id among them")
    people: dict[str, Person] = {}
    for number, line in enumerate(lines, 2):
        if None in line:
            raise UsageError(f"{path}: line {number}: has more columns than the first line")
        try:
            person = Person.model_validate({k.strip(): v.strip() for k, v in line.items() if v and v.strip()})
        except ValidationError as fault:
            first = fault.errors(include_input=False)[0]
            raise UsageError(f"{path}: line {number}: {first['loc'][0]}: {first['msg']}") from fault
        if person.user_id in people:
            raise UsageError(f"{path}: line {number}: the user of this line has one already")
        people[person.user_id] = person
    return people


def zones(persons: Iterable[Person]) -> dict[str, str]:
    """Return the time zone by user, of those whose zone is known."""
    return {person.user_id: person.tz for person in persons if person.tz is not None}


def of(user_id: str, people: Mapping[str, Person], settings: Settings) -> Person:
    """Return what is known of a user: the line of the people file, and the settings where it is silent."""
    told = people.get(user_id, Person(user_id=user_id))
    default = {"tz": settings.tz, "sex": settings.sex, "age": settings.age, "source_priority": settings.source_priority}
    return told.model_copy(update={k: v for k, v in default.items() if getattr(told, k) in (None, ())})
