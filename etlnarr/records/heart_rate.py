"""Heart rate: over time, awake and asleep, against the estimated maximum, beside a second device."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import heart, sources
from etlnarr.metrics.agreement import value_agreement
from etlnarr.metrics.clock import temporal
from etlnarr.metrics.hourly import series
from etlnarr.metrics.statistics import override, statistics
from etlnarr.model import Field, Gate, Metric, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records.declarations import (
    ADULT,
    ASSESSMENT,
    DESCRIPTIVE,
    INFINITE,
    INTERVAL,
    NO_AGE,
    PATTERNS,
    agreement,
    needing,
)

STATISTICS: Final = "heart_rate_statistics"
NOCTURNAL: Final = f"{PATTERNS}.nocturnal"
AWAKE_P5: Final = f"{STATISTICS}.resting.awake_p5"
AWAKE_HOURS: Final = f"{STATISTICS}.resting.awake_hours"
SUSTAINED: Final = f"{STATISTICS}.sustained_above_100"
DIP: Final = f"{NOCTURNAL}.dip"
BPM: Final = "bpm"

KUSUMOTO: Final = "Kusumoto 2019 Circulation 140:e382"
TANAKA: Final = "Tanaka 2001 JACC 37:153"
ACSM: Final = "ACSM 11th ed."
BEN_DOV: Final = "Ben-Dov 2007 Arch Intern Med 167:2116"

NO_SLEEP: Final = (
    "no main sleep session of this time is known, so sleep and waking cannot be told apart",
    "sleep records of the same days",
)
NO_LOWEST: Final = (
    "no 30 minutes with 20 samples lie inside a known main sleep session",
    "sleep records of the same days, and a sample at least every 90 s during sleep",
)
NO_NIGHT: Final = (
    "no known night has samples both asleep and in the 14 hours before",
    "sleep records of the same days, and samples awake and asleep",
)
NO_BOUTS: Final = (
    "samples are too far apart for bouts to be found",
    "a sample every minute through most of the day",
)
SPARSE: Final = Gate(
    pl.col("dense") | pl.col("age").is_not_null(),
    f"{NO_BOUTS[0]}, and the age of the person is not known",
    f"{NO_BOUTS[1]}, and the age of the person",
)
AGED: Final = Gate(pl.col("age").is_not_null(), *NO_AGE)
NO_RUNS: Final = ("samples are too far apart for this to be found", "a sample every minute through most of the day")
NO_RECOVERY: Final = (
    "the end of an effort is not marked, and samples are further than 15 s apart",
    "a marked end of exercise with a sample every 15 s",
)
NO_PEAK: Final = (
    "fewer than two hours of the local clock are covered for 45 minutes",
    "samples through whole hours, and a time zone or records that carry an offset",
)

AWAKE: Final = Gate(
    pl.col(AWAKE_HOURS).is_null() | pl.col(AWAKE_HOURS).ge(3),
    "less than 3 waking hours are covered",
    "3 waking hours of samples",
)
COUNTED_NIGHT: Final = Gate(
    pl.col(f"{NOCTURNAL}.nights").fill_null(1) >= 1,
    "no night has 5 covered hours awake before it and 3 covered hours asleep",
    "a night with 5 covered hours awake before it and 3 asleep",
)

SHAPE: Final = Shape(
    INTERVAL,
    "samples",
    MappingProxyType(
        {
            "start": Field(("timeEpochMillis", "time.epochMillis")),
            "value": Field(("beatsPerMinute",), kind="number"),
        }
    ),
)

RULES: Final = (
    Rule("samples_missing", "completeness", "readings", pl.col("value").is_null()),
    Rule("sample_time_missing", "completeness", "readings", pl.col("start").is_null()),
    Rule("heart_rate_out_of_range", "physiological", "readings", ~pl.col("value").is_between(30, 220)),
)


def choose(readings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source for each local day."""
    return sources.choose(readings, sources.local_date())


def _metric(name: str, unit: str, decimals: int, definition: str, source: str = DESCRIPTIVE) -> Metric:
    return Metric(f"{STATISTICS}.{name}", unit, decimals, definition, source)


def _samples(name: str, definition: str, which: pl.Expr, source: str) -> Metric:
    return replace(_metric(name, "readings", 0, definition, source), agg=which.sum().cast(pl.Int64))


def _basics() -> tuple[Metric, ...]:
    plain = statistics(STATISTICS, "heart rate samples", BPM, 0)
    by_path = {metric.path: metric for metric in plain}
    sample_mean = by_path[f"{STATISTICS}.mean"]
    weighted = replace(
        sample_mean,
        decimals=1,
        definition="mean over time: each sample counts the time to the next one, at most 10 min",
        agg=None,
        expr=pl.col("time_weighted_mean"),
    )
    finer = (replace(by_path[f"{STATISTICS}.{name}"], decimals=1) for name in ("std", "median"))
    return (
        *override(plain, weighted, *finer),
        replace(sample_mean, path=f"{STATISTICS}.sample_mean", decimals=1),
        _metric("covered_hours", "h", 1, "time that samples stand for, at most 10 min each and no more than the span"),
        _samples("readings_above_100", "samples above 100 bpm", pl.col("value").gt(heart.FAST), KUSUMOTO),
        _samples("readings_below_60", "samples below 60 bpm", pl.col("value").lt(60), "AHA"),
        _samples("readings_below_50", "samples below 50 bpm", pl.col("value").lt(50), KUSUMOTO),
    )


def _zone(number: int) -> Metric:
    low = heart.ZONES[number - 1]
    high = "more" if number == len(heart.ZONES) else f"below {heart.ZONES[number]}"
    return _metric(f"zones.zone_{number}", "%", 1, f"covered time from {low} to {high} % of hr_max", TANAKA)


RATES: Final = (
    *needing(
        NO_LOWEST,
        (),
        _metric(
            "resting.lowest_sustained_sleeping",
            BPM,
            1,
            "lowest mean of 30 min with at least 20 samples inside a main sleep session",
            "Quer 2020 PLoS One 15:e0227709; Mishra 2020 Nat Biomed Eng",
        ),
    ),
    *needing(NO_SLEEP, (), _metric("resting.awake_hours", "h", 1, "covered time outside of the main sleep sessions")),
    *needing(
        NO_SLEEP,
        (AWAKE,),
        _metric("resting.awake_p5", BPM, 0, "5th percentile of the waking samples, whatever was being done"),
        _metric("active.awake_p95", BPM, 0, "95th percentile of the waking samples"),
    ),
    *needing(
        NO_AGE,
        (ADULT,),
        _metric("active.moderate_minutes", "min", 0, "covered time from 64 to below 77 % of hr_max", ACSM),
        _metric("active.vigorous_minutes", "min", 0, "covered time at 77 % of hr_max and more", ACSM),
        replace(
            _metric("hr_max", BPM, 0, "208 - 0.7 x age, an estimate with an SD of about 10", TANAKA),
            expr=heart.maximum(),
        ),
        _metric("zones.below_zone_1", "%", 1, "covered time below 50 % of hr_max", TANAKA),
        *(_zone(number) for number in range(1, len(heart.ZONES) + 1)),
    ),
    *needing(
        NO_RECOVERY,
        (),
        replace(
            _metric(
                "recovery.hrr_60", BPM, 0, "fall in the 60 s after the end of an effort", "Cole 1999 NEJM 341:1351"
            ),
            expr=pl.lit(None, pl.Float64),
        ),
    ),
)


def _bouts(name: str, unit: str, definition: str, source: str, column: str) -> tuple[Metric, Metric]:
    count = replace(_metric(f"{name}.count", unit, 0, definition, source), expr=pl.col(column))
    minutes = replace(
        _metric(f"{name}.minutes", "min", 0, f"length of these {unit} together", source),
        expr=pl.col(f"{column}_minutes"),
    )
    return count, minutes


BOUTS: Final = (
    *needing(
        NO_BOUTS,
        (SPARSE, AGED, ADULT),
        *_bouts(
            "sessions",
            "sessions",
            "10 min and more at 64 % of hr_max and more, samples at most 2 min apart",
            f"PAG 2008; {ACSM}",
            "exertion_bouts",
        ),
    ),
    *needing(
        NO_RUNS,
        (),
        *_bouts(
            "sustained_above_100",
            "stretches",
            "10 min and more above 100 bpm outside of main sleep, samples at most 2 min apart, at rest or not",
            KUSUMOTO,
            "fast_bouts",
        ),
    ),
)


def _nocturnal(name: str, unit: str, decimals: int, definition: str) -> Metric:
    return Metric(f"{NOCTURNAL}.{name}", unit, decimals, f"{definition} of each night, averaged over nights", BEN_DOV)


NIGHTS: Final = (
    Metric(
        f"{NOCTURNAL}.nights",
        "nights",
        0,
        "nights with 5 covered hours awake in the 14 h before, and 3 covered hours asleep",
        BEN_DOV,
        undefined=NO_NIGHT,
    ),
    *needing(
        NO_NIGHT,
        (COUNTED_NIGHT,),
        _nocturnal("sleeping_mean", BPM, 1, "mean over the time of the main sleep session"),
        _nocturnal("waking_mean", BPM, 1, "mean over the covered waking time in the 14 h before"),
        _nocturnal("dip", "%", 1, "100 x (1 - sleeping mean / waking mean)"),
    ),
)

PEAK: Final = Metric(
    f"{PATTERNS}.peak_hour",
    "h",
    0,
    "local hour with the highest mean over time, of hours covered for 45 min",
    DESCRIPTIVE,
    undefined=NO_PEAK,
)

SECOND: Final = (
    agreement("windows", "windows", 0, "samples of the second source with one of the chosen within 2.5 min"),
    agreement("bias", BPM, 2, "mean of the chosen source within 2.5 min minus the sample of the second, averaged"),
    agreement("mean_absolute_error", BPM, 2, "mean of the absolute differences"),
)

VERDICTS: Final = (
    Verdict(
        f"{ASSESSMENT}.nocturnal_dip",
        DIP,
        (("reversed", 0, False), ("blunted", 10, False), ("usual", INFINITE, True)),
        BEN_DOV,
        frozenset({"usual"}),
    ),
    Verdict(
        f"{ASSESSMENT}.resting_heart_rate",
        AWAKE_P5,
        (("slow", 50, False), ("usual", heart.FAST, True), ("fast", INFINITE, True)),
        f"AHA; {KUSUMOTO}",
        frozenset({"usual"}),
        gates=(ADULT,),
    ),
)

RECOMMENDATIONS: Final = (
    Recommendation(
        "discuss_resting_rate",
        f"{ASSESSMENT}.resting_heart_rate",
        pl.col(f"{ASSESSMENT}.resting_heart_rate").ne("usual"),
    ),
    Recommendation("discuss_sustained_fast", f"{SUSTAINED}.count", pl.col(f"{SUSTAINED}.count") > 0),
    Recommendation("record_sleep", f"{STATISTICS}.count", pl.col(AWAKE_P5).is_null()),
)

SILENCES: Final = (
    f"{STATISTICS}.resting.lowest_sustained_sleeping",
    f"{STATISTICS}.sessions.count",
    DIP,
    f"{STATISTICS}.zones.zone_1",
    f"{SUSTAINED}.count",
    f"{STATISTICS}.recovery.hrr_60",
    f"{PATTERNS}.hourly_distribution",
)

HEART_RATE: Final = RecordType(
    name="HeartRateRecord",
    category="cardiovascular_fitness",
    template="heart_rate.jinja",
    shape=SHAPE,
    rules=RULES,
    choose=choose,
    tables=(
        heart.rates,
        heart.zones,
        heart.stretches,
        heart.lowest_sleeping,
        heart.nocturnal,
        heart.peak,
        value_agreement,
    ),
    metrics=(*_basics(), *RATES, *BOUTS, *temporal(), PEAK, *NIGHTS, *SECOND),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    silences=SILENCES,
    series=series,
)
