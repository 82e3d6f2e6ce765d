"""The frozen values that travel between the layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from types import MappingProxyType
from typing import Final, TypeAlias

import polars as pl

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

READINGS: Final = pl.Schema(
    {
        "subject": pl.Int64(),  # number of what one example is about; the key of every group_by
        "record": pl.Int64(),  # position of the record inside its upload
        "source": pl.String(),  # package name of the app that wrote the record; an Enum of the names in order will do
        "record_start": pl.Int64(),  # epoch ms, as are all four times
        "record_end": pl.Int64(),
        "start": pl.Int64(),
        "end": pl.Int64(),  # equals start for a point
        "value": pl.Float64(),  # mg/dL, bpm, ms, steps, kcal; null where a label is the reading
        "label": pl.Categorical(),  # sleep stage, or specimen of a glucose reading: few, and compared often
        "meal_type": pl.String(),
        "relation_to_meal": pl.String(),
        "modified": pl.Int64(),  # epoch ms of the last write of the record
        "offset_s": pl.Int32(),  # seconds east of UTC; null: no clock claim may be made
        "offset_origin": pl.String(),  # setting, record, inferred; null when unknown
    }
)
"""The canonical frame: one row per reading, ordered by subject, start, record."""

TOLD: Final = ("value", "label", "meal_type", "relation_to_meal")
"""The columns of it that tell what a reading is."""

SLEEP: Final = pl.Schema({"subject": pl.Int64(), "start": pl.Int64(), "end": pl.Int64(), "source": pl.String()})
"""Main sleep sessions of a subject's person that touch the subject's time, one source per night."""

PEOPLE: Final = pl.Schema(
    {
        "subject": pl.Int64(),
        "age": pl.Int32(),
        "sex": pl.String(),
        "diabetes": pl.String(),
        "pregnant": pl.Boolean(),
        "mass_kg": pl.Float64(),
        "height_cm": pl.Float64(),
    }
)
"""What is known of the person behind a subject; null where nothing was told."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The subjects of one record type that are analysed together.

    Shapes: readings and others as READINGS, sleep as SLEEP, people as PEOPLE with one row per subject; past holds
    nights as the type's History makes them of all readings of the person, with inside telling those of the subject
    itself; it is None where the readings of the subject are all there is.
    """

    readings: pl.DataFrame  # one source per period, inside the physiological range
    others: pl.DataFrame  # the readings of the sources that were not chosen
    sleep: pl.DataFrame
    people: pl.DataFrame
    past: pl.DataFrame | None = None
    made: dict["Table", pl.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, table: "Table") -> pl.DataFrame:
        """Return what a table makes of the batch, which is worked out once however many others look at it."""
        if table not in self.made:
            self.made[table] = table(self)
        return self.made[table]


@dataclass(frozen=True, slots=True)
class Gate:
    """The least data a claim needs.

    Shapes: passes is a boolean expression over the row of a subject (metric paths, table columns, person facts);
    null counts as not passed.
    """

    passes: pl.Expr
    reason: str
    needs: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A named clinical quantity.

    Shapes: agg is evaluated per subject over the readings; expr over the row of the subject, where every table
    column, every metric declared before it and every person fact stands under its name. Without either, the metric
    is the table column named as the last part of its path.
    """

    path: str
    unit: str
    decimals: int
    definition: str
    source: str
    agg: pl.Expr | None = None
    expr: pl.Expr | None = None
    gates: tuple[Gate, ...] = ()
    undefined: tuple[str, str] = ("not defined for these readings", "more readings")  # reason, needs


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word chosen from a metric: the first band whose upper limit the value does not reach.

    Shapes: bands are (word, upper limit, limit belongs to the band), the last limit infinite; expr, when given,
    yields the word itself.
    """

    path: str
    metric: str
    bands: tuple[tuple[str, float, bool], ...]
    source: str
    target: frozenset[str]  # the words that lie inside the target
    expr: pl.Expr | None = None
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named check of one row; its name is the quarantine reason.

    Shapes: fails is a boolean expression over records or readings, null counts as not failed.
    """

    name: str
    kind: str  # completeness, physiological or temporal
    over: str  # records or readings
    fails: pl.Expr


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Advice that follows from a stated fact.

    Shapes: when is a boolean expression over the row of a subject; name is a macro of the type's template.
    """

    name: str
    follows: str  # path of the fact it follows from
    when: pl.Expr


@dataclass(frozen=True, slots=True)
class Field:
    """Where a canonical column stands in an upload: the first path that the writer's schema has."""

    paths: tuple[str, ...]
    required: bool = True
    kind: str = "integer"  # integer, number or text: what the writer's type must be


@dataclass(frozen=True, slots=True)
class Shape:
    """How uploads of a type are laid out: columns of the record, and of the items of its array when it has one."""

    record: Mapping[str, Field]
    items_path: str | None = None
    items: Mapping[str, Field] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric that weeks and months compare with the period before.

    Shapes: a difference of no more than the threshold is no change; relative takes it in percent of the period before.
    """

    name: str
    metric: str
    threshold: float
    source: str
    relative: bool = False


Table: TypeAlias = Callable[[Batch], pl.DataFrame]
"""A frame to frame function: one row per subject, with the column subject and the columns it supplies."""


@dataclass(frozen=True, slots=True)
class History:
    """What of a person's nights bears on a window beside its own readings.

    Shapes: nights makes one row per subject and day of waking (days since 1970-01-01); days is how far back, from the
    last day of the window, they are looked at; 0 for no further than its first.
    """

    nights: Table
    days: int = 0


@dataclass(frozen=True, slots=True, eq=False)  # equal to itself alone, for expressions cannot be compared
class RecordType:
    """All that is particular to one Health Connect type.

    Shapes: inputs tells by a path, or the beginning of several, which metrics count what they are worked out from, and
    which facts of the person they take; the longest beginning decides, the empty one stands for all the rest.
    """

    name: str
    category: str
    template: str
    shape: Shape
    rules: tuple[Rule, ...]
    choose: Callable[
        [pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]
    ]  # readings -> (chosen, others), one source a period
    tables: tuple[Table, ...]
    metrics: tuple[Metric, ...]
    verdicts: tuple[Verdict, ...]
    recommendations: tuple[Recommendation, ...]
    inputs: Mapping[str, tuple[str, ...]]
    silences: tuple[str, ...]  # withheld paths that a narrative may spell out, the most consequential first
    series: Table  # the bounded table that the data block prints
    by_day: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]  # (readings, main sleep) -> readings with a local day
    of_several: frozenset[str] = frozenset()  # silences and advice on several days, which a day or night leaves out
    windows: tuple[str, ...] = ("day", "week", "month")  # what an example may be about, beside an upload
    comparisons: tuple[Comparison, ...] = ()
    history: History | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """The columns that tell what a reading is; of the other types' ones all are null."""
        return tuple(name for name in TOLD if name in self.shape.record or name in self.shape.items)


class Standing(StrEnum):
    """How a message stands with those who share a queue."""

    mine = auto()  # to be handled here
    held = auto()  # another one is at it
    done = auto()
