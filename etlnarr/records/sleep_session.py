"""Sleep sessions: what they were made of, how regular they are, what a second device says."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.metrics import sleep
from etlnarr.metrics.agreement import stage_agreement
from etlnarr.metrics.architecture import GOOD_EFFICIENCY
from etlnarr.metrics.clock import HOUR_MS, MINUTE_MS, span_hours
from etlnarr.metrics.nights import night_means, series
from etlnarr.metrics.regularity import consistency, regularity
from etlnarr.model import Comparison, Field, Gate, Metric, Recommendation, RecordType, Rule, Shape, Verdict
from etlnarr.records.declarations import (
    ADULT,
    ASSESSMENT,
    DESCRIPTIVE,
    INFINITE,
    INTERVAL,
    NOT_CLINICAL,
    PATTERNS,
    agreement,
    at_least,
    needing,
    never,
)
from etlnarr.records.sleep_inputs import CONSISTENCY, INPUTS, NIGHTS, STAGED_NIGHTS, STATISTICS

TST: Final = f"{STATISTICS}.total_sleep_time"
EFFICIENCY: Final = f"{STATISTICS}.efficiency"

AASM: Final = "AASM"
OHAYON: Final = "Ohayon 2017 Sleep Health 3:6"
WITTMANN: Final = "Wittmann 2006 Chronobiol Int 23:497"
SHORTEST_MS: Final = 30 * MINUTE_MS
LONGEST_MS: Final = 16 * HOUR_MS

STAGES_NEEDED: Final = "stages that cover the session without overlap"
NO_NIGHT: Final = ("no session of 3 to 16 hours could be used", "a session of a whole night")
NO_STAGES: Final = (
    "no night was recorded with stages that cover it and tell of sleep",
    STAGES_NEEDED,
)
NO_NAP_STAGES: Final = ("a nap was recorded without stages that cover it and tell of sleep", STAGES_NEEDED)
NO_DETAIL: Final = ("the stages tell sleep alone, not light, deep or REM sleep", "a device that tells them apart")
NO_REM: Final = ("no REM sleep was recorded", "a device that tells REM sleep")
ONE_NIGHT: Final = ("one night has no spread", "two nights with their stages")
ONE_STAGED: Final = ("only one night was recorded with its stages", "two nights with their stages")
NO_MIDDLE: Final = ("the times of sleep are spread over the whole day and have no middle", "nights nearer in time")
NO_DAYS: Final = (
    "fewer than two complete local days lie between the first and the last night",
    "nights of five days in a row with their stages and local time",
)

HAS_NIGHT: Final = Gate(pl.col(NIGHTS) > 0, *NO_NIGHT)
HAS_STAGES: Final = Gate(pl.col(STAGED_NIGHTS) > 0, *NO_STAGES)
HAS_TWO: Final = Gate(pl.col(NIGHTS) > 1, *ONE_NIGHT)
TIMED: Final = Gate(
    pl.col("timed"), "the local time of a night is not known", "a time zone, or records that carry an offset"
)
UNBROKEN: Final = Gate(
    pl.col(f"{STATISTICS}.broken_nights") == 0,
    "a night was recorded in parts that cannot be joined",
    "nights that a single device recorded whole",
)
FOR_ADULTS: Final = Gate(
    ADULT.passes, "the marks for sleep time and efficiency are made for adults", "marks that are made for the age"
)

SHORT: Final = 7 * 60
LONG: Final = 9 * 60
LONG_OLDER: Final = 8 * 60
OLDER_AGE: Final = 65
FIVE_NIGHTS: Final = (at_least(NIGHTS, 5, "nights"), at_least(STAGED_NIGHTS, 5, "nights with their stages"))
WHOLE_WEEK: Final = (
    at_least(NIGHTS, 7, "nights"),
    at_least(STAGED_NIGHTS, 7, "nights with their stages"),
    at_least(f"{CONSISTENCY}.free_nights", 1, "night before a free day"),
    at_least(f"{CONSISTENCY}.work_nights", 3, "nights before other days"),
)

SHAPE: Final = Shape(
    INTERVAL,
    "stages",
    MappingProxyType(
        {
            "start": Field(("startTimeEpochMillis", "startTime.epochMillis")),
            "end": Field(("endTimeEpochMillis", "endTime.epochMillis")),
            "label": Field(("stage",), kind="text"),
        }
    ),
)

LENGTH: Final = pl.col("end") - pl.col("start")
RUN: Final = pl.struct("upload", "record").rle_id()
"""The catalog returns the readings of a record together, in order of start and end."""

APART: Final = RUN.cast(pl.Int128) * 2**64
"""Lays one record behind the other, further apart than any two times: a window over each takes twice as long."""

OVERLAPS: Final = APART + pl.col("start") < (APART + pl.col("end")).cum_max().shift()

RULES: Final = (
    Rule("stage_time_missing", "completeness", "readings", pl.col("start").is_null() | pl.col("end").is_null()),
    Rule("sleep_duration_out_of_range", "physiological", "records", ~LENGTH.is_between(SHORTEST_MS, LONGEST_MS)),
    Rule("stage_end_before_start", "temporal", "readings", pl.col("end") < pl.col("start")),
    Rule(
        "stage_outside_session",
        "temporal",
        "readings",
        (pl.col("start") < pl.col("record_start")) | (pl.col("end") > pl.col("record_end")),
    ),
    Rule("overlapping_stages", "temporal", "readings", OVERLAPS),
)


def _night(name: str, unit: str, decimals: int, definition: str, source: str = AASM) -> Metric:
    return Metric(f"{STATISTICS}.{name}", unit, decimals, f"{definition}; mean over the nights", source)


def _stage(name: str) -> tuple[Metric, Metric]:
    word = "REM" if name == "rem" else name
    return (
        _night(f"stages.{name}_minutes", "min", 0, f"time in {word} sleep as the device estimates it"),
        _night(f"stages.{name}_percent", "%", 1, f"time in {word} sleep in percent of the total sleep time"),
    )


def _spread(name: str, definition: str) -> Metric:
    return Metric(f"{TST}_{name}", "min", 0, f"{definition} total sleep time of the nights", DESCRIPTIVE)


def _counted(name: str, unit: str, definition: str, column: str) -> Metric:
    return Metric(f"{STATISTICS}.{name}", unit, 0, definition, DESCRIPTIVE, expr=pl.col(column))


JOINED: Final = (
    "sessions of one source with at most 60 min between them and none of another source among them, of 3 h together, "
    "are the parts of one, and the time between them is time out of bed"
)
COUNTS: Final = (
    _counted(
        "count", "sessions", "sessions of the chosen source of each night, each part of a night counted", "sessions"
    ),
    _counted(
        "nights", "nights", f"main sessions: the longest that ends on a local date, of 3 h at least; {JOINED}", "nights"
    ),
    _counted("naps", "sessions", "sessions that are not the main one", "naps"),
    _counted("nap_minutes", "min", "length of the naps together", "nap_minutes"),
    replace(
        _counted("nap_sleep_minutes", "min", "time in stages of sleep of the naps together", "nap_sleep_minutes"),
        undefined=NO_NAP_STAGES,
    ),
    _counted("staged_nights", "nights", "nights whose stages cover them and tell of sleep", "staged_nights"),
    _counted("detailed_nights", "nights", "of these, nights told in light, deep or REM sleep", "detailed_nights"),
    _counted("rem_nights", "nights", "of these, nights with REM sleep", "rem_nights"),
    _counted("nights_in_parts", "nights", "nights that several sessions were joined to", "nights_in_parts"),
    _counted("pause_minutes", "min", "time between the parts of the nights, together", "pause_minutes"),
    _counted(
        "broken_nights",
        "nights",
        "nights with a session at most 60 min away that cannot be joined: of another source, or overlapping",
        "broken_nights",
    ),
)

CRITERIA: Final = "latency <= 30 min, at most one awakening of more than 5 min, WASO <= 20 min, efficiency >= 85 %"
SLEEP_GATES: Final = (HAS_NIGHT, HAS_STAGES)
ARCHITECTURE: Final = (
    *needing(
        NO_NIGHT,
        (),
        _night("time_in_bed", "min", 0, "first start to last end of the night, as the app has it, pauses included"),
    ),
    *needing(NO_STAGES, (HAS_NIGHT,), _night("total_sleep_time", "min", 0, "time in stages of sleep")),
    *needing(
        ONE_STAGED,
        (HAS_NIGHT, HAS_STAGES, HAS_TWO),
        _spread("std", "standard deviation, n - 1 in the denominator, of the"),
        _spread("min", "shortest"),
        _spread("max", "longest"),
    ),
    *needing(
        NO_STAGES,
        (HAS_NIGHT,),
        _night("sleep_period_time", "min", 0, "first stage of sleep to the end of the last"),
        _night("efficiency", "%", 1, "total sleep time in percent of the time in bed", OHAYON),
        _night("sleep_onset_latency", "min", 0, "start of the session to the first stage of sleep", OHAYON),
        _night("waso", "min", 0, "time awake, pauses included, between the first and the last stage of sleep", OHAYON),
        _night("awakenings", "awakenings", 1, "wake bouts of 5 min and more between first and last sleep", OHAYON),
        _night("awakenings_over_5_min", "awakenings", 1, "those of more than 5 min, as the criterion counts", OHAYON),
        _night("stages.sleeping_minutes", "min", 0, "time in sleep of no told stage"),
    ),
    *needing(NO_REM, SLEEP_GATES, _night("rem_latency", "min", 0, "first stage of sleep to the first REM")),
    *needing(
        NO_STAGES,
        (HAS_NIGHT, FOR_ADULTS, UNBROKEN),
        _night("quality_score", "of 4", 1, f"criteria of sleep continuity met: {CRITERIA}", OHAYON),
    ),
    *needing(NO_DETAIL, SLEEP_GATES, *(metric for name in ("light", "deep", "rem") for metric in _stage(name))),
)


def _timing(path: str, definition: str, unit: str = "min") -> Metric:
    return Metric(path, unit, 0, definition, WITTMANN)


TIMING: Final = (
    *needing(
        NO_MIDDLE,
        (HAS_NIGHT, TIMED, HAS_STAGES),
        _timing(f"{CONSISTENCY}.midpoint", "circular mean of the middle of the sleep period, after local midnight"),
    ),
    *needing(
        NO_MIDDLE,
        (HAS_NIGHT, TIMED),
        _timing(f"{CONSISTENCY}.free_nights", "nights with stages that end on a local Saturday or Sunday", "nights"),
        _timing(f"{CONSISTENCY}.work_nights", "nights with stages that end on another day", "nights"),
        _timing(f"{PATTERNS}.bed_time", "circular mean of the start of the main sessions, after local midnight"),
        _timing(f"{PATTERNS}.wake_time", "circular mean of the end of the main sessions, after local midnight"),
    ),
    *needing(
        NO_MIDDLE,
        (HAS_NIGHT, TIMED, HAS_STAGES, *FIVE_NIGHTS),
        _timing(f"{CONSISTENCY}.midpoint_sd", "circular standard deviation of the midpoint"),
    ),
    *needing(
        NO_MIDDLE,
        (HAS_NIGHT, TIMED, HAS_STAGES, *WHOLE_WEEK),
        _timing(f"{CONSISTENCY}.free_midpoint", "circular mean of the midpoint of free nights, after local midnight"),
        _timing(f"{CONSISTENCY}.work_midpoint", "the same of the other nights"),
        _timing(f"{CONSISTENCY}.social_jetlag", "difference of the midpoints of free and other nights"),
    ),
    Metric(
        f"{CONSISTENCY}.regularity_index",
        "",
        1,
        "200 x share of 30 s epochs in the same state 24 h later - 100, unrecorded time as wake, complete local days",
        "Phillips 2017 Sci Rep 7:3216; Windred 2024",
        gates=(
            never(
                "whether the device was worn all day is not known, and time without a record is not time awake",
                "five days in a row with known wear",
            ),
        ),
        undefined=NO_DAYS,
    ),
    Metric(
        f"{PATTERNS}.collection_span_hours",
        "h",
        1,
        "start of the first session to the end of the last",
        DESCRIPTIVE,
        span_hours(),
    ),
    Metric(
        f"{PATTERNS}.wake_date",
        "",
        0,
        "local date on which the last main session ends",
        DESCRIPTIVE,
        gates=(HAS_NIGHT, TIMED),
    ),
    Metric(
        f"{PATTERNS}.weekday_total_sleep_time",
        "min",
        0,
        "mean total sleep time by the local day of waking, monday to sunday",
        DESCRIPTIVE,
        gates=(HAS_NIGHT, TIMED, HAS_STAGES),
    ),
)

SECOND: Final = (
    agreement("overlap_minutes", "min", 0, "time that both sources staged, in epochs of 30 s"),
    agreement("sleep_wake_agreement", "%", 1, "shared epochs in which both say asleep or both awake"),
    agreement("sleep_wake_kappa", "", 2, "Cohen's kappa of asleep and awake over the shared epochs"),
    agreement("stage_minutes", "min", 0, "time that both sources told as wake, light, deep or REM, in epochs of 30 s"),
    agreement("stage_agreement", "%", 1, "shared epochs in the same of wake, light, deep and REM"),
    agreement("stage_kappa", "", 2, "Cohen's kappa of wake, light, deep and REM over the shared epochs"),
    replace(
        agreement("nights", "nights", 0, "nights for which the second source tells sleep too"),
        expr=pl.col("compared_nights"),
    ),
    agreement("other_total_sleep_time", "min", 0, "total sleep time by the second source, mean over the nights"),
    agreement("other_efficiency", "%", 1, "efficiency by the second source, mean over the nights"),
)


def _duration() -> pl.Expr:
    """Compare with 7 h and more; the upper limit of the guideline depends on an age, and needs one."""
    slept, age = pl.col(TST), pl.col("age")
    limit = pl.when(age >= OLDER_AGE).then(LONG_OLDER).when(age.is_not_null()).then(LONG)
    word = pl.when(slept < SHORT).then(pl.lit("short")).when((slept > limit).fill_null(value=False))
    return pl.when(slept.is_not_null()).then(word.then(pl.lit("long")).otherwise(pl.lit("sufficient")))


VERDICTS: Final = (
    Verdict(
        f"{ASSESSMENT}.sleep_duration",
        TST,
        (("short", SHORT, False), ("sufficient", LONG, True), ("long", INFINITE, True)),
        "Watson 2015; Hirshkowitz 2015 Sleep Health 1:40",
        frozenset({"sufficient"}),
        expr=_duration(),
        gates=(FOR_ADULTS, UNBROKEN),
    ),
    Verdict(
        f"{ASSESSMENT}.efficiency_quality",
        EFFICIENCY,
        (("poor", 75, False), ("borderline", GOOD_EFFICIENCY, False), ("good", INFINITE, True)),
        OHAYON,
        frozenset({"good"}),
        gates=(FOR_ADULTS,),
    ),
    Verdict(
        f"{ASSESSMENT}.sleep_quality",
        f"{STATISTICS}.quality_score",
        (("poor", 2, False), ("fair", 3, False), ("good", INFINITE, True)),
        f"{OHAYON}; the words for the continuity of sleep at 0-1, 2 and 3-4 of the four criteria are ours",
        frozenset({"good"}),
    ),
    Verdict(
        f"{ASSESSMENT}.regularity",
        f"{CONSISTENCY}.midpoint_sd",
        (("regular", 60, False), ("irregular", INFINITE, True)),
        DESCRIPTIVE,
        frozenset({"regular"}),
    ),
    Verdict(
        f"{ASSESSMENT}.social_jetlag",
        f"{CONSISTENCY}.social_jetlag",
        (("small", 60, False), ("notable", 120, False), ("large", INFINITE, True)),
        WITTMANN,
        frozenset({"small"}),
    ),
)

RECOMMENDATIONS: Final = (
    Recommendation("longer_sleep", f"{ASSESSMENT}.sleep_duration", pl.col(TST) < SHORT),
    Recommendation("discuss_efficiency", f"{ASSESSMENT}.efficiency_quality", pl.col(EFFICIENCY) < GOOD_EFFICIENCY),
    Recommendation(
        "steady_times",
        f"{ASSESSMENT}.regularity",
        pl.col(f"{ASSESSMENT}.regularity") == "irregular",
    ),
    Recommendation(  # more nights without stages would not show it
        "record_more_nights", NIGHTS, pl.col(NIGHTS).lt(5) & (pl.col(NIGHTS).eq(0) | pl.col(STAGED_NIGHTS).gt(0))
    ),
)

SILENCES: Final = (
    TST,
    f"{ASSESSMENT}.sleep_duration",
    f"{STATISTICS}.sleep_onset_latency",
    f"{STATISTICS}.waso",
    f"{CONSISTENCY}.midpoint_sd",
    f"{CONSISTENCY}.midpoint",
    f"{STATISTICS}.quality_score",
    f"{CONSISTENCY}.social_jetlag",
    f"{STATISTICS}.nap_sleep_minutes",
)

SLEEP_SESSION: Final = RecordType(
    name="SleepSessionRecord",
    category="sleep_recovery",
    template="sleep_session.jinja",
    shape=SHAPE,
    rules=RULES,
    choose=sleep.choose,
    tables=(night_means, consistency, regularity, stage_agreement),
    metrics=(*COUNTS, *ARCHITECTURE, *TIMING, *SECOND),
    verdicts=VERDICTS,
    recommendations=RECOMMENDATIONS,
    inputs=INPUTS,
    silences=SILENCES,
    of_several=frozenset({f"{CONSISTENCY}.midpoint_sd", f"{CONSISTENCY}.social_jetlag", "record_more_nights"}),
    series=series,
    by_day=sleep.by_waking,
    comparisons=(
        Comparison("total_sleep_time", TST, 30, NOT_CLINICAL),
        Comparison("efficiency", EFFICIENCY, 5, NOT_CLINICAL),
    ),
    windows=("night", "week", "month"),
)
