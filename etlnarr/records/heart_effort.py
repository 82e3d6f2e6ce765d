"""Heart rate in effort: zones, stretches of time at a rate, recovery."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import effort
from etlnarr.model import Gate, Metric
from etlnarr.records.declarations import ADULT, DESCRIPTIVE, NO_AGE, needing, never

STATISTICS: Final = "heart_rate_statistics"
LOWEST: Final = f"{STATISTICS}.resting.lowest_sustained_sleeping"
ALL: Final = f"{STATISTICS}.count"
AWAKE: Final = f"{STATISTICS}.resting.readings_awake"
ASLEEP: Final = f"{STATISTICS}.resting.sleeping_nights"
BPM: Final = "bpm"

SEVERAL: Final = 20
"""Samples below which shares and outer percentiles say little more than single samples do."""

CLOSE_MINUTES: Final = 0.25
"""Steps that can show a recovery. Source: Cole 1999 NEJM 341:1351."""

KUSUMOTO: Final = "Kusumoto 2019 Circulation 140:e382"
TANAKA: Final = "Tanaka 2001 JACC 37:153"
ACSM: Final = "ACSM 11th ed."
KARVONEN: Final = f"Karvonen 1957; {ACSM}"

NO_LOWEST: Final = (
    "no 30 minutes with 20 samples lie inside a known main sleep session",
    "sleep records of the same days, and a sample at least every 90 s during sleep",
)
NO_BOUTS: Final = (
    "samples are too far apart for bouts to be found",
    "a sample every minute through most of the day",
)
NO_RUNS: Final = ("samples are too far apart for this to be found", "a sample every minute through most of the day")
NO_STOP: Final = "the end of an effort is not marked"
SPARSE: Final = Gate(
    pl.col("dense") | pl.col("age").is_not_null(),
    f"{NO_BOUTS[0]}, and {NO_AGE[0]}",
    f"{NO_BOUTS[1]}, and {NO_AGE[1]}",
)
AGED: Final = Gate(pl.col("age").is_not_null(), *NO_AGE)
FEW: Final = (f"there are fewer than {SEVERAL} samples", f"{SEVERAL} samples")
COUNTED: Final = Gate(pl.col(f"{STATISTICS}.count") >= SEVERAL, *FEW)
UNSHARED: Final = Gate(
    pl.col(f"{STATISTICS}.count").ge(SEVERAL) | pl.col("age").is_not_null(),
    f"{FEW[0]}, and {NO_AGE[0]}",
    f"{FEW[1]}, and {NO_AGE[1]}",
)
STRANGER: Final = Gate(
    pl.col("age").is_not_null() | pl.col(LOWEST).is_not_null(),
    f"{NO_AGE[0]}, and {NO_LOWEST[0]}",
    f"{NO_AGE[1]}, {NO_LOWEST[1]}",
)
RESTED: Final = Gate(pl.col(LOWEST).is_not_null(), *NO_LOWEST)
ROOM: Final = Gate(
    pl.col(LOWEST) < effort.maximum(),
    "the lowest sustained sleeping rate is not below the estimated maximum",
    "a maximum that was measured",
)
RESERVE: Final = (STRANGER, AGED, ADULT, RESTED, ROOM)
FAR_APART: Final = Gate(
    pl.col("temporal_patterns.interval_minutes").fill_null(0) <= CLOSE_MINUTES,
    f"{NO_STOP}, and samples are further than 15 s apart",
    "a marked end of exercise with a sample every 15 s",
)


def measured(name: str, unit: str, decimals: int, definition: str, source: str = DESCRIPTIVE) -> Metric:
    """Declare a metric of heart rate by the part of its path after the group."""
    return Metric(f"{STATISTICS}.{name}", unit, decimals, definition, source)


def _zone(number: int) -> Metric:
    low = effort.ZONES[number - 1]
    high = "more" if number == len(effort.ZONES) else f"below {effort.ZONES[number]}"
    return measured(f"zones.zone_{number}", "%", 1, f"covered time from {low} to {high} % of hr_max", TANAKA)


def _reserve_zone(name: str) -> Metric:
    names = list(effort.RESERVE_ZONES)
    lows = [*effort.RESERVE_ZONES.values(), None]
    low, high = lows[names.index(name)], lows[names.index(name) + 1]
    reach = f"below {high}" if not low else f"from {low} to below {high}" if high else f"{low} and more"
    return measured(f"reserve_zones.{name}", "%", 1, f"covered time at {reach} % of the heart rate reserve", KARVONEN)


def _stretches(start: str, unit: str, definition: str, source: str, column: str) -> tuple[Metric, Metric]:
    count = replace(measured(f"{start}count", unit, 0, definition, source), expr=pl.col(column))
    minutes = replace(
        measured(f"{start}minutes", "min", 0, f"length of these {unit} together", source),
        expr=pl.col(f"{column}_minutes"),
    )
    return count, minutes


OUTSIDE: Final = "10 min and more outside of main sleep, samples at most 2 min apart,"
"""What every stretch is; naps are not told apart from waking."""

ZONES: Final = (
    *needing(
        NO_AGE,
        (ADULT,),
        measured(
            "active.moderate_minutes",
            "min",
            0,
            "covered time outside of main sleep from 64 to below 77 % of hr_max",
            ACSM,
        ),
        measured(
            "active.vigorous_minutes", "min", 0, "covered time outside of main sleep at 77 % of hr_max and more", ACSM
        ),
        replace(
            measured("hr_max", BPM, 0, "208 - 0.7 x age, an estimate with an SD of about 10", TANAKA),
            expr=effort.maximum(),
        ),
        measured("readings_above_hr_max", "readings", 0, "samples above hr_max rounded up to whole bpm", TANAKA),
    ),
    *needing(
        NO_AGE,
        (UNSHARED, AGED, ADULT, COUNTED),
        measured("zones.below_zone_1", "%", 1, "covered time below 50 % of hr_max", TANAKA),
        *(_zone(number) for number in range(1, len(effort.ZONES) + 1)),
    ),
    *needing(NO_LOWEST, RESERVE, *(_reserve_zone(name) for name in effort.RESERVE_ZONES)),
)

STRETCHES: Final = (
    *needing(
        NO_BOUTS,
        (SPARSE, AGED, ADULT),
        *_stretches(
            "sessions.",
            "sessions",
            f"{OUTSIDE} at 64 % of hr_max and more, whatever the cause",
            f"PAG 2008; {ACSM}",
            "exertion_bouts",
        ),
    ),
    *needing(
        NO_BOUTS,
        RESERVE,
        *_stretches(
            "sessions.reserve_",
            "stretches",
            f"{OUTSIDE} at 40 % of the heart rate reserve and more",
            f"PAG 2008; {KARVONEN}",
            "reserve_bouts",
        ),
        *_stretches(
            "sessions.exercise_",
            "stretches",
            f"{OUTSIDE} at 64 % of hr_max and at 40 % of the heart rate reserve and more",
            f"PAG 2008; {KARVONEN}",
            "exercise_bouts",
        ),
    ),
    *needing(
        NO_RUNS,
        (),
        *_stretches(
            "sustained_above_100.", "stretches", f"{OUTSIDE} above 100 bpm, at rest or not", KUSUMOTO, "fast_bouts"
        ),
        *_stretches("sustained_below_50.", "stretches", f"{OUTSIDE} below 50 bpm", KUSUMOTO, "slow_bouts"),
    ),
)

INPUTS: Final = MappingProxyType(
    {
        f"{STATISTICS}.hr_max": ("age",),
        f"{STATISTICS}.readings_above_hr_max": (ALL, "age"),
        f"{STATISTICS}.zones": (ALL, "age"),
        f"{STATISTICS}.reserve_zones": (ALL, ASLEEP, "age"),
        f"{STATISTICS}.active.moderate_minutes": (AWAKE, "age"),
        f"{STATISTICS}.active.vigorous_minutes": (AWAKE, "age"),
        f"{STATISTICS}.sessions.count": (AWAKE, "age"),
        f"{STATISTICS}.sessions.reserve_count": (AWAKE, ASLEEP, "age"),
        f"{STATISTICS}.sessions.exercise_count": (AWAKE, ASLEEP, "age"),
        f"{STATISTICS}.sustained_above_100.count": (AWAKE,),
        f"{STATISTICS}.sustained_below_50.count": (AWAKE,),
        **{
            f"{STATISTICS}.{start}minutes": (f"{STATISTICS}.{start}count",)
            for start in (
                "sessions.",
                "sessions.reserve_",
                "sessions.exercise_",
                "sustained_above_100.",
                "sustained_below_50.",
            )
        },
    }
)

RECOVERY: Final = needing(
    (NO_STOP, "a marked end of exercise"),
    (FAR_APART, never(NO_STOP, "a marked end of exercise")),
    replace(
        measured("recovery.hrr_60", BPM, 0, "fall in the 60 s after the end of an effort", "Cole 1999 NEJM 341:1351"),
        expr=pl.lit(None, pl.Float64),
    ),
)
