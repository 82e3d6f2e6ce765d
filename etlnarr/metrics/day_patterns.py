"""Within the day: the hours of the clock, stretches without a step, the pace; where records are short enough."""

from typing import Final

import polars as pl

from etlnarr.metrics import sources
from etlnarr.metrics.activity import TOTAL_DECIMALS
from etlnarr.metrics.clock import HOUR_MS, MINUTE_MS, clock_known, local_hour
from etlnarr.metrics.days import DAY, length, record_length
from etlnarr.model import Batch

SIGHT_MS: Final = HOUR_MS
"""Records of at most an hour show when in the day something happened."""

FINE_MS: Final = 10 * MINUTE_MS
"""A longer record averages effort and rest."""

MINUTE_LEVEL_MS: Final = 90_000
SEDENTARY_MS: Final = HOUR_MS
MODERATE_CADENCE: Final = 100
VIGOROUS_CADENCE: Final = 130
"""Steps per minute. Source: Tudor-Locke 2018."""


def sight(batch: Batch) -> pl.DataFrame:
    """Tell how finely time is told.

    Shapes: some_in_hour, all_in_hour, some_fine, all_fine (records of at most an hour, of at most ten minutes), clock
    (every local time known).
    """
    in_hour, fine = record_length() <= SIGHT_MS, record_length() <= FINE_MS
    return batch.readings.group_by("subject", maintain_order=True).agg(
        some_in_hour=in_hour.any(),
        all_in_hour=in_hour.all(),
        some_fine=fine.any(),
        all_fine=fine.all(),
        clock=clock_known(),
    )


def patterns(batch: Batch) -> pl.DataFrame:
    """Add up by local hour, where every record is at most an hour long and every local time known.

    Shapes: hourly_distribution (a struct h00 to h23), peak_hour (of the highest sum, null when hours share it);
    no row otherwise.
    """
    sighted = _only(batch.readings, (record_length() <= SIGHT_MS).all() & clock_known())
    hours = sighted.with_columns(hour=local_hour()).group_by("subject", maintain_order=True)
    value, hour = pl.col("value"), pl.col("hour")
    sums = [value.filter(hour == number).sum().round(TOTAL_DECIMALS).alias(f"h{number:02}") for number in range(24)]
    found = hours.agg(hourly_distribution=pl.struct(sums))
    by_hour = sighted.group_by("subject", hour=local_hour()).agg(value.sum().round(TOTAL_DECIMALS))
    top = value == value.max()
    peak = by_hour.group_by("subject").agg(
        peak_hour=pl.when((top.sum() == 1) & (value.max() > 0)).then(hour.filter(top).first())
    )
    return found.join(peak, on="subject")


def sedentary(batch: Batch) -> pl.DataFrame:
    """Count the stretches of an hour and more without a step between two records with steps of one local day.

    Shapes: sedentary_spans, longest_span_minutes; no row for subjects with a record longer than an hour, or without
    local times.
    """
    sighted = _only(batch.readings, (record_length() <= SIGHT_MS).all() & clock_known())
    walked = sighted.filter(pl.col("value") > 0).with_columns(day=sources.local_date()).sort(*DAY, "start")
    pause = (pl.col("start") - pl.col("end").shift()).over(DAY)
    return (
        walked.with_columns(pause=pause)
        .group_by("subject", maintain_order=True)
        .agg(
            sedentary_spans=(pl.col("pause") >= SEDENTARY_MS).sum().cast(pl.Int64),
            longest_span_minutes=pl.col("pause").max() / MINUTE_MS,
        )
    )


def cadence(batch: Batch) -> pl.DataFrame:
    """Measure the pace of steps told by the minute.

    Shapes: cadence_highest, moderate_minutes, vigorous_minutes; no row for subjects with longer records.
    Units: steps per minute, minutes. Source: Tudor-Locke 2018.
    """
    fine = _only(batch.readings, record_length().is_between(1, MINUTE_LEVEL_MS).all())
    minutes = length() / MINUTE_MS
    pace = (pl.col("value") / minutes).round(TOTAL_DECIMALS)
    brisk = (pace >= MODERATE_CADENCE) & (pace < VIGOROUS_CADENCE)
    return fine.group_by("subject", maintain_order=True).agg(
        cadence_highest=pace.max(),
        moderate_minutes=minutes.filter(brisk).sum(),
        vigorous_minutes=minutes.filter(pace >= VIGOROUS_CADENCE).sum(),
    )


def _only(readings: pl.DataFrame, holds: pl.Expr) -> pl.DataFrame:
    """Keep the subjects for all of whose readings something holds."""
    return readings.filter(holds.over("subject")).sort("subject", "start", "end")
