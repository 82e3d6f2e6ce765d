"""What steps and active energy share: amounts over intervals, told by the day."""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, NO_LOCAL_TIME, interval_minutes, span_hours
from etlnarr.model import Gate, Metric, Rule
from etlnarr.records.declarations import (
    AGREEMENT,
    DESCRIPTIVE,
    NO_SECOND_SOURCE,
    PATTERNS,
    agreement,
    at_least,
    needing,
)

LONGEST_DAYS: Final = 2
COMPLETE: Final = "descriptive; a day is complete when it was last written after its end"
CUT: Final = "descriptive; a source's first day in short records, when none begins within six hours of midnight"

LOW: Final = "own limit; the time that a device is worn is not recorded"

NO_COMPLETE: Final = ("no day is known to be complete", "one complete day")
ONE_DAY: Final = ("fewer than two days are known to be complete", "two complete days")
NO_CUT: Final = ("no day may be cut off at its start", "nothing more")
ONE_START: Final = ("all records have one start time", "two records")
NO_WEEKDAY: Final = ("no complete day has a known local date", "complete days with their local time")
NO_COMPARED_DAY: Final = (
    "no day was over in both sources when they last wrote, or none was of more than zero",
    "a day that both sources told after it was over",
)
NO_PEAK: Final = ("several hours share the highest sum", "more records")

OPEN: Final = (
    Gate(pl.col("last_dated"), "when the last day was last written is not known", "records with their time of writing"),
    Gate(pl.col("last_open"), "the last day was over when it was last written", "nothing more"),
)


def short_records(name: str, limit: str, known: pl.Expr, unknown: tuple[str, str]) -> tuple[Gate, ...]:
    """Gate a claim that takes short records and one thing more, so that each reason names what is missing alone.

    Shapes: name is that of the columns some_ and all_; limit words such as "an hour"; unknown is the reason when the
    other thing is not known, and what would end it.
    """
    every, some = pl.col(f"all_{name}"), pl.col(f"some_{name}")
    reason, needs = unknown
    short = f"records of {limit} or less"
    return (
        Gate(every | known, f"records are longer than {limit}, and {reason}", f"{short}, and {needs}"),
        Gate(some, f"the records are longer than {limit}", short),
        Gate(every, f"some records are longer than {limit}", short),
        Gate(known, reason, needs),
    )


SIGHT: Final = short_records("in_hour", "an hour", pl.col("clock"), NO_LOCAL_TIME)


TOO_LONG: Final = Rule(
    "interval_too_long", "temporal", "records", pl.col("end") - pl.col("start") > LONGEST_DAYS * DAY_MS
)
"""A total over more than two days says nothing of any of them."""


def amounts(prefix: str, unit: str, low: str) -> tuple[Metric, ...]:
    """Declare records, days, totals, and the last day when it was not over.

    Shapes: low tells what a low day has ("fewer than 500 steps").
    """
    average = at_least(f"{prefix}.complete_days", 3, "complete days")

    def metric(name: str, unit: str, definition: str) -> Metric:
        return Metric(f"{prefix}.{name}", unit, 0, definition, COMPLETE)

    def latest(name: str, unit: str, definition: str, column: str) -> Metric:
        return replace(metric(f"latest.{name}", unit, definition), expr=pl.col(column))

    elapsed = "part of that day, as its source counts days, that had passed when it was last written"
    return (
        Metric(f"{prefix}.count", "records", 0, "records of the chosen source", DESCRIPTIVE, _records()),
        metric("days", "days", "local days with a record"),
        metric("complete_days", "days", "local days that were over when they were last written and are not cut off"),
        metric("total", unit, "sum of all records, those of an unfinished day too"),
        *needing(NO_COMPLETE, (average,), metric("daily_mean", unit, "mean of the complete days")),
        *needing(ONE_DAY, (average,), metric("daily_std", unit, "standard deviation of the complete days, n - 1")),
        *needing(
            NO_COMPLETE,
            (),
            metric("daily_min", unit, "lowest complete day"),
            metric("daily_max", unit, "highest complete day"),
            Metric(f"{prefix}.low_days", "days", 0, f"complete days of {low}", LOW),
        ),
        Metric(f"{prefix}.cut_days", "days", 0, "days that may be cut off at their start, none of them complete", CUT),
        *needing(NO_CUT, (), Metric(f"{prefix}.cut_day", "date", 0, "first of the days that may be cut off", CUT)),
        *needing(
            NO_LOCAL_TIME,
            OPEN,
            latest("total", unit, "sum so far of a last day that was not over", "latest_total"),
            latest("records", "records", "records of that day", "latest_records"),
            latest("day_elapsed_percent", "%", elapsed, "latest_elapsed_percent"),
            latest("as_of", "min", "when it was last written, after local midnight", "latest_as_of"),
        ),
    )


def inputs(prefix: str) -> dict[str, tuple[str, ...]]:
    """Tell what counts the inputs of amounts(), patterns() and second()."""
    of_complete = ("daily_mean", "daily_std", "daily_min", "daily_max", "low_days")
    return {
        "": (f"{prefix}.count",),
        f"{prefix}.complete_days": (f"{prefix}.days",),
        f"{prefix}.cut_days": (f"{prefix}.days",),
        f"{prefix}.cut_day": (f"{prefix}.cut_days",),
        **{f"{prefix}.{name}": (f"{prefix}.complete_days",) for name in of_complete},
        f"{PATTERNS}.weekday_mean": (f"{prefix}.complete_days",),
        f"{prefix}.latest": (f"{prefix}.latest.records",),
        AGREEMENT: (f"{AGREEMENT}.shared_days",),
        f"{AGREEMENT}.shared_days": (f"{prefix}.days",),
        f"{AGREEMENT}.difference_percent": (f"{AGREEMENT}.compared_days",),
    }


def patterns(unit: str) -> tuple[Metric, ...]:
    """Declare span, interval, and the sums by local hour and weekday."""

    def metric(name: str, unit: str, definition: str, agg: pl.Expr | None = None) -> Metric:
        return Metric(f"{PATTERNS}.{name}", unit, 0, definition, DESCRIPTIVE, agg)

    return (
        replace(metric("collection_span_hours", "h", "first start to last end", span_hours()), decimals=1),
        *needing(
            ONE_START,
            (),
            metric(
                "interval_minutes", "min", "median step between distinct start times", interval_minutes("record_start")
            ),
        ),
        *needing(
            NO_PEAK,
            SIGHT,
            metric("hourly_distribution", unit, f"{unit} by hour of the local clock, h00 to h23"),
            metric("peak_hour", "h", "local hour with the highest sum, when it is one"),
        ),
        *needing(NO_WEEKDAY, (), metric("weekday_mean", unit, "mean of the complete days by local weekday")),
    )


def second(unit: str) -> tuple[Metric, ...]:
    """Declare the comparison with the second source."""
    return (
        agreement("shared_days", "days", 0, "days that both sources told"),
        agreement("other_total", unit, 0, "sum by the second source over these days"),
        agreement("compared_days", "days", 0, "days that were over in both sources when they last wrote"),
        *needing(
            NO_COMPARED_DAY,
            (Gate(pl.col(f"{AGREEMENT}.shared_days").is_not_null(), *NO_SECOND_SOURCE),),
            agreement("difference_percent", "%", 1, "second source minus the chosen one, of days complete in both"),
        ),
        agreement(
            "combined_total",
            unit,
            0,
            "these days as Health Connect's own aggregate adds them: the chosen source first, pro rata by time",
        ),
        agreement("other_day_start", "min", 0, "when the second source begins its day, after local midnight"),
    )


def unworn(prefix: str, low: str) -> Gate:
    """Gate a judgement of the average, which days on which the device was not worn would lower."""
    few = pl.col(f"{prefix}.low_days").fill_null(0) == 0
    return Gate(few, f"the average includes days of {low}", "known wear on the days of the average")


def _records() -> pl.Expr:
    """Count records: one that passes midnight has a piece in each day."""
    return pl.col("record").n_unique().cast(pl.Int64)
