"""How a sleep session was made up: stages, latencies, wake after sleep onset, awakenings.

Definitions follow the AASM manual as far as sessions of consumer devices allow; the session is the app's own.
"""

from typing import Final

import polars as pl

from etlnarr.metrics.clock import MINUTE_MS
from etlnarr.metrics.runs import NO, numbered
from etlnarr.metrics.sleep import PAUSE, SESSION
from etlnarr.metrics.statistics import finite

ASLEEP: Final = ("LIGHT", "DEEP", "REM", "SLEEPING")
AWAKE: Final = ("AWAKE", "OUT_OF_BED", PAUSE)
STAGES: Final = ("LIGHT", "DEEP", "REM")
LONG_AWAKENING_MS: Final = 5 * MINUTE_MS
GOOD_LATENCY: Final = 30
GOOD_AWAKENINGS: Final = 1
GOOD_WASO: Final = 20
GOOD_EFFICIENCY: Final = 85
"""Limits of good sleep in minutes, times and percent. Source: Ohayon 2017 Sleep Health 3:6."""

LEAST_STAGED: Final = 0.9
"""Share of a session that its stages must cover: what is not staged is neither sleep nor wake."""

NOISE_DECIMALS: Final = 9
"""A division may end a little beside a limit; in which direction depends on the batch."""


def is_asleep() -> pl.Expr:
    """Whether a stage is sleep; null for a stage that says neither."""
    label = pl.col("label")
    return pl.when(label.is_in(ASLEEP)).then(statement=True).when(label.is_in(AWAKE)).then(statement=False)


def architecture(readings: pl.DataFrame) -> pl.DataFrame:
    """Measure every session.

    What needs stages is null for a session without sleep in them, and for one that they do not cover, or exceed. Wake
    after sleep onset and awakenings lie between the first and the last sleep stage. The pauses between the parts of a
    night are time out of bed: wake, as that stage is, inside the time from its first start to its last end.

    Shapes: readings as READINGS of sleep sessions; the result SESSION, parts (records), pause, onset and wake_up (epoch
    ms), time_in_bed, total_sleep_time, sleep_period_time, sleep_onset_latency, waso, rem_latency, light, deep, rem and
    sleeping _minutes, efficiency and light, deep and rem _percent, awakenings (of at least 5 min),
    awakenings_over_5_min, quality_score.
    Units: minutes, percent.
    """
    sessions, of = numbered(readings, SESSION)
    stages = _stages(readings.with_columns(of))
    paused = pl.col("label").eq_missing(PAUSE)
    # each is worked out row by row first: a filter inside a group costs as much again for every group
    found = (
        stages.with_columns(
            onset=pl.when("asleep").then("start"),
            wake_up=pl.when("asleep").then("end"),
            first_rem=pl.when(pl.col("label") == "REM").then("start"),
            told=_length(pl.col("asleep").is_not_null() & ~paused),
            pause=_length(paused),
            detailed=pl.col("label").is_in(STAGES),
            total_sleep_time=_length(pl.col("asleep")),
            **{f"{name.lower()}_minutes": _length(pl.col("label") == name) for name in ASLEEP},
        )
        .group_by(NO)
        .agg(
            pl.col("onset", "first_rem").min(),
            pl.col("wake_up").max(),
            pl.col("told").sum(),
            pl.col("detailed").any(),
            pl.col("pause", "total_sleep_time", *(f"{name.lower()}_minutes" for name in ASLEEP)).sum() / MINUTE_MS,
            recorded=pl.col("length").sum(),
            parts=pl.col("record").n_unique().cast(pl.Int64),
        )
    )
    told = found.join(_wakefulness(stages, found), on=NO, how="left")
    whole = sessions.with_row_index(NO).join(told, on=NO).drop(NO).sort(SESSION)
    measured = whole.with_columns(
        *_derived(),
        pl.col("waso", "awakenings", "awakenings_over_5_min").fill_null(0),
        time_in_bed=_in_bed_ms() / MINUTE_MS,
        staged=pl.col("onset").is_not_null()
        & ((pl.col("told") / (_in_bed_ms() - pl.col("pause") * MINUTE_MS)).round(NOISE_DECIMALS) >= LEAST_STAGED)
        & (pl.col("recorded") <= _in_bed_ms()),
    )
    return _defined(measured)


def _stages(readings: pl.DataFrame) -> pl.DataFrame:
    """Keep what of each stage lies inside its session."""
    inside = readings.select(
        NO,
        "record",
        "label",
        start=pl.max_horizontal("start", "record_start"),
        end=pl.min_horizontal("end", "record_end"),
        asleep=is_asleep(),
    )
    length = (pl.col("end") - pl.col("start")).clip(0)
    return inside.with_columns(length=length)


def _wakefulness(stages: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Add up the wake bouts between the first and the last sleep stage; neighbouring wake stages are one bout."""
    inside = (pl.col("start") >= pl.col("onset")) & (pl.col("end") <= pl.col("wake_up"))
    awake = stages.filter(~pl.col("asleep")).join(found.select(NO, "onset", "wake_up"), on=NO).filter(inside)
    apart = ((pl.col(NO) != pl.col(NO).shift()) | (pl.col("start") != pl.col("end").shift())).fill_null(value=True)
    bouts = (
        awake.sort(NO, "start", "end", maintain_order=True)
        .group_by(bout=apart.cum_sum())
        .agg(pl.col(NO).first(), pl.col("length").sum(), long=pl.col("end").max() - pl.col("start").min())
    )
    return bouts.group_by(NO).agg(
        waso=pl.col("length").sum() / MINUTE_MS,
        awakenings=(pl.col("long") >= LONG_AWAKENING_MS).sum().cast(pl.Int64),
        awakenings_over_5_min=(pl.col("long") > LONG_AWAKENING_MS).sum().cast(pl.Int64),
    )


def _derived() -> list[pl.Expr]:
    slept = pl.col("total_sleep_time")
    return [
        ((pl.col("onset") - pl.col("record_start")) / MINUTE_MS).alias("sleep_onset_latency"),
        ((pl.col("wake_up") - pl.col("onset")) / MINUTE_MS).alias("sleep_period_time"),
        ((pl.col("first_rem") - pl.col("onset")) / MINUTE_MS).alias("rem_latency"),
        finite(100 * slept * MINUTE_MS / _in_bed_ms()).alias("efficiency"),
        *(finite(100 * pl.col(f"{n.lower()}_minutes") / slept).alias(f"{n.lower()}_percent") for n in STAGES),
    ]


def _defined(measured: pl.DataFrame) -> pl.DataFrame:
    """Null what the stages of a session do not tell."""
    detail = [f"{name.lower()}_{part}" for name in STAGES for part in ("minutes", "percent")]
    staged = ["onset", "wake_up", "total_sleep_time", "sleeping_minutes", "efficiency", "sleep_onset_latency"]
    staged += ["sleep_period_time", "rem_latency", "waso", "awakenings", "awakenings_over_5_min"]
    known = measured.with_columns(
        *(pl.when("staged").then(name).alias(name) for name in staged),
        *(pl.when(pl.col("staged") & pl.col("detailed")).then(name).alias(name) for name in detail),
    )
    return known.with_columns(quality_score=_criteria_met()).drop("told", "recorded", "staged", "detailed", "first_rem")


def _criteria_met() -> pl.Expr:
    """How many of the four criteria of good sleep are met; null when one of them cannot be judged."""
    met = (
        pl.col("sleep_onset_latency").round(NOISE_DECIMALS) <= GOOD_LATENCY,
        pl.col("awakenings_over_5_min") <= GOOD_AWAKENINGS,
        pl.col("waso").round(NOISE_DECIMALS) <= GOOD_WASO,
        pl.col("efficiency").round(NOISE_DECIMALS) >= GOOD_EFFICIENCY,
    )
    return pl.sum_horizontal(*met, ignore_nulls=False).cast(pl.Int64)


def _in_bed_ms() -> pl.Expr:
    return pl.col("record_end") - pl.col("record_start")


def _length(stage: pl.Expr) -> pl.Expr:
    return pl.when(stage).then("length").otherwise(0)
