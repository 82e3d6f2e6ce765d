"""What the declarations of several record types share."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.model import Field, Gate, Metric

INFINITE: Final = float("inf")
ASSESSMENT: Final = "clinical_assessment"
PATTERNS: Final = "temporal_patterns"
AGREEMENT: Final = "device_agreement"
ADULT_AGE: Final = 18
DESCRIPTIVE: Final = "descriptive"
NOT_CLINICAL: Final = "descriptive; the threshold is ours"

NO_AGE: Final = ("your age is not known", "your age")
NO_SECOND_SOURCE: Final = ("no second source recorded the same time", "a second device worn at the same time")

INTERVAL: Final = MappingProxyType(
    {
        "start": Field(("startTimeEpochMillis", "startTime.epochMillis")),
        "end": Field(("endTimeEpochMillis", "endTime.epochMillis")),
        "offset": Field(("startZoneOffsetId", "startZoneOffset.id"), required=False, kind="text"),
    }
)
"""Canonical columns of a record with a start and an end."""

ADULT: Final = Gate(
    pl.col("age").fill_null(ADULT_AGE) >= ADULT_AGE,
    "the marks used here are for adults, and you are under 18",
    "marks that are made for your age",
)
"""An unknown age passes: what takes an age is not defined without one, and the rest says that it is for adults."""


def at_least(path: str, least: int, what: str) -> Gate:
    """Gate a claim that needs so many of something that a metric counts; where that is null, so is the claim.

    Shapes: what is a plural ("nights"), a singular when one is enough.
    """
    reason = f"no {what}" if least == 1 else f"fewer than {least} {what}"
    return Gate(pl.col(path).fill_null(least) >= least, reason, f"{least} {what}")


def never(reason: str, needs: str) -> Gate:
    """Gate a claim that no record of this type can carry."""
    return Gate(pl.lit(value=False), reason, needs)


def needing(undefined: tuple[str, str], gates: tuple[Gate, ...], *metrics: Metric) -> tuple[Metric, ...]:
    """Give metrics their gates, and the words for when they cannot be computed.

    Shapes: undefined is a reason and what would end it.
    """
    return tuple(replace(metric, gates=gates, undefined=undefined) for metric in metrics)


def agreement(name: str, unit: str, decimals: int, definition: str) -> Metric:
    """Declare a comparison with the second source."""
    return Metric(f"{AGREEMENT}.{name}", unit, decimals, definition, DESCRIPTIVE, undefined=NO_SECOND_SOURCE)
