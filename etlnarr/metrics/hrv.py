"""Nightly heart rate variability against a person's own baseline.

The one definition of lnRMSSD here: the natural logarithm of the arithmetic mean of a night's RMSSD values.
Sources: Plews 2013 Sports Med 43:773; Buchheit 2014 Front Physiol 5:73; Vesterinen 2016 MSSE 48:1347.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics import hourly
from etlnarr.metrics.bounded import dated, latest_rows
from etlnarr.metrics.clock import DAY_MS, HOUR_MS, local_hour, offset_ms
from etlnarr.metrics.sleep import in_sleep
from etlnarr.metrics.sources import covered_ms
from etlnarr.metrics.statistics import finite
from etlnarr.model import Batch

NIGHT_VALUES: Final = 30
NIGHT_HOURS: Final = 3
"""A night counts with either; two values hours apart cover next to nothing of it."""

EVENING: Final = 18
NOON: Final = 12
"""Hours of the local clock between which values are of a night, when no sleep session tells."""

WEEK_DAYS: Final = 7
BASELINE_DAYS: Final = 28
TREND_DAYS: Final = WEEK_DAYS + BASELINE_DAYS
WORTHWHILE_SD: Final = 0.5
"""Half a standard deviation of the baseline is the smallest worthwhile change."""


def by_night(readings: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:
    """Add the local day of waking: of the main session that a value lies in, else of the night from noon to noon."""
    shift = offset_ms().fill_null(0)
    day = pl.coalesce(pl.col("night_end"), pl.col("start") + DAY_MS // 2) + shift
    marked = in_sleep(readings.sort("subject", "start", "record", "source"), sleep)
    return marked.with_columns(day=day // DAY_MS).drop("night_start", "night_end")


def nights(batch: Batch) -> pl.DataFrame:
    """Summarise the values of each night.

    Values count inside the main sleep sessions; for a subject none of whose values lies in one, those from 18:00 to
    12:00 local time are taken as a night and in_session is false.

    Shapes: subject, day (of waking, days since 1970-01-01), in_session, dated (whether the local date is known), n,
    mean, median, lowest, highest, ln_rmssd, counts (30 values or 3 h covered). Units: ms.
    """
    shift = offset_ms().fill_null(0)
    marked = in_sleep(batch.readings, batch.sleep).with_columns(in_session=pl.col("night_end").is_not_null())
    day = pl.when("in_session").then(pl.col("night_end") + shift).otherwise(pl.col("start") + shift + DAY_MS // 2)
    at_night = (local_hour() >= EVENING) | (local_hour() < NOON)
    kept = marked.filter(pl.col("in_session") | (at_night & ~pl.col("in_session").any().over("subject")))
    value = pl.col("value")
    return (
        kept.group_by("subject", day=day // DAY_MS)
        .agg(
            in_session=pl.col("in_session").any(),
            dated=pl.col("offset_s").is_not_null().all(),
            n=value.count().cast(pl.Int64),
            mean=value.mean(),
            median=value.median(),
            lowest=value.min(),
            highest=value.max(),
            ln_rmssd=finite(value.mean().log()),
            counts=(value.count() >= NIGHT_VALUES) | (covered_ms().sum() >= NIGHT_HOURS * HOUR_MS),
        )
        .sort("subject", "day")
    )


def nightly(batch: Batch) -> pl.DataFrame:
    """Average over the nights that count, or over all where none does.

    Shapes: nights (that count), in_session, nightly_mean, nightly_median, ln_rmssd and latest_readings (of the latest
    of these nights). Units: ms, ln ms.
    """
    found = batch.once(nights).filter(pl.col("counts") | ~pl.col("counts").any().over("subject"))
    return found.group_by("subject", maintain_order=True).agg(
        nights=pl.col("counts").sum().cast(pl.Int64),
        in_session=pl.col("in_session").all(),
        nightly_mean=pl.col("mean").mean(),
        nightly_median=pl.col("median").mean(),
        ln_rmssd=pl.col("ln_rmssd").last(),
        latest_readings=pl.col("n").last(),
    )


def trend(batch: Batch) -> pl.DataFrame:
    """Set the last seven days against the 28 before them, in lnRMSSD of the nights that count.

    Shapes: seven_day_mean, seven_day_nights, cv_7, baseline_mean, baseline_sd, baseline_nights, swc_low, swc_high,
    deviation (of the seven-day mean, in standard deviations of the baseline), and of the means and the band the same
    back in ms (geometric means): seven_day_ms, baseline_ms, swc_low_ms, swc_high_ms. Units: ln ms, ms, percent.
    """
    own = batch.once(nights)
    if batch.past is not None:
        own = pl.concat([own, batch.past.filter(~pl.col("inside")).select(own.columns)])
    age = pl.col("day").max().over("subject") - pl.col("day")
    counted = own.filter("counts").with_columns(age=age).sort("subject", "day")
    week = pl.col("ln_rmssd").filter(pl.col("age") < WEEK_DAYS)
    before = pl.col("ln_rmssd").filter(pl.col("age").is_between(WEEK_DAYS, WEEK_DAYS + BASELINE_DAYS - 1))
    found = counted.group_by("subject", maintain_order=True).agg(
        seven_day_mean=week.mean(),
        seven_day_nights=week.count().cast(pl.Int64),
        cv_7=finite(100 * week.std(ddof=1) / week.mean()),
        baseline_mean=before.mean(),
        baseline_sd=before.std(ddof=1),
        baseline_nights=before.count().cast(pl.Int64),
    )
    mean, sd = pl.col("baseline_mean"), pl.col("baseline_sd")
    against = found.with_columns(
        swc_low=mean - WORTHWHILE_SD * sd,
        swc_high=mean + WORTHWHILE_SD * sd,
        deviation=finite((pl.col("seven_day_mean") - mean) / sd),
    )
    return against.with_columns(
        seven_day_ms=pl.col("seven_day_mean").exp(),
        baseline_ms=mean.exp(),
        swc_low_ms=pl.col("swc_low").exp(),
        swc_high_ms=pl.col("swc_high").exp(),
    )


def series(batch: Batch) -> pl.DataFrame:
    """Tabulate the latest nights, or the hours where there are not several.

    Shapes: subject, series: a list of structs label, n, mean, lowest, highest. Units: ms.
    """
    found = batch.once(nights)
    several = found.filter(pl.len().over("subject") > 1).with_columns(label=dated("night to ", "day", "night"))
    hours = hourly.series(replace(batch, readings=batch.readings.join(several, on="subject", how="anti")))
    return pl.concat([hours, latest_rows(several, ["label", "n", "mean", "lowest", "highest"])])
