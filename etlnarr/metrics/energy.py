"""Active energy: how hard, and beside the resting rate."""

from typing import Final

import polars as pl

from etlnarr.metrics.bouts import bouts, lasting
from etlnarr.metrics.clock import HOUR_MS, MINUTE_MS
from etlnarr.metrics.day_patterns import FINE_MS
from etlnarr.metrics.days import day_sums, length, record_length
from etlnarr.metrics.sources import local_date
from etlnarr.model import Batch

BOUT_GAP_MS: Final = 2 * MINUTE_MS
BOUT_MINUTES: Final = 10
MODERATE_MET: Final = 3
VIGOROUS_MET: Final = 6
"""Source: PAG 2008."""

WEEK_DAYS: Final = 7
NOISE_DECIMALS: Final = 9


def met() -> pl.Expr:
    """Metabolic equivalents of a record, from its active energy, its length and the column mass_kg."""
    hours = length() / HOUR_MS
    return (pl.col("value") / (pl.col("mass_kg") * hours) + 1).round(NOISE_DECIMALS)


def basal_rate() -> pl.Expr:
    """Resting energy of a day from sex, age, mass_kg and height_cm; null where one is unknown.

    Units: kcal. Source: Mifflin 1990.
    """
    by_sex = pl.col("sex").replace_strict({"male": 5, "female": -161}, default=None, return_dtype=pl.Float64)
    return 10 * pl.col("mass_kg") + 6.25 * pl.col("height_cm") - 5 * pl.col("age") + by_sex


def intensity(batch: Batch) -> pl.DataFrame:
    """Share out the time of active records by effort, where all are at most ten minutes long and the mass is known.

    Shapes: mean_met, light_minutes, moderate_minutes, vigorous_minutes, weekly_minutes (moderate plus twice the
    vigorous, of the complete days, per week), sessions and sessions_minutes (at least 10 min of at least 3 MET); no
    row otherwise. Units: MET, minutes.
    """
    weighed = batch.readings.join(batch.people.select("subject", "mass_kg"), on="subject").filter(
        ((record_length() <= FINE_MS).all() & pl.col("mass_kg").is_not_null().all()).over("subject"), length() > 0
    )
    minutes = length() / MINUTE_MS
    measured = (
        weighed.with_columns(met=met(), minutes=minutes, day=local_date())
        .join(batch.once(day_sums).select("subject", "day", "complete"), on=["subject", "day"])
        .sort("subject", "start", "end")
    )
    moderate = (pl.col("met") >= MODERATE_MET) & (pl.col("met") < VIGOROUS_MET)
    vigorous = pl.col("met") >= VIGOROUS_MET
    effort = pl.when(moderate).then("minutes").when(vigorous).then(2 * pl.col("minutes")).otherwise(0.0)
    found = measured.group_by("subject", maintain_order=True).agg(
        mean_met=(pl.col("met") * pl.col("minutes")).sum() / pl.col("minutes").sum(),
        light_minutes=_minutes(pl.col("met") < MODERATE_MET),
        moderate_minutes=_minutes(moderate),
        vigorous_minutes=_minutes(vigorous),
        effort=effort.filter("complete").sum(),
        complete=pl.col("day").filter("complete").n_unique(),
    )
    weekly = pl.when(pl.col("complete") > 0).then(WEEK_DAYS * pl.col("effort") / pl.col("complete"))
    sessions = lasting(bouts(measured.with_columns(inside=moderate | vigorous), BOUT_GAP_MS), BOUT_MINUTES, "sessions")
    return (
        found.with_columns(weekly_minutes=weekly)
        .drop("effort", "complete")
        .join(sessions, on="subject", how="left")
        .with_columns(pl.col("sessions", "sessions_minutes").fill_null(0))
    )


def _minutes(which: pl.Expr) -> pl.Expr:
    return pl.col("minutes").filter(which).sum()
