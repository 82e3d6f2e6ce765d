"""Amounts by the day: steps, energy. A day counts as a day only when it was over before it was last written."""

from typing import Final

import polars as pl

from etlnarr.metrics import sources
from etlnarr.metrics.bounded import dated, latest_rows
from etlnarr.metrics.clock import DAY_MS, HOUR_MS, MINUTE_MS, THURSDAY, WEEKDAYS, clock_known, local_hour
from etlnarr.metrics.overlap import pro_rata
from etlnarr.model import Batch

WHOLE_DAY_MS: Final = 18 * HOUR_MS
"""A record at least this long is a daily total; some sources begin their day at four in the morning."""

SIGHT_MS: Final = HOUR_MS
"""Records of at most an hour show when in the day something happened."""

MINUTE_LEVEL_MS: Final = 90_000
SEDENTARY_MS: Final = HOUR_MS
MODERATE_CADENCE: Final = 100
VIGOROUS_CADENCE: Final = 130
"""Steps per minute. Source: Tudor-Locke 2018."""

GOALS: Final = (7_000, 10_000)
DAY: Final = ("subject", "day")
TOTAL_DECIMALS: Final = 6


def choose(readings: pl.DataFrame, priority: tuple[str, ...] = ()) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source for each local day, and its daily total or its shorter records, never both.

    Where records of one source overlap, each instant counts once.

    Shapes: as sources.choose. Records of the chosen source that were not chosen are left out of the others.
    """
    stream = pl.format(
        "{} {}", "source", pl.when(_length() >= WHOLE_DAY_MS).then(pl.lit("whole")).otherwise(pl.lit("part"))
    )
    span = pl.col("end").max() - pl.col("start").min()
    streams = sources.choose(readings, sources.local_date(), stream, priority=priority, coverage=span)
    chosen, others = (
        pro_rata(frame.with_columns(stream=stream), ("subject", "stream"), ()).drop("stream") for frame in streams
    )
    spoken = chosen.select("subject", "source", day=sources.local_date()).unique()
    rest = others.with_columns(day=sources.local_date()).join(spoken, on=["subject", "source", "day"], how="anti")
    return chosen, rest.drop("day").sort("subject", "start", "record", "source", "end")


def days(readings: pl.DataFrame) -> pl.DataFrame:
    """Add up each local day of chosen readings.

    A daily total is complete when it was written after its own end. A day of shorter records is when all of them were,
    something was written after the day, records reach back to its beginning, and its local time is known.

    Shapes: subject, day (days since 1970-01-01), n, total, whole (told as a daily total), dated (local date known),
    offset_s, begins, ends (epoch ms), written (epoch ms, null when unknown), complete; ordered by subject, day.
    """
    first, last = (offset.fill_null(0) * 1000 for offset in (_offset().first(), _offset().last()))
    midnight = pl.col("day").first() * DAY_MS
    whole = (_length() >= WHOLE_DAY_MS).any()
    found = (
        readings.sort("subject", "start", "end", "record")
        .with_columns(
            day=sources.local_date(),
            earliest=pl.col("start").min().over("subject"),
            latest=pl.col("modified").max().over("subject"),
        )
        .group_by(DAY, maintain_order=True)
        .agg(
            n=pl.len().cast(pl.Int64),
            total=pl.col("value").sort().sum(),
            whole=whole,
            dated=pl.col("offset_s").is_not_null().all(),
            offset_s=pl.col("offset_s").first(),
            begins=pl.when(whole).then(pl.col("start").min()).otherwise(midnight - first),
            ends=pl.when(whole).then(pl.col("end").max()).otherwise(midnight + DAY_MS - last - 1),
            written=pl.col("modified").max(),
            settled=(pl.col("modified") >= pl.col("end")).all(),
            earliest=pl.col("earliest").first(),
            latest=pl.col("latest").first(),
        )
    )
    seen = pl.col("dated") & (pl.col("latest") >= pl.col("ends")) & (pl.col("earliest") <= pl.col("begins"))
    return (
        found.with_columns(
            complete=pl.col("settled") & (pl.col("whole") | seen),
            written=pl.when(pl.col("written") > 0).then("written"),
        )
        .drop("settled", "earliest", "latest")
        .sort(DAY)
    )


def totals(batch: Batch) -> pl.DataFrame:
    """Summarise the days of each subject; daily figures are of complete days.

    Shapes: days, complete_days, total, daily_mean, daily_std, daily_min, daily_max, weekday_mean (of the complete days,
    null where a local date is unknown), and for a last day that was not over when it was written latest_total,
    latest_elapsed_percent and latest_as_of (minutes after local midnight).
    """
    found = days(batch.readings)
    full = pl.col("total").filter("complete")
    last = found.group_by("subject", maintain_order=True).last().filter(pl.col("written") < pl.col("ends"))
    elapsed = (pl.col("written") - pl.col("begins")) / (pl.col("ends") - pl.col("begins"))
    as_of = (pl.col("written") + _shift()) % DAY_MS / MINUTE_MS
    latest = last.select(
        "subject",
        latest_total="total",
        latest_elapsed_percent=pl.when(pl.col("whole") | pl.col("dated")).then((100 * elapsed).clip(0, 100)),
        latest_as_of=as_of,
    )
    summed = found.group_by("subject", maintain_order=True).agg(
        days=pl.len().cast(pl.Int64),
        complete_days=pl.col("complete").sum().cast(pl.Int64),
        total=pl.col("total").sum(),
        daily_mean=full.mean(),
        daily_std=full.std(ddof=1),
        daily_min=full.min(),
        daily_max=full.max(),
        weekday_mean=_by_weekday(),
    )
    return summed.join(latest, on="subject", how="left")


def goals(batch: Batch) -> pl.DataFrame:
    """Count the complete days of at least 7,000 and 10,000 steps; null without a complete day.

    Shapes: days_at_least_7000, days_at_least_10000.
    """
    found = days(batch.readings).filter("complete")
    return found.group_by("subject", maintain_order=True).agg(
        (pl.col("total") >= goal).sum().cast(pl.Int64).alias(f"days_at_least_{goal}") for goal in GOALS
    )


def other_totals(batch: Batch) -> pl.DataFrame:
    """Set the totals beside those of the other source that has most of the same days.

    Two counts of a day differ for the time of their last write alone, so the difference is of days that were over.

    Shapes: other_source, shared_days, other_total, difference_percent (of the chosen total, over the days that are
    complete in both), other_day_start (minutes after local midnight, null where it is not one time); a subject without
    a second source has no row.
    """
    own = days(batch.readings).select(*DAY, own="total", over="complete")
    began, over = pl.col("began"), pl.col("over") & pl.col("complete")
    return (
        _by_source(batch.others)
        .join(own, on=DAY)
        .sort(*DAY, "other_source")
        .group_by("subject", "other_source", maintain_order=True)
        .agg(
            shared_days=pl.len().cast(pl.Int64),
            other_total=pl.col("total").sum(),
            own_over=pl.col("own").filter(over).sum(),
            other_over=pl.col("total").filter(over).sum(),
            other_day_start=pl.when(began.is_not_null().all() & (began.n_unique() == 1)).then(began.first()),
        )
        .sort("subject", "shared_days", "other_total", "other_source", descending=[False, True, True, False])
        .unique("subject", keep="first", maintain_order=True)
        .with_columns(difference_percent=_change("other_over", "own_over"))
        .drop("own_over", "other_over")
    )


def patterns(batch: Batch) -> pl.DataFrame:
    """Add up by local hour, where every record is at most an hour long and every local time known.

    Shapes: hourly_distribution (a struct h00 to h23), peak_hour (of the highest sum); no row otherwise.
    """
    sighted = _only(batch.readings, (_length() <= SIGHT_MS).all() & clock_known())
    hours = sighted.with_columns(hour=local_hour()).group_by("subject", maintain_order=True)
    value, hour = pl.col("value"), pl.col("hour")
    sums = [value.filter(hour == number).sum().round(TOTAL_DECIMALS).alias(f"h{number:02}") for number in range(24)]
    found = hours.agg(hourly_distribution=pl.struct(sums))
    ranked = (
        sighted.group_by("subject", hour=local_hour())
        .agg(pl.col("value").sum().round(TOTAL_DECIMALS))
        .sort("subject", "value", "hour", descending=[False, True, False])
        .unique("subject", keep="first", maintain_order=True)
    )
    return found.join(ranked.select("subject", peak_hour=pl.when(pl.col("value") > 0).then("hour")), on="subject")


def sedentary(batch: Batch) -> pl.DataFrame:
    """Count the stretches of an hour and more without a step between two records with steps of one local day.

    Shapes: sedentary_spans, longest_span_minutes; no row for subjects with a record longer than an hour, or without
    local times.
    """
    sighted = _only(batch.readings, (_length() <= SIGHT_MS).all() & clock_known())
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
    fine = _only(batch.readings, (_length().is_between(1, MINUTE_LEVEL_MS)).all())
    minutes = _length() / MINUTE_MS
    pace = (pl.col("value") / minutes).round(TOTAL_DECIMALS)
    brisk = (pace >= MODERATE_CADENCE) & (pace < VIGOROUS_CADENCE)
    return fine.group_by("subject", maintain_order=True).agg(
        cadence_highest=pace.max(),
        moderate_minutes=minutes.filter(brisk).sum(),
        vigorous_minutes=minutes.filter(pace >= VIGOROUS_CADENCE).sum(),
    )


def series(batch: Batch) -> pl.DataFrame:
    """Tabulate the latest days.

    Shapes: subject, series: a list of structs label, n (records), total, complete.
    """
    found = days(batch.readings).with_columns(label=dated("", "day", "day"))
    return latest_rows(found, ["label", "n", "total", "complete"])


def _length() -> pl.Expr:
    return pl.col("end") - pl.col("start")


def _offset() -> pl.Expr:
    return pl.col("offset_s").cast(pl.Int64)


def _shift() -> pl.Expr:
    return _offset() * 1000


def _by_source(others: pl.DataFrame) -> pl.DataFrame:
    """Add up each local day of each source; its daily total or its shorter records, never both.

    Shapes: the columns of days(), other_source, began (minutes after local midnight, null for shorter records).
    """
    told = _length() >= WHOLE_DAY_MS
    one_way = others.filter(told == told.any().over("subject", "source", sources.local_date()))
    found = days(one_way.with_columns(subject=pl.struct("subject", "source"))).unnest("subject")
    began = pl.when("whole").then((pl.col("begins") + _shift()) % DAY_MS / MINUTE_MS)
    return found.select(*DAY, "total", "complete", began=began, other_source="source")


def _only(readings: pl.DataFrame, holds: pl.Expr) -> pl.DataFrame:
    """Keep the subjects for all of whose readings something holds."""
    return readings.filter(holds.over("subject")).sort("subject", "start", "end")


def _change(name: str, base: str) -> pl.Expr:
    return pl.when(pl.col(base) > 0).then(100 * (pl.col(name) - pl.col(base)) / pl.col(base))


def _by_weekday() -> pl.Expr:
    day = (pl.col("day") + THURSDAY) % 7
    means = [
        pl.col("total").filter(pl.col("complete") & (day == number)).mean().round(TOTAL_DECIMALS).alias(name)
        for number, name in enumerate(WEEKDAYS)
    ]
    return pl.when(pl.col("dated").all() & pl.col("complete").any()).then(pl.struct(means))
