"""Nights of a person: the main sessions with what they were made of, and their means."""

from typing import Final

import polars as pl

from etlnarr.metrics.architecture import ASLEEP, STAGES, architecture
from etlnarr.metrics.bounded import dated, latest_rows
from etlnarr.metrics.clock import DAY_MS, MINUTE_MS, THURSDAY, WEEKDAYS, offset_ms
from etlnarr.metrics.sleep import SESSION, near_others, sessions
from etlnarr.model import Batch

DAY_MINUTES: Final = DAY_MS // MINUTE_MS
AVERAGED: Final = (
    "time_in_bed",
    "total_sleep_time",
    "sleep_period_time",
    "efficiency",
    "sleep_onset_latency",
    "waso",
    "rem_latency",
    "awakenings",
    "awakenings_over_5_min",
    "quality_score",
    *(f"{name.lower()}_minutes" for name in ASLEEP),
    *(f"{name.lower()}_percent" for name in STAGES),
)
"""What is averaged over nights; for one night the mean is its value."""


def night_by_night(readings: pl.DataFrame) -> pl.DataFrame:
    """Measure every session of chosen readings.

    Shapes: the columns of sessions() and architecture(), near (near_others()), weekday of the local wake date (0 is
    Monday), and midpoint (of the sleep period, null without stages), bed_time and wake_time in minutes after local
    midnight, null where the offset is unknown.
    """
    found = sessions(readings).with_columns(near=near_others())
    whole = found.join(architecture(readings), on=SESSION, how="left", nulls_equal=True)
    middle = (pl.col("onset") + pl.col("wake_up")) // 2  # a millisecond is lost at most
    return whole.sort("subject", "record_start", "record_end", "source").with_columns(
        midpoint=_of_day(middle),
        bed_time=_of_day(pl.col("record_start"), "offset_before"),
        wake_time=_of_day(pl.col("record_end")),
        weekday=pl.when(pl.col("offset_s").is_not_null()).then((pl.col("wake_day") + THURSDAY) % 7),
    )


def measured(batch: Batch) -> pl.DataFrame:
    """Measure every session of a batch, as night_by_night()."""
    return night_by_night(batch.readings)


def night_means(batch: Batch) -> pl.DataFrame:
    """Average the main sessions of each subject, and count the rest.

    Shapes: sessions, nights, naps, nap_minutes (time in bed), nap_sleep_minutes (null when a nap does not tell it),
    staged_nights, detailed_nights and rem_nights (that tell of light, deep and REM sleep, and of REM sleep),
    nights_in_parts, pause_minutes (between the parts), broken_nights (near a session that is not part of them), timed
    (whether the offset of every night is known), wake_date (ISO, of the last night), every column of AVERAGED,
    total_sleep_time _std, _min and _max from two nights on, weekday_total_sleep_time (by local wake day).
    """
    found = batch.once(measured)
    slept = pl.col("total_sleep_time").filter("main")
    several = slept.count() > 1
    return found.group_by("subject", maintain_order=True).agg(
        *(pl.col(name).filter("main").mean() for name in AVERAGED),
        sessions=pl.col("parts").sum(),
        naps=(~pl.col("main")).sum().cast(pl.Int64),
        nap_minutes=pl.col("time_in_bed").filter(~pl.col("main")).sum(),
        nap_sleep_minutes=_whole_sum(pl.col("total_sleep_time").filter(~pl.col("main"))),
        nights=pl.col("main").sum().cast(pl.Int64),
        staged_nights=slept.count().cast(pl.Int64),
        detailed_nights=pl.col("light_minutes").filter("main").count().cast(pl.Int64),
        rem_nights=pl.col("rem_latency").filter("main").count().cast(pl.Int64),
        nights_in_parts=(pl.col("main") & (pl.col("parts") > 1)).sum().cast(pl.Int64),
        pause_minutes=pl.col("pause").filter("main").sum(),
        broken_nights=(pl.col("main") & pl.col("near")).sum().cast(pl.Int64),
        timed=pl.col("offset_s").filter("main").is_not_null().all(),
        wake_date=_last_date(),
        total_sleep_time_std=slept.std(ddof=1),
        total_sleep_time_min=pl.when(several).then(slept.min()),
        total_sleep_time_max=pl.when(several).then(slept.max()),
        weekday_total_sleep_time=_by_weekday(),
    )


def series(batch: Batch) -> pl.DataFrame:
    """Tabulate the latest sessions.

    Shapes: subject, series: a list of structs label, bed_time and wake_time (HH:MM local, null when unknown),
    time_in_bed, total_sleep_time, efficiency, light_minutes, deep_minutes, rem_minutes. Units: minutes, percent.
    """
    found = batch.once(measured).with_columns(dated=pl.col("offset_s").is_not_null())
    label = pl.when("main").then(dated("night to ", "wake_day", "session"))
    columns = ["time_in_bed", "total_sleep_time", "efficiency", "light_minutes", "deep_minutes", "rem_minutes"]
    named = found.with_columns(
        label=label.when("near")
        .then(dated("session on ", "wake_day", "session"))
        .otherwise(dated("nap on ", "wake_day", "session")),
        **{name: _clock(name) for name in ("bed_time", "wake_time")},
    )
    return latest_rows(named, ["label", "bed_time", "wake_time", *columns])


def _whole_sum(minutes: pl.Expr) -> pl.Expr:
    return pl.when(minutes.is_not_null().all()).then(minutes.sum())


def _last_date() -> pl.Expr:
    """Return the local date on which the last night ended, as ISO text."""
    known = pl.col("offset_s").filter("main").is_not_null().all()
    last = (pl.col("wake_day").filter("main").max() * DAY_MS).cast(pl.Datetime("ms"))
    return pl.when(known).then(last.dt.strftime("%Y-%m-%d"))


def _clock(name: str) -> pl.Expr:
    return (pl.col(name) * MINUTE_MS).cast(pl.Int64).cast(pl.Datetime("ms")).dt.strftime("%H:%M")


def _of_day(ms: pl.Expr, offset: str = "offset_s") -> pl.Expr:
    return (ms + offset_ms(offset)) % DAY_MS / MINUTE_MS


def _by_weekday() -> pl.Expr:
    means = [
        pl.col("total_sleep_time").filter(pl.col("main") & (pl.col("weekday") == day)).mean().round(6).alias(name)
        for day, name in enumerate(WEEKDAYS)
    ]
    main = pl.col("weekday").filter("main")
    return pl.when((main.len() > 0) & main.is_not_null().all()).then(pl.struct(means))
