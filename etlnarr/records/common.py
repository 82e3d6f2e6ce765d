"""What the declarations of several record types share."""

from typing import Final

import polars as pl

from etlnarr.model import Gate, Metric

INFINITE: Final = float("inf")
ASSESSMENT: Final = "clinical_assessment"
PATTERNS: Final = "temporal_patterns"
AGREEMENT: Final = "device_agreement"
ADULT_AGE: Final = 18
DESCRIPTIVE: Final = "descriptive"

NO_AGE: Final = ("the age of the person is not known", "the age of the person (--age)")
NO_SECOND_SOURCE: Final = ("no second source recorded the same time", "a second device worn at the same time")
NO_BOUNDARY: Final = ("no readings can settle this", "nothing that these records hold")

ADULT: Final = Gate(
    pl.col("age") >= ADULT_AGE, "the estimate is made for adults whose age is known", "the age of the person (--age)"
)
ADULT_OR_UNKNOWN: Final = Gate(
    pl.col("age").fill_null(ADULT_AGE) >= ADULT_AGE, "the guideline is for adults", "a guideline for the age"
)


def at_least(path: str, least: int, what: str) -> Gate:
    """Gate a claim that needs so many of something that a metric counts.

    Shapes: what is a plural ("nights").
    """
    return Gate(pl.col(path) >= least, f"fewer than {least} {what}", f"{least} {what}")


def never(reason: str, needs: str) -> Gate:
    """Gate a claim that no record of this type can carry."""
    return Gate(pl.lit(value=False), reason, needs)


def agreement(name: str, unit: str, decimals: int, definition: str, column: str | None = None) -> Metric:
    """Declare a comparison with the second source."""
    path = f"{AGREEMENT}.{name}"
    expr = None if column is None else pl.col(column)
    return Metric(path, unit, decimals, definition, DESCRIPTIVE, expr=expr, undefined=NO_SECOND_SOURCE)
