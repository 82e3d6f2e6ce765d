"""The least data that claims about glucose need: gates over the row of a subject."""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics.grid import LONGEST_INTERVAL_MINUTES
from etlnarr.model import Gate

DAYS: Final = pl.col("glucose_statistics.coverage.days")
ACTIVE: Final = pl.col("glucose_statistics.coverage.active_percent")
INTERVAL: Final = pl.col("temporal_patterns.interval_minutes")
SPAN_HOURS: Final = pl.col("temporal_patterns.collection_span_hours")

LEAST_ACTIVE: Final = 70.0
"""Percent of the expected readings below which a trace stands for nothing."""

HALF_DAY: Final = 0.5
CONGA_SLACK_HOURS: Final = 12
NIGHT_MINUTES: Final = 6 * 60
DAWN_NIGHTS: Final = 3
ADULT_AGE: Final = 18
OLDER_AGE: Final = 65
GRADES: Final = (("A", 14), ("B", 10), ("C", 1))
"""Grades of a trace with 70 % of its readings, and the days that they need; D is less."""

NO_TRACE: Final = ("single measurements are no sensor trace", "a sensor that is read at least every 15 minutes")
SENSOR: Final = Gate(INTERVAL <= LONGEST_INTERVAL_MINUTES, *NO_TRACE)
MOSTLY_READ: Final = Gate(
    ACTIVE >= LEAST_ACTIVE,
    "less than 70 % of the readings a sensor would give are there",
    "70 % of the readings a sensor would give",
)


def spanning(days: float, text: str) -> tuple[Gate, ...]:
    """Gate a claim that needs a sensor's trace of so many days, with 70 % of the expected readings.

    Shapes: text is the span in words ("10 days").
    """
    long = Gate(DAYS.ge(days), f"the sensor readings span less than {text}", f"{text} with 70 % of the readings")
    return (SENSOR, long, MOSTLY_READ)


# Percent of readings, SD and CV only describe the readings at hand, so half a day is enough to state them as such.
# As percent of time they would stand for a day: that is left to grade C and better, and every judgement to A and B.
DESCRIBED: Final = spanning(HALF_DAY, "12 hours")
JUDGED: Final = spanning(10, "10 days")
FORTNIGHT: Final = spanning(14, "14 days")
TWO_DAYS: Final = spanning(2, "48 hours")

MATCHED: Final = Gate(
    pl.col("modd_matched") >= LEAST_ACTIVE,
    "less than 70 % of the readings have one 24 hours before",
    "two days in a row with 70 % of the readings",
)
WHOLE_NIGHT: Final = Gate(
    pl.col("temporal_patterns.nocturnal.count") * INTERVAL >= LEAST_ACTIVE / 100 * NIGHT_MINUTES,
    "less than 70 % of one night is covered",
    "readings from 00:00 to 06:00 local time",
)
THREE_NIGHTS: Final = Gate(
    pl.col("temporal_patterns.dawn_phenomenon.nights") >= DAWN_NIGHTS,
    "fewer than 3 complete nights with a known wake-up",
    "3 nights without a hole in the readings, and their sleep records",
)

NOTHING: Final = "no readings can change this"
STATUS: Final = "your diabetes status"
HAS_DIABETES: Final = (
    Gate(
        pl.col("diabetes").ne_missing("none"),
        "the targets are for people with diabetes, and you are recorded as having none",
        NOTHING,
    ),
    Gate(pl.col("diabetes").ne_missing("gdm"), "no target for gestational diabetes is used here", NOTHING),
)
DIABETES: Final = (
    *HAS_DIABETES,
    Gate(
        pl.col("diabetes").is_in(["t1", "t2"]),
        "the target is for people with type 1 or type 2 diabetes, which is not known of you",
        STATUS,
    ),
)
TYPE_1: Final = (
    *HAS_DIABETES,
    Gate(
        pl.col("diabetes").ne_missing("t2"),
        "the target is for type 1 diabetes in pregnancy, and you are recorded as having type 2",
        NOTHING,
    ),
    Gate(
        pl.col("diabetes") == "t1",
        "the target is for type 1 diabetes in pregnancy, which is not known of you",
        STATUS,
    ),
)
# the consensus target is that of most adults, and stands unless a fact about the person speaks against it
ADULT: Final = Gate(
    pl.col("age").fill_null(ADULT_AGE).is_between(ADULT_AGE, OLDER_AGE, closed="left"),
    "the target is for adults under 65",
    NOTHING,
)
OLDER: Final = (
    Gate(
        pl.col("age").is_not_null(),
        "the target is for people of 65 and over, and your age is not known",
        "your age",
    ),
    Gate(pl.col("age") >= OLDER_AGE, "the target is for people of 65 and over", NOTHING),
)
NOT_PREGNANT: Final = Gate(~pl.col("pregnant").fill_null(value=False), "other targets hold in pregnancy", NOTHING)
VALIDATED: Final = replace(NOT_PREGNANT, reason="estimates of HbA1c from the mean are not validated in pregnancy")
PREGNANT: Final = (
    Gate(
        pl.col("pregnant").fill_null(value=True),
        "the target is for pregnancy, and you are recorded as not pregnant",
        NOTHING,
    ),
    Gate(pl.col("pregnant"), "the target is for pregnancy, which is not known of you", "knowledge of a pregnancy"),
)


def conga(hours: int) -> tuple[Gate, ...]:
    """Gate CONGA: as many hours as it looks back, and half a day."""
    least = hours + CONGA_SLACK_HOURS
    return (
        SENSOR,
        Gate(SPAN_HOURS.gt(least), f"the readings span no more than {least} hours", f"more than {least} hours"),
    )


def grade() -> pl.Expr:
    """Grade a subject's row by its coverage; null without a trace."""
    word: pl.Expr = pl.lit("D")
    for name, days in reversed(GRADES):
        word = pl.when(DAYS.ge(days) & (ACTIVE >= LEAST_ACTIVE)).then(pl.lit(name)).otherwise(word)
    return pl.when(ACTIVE.is_not_null()).then(word)
