"""Heart rate: over time, awake and asleep, against the estimated maximum, beside a second device."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import effort, heart, sources
from etlnarr.metrics.agreement import value_agreement
from etlnarr.metrics.clock import distributions, temporal
from etlnarr.metrics.hourly import series
from etlnarr.metrics.statistics import PERCENTILES, override, statistics
from etlnarr.model import Comparison, Field, Gate, History, Metric, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records import heart_effort
from etlnarr.records.declarations import (
    ADULT,
    AGREEMENT,
    ASSESSMENT,
    DESCRIPTIVE,
    INFINITE,
    INTERVAL,
    NOT_CLINICAL,
    PATTERNS,
    agreement,
    needing,
)
from etlnarr.records.heart_effort import (
    BPM,
    COUNTED,
    KUSUMOTO,
    NO_LOWEST,
    RECOVERY,
    SEVERAL,
    STATISTICS,
    STRETCHES,
    ZONES,
    measured,
)

NOCTURNAL: Final = f"{PATTERNS}.nocturnal"
AWAKE_P5: Final = f"{STATISTICS}.resting.awake_p5"
AWAKE_HOURS: Final = f"{STATISTICS}.resting.awake_hours"
SUSTAINED_FAST: Final = f"{STATISTICS}.sustained_above_100.count"
SUSTAINED_SLOW: Final = f"{STATISTICS}.sustained_below_50.count"
DIP: Final = f"{NOCTURNAL}.dip"

BEN_DOV: Final = "Ben-Dov 2007 Arch Intern Med 167:2116"

NO_SLEEP: Final = (
    "no main sleep session of this time is known, so sleep and waking cannot be told apart",
    "sleep records of the same days",
)
NO_NIGHT: Final = (
    "no known night has samples both asleep and in the 14 hours before",
    "sleep records of the same days, and samples awake and asleep",
)
NO_PEAK: Final = (
    "fewer than two hours of the local clock are covered for 45 minutes, or two share the highest mean",
    "samples through whole hours, and a time zone or records that carry an offset",
)

NOT_APART: Final = (
    "a main sleep session is known, and the samples outside of it stand in the place of all",
    "nothing more, as the samples outside of the main sleep are there",
)

AWAKE: Final = Gate(
    pl.col(AWAKE_HOURS).is_null() | pl.col(AWAKE_HOURS).ge(3),
    "less than 3 hours outside of the main sleep are covered",
    "3 covered hours outside of the main sleep",
)
COVERED: Final = Gate(
    pl.col(f"{STATISTICS}.covered_hours").ge(3), "less than 3 hours are covered", "3 covered hours of samples"
)
COUNTED_AWAKE: Final = Gate(
    pl.col("readings_awake").fill_null(SEVERAL) >= SEVERAL,
    f"fewer than {SEVERAL} samples lie outside of the main sleep",
    f"{SEVERAL} samples outside of the main sleep",
)
FEW_NIGHTS: Final = ("fewer than two nights can be compared", "two nights that count")
SINGLE_NIGHT: Final = Gate(
    pl.col(f"{NOCTURNAL}.nights").fill_null(1) <= 1,
    "the words for a dip are for one night, and several are averaged",
    "a single night",
)
COUNTED_NIGHT: Final = Gate(
    pl.col(f"{NOCTURNAL}.nights").fill_null(1) >= 1,
    "no night has 3 covered hours of main sleep and 5 covered hours outside of it in the 14 before",
    "a night with 3 covered hours of main sleep, and 5 outside of it in the 14 hours before",
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
    Rule(
        "sample_outside_record",
        "temporal",
        "readings",
        (pl.col("start") < pl.col("record_start")) | (pl.col("start") > pl.col("record_end")),
    ),
    Rule("heart_rate_out_of_range", "physiological", "readings", ~pl.col("value").is_between(30, 220)),
)


def choose(readings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source for each local day."""
    return sources.choose(readings, sources.local_date())


def _samples(name: str, definition: str, which: pl.Expr, source: str) -> Metric:
    return replace(measured(name, "readings", 0, definition, source), agg=which.sum().cast(pl.Int64))


def _basics() -> tuple[Metric, ...]:
    few = {f"percentiles.p{p}": (COUNTED,) for p in PERCENTILES}
    plain = statistics(STATISTICS, "heart rate samples", BPM, 0, few)
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
        measured("covered_hours", "h", 1, "time that samples stand for, at most 10 min each and no more than the span"),
        _samples("readings_above_100", "samples above 100 bpm", pl.col("value").gt(effort.FAST), KUSUMOTO),
        _samples("readings_below_60", "samples below 60 bpm", pl.col("value").lt(60), "AHA"),
        _samples("readings_below_50", "samples below 50 bpm", pl.col("value").lt(effort.SLOW), KUSUMOTO),
    )


RATES: Final = (
    *needing(
        NO_LOWEST,
        (),
        measured(
            "resting.lowest_sustained_sleeping",
            BPM,
            1,
            "lowest mean of 30 min with at least 20 samples inside a main sleep session",
            "Quer 2020 PLoS One 15:e0227709; Mishra 2020 Nat Biomed Eng",
        ),
        measured("resting.sleeping_nights", "nights", 0, "main sleep sessions with such 30 min"),
    ),
    *needing(
        NO_SLEEP,
        (),
        measured("resting.awake_hours", "h", 1, "covered time outside of the main sleep sessions, naps included"),
        measured("resting.readings_awake", "readings", 0, "samples outside of the main sleep sessions"),
    ),
    *needing(
        NO_SLEEP,
        (AWAKE, COUNTED_AWAKE),
        measured(
            "resting.awake_p5", BPM, 0, "5th percentile of the samples outside of main sleep, whatever was being done"
        ),
        measured("active.awake_p95", BPM, 0, "95th percentile of the samples outside of main sleep"),
    ),
    *needing(
        NOT_APART,
        (COVERED, COUNTED),
        measured(
            "resting.overall_p5", BPM, 0, "5th percentile of all samples, asleep or awake, where no main sleep is known"
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
        "nights with 3 covered hours of main sleep, and 5 covered hours outside of it in the 14 h before",
        BEN_DOV,
        undefined=NO_NIGHT,
    ),
    *needing(
        NO_NIGHT,
        (COUNTED_NIGHT,),
        _nocturnal("sleeping_mean", BPM, 1, "mean over the time of the main sleep session"),
        _nocturnal("waking_mean", BPM, 1, "mean over the time outside of main sleep in the 14 h before, naps included"),
        _nocturnal("dip", "%", 1, "100 x (1 - sleeping mean / waking mean)"),
    ),
    *needing(
        FEW_NIGHTS,
        (COUNTED_NIGHT,),
        Metric(f"{NOCTURNAL}.dip_min", "%", 1, "lowest dip of a night", BEN_DOV),
        Metric(f"{NOCTURNAL}.dip_max", "%", 1, "highest dip of a night", BEN_DOV),
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
        gates=(SINGLE_NIGHT,),
    ),
    Verdict(
        f"{ASSESSMENT}.resting_heart_rate",
        AWAKE_P5,
        (("slow", effort.SLOW, False), ("usual", effort.FAST, True), ("fast", INFINITE, True)),
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
    Recommendation("discuss_sustained_fast", SUSTAINED_FAST, pl.col(SUSTAINED_FAST) > 0),
    Recommendation("discuss_sustained_slow", SUSTAINED_SLOW, pl.col(SUSTAINED_SLOW) > 0),
    Recommendation("record_sleep", f"{STATISTICS}.count", pl.col(AWAKE_HOURS).is_null()),
)

INPUTS: Final = MappingProxyType(
    {
        "": (heart_effort.ALL,),
        f"{STATISTICS}.resting.lowest_sustained_sleeping": (heart_effort.ASLEEP,),
        **{
            f"{STATISTICS}.{name}": (heart_effort.AWAKE,)
            for name in ("resting.awake_hours", "resting.awake_p5", "active.awake_p95")
        },
        NOCTURNAL: (f"{NOCTURNAL}.nights",),
        AGREEMENT: (f"{AGREEMENT}.windows",),
        **heart_effort.INPUTS,
    }
)

SILENCES: Final = (
    f"{STATISTICS}.resting.lowest_sustained_sleeping",
    f"{STATISTICS}.sessions.count",
    DIP,
    f"{STATISTICS}.zones.zone_1",
    SUSTAINED_FAST,
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
        effort.zones,
        effort.reserve_zones,
        effort.stretches,
        heart.lowest_sleeping,
        heart.nocturnal,
        heart.peak,
        distributions,
        value_agreement,
    ),
    metrics=(*_basics(), *RATES, *ZONES, *STRETCHES, *RECOVERY, *temporal(), PEAK, *NIGHTS, *SECOND),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    inputs=INPUTS,
    silences=SILENCES,
    series=series,
    by_day=sources.by_start,
    history=History(heart.nights),
    comparisons=(Comparison("mean", f"{STATISTICS}.mean", 5, NOT_CLINICAL),),
)
