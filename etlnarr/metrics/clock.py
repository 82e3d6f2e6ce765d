"""When readings were taken: span, interval, and what the local clock showed.

Clock metrics are null as soon as the offset of one reading of the subject is unknown.
"""

from typing import Final

import polars as pl

from etlnarr.model import Batch, Metric

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
THURSDAY: Final = 3
"""Weekday of 1970-01-01, counted from Monday."""

FULL_HOUR: Final = 0.75
"""Share of the expected readings (9 of 12 at 5 minutes) that an hour needs to be compared with others."""

COMPARED_HOURS: Final = 2
"""Full hours of the clock below which none of them is the highest."""

NO_LOCAL_TIME: Final = (
    "the local time of these readings is not known",
    "a time zone or records that carry an offset",
)


def offset_ms(name: str = "offset_s") -> pl.Expr:
    """Return what the local clock is ahead of UTC, in ms; null where the offset is unknown."""
    return pl.col(name).cast(pl.Int64) * 1000


def local_ms() -> pl.Expr:
    """Return milliseconds since 1970 as the local clock showed them; null where the offset is unknown."""
    return pl.col("start") + offset_ms()


def local_day() -> pl.Expr:
    """Return the days since 1970-01-01 on the local calendar."""
    return local_ms() // DAY_MS


def local_hour() -> pl.Expr:
    """Return the hour of the local clock, 0 to 23."""
    return local_ms() // HOUR_MS % 24


def clock_known() -> pl.Expr:
    """Tell whether the local time of every reading of a subject is known; for group_by("subject").agg."""
    return pl.col("offset_s").is_not_null().all()


def span_hours() -> pl.Expr:
    """Return the hours from the first start to the last end."""
    return (pl.col("end").max() - pl.col("start").min()) / HOUR_MS


def interval_minutes(moment: str = "start") -> pl.Expr:
    """Return the median step between distinct start times.

    Units: rounded to whole minutes, below half a minute to whole seconds.
    """
    steps = pl.col(moment).sort().diff()
    step = pl.when(steps > 0).then(steps).median()
    unit = pl.when(step < MINUTE_MS / 2).then(1000).otherwise(MINUTE_MS)
    return (step / unit + 0.5).floor() * unit / MINUTE_MS


def temporal(prefix: str = "temporal_patterns") -> tuple[Metric, ...]:
    """Declare span, interval and what distributions() counts."""

    def distribution(name: str, definition: str) -> Metric:
        return Metric(f"{prefix}.{name}", "readings", 0, definition, "descriptive", undefined=NO_LOCAL_TIME)

    return (
        Metric(
            f"{prefix}.collection_span_hours",
            "h",
            1,
            "first start to last end",
            "descriptive",
            span_hours(),
            undefined=("there are no readings", "one reading"),
        ),
        Metric(
            f"{prefix}.interval_minutes",
            "min",
            0,
            "median step between distinct start times, rounded to whole minutes (below half a minute to whole seconds)",
            "descriptive",
            interval_minutes(),
            undefined=("all readings have one start time", "two readings"),
        ),
        distribution("hourly_distribution", "readings by hour of the local clock, h00 to h23"),
        distribution("weekday_distribution", "readings by day of the local week, monday to sunday"),
    )


def distributions(batch: Batch) -> pl.DataFrame:
    """Count readings by hour and weekday of the local clock.

    Shapes: hourly_distribution (a struct h00 to h23), weekday_distribution (a struct monday to sunday); a subject whose
    local time is not known has no row.
    """
    told = batch.readings.select("subject", "offset_s", hour=local_hour(), weekday=(local_day() + THURSDAY) % 7)
    hours = [(pl.col("hour") == hour).sum().cast(pl.Int64).alias(f"h{hour:02}") for hour in range(24)]
    days = [(pl.col("weekday") == number).sum().cast(pl.Int64).alias(name) for number, name in enumerate(WEEKDAYS)]
    found = told.group_by("subject", maintain_order=True).agg(
        known=clock_known(), hourly_distribution=pl.struct(hours), weekday_distribution=pl.struct(days)
    )
    return found.filter("known").drop("known")


def peak_hour(readings: pl.DataFrame, name: str = "peak_hour") -> pl.DataFrame:
    """Find the local hour with the highest mean.

    Only hours that hold three quarters of the readings expected at the median interval take part, so that an hour cut
    off by the end of the data does not win on a few readings; the first of hours that share it; null below two such
    hours of the clock.

    Shapes: readings as READINGS; the result subject and the named column. Units: hour 0 to 23.
    """
    expected = pl.min_horizontal(60 / pl.col("interval"), 60.0)
    full = (
        readings.with_columns(interval_minutes().over("subject").alias("interval"))
        .filter(clock_known().over("subject"))
        .group_by("subject", day=local_day(), hour=local_hour())
        .agg(pl.col("interval").first(), n=pl.col("value").count(), total=pl.col("value").sum())
        .filter(pl.col("n") >= FULL_HOUR * expected)
    )
    means = full.group_by("subject", "hour").agg(mean=(pl.col("total").sum() / pl.col("n").sum()).round(6))
    ranked = means.sort("subject", "mean", "hour", descending=[False, True, False])
    peak = pl.when(pl.len() >= COMPARED_HOURS).then(pl.col("hour").first()).alias(name)
    return ranked.group_by("subject", maintain_order=True).agg(peak)
