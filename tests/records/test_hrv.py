from dataclasses import replace
from math import exp
from pathlib import Path

import polars as pl
import pytest

from etlnarr import insights
from etlnarr.model import Batch
from etlnarr.records.heart_rate_variability import HEART_RATE_VARIABILITY, RULES
from tests.amounts import chosen, uploaded
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, nights, person, readings, reference

STATISTICS = "hrv_statistics"
TREND = f"{STATISTICS}.trend"
ASSESSMENT = "clinical_assessment"
OUT_OF_RANGE = next(rule for rule in RULES if rule.name == "rmssd_out_of_range")
WORDS = ("readiness", "stress", "recovery")


def row_of(whole: Batch) -> dict[str, object]:
    """The row of the only subject."""
    return insights.evaluate(HEART_RATE_VARIABILITY, whole, ()).row(0, named=True)


def told(whole: Batch) -> insights.Insights:
    row = insights.evaluate(HEART_RATE_VARIABILITY, whole, ())
    return next(iter(insights.unfold(HEART_RATE_VARIABILITY, row, ())))


def silences(whole: Batch) -> dict[str, str]:
    """Reasons by the path that is withheld."""
    return {entry.path: entry.reason for entry in told(whole).withheld}


def of_logs(logs: dict[int, float]) -> Batch:
    """Nights by day whose lnRMSSD are these."""
    points = [p for day, ln in logs.items() for p in at_steps([exp(ln)] * 36, start=MIDNIGHT + day * DAY + HOUR)]
    slept = [(MIDNIGHT + day * DAY, MIDNIGHT + day * DAY + 7 * HOUR) for day in logs]
    return batch(readings(points), sleep=nights(*slept))


def against_baseline(last: float, before: int = 14, week: int = 3) -> Batch:
    """So many nights, half at 2.9 and half at 3.1, and then so many at the given lnRMSSD."""
    base = {day: 2.9 if day % 2 else 3.1 for day in range(before)}
    return of_logs(base | {before + 6 - day: last for day in range(week)})


# the standard deviation of fourteen such nights is 0.1 x sqrt(14 / 13) = 0.103775, the band 3 -+ 0.051887
@pytest.mark.parametrize(
    ("last", "words"),
    [
        (2.948, ("reduced", "possible_sign", "below_band")),
        (2.949, ("usual", "no_sign", "within_band")),
        (3.051, ("usual", "no_sign", "within_band")),
        (3.052, ("above_usual", "no_sign", "above_band")),
    ],
)
def test_the_band_of_the_smallest_worthwhile_change(last: float, words: tuple[str, str, str]) -> None:
    whole = against_baseline(last)
    row = row_of(whole)
    assert tuple(row[f"{ASSESSMENT}.{name}"] for name in WORDS) == words
    assert row[f"{TREND}.swc_low"] == pytest.approx(2.9481125, abs=1e-7)
    assert row[f"{TREND}.swc_high"] == pytest.approx(3.0518875, abs=1e-7)
    assert not {f"{ASSESSMENT}.{name}" for name in WORDS} & set(silences(whole))
    assert ("easier_days" in told(whole).recommendations) == (words[0] == "reduced")


@pytest.mark.parametrize(("before", "week", "said"), [(13, 3, False), (14, 3, True), (14, 2, False), (13, 2, False)])
def test_words_need_a_baseline_and_a_week(before: int, week: int, said: bool) -> None:
    whole = against_baseline(2.5, before, week)
    withheld = silences(whole)
    for name in WORDS:
        assert (f"{ASSESSMENT}.{name}" in withheld) != said, name
    assert ("easier_days" in told(whole).recommendations) == said
    assert ("record_more_nights" in told(whole).recommendations) == (before < 14)


def test_one_low_night_says_nothing_of_recovery() -> None:
    whole = of_logs({day: 2.9 if day % 2 else 3.1 for day in range(34)} | {34: 2.5})
    assert row_of(whole)[f"{ASSESSMENT}.recovery"] == "below_band"  # the week's mean is 2.94
    steady = of_logs({day: 2.9 if day % 2 else 3.1 for day in range(34)} | {34: 2.8})
    assert row_of(steady)[f"{ASSESSMENT}.recovery"] == "within_band"  # the week's is 2.99, the night's far below


@pytest.mark.parametrize(("week", "said"), [(4, False), (5, True)])
def test_the_spread_of_a_week_needs_five_nights(week: int, said: bool) -> None:
    assert (f"{TREND}.cv_7" in silences(against_baseline(3.0, week=week))) != said


@pytest.mark.parametrize(("count", "said"), [(29, False), (30, True)])
def test_a_night_needs_thirty_values(count: int, said: bool) -> None:
    whole = batch(
        readings(at_steps([30.0] * count, start=MIDNIGHT + HOUR)), sleep=nights((MIDNIGHT, MIDNIGHT + 8 * HOUR))
    )
    withheld = silences(whole)
    assert (f"{STATISTICS}.nightly_mean" in withheld) != said
    assert (f"{STATISTICS}.ln_rmssd" in withheld) != said
    assert f"{STATISTICS}.mean" not in withheld


def test_without_sleep_no_night_is_told() -> None:
    whole = batch(readings(at_steps([30.0] * 40, start=MIDNIGHT + HOUR)))
    reason = silences(whole)[f"{STATISTICS}.nightly_mean"]
    assert "no main sleep session" in reason
    assert row_of(whole)[f"{STATISTICS}.nightly_mean"] == 30.0
    assert "record_sleep" in told(whole).recommendations


def test_without_sleep_and_local_time_sleep_is_asked_for() -> None:
    whole = batch(readings(at_steps([30.0] * 40, start=MIDNIGHT + HOUR), offset_s=None))
    assert f"{STATISTICS}.nightly_mean" in silences(whole)
    assert "record_sleep" in told(whole).recommendations


def test_with_sleep_it_is_not_asked_for() -> None:
    assert "record_sleep" not in told(of_logs({0: 3.0})).recommendations


def test_the_balance_is_never_told() -> None:
    assert "vagal" in silences(against_baseline(3.0))[f"{ASSESSMENT}.autonomic_balance"]


@pytest.mark.parametrize(("value", "fails"), [(0.99, True), (1.0, False), (300.0, False), (300.1, True)])
def test_range(value: float, fails: bool) -> None:
    assert pl.DataFrame({"value": [value]}).select(OUT_OF_RANGE.fails).item() == fails


def test_one_source_speaks_for_a_night() -> None:
    evening, morning = MIDNIGHT - HOUR, MIDNIGHT + HOUR
    ring = readings(at_steps([30.0] * 60, start=evening), source="com.ouraring.oura")
    watch = readings(at_steps([50.0] * 12, start=morning), source="org.example.watch")
    own, others = HEART_RATE_VARIABILITY.choose(pl.concat([ring, watch]).sort("subject", "start", "record", "end"))
    assert (own["source"].unique().to_list(), others.height) == (["com.ouraring.oura"], 12)


@pytest.mark.parametrize("stamp", ["1758407139312", "1758407245091", "1758407386729"])
def test_the_real_night(real_samples: Path, stamp: str) -> None:
    name = f"HeartRateVariabilityRmssdRecord_{stamp}"
    points = uploaded(real_samples, name, HEART_RATE_VARIABILITY)
    start = points["start"].to_list()[0]
    sleep = nights((start, start + 375 * MINUTE), subject=1)  # as the same ring tells it
    people = person({}).with_columns(subject=pl.lit(1, pl.Int64))
    whole = replace(chosen(HEART_RATE_VARIABILITY, points, people=people), sleep=sleep)
    row, withheld = row_of(whole), silences(whole)
    expected = {
        "count": "n",
        "mean": "arith_mean_ms",
        "median": "median_ms",
        "nightly_mean": "arith_mean_ms",
        "ln_rmssd": "ln_of_mean",
    }
    for ours, theirs in expected.items():
        value = reference("real_hrv_2025-09-20", theirs)
        assert row[f"{STATISTICS}.{ours}"] == pytest.approx(value, abs=5e-5), ours
    assert (row[f"{STATISTICS}.min"], row[f"{STATISTICS}.max"]) == (8.0, 69.0)
    assert row[f"{STATISTICS}.nights"] == 1
    assert {f"{ASSESSMENT}.{name}" for name in WORDS} <= set(withheld)
    (rows,) = HEART_RATE_VARIABILITY.series(whole)["series"].to_list()
    assert rows[0]["label"] == "2025-09-20 02:00"
    assert sum(line["n"] for line in rows) == 74
