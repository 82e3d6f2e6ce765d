"""Heart rate variability (RMSSD): by the night, and against a person's own baseline."""

from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import hrv, sources
from etlnarr.metrics.clock import DAY_MS, distributions, temporal
from etlnarr.metrics.statistics import statistics
from etlnarr.model import Field, Gate, History, Metric, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records.declarations import ASSESSMENT, DESCRIPTIVE, INFINITE, at_least, needing, never

STATISTICS: Final = "hrv_statistics"
TREND: Final = f"{STATISTICS}.trend"
NIGHTS: Final = f"{STATISTICS}.nights"
BASELINE_NIGHTS: Final = f"{TREND}.baseline_nights"
WEEK_NIGHTS: Final = f"{TREND}.seven_day_nights"
MS: Final = "ms"

PLEWS: Final = "Plews 2013 Sports Med 43:773; Buchheit 2014 Front Physiol 5:73"
ROLLING: Final = "Plews 2014 IJSPP 9:783"
BAND: Final = "Vesterinen 2016 MSSE 48:1347; Javaloyes 2019 IJSPP 14:23"

NO_NIGHT: Final = ("no night has 30 values or 3 hours of them", "a night with 30 values")
NO_BASELINE: Final = ("no night lies before the last 7 days", "14 nights in the 28 days before the last 7")
NO_SPREAD: Final = ("fewer than two nights of the last 7 days are known", "5 nights of 7")

IN_SESSION: Final = Gate(
    pl.col("in_session"),
    "no main sleep session of this time is known, so sleep and waking cannot be told apart",
    "sleep records of the same nights",
)
WHOLE_NIGHT: Final = at_least(NIGHTS, 1, "night with 30 values or 3 hours of them")
WEEK: Final = (IN_SESSION, at_least(f"{TREND}.seven_day_nights", 3, "nights of the last 7"))
STEADY_WEEK: Final = (IN_SESSION, at_least(f"{TREND}.seven_day_nights", 5, "nights of the last 7"))
BASELINE: Final = (IN_SESSION, at_least(BASELINE_NIGHTS, 14, "nights of the 28 days before the last 7"))

SHAPE: Final = Shape(
    MappingProxyType(
        {
            "start": Field(("timeEpochMillis", "time.epochMillis")),
            "offset": Field(("zoneOffsetId", "zoneOffset.id"), required=False, kind="text"),
            "value": Field(
                (
                    "heartRateVariabilityRmssd",
                    "heartRateVariabilityMillis",
                    "heartRateVariabilityRmssd.inMilliseconds",
                    "heartRateVariability.inMilliseconds",
                ),
                kind="number",
            ),
        }
    )
)

RULES: Final = (
    Rule("value_missing", "completeness", "readings", pl.col("value").is_null()),
    Rule("rmssd_out_of_range", "physiological", "readings", ~pl.col("value").is_between(1, 300)),
)


def choose(readings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one source for each stretch from noon to noon, so that a night has one."""
    return sources.choose(readings, sources.local_date(later_ms=DAY_MS // 2))


def _nightly(name: str, unit: str, decimals: int, definition: str, source: str = DESCRIPTIVE) -> Metric:
    return Metric(f"{STATISTICS}.{name}", unit, decimals, definition, source)


def _trend(name: str, unit: str, decimals: int, definition: str, source: str = BAND) -> Metric:
    return Metric(f"{TREND}.{name}", unit, decimals, definition, source)


NIGHTLY: Final = (
    *needing(NO_NIGHT, (), _nightly("nights", "nights", 0, "nights with 30 values or 3 hours of them")),
    *needing(
        NO_NIGHT,
        (IN_SESSION, WHOLE_NIGHT),
        _nightly("nightly_mean", MS, 1, "arithmetic mean inside the main sleep session, averaged over nights"),
        _nightly("nightly_median", MS, 1, "median inside the main sleep session, averaged over nights"),
        _nightly("latest_readings", "readings", 0, "values of the latest night"),
        _nightly("ln_rmssd", "ln ms", 2, "logarithm of the arithmetic mean of the latest night", PLEWS),
    ),
)

TRENDS: Final = (
    *needing(
        NO_NIGHT,
        (),
        _trend("seven_day_nights", "nights", 0, "nights that count of the last 7 days", DESCRIPTIVE),
        _trend("baseline_nights", "nights", 0, "nights that count of the 28 days before the last 7", DESCRIPTIVE),
    ),
    *needing(
        NO_NIGHT,
        WEEK,
        _trend("seven_day_mean", "ln ms", 2, "mean lnRMSSD of the last 7 days", ROLLING),
        _trend("seven_day_ms", MS, 1, "the same back in ms: the geometric mean of these nights", ROLLING),
    ),
    *needing(
        NO_SPREAD,
        STEADY_WEEK,
        _trend("cv_7", "%", 1, "100 x SD / mean of lnRMSSD of the last 7 days", "Plews 2012; Flatt 2015"),
    ),
    *needing(
        NO_BASELINE,
        BASELINE,
        _trend("baseline_mean", "ln ms", 2, "mean lnRMSSD of the baseline nights"),
        _trend("baseline_sd", "ln ms", 2, "standard deviation of these nights, n - 1 in the denominator"),
        _trend("swc_low", "ln ms", 2, "baseline mean - 0.5 x its standard deviation"),
        _trend("swc_high", "ln ms", 2, "baseline mean + 0.5 x its standard deviation"),
        _trend("baseline_ms", MS, 1, "the baseline mean back in ms: the geometric mean of these nights"),
        _trend("swc_low_ms", MS, 1, "swc_low back in ms"),
        _trend("swc_high_ms", MS, 1, "swc_high back in ms"),
    ),
    *needing(
        NO_BASELINE,
        (*BASELINE, *WEEK[1:]),
        _trend("deviation", "SD", 2, "seven-day mean minus baseline mean, in SD of the baseline"),
    ),
)

BALANCE: Final = Metric(
    f"{ASSESSMENT}.autonomic_balance",
    "",
    0,
    "balance of sympathetic and parasympathetic activity",
    "Shaffer 2017",
    expr=pl.lit(None, pl.String),
    gates=(
        never(
            "RMSSD shows only the calming (vagal) side of your nervous system, and a balance has two sides",
            "a measure of the rousing (sympathetic) side, which these records do not hold",
        ),
    ),
)

WORTHWHILE: Final = hrv.WORTHWHILE_SD
VERDICTS: Final = (
    Verdict(
        f"{ASSESSMENT}.readiness",
        f"{TREND}.deviation",
        (("reduced", -WORTHWHILE, False), ("usual", WORTHWHILE, True), ("above_usual", INFINITE, True)),
        BAND,
        frozenset({"usual"}),
    ),
    Verdict(
        f"{ASSESSMENT}.stress",
        f"{TREND}.deviation",
        (("possible_sign", -WORTHWHILE, False), ("no_sign", INFINITE, True)),
        f"{BAND}; a fall below the band has many causes, and is no more than a sign",
        frozenset({"no_sign"}),
    ),
    Verdict(
        f"{ASSESSMENT}.recovery",
        f"{TREND}.deviation",
        (("below_band", -WORTHWHILE, False), ("within_band", WORTHWHILE, True), ("above_band", INFINITE, True)),
        BAND,
        frozenset({"within_band", "above_band"}),
    ),
)

RECOMMENDATIONS: Final = (
    Recommendation("easier_days", f"{ASSESSMENT}.readiness", pl.col(f"{ASSESSMENT}.readiness") == "reduced"),
    Recommendation("record_sleep", f"{STATISTICS}.count", ~pl.col("in_session").fill_null(value=False)),
    Recommendation("record_more_nights", BASELINE_NIGHTS, pl.col(BASELINE_NIGHTS).lt(14)),
)

INPUTS: Final = MappingProxyType(
    {
        "": (f"{STATISTICS}.count",),
        f"{STATISTICS}.nightly_mean": (NIGHTS,),
        f"{STATISTICS}.nightly_median": (NIGHTS,),
        f"{STATISTICS}.ln_rmssd": (f"{STATISTICS}.latest_readings",),
        f"{STATISTICS}.latest_readings": (f"{STATISTICS}.latest_readings",),
        TREND: (BASELINE_NIGHTS,),
        **{
            f"{TREND}.{name}": (WEEK_NIGHTS,) for name in ("seven_day_nights", "seven_day_mean", "seven_day_ms", "cv_7")
        },
        f"{TREND}.deviation": (WEEK_NIGHTS, BASELINE_NIGHTS),
    }
)

SILENCES: Final = (
    f"{STATISTICS}.nightly_mean",
    f"{ASSESSMENT}.readiness",
    f"{ASSESSMENT}.autonomic_balance",
    f"{ASSESSMENT}.stress",
    f"{ASSESSMENT}.recovery",
    f"{TREND}.cv_7",
)

HEART_RATE_VARIABILITY: Final = RecordType(
    name="HeartRateVariabilityRmssdRecord",
    category="autonomic_health",
    template="heart_rate_variability.jinja",
    shape=SHAPE,
    rules=RULES,
    choose=choose,
    tables=(hrv.nightly, hrv.trend, distributions),
    metrics=(*statistics(STATISTICS, "RMSSD values", MS, 1), *NIGHTLY, *TRENDS, BALANCE, *temporal()),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    inputs=INPUTS,
    silences=SILENCES,
    series=hrv.series,
    by_day=hrv.by_night,
    history=History(hrv.nights, hrv.TREND_DAYS),
    windows=("night", "week", "month"),
)
