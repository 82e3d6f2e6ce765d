"""What steps and active energy share: amounts over intervals, told by the day."""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics.clock import interval_minutes, span_hours
from etlnarr.model import Gate, Metric
from etlnarr.records.declarations import (
    AGREEMENT,
    DESCRIPTIVE,
    NO_SECOND_SOURCE,
    PATTERNS,
    agreement,
    at_least,
    needing,
)

COMPLETE: Final = "descriptive; a day is complete when it was last written after its end"

NO_COMPLETE: Final = ("no day was over when it was last written", "one complete day")
ONE_DAY: Final = ("fewer than two days were over when they were last written", "two complete days")
NOT_OPEN: Final = ("the last day was over, or when it was written is not known", "nothing more")
NO_CLOCK: Final = ("no local clock is known for a day that was not over", "records that carry an offset")
ONE_START: Final = ("all records have one start time", "two records")
NO_WEEKDAY: Final = ("no complete day has a known local date", "complete days with their local time")
NO_COMPARED_DAY: Final = (
    "no day was over in both sources when they last wrote, or none was of more than zero",
    "a day that both sources told after it was over",
)
NO_SIGHT: Final = (
    "the records are longer than an hour, or their local time is not known",
    "records of an hour or less, and their local time",
)


def amounts(prefix: str, unit: str) -> tuple[Metric, ...]:
    """Declare records, days, totals, and the last day when it was not over."""
    average = at_least(f"{prefix}.complete_days", 3, "complete days")

    def metric(name: str, unit: str, definition: str) -> Metric:
        return Metric(f"{prefix}.{name}", unit, 0, definition, COMPLETE)

    def latest(name: str, unit: str, definition: str, column: str) -> Metric:
        return replace(metric(f"latest.{name}", unit, definition), expr=pl.col(column))

    elapsed = "part of that day, as its source counts days, that had passed when it was last written"
    return (
        Metric(f"{prefix}.count", "records", 0, "records of the chosen source", DESCRIPTIVE, pl.len().cast(pl.Int64)),
        metric("days", "days", "local days with a record"),
        metric("complete_days", "days", "local days that were over when they were last written"),
        metric("total", unit, "sum of all records, those of an unfinished day too"),
        *needing(NO_COMPLETE, (average,), metric("daily_mean", unit, "mean of the complete days")),
        *needing(ONE_DAY, (average,), metric("daily_std", unit, "standard deviation of the complete days, n - 1")),
        *needing(
            NO_COMPLETE,
            (),
            metric("daily_min", unit, "lowest complete day"),
            metric("daily_max", unit, "highest complete day"),
        ),
        *needing(
            NOT_OPEN,
            (),
            latest("total", unit, "sum so far of a last day that was not over", "latest_total"),
            latest("day_elapsed_percent", "%", elapsed, "latest_elapsed_percent"),
        ),
        *needing(
            NO_CLOCK, (), latest("as_of", "min", "when it was last written, after local midnight", "latest_as_of")
        ),
    )


def patterns(unit: str) -> tuple[Metric, ...]:
    """Declare span, interval, and the sums by local hour and weekday."""

    def metric(name: str, unit: str, definition: str, agg: pl.Expr | None = None) -> Metric:
        return Metric(f"{PATTERNS}.{name}", unit, 0, definition, DESCRIPTIVE, agg)

    return (
        replace(metric("collection_span_hours", "h", "first start to last end", span_hours()), decimals=1),
        *needing(
            ONE_START,
            (),
            metric("interval_minutes", "min", "median step between distinct start times", interval_minutes()),
        ),
        *needing(
            NO_SIGHT,
            (),
            metric("hourly_distribution", unit, f"{unit} by hour of the local clock, h00 to h23"),
            metric("peak_hour", "h", "local hour with the highest sum"),
        ),
        *needing(NO_WEEKDAY, (), metric("weekday_mean", unit, "mean of the complete days by local weekday")),
    )


def second(unit: str) -> tuple[Metric, ...]:
    """Declare the comparison with the second source."""
    return (
        agreement("shared_days", "days", 0, "days that both sources told"),
        agreement("other_total", unit, 0, "sum by the second source over these days"),
        *needing(
            NO_COMPARED_DAY,
            (Gate(pl.col(f"{AGREEMENT}.shared_days").is_not_null(), *NO_SECOND_SOURCE),),
            agreement("difference_percent", "%", 1, "second source minus the chosen one, of days complete in both"),
        ),
        agreement("other_day_start", "min", 0, "when the second source begins its day, after local midnight"),
    )
