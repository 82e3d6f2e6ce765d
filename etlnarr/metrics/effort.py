"""Heart rate against the estimated maximum and the reserve below it, and stretches of time at a rate.

A main sleep session is no time of effort; naps are not told apart from waking.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics.bouts import bouts, lasting
from etlnarr.metrics.clock import MINUTE_MS
from etlnarr.metrics.heart import MEAN_DECIMALS, lowest_sleeping, marked
from etlnarr.metrics.statistics import finite
from etlnarr.model import Batch

CONTINUOUS_GAP_MS: Final = 2 * MINUTE_MS
"""Samples further apart are no continuous record of a stretch."""

BOUT_MINUTES: Final = 10
CONTINUOUS_PERCENT: Final = 70
"""Percent of the span that continuous samples must cover before the absence of a stretch means that there was none."""

FAST: Final = 100
SLOW: Final = 50
"""Limits outside of which an adult at rest is fast or slow. Source: Kusumoto 2019 Circulation 140:e382."""

MODERATE_PERCENT: Final = 64
VIGOROUS_PERCENT: Final = 77
"""Percent of the maximum from which exertion is moderate and vigorous. Source: ACSM 11th ed."""

RESERVE_PERCENT: Final = 40
"""Percent of the heart rate reserve from which exertion is moderate. Source: ACSM 11th ed."""

ZONES: Final = (50, 60, 70, 80, 90)
"""Lower limits of the zones 1 to 5 in percent of the maximum."""

RESERVE_ZONES: Final[Mapping[str, float]] = MappingProxyType(
    {"very_light": 0, "light": 30, "moderate": RESERVE_PERCENT, "vigorous": 60, "near_maximal": 90}
)
"""Lower limits in percent of the heart rate reserve; what lies below the lowest rate is very light too."""

AGED: Final = ("exertion_bouts",)
RESTED: Final = ("reserve_bouts", "exercise_bouts")
"""Stretches that need an age, and those that need the lowest sustained sleeping rate as well."""


def maximum() -> pl.Expr:
    """Maximal heart rate estimated from the column age. Source: Tanaka 2001 JACC 37:153."""
    return 208 - 0.7 * pl.col("age")


def zones(batch: Batch) -> pl.DataFrame:
    """Share out the covered time over five zones of the estimated maximum; no row without an age.

    Shapes: below_zone_1, zone_1 to zone_5 (the last one open), moderate_minutes and vigorous_minutes (outside of main
    sleep), readings_above_hr_max (samples above the estimate rounded up to whole beats).
    Units: percent of covered time, minutes.
    """
    edges = (0, *ZONES, float("inf"))
    names = ("below_zone_1", *(f"zone_{number}" for number in range(1, 6)))
    share = _of_maximum()
    return (
        batch.once(marked)
        .join(batch.people.select("subject", "age"), on="subject")
        .filter(pl.col("age").is_not_null())
        .group_by("subject", maintain_order=True)
        .agg(
            *(_share(share, low, high).alias(name) for name, low, high in zip(names, edges, edges[1:], strict=False)),
            moderate_minutes=_minutes((share >= MODERATE_PERCENT) & (share < VIGOROUS_PERCENT)),
            vigorous_minutes=_minutes(share >= VIGOROUS_PERCENT),
            readings_above_hr_max=(pl.col("value") > maximum().round(MEAN_DECIMALS).ceil()).sum().cast(pl.Int64),
        )
    )


def reserve_zones(batch: Batch) -> pl.DataFrame:
    """Share out the covered time over the zones of the heart rate reserve.

    The reserve reaches from the lowest sustained sleeping rate to the estimated maximum; no row where one is unknown.

    Shapes: very_light, light, moderate, vigorous, near_maximal. Units: percent of covered time.
    Sources: Karvonen 1957; ACSM 11th ed.
    """
    edges = (float("-inf"), *list(RESERVE_ZONES.values())[1:], float("inf"))
    named = zip(RESERVE_ZONES, edges, edges[1:], strict=False)
    return (
        batch.once(_known)
        .filter(_of_reserve().is_not_null())
        .group_by("subject", maintain_order=True)
        .agg(_share(_of_reserve(), low, high).alias(name) for name, low, high in named)
    )


def stretches(batch: Batch) -> pl.DataFrame:
    """Find stretches of at least ten minutes outside of main sleep at a rate.

    None found counts as none only where samples at most two minutes apart cover 70 % of the span, else it is null.

    Shapes: a count and its _minutes of exertion_bouts (at least 64 % of the estimated maximum; null without an age),
    reserve_bouts (at least 40 % of the reserve; null without an age and a lowest sleeping rate), exercise_bouts (both
    at once), fast_bouts (above 100), slow_bouts (below 50); dense (whether none found may mean none).
    """
    continuous = pl.when(pl.col("step") <= CONTINUOUS_GAP_MS).then("step").otherwise(0)
    held = (
        batch.once(_known).with_columns(continuous=continuous).with_columns(end=pl.col("start") + pl.col("continuous"))
    )
    span = pl.col("start").max() - pl.col("start").min()
    known = held.group_by("subject", maintain_order=True).agg(
        dense=100 * pl.col("continuous").sum() >= CONTINUOUS_PERCENT * span,
        aged=_of_maximum().is_not_null().all(),
        rested=_of_reserve().is_not_null().all(),
    )
    for name, inside in _rates().items():
        rows = held.with_columns(inside=inside.fill_null(value=False) & pl.col("night_start").is_null())
        found = lasting(bouts(rows, CONTINUOUS_GAP_MS), BOUT_MINUTES, name)
        known = known.join(found, on="subject", how="left").with_columns(_counted(name), _counted(f"{name}_minutes"))
    return known.drop("aged", "rested")


def _rates() -> Mapping[str, pl.Expr]:
    exerted, reserved = _of_maximum() >= MODERATE_PERCENT, _of_reserve() >= RESERVE_PERCENT
    return {
        "exertion_bouts": exerted,
        "reserve_bouts": reserved,
        "exercise_bouts": exerted & reserved,
        "fast_bouts": pl.col("value") > FAST,
        "slow_bouts": pl.col("value") < SLOW,
    }


def _counted(name: str) -> pl.Expr:
    kind = name.removesuffix("_minutes")
    told = pl.col("aged") if kind in AGED else pl.col("rested") if kind in RESTED else pl.lit(value=True)
    return pl.when(told).then(pl.coalesce(name, pl.when("dense").then(0))).alias(name)


def _known(batch: Batch) -> pl.DataFrame:
    """Add to each reading its weight, its main session, and age and lowest_sustained_sleeping of its person."""
    aged = batch.once(marked).join(batch.people.select("subject", "age"), on="subject", maintain_order="left")
    return aged.join(batch.once(lowest_sleeping), on="subject", how="left", maintain_order="left")


def _of_maximum() -> pl.Expr:
    """Percent of the estimated maximum, null without an age; rounded so that a limit is not missed by float noise."""
    return (100 * pl.col("value") / maximum()).round(MEAN_DECIMALS)


def _of_reserve() -> pl.Expr:
    """Percent of the heart rate reserve, null where there is none, rounded likewise."""
    lowest = pl.col("lowest_sustained_sleeping")
    share = (100 * (pl.col("value") - lowest) / (maximum() - lowest)).round(MEAN_DECIMALS)
    return pl.when(maximum() > lowest).then(share)


def _share(of: pl.Expr, low: float, high: float) -> pl.Expr:
    weight = pl.col("weight")
    return finite(100 * weight.filter(of.is_between(low, high, closed="left")).sum() / weight.sum())


def _minutes(which: pl.Expr) -> pl.Expr:
    return pl.col("weight").filter(which & pl.col("night_start").is_null()).sum() / MINUTE_MS
