from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from etlnarr import insights
from etlnarr.insights import Insights
from etlnarr.metrics import sleep
from etlnarr.model import Batch
from etlnarr.records.heart_rate import HEART_RATE, RULES
from etlnarr.records.sleep_session import SLEEP_SESSION
from tests.amounts import chosen, uploaded
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch, nights, person, readings

STATISTICS = "heart_rate_statistics"
NOCTURNAL = "temporal_patterns.nocturnal"
ASSESSMENT = "clinical_assessment"
NIGHT = (MIDNIGHT, MIDNIGHT + 8 * HOUR)
EVENING = range(-960, 0, 10)
SLEEPING = range(0, 480, 10)
WAKING = range(485, 485 + 10 * 101, 10)
NO_LOWEST = "no 30 minutes with 20 samples lie inside a known main sleep session"
Points = Sequence[tuple[float, float]]


def samples(points: Points, offset_s: int | None = 0) -> pl.DataFrame:
    """Samples by minute after midnight."""
    return readings([(MIDNIGHT + round(m * MINUTE), value) for m, value in points], label=None, offset_s=offset_s)


def steady(rate: float, minutes: Sequence[int]) -> list[tuple[float, float]]:
    return [(float(minute), rate) for minute in minutes]


def told(whole: Batch) -> Insights:
    return next(insights.unfold(HEART_RATE, insights.evaluate(HEART_RATE, whole, ()), ()))


def of(points: Points, age: int | None = None, night: tuple[int, int] | None = NIGHT) -> Insights:
    slept = None if night is None else nights(night)
    return told(batch(samples(points), sleep=slept, people=person({"age": age})))


def at(found: Insights, path: str) -> object:
    node: object = found.clinical
    for part in path.split("."):
        assert isinstance(node, dict)
        node = node[part]
    return node


def withheld(found: Insights) -> Mapping[str, str]:
    return {entry.path: entry.reason for entry in found.withheld}


@pytest.mark.parametrize(
    ("asleep", "word"), [(81, "reversed"), (80, "blunted"), (72.1, "blunted"), (72, "usual"), (60, "usual")]
)
def test_the_dip_has_two_limits(asleep: float, word: str) -> None:
    found = of([*steady(80, EVENING), *steady(asleep, SLEEPING)])
    assert at(found, f"{ASSESSMENT}.nocturnal_dip") == word
    assert f"{ASSESSMENT}.nocturnal_dip" not in withheld(found)


def test_the_dips_of_several_nights_have_no_word() -> None:
    points = [*steady(80, EVENING), *steady(60, SLEEPING)]
    later = [(minute + 1440, rate) for minute, rate in points]
    both = batch(samples([*points, *later]), sleep=nights(NIGHT, (NIGHT[0] + DAY, NIGHT[1] + DAY)))
    found = told(both)
    assert (at(found, f"{NOCTURNAL}.nights"), at(found, f"{NOCTURNAL}.dip_max")) == (2, 25)
    assert withheld(found)[f"{ASSESSMENT}.nocturnal_dip"].startswith("the words for a dip are for one night")


@pytest.mark.parametrize(("hours", "stated"), [(5, True), (4, False)])
def test_the_dip_needs_a_covered_evening(hours: int, stated: bool) -> None:
    found = of([*steady(80, range(-hours * 60, 0, 10)), *steady(60, SLEEPING)])
    assert (at(found, f"{NOCTURNAL}.nights"), at(found, f"{NOCTURNAL}.dip")) == (int(stated), 25)
    for path in (f"{NOCTURNAL}.dip", f"{NOCTURNAL}.waking_mean", f"{ASSESSMENT}.nocturnal_dip"):
        assert (path not in withheld(found)) is stated


@pytest.mark.parametrize(("rate", "word"), [(49, "slow"), (50, "usual"), (100, "usual"), (101, "fast")])
def test_the_resting_rate_has_two_limits(rate: float, word: str) -> None:
    found = of(steady(rate, WAKING))
    assert at(found, f"{ASSESSMENT}.resting_heart_rate") == word
    assert f"{ASSESSMENT}.resting_heart_rate" not in withheld(found)
    assert ("discuss_resting_rate" in found.recommendations) is (word != "usual")


@pytest.mark.parametrize(
    ("step", "samples_awake", "reason"),
    [
        (10, 19, "fewer than 20 samples lie outside of the main sleep"),
        (9.9, 20, None),
        (9, 20, "less than 3 hours outside of the main sleep are covered"),
        (9, 21, None),
    ],
)
def test_the_resting_rate_needs_three_hours_and_twenty_samples(
    step: float, samples_awake: int, reason: str | None
) -> None:
    found = of([(485 + number * step, 70) for number in range(samples_awake)])
    assert at(found, f"{STATISTICS}.resting.awake_p5") == 70
    assert withheld(found).get(f"{STATISTICS}.resting.awake_p5") == reason


@pytest.mark.parametrize(
    ("step", "number", "reason"),
    [
        (10, 19, "there are fewer than 20 samples"),
        (9.9, 20, None),
        (9, 20, "less than 3 hours are covered"),
        (9, 21, None),
    ],
)
def test_without_sleep_the_lower_end_of_all_samples_stands_in(step: float, number: int, reason: str | None) -> None:
    found = of([(each * step, 70) for each in range(number)], night=None)
    assert at(found, f"{STATISTICS}.resting.overall_p5") == 70
    assert withheld(found).get(f"{STATISTICS}.resting.overall_p5") == reason
    known = of(steady(70, WAKING))
    assert at(known, f"{STATISTICS}.resting.overall_p5") is None
    assert "main sleep session is known" in withheld(known)[f"{STATISTICS}.resting.overall_p5"]


@pytest.mark.parametrize(("number", "stated"), [(19, False), (20, True)])
def test_percentiles_need_twenty_samples(number: int, stated: bool) -> None:
    missing = withheld(of(steady(70, range(number))))
    for name in ("p5", "p25", "p75", "p95"):
        assert (f"{STATISTICS}.percentiles.{name}" not in missing) is stated
    assert f"{STATISTICS}.median" not in missing


def test_without_sleep_nothing_is_said_of_rest() -> None:
    found = of(steady(70, WAKING), night=None)
    missing = withheld(found)
    for path in ("resting.awake_p5", "resting.lowest_sustained_sleeping", "active.awake_p95"):
        assert "sleep session" in missing[f"{STATISTICS}.{path}"]
        assert at(found, f"{STATISTICS}.{path}") is None
    assert found.recommendations == ["record_sleep"]
    assert of(steady(70, WAKING)).recommendations == []


def test_the_mean_is_over_time_and_the_rest_of_samples() -> None:
    """Ten samples in ten minutes at 120, then hours at 60 with a sample every ten minutes."""
    found = of([*steady(120, range(10)), *steady(60, range(10, 190, 10))])
    assert at(found, f"{STATISTICS}.mean") == pytest.approx(63.333333)  # 1,200 + 60 x 170 of 180 min
    assert at(found, f"{STATISTICS}.sample_mean") == pytest.approx((120 * 10 + 60 * 18) / 28)
    assert at(found, f"{STATISTICS}.median") == 60
    assert at(found, f"{STATISTICS}.count") == 28


def test_single_samples_are_counted_on_each_side_of_their_limit() -> None:
    found = of([(0, 49), (1, 50), (2, 59), (3, 60), (4, 100), (5, 101)])
    assert at(found, f"{STATISTICS}.readings_below_50") == 1
    assert at(found, f"{STATISTICS}.readings_below_60") == 3
    assert at(found, f"{STATISTICS}.readings_above_100") == 1


@pytest.mark.parametrize(("age", "reason"), [(None, "your age is not known"), (17, "for adults"), (18, None)])
def test_zones_need_an_adult_of_known_age(age: int | None, reason: str | None) -> None:
    missing = withheld(of(steady(70, range(60)), age=age))
    for name in ("hr_max", "zones.zone_1", "zones.below_zone_1", "active.moderate_minutes"):
        path = f"{STATISTICS}.{name}"
        assert reason in missing[path] if reason else path not in missing


@pytest.mark.parametrize(
    ("number", "age", "reason"),
    [
        (1, 40, "there are fewer than 20 samples"),
        (19, 40, "there are fewer than 20 samples"),
        (19, None, "there are fewer than 20 samples, and your age is not known"),
        (20, None, "your age is not known"),
        (19, 17, "the marks used here are for adults, and you are under 18"),
        (20, 40, None),
    ],
)
def test_zones_need_twenty_samples(number: int, age: int | None, reason: str | None) -> None:
    missing = withheld(of(steady(70, range(number)), age=age))
    assert missing.get(f"{STATISTICS}.zones.zone_1") == missing.get(f"{STATISTICS}.zones.below_zone_1") == reason


def test_the_maximum_is_tanakas() -> None:
    assert at(of([(0, 70)], age=40), f"{STATISTICS}.hr_max") == 180


def test_sessions_are_found_with_an_age_and_dense_samples() -> None:
    run = [*steady(70, range(60)), *steady(150, range(60, 90)), *steady(70, range(90, 240))]
    found = of(run, age=40, night=None)
    assert (at(found, f"{STATISTICS}.sessions.count"), at(found, f"{STATISTICS}.sessions.minutes")) == (1, 30)
    assert at(found, f"{STATISTICS}.sustained_above_100.count") == 1
    assert "discuss_sustained_fast" in found.recommendations
    assert f"{STATISTICS}.sessions.count" in withheld(of(run, night=None))
    calm = of(steady(70, range(240)), age=40, night=None)
    assert at(calm, f"{STATISTICS}.sessions.count") == 0
    assert "discuss_sustained_fast" not in calm.recommendations


@pytest.mark.parametrize(("seconds", "far"), [(10, False), (15, False), (16, True), (60, True)])
def test_recovery_is_never_told_and_says_what_is_missing(seconds: int, far: bool) -> None:
    found = of([(each * seconds / 60, 70) for each in range(60)], age=40)
    assert at(found, f"{STATISTICS}.recovery.hrr_60") is None
    reason = withheld(found)[f"{STATISTICS}.recovery.hrr_60"]
    assert reason == "the end of an effort is not marked" + ", and samples are further than 15 s apart" * far


def test_a_single_sample_is_not_far_from_any() -> None:
    assert withheld(of([(0, 70)]))[f"{STATISTICS}.recovery.hrr_60"] == "the end of an effort is not marked"


@pytest.mark.parametrize(("rate", "advised"), [(50, False), (49, True)])
def test_a_sustained_slow_rate_is_for_the_doctor(rate: float, advised: bool) -> None:
    found = of([*steady(rate, range(20)), *steady(70, range(20, 60))], night=None)
    assert at(found, f"{STATISTICS}.sustained_below_50.count") == int(advised)
    assert at(found, f"{STATISTICS}.sustained_below_50.minutes") == 20 * advised
    assert ("discuss_sustained_slow" in found.recommendations) is advised


@pytest.mark.parametrize(
    ("age", "night", "reason"),
    [
        (
            None,
            None,
            f"your age is not known, and {NO_LOWEST}",
        ),
        (None, NIGHT, "your age is not known"),
        (40, None, NO_LOWEST),
        (17, NIGHT, "the marks used here are for adults, and you are under 18"),
        (200, NIGHT, "the lowest sustained sleeping rate is not below the estimated maximum"),
        (40, NIGHT, None),
    ],
)
def test_the_reserve_needs_an_adult_age_and_a_sleeping_rate(
    age: int | None, night: tuple[int, int] | None, reason: str | None
) -> None:
    found = of([*steady(70, range(480)), *steady(130, range(481, 520))], age=age, night=night)
    missing = withheld(found)
    for name in ("reserve_zones.light", "sessions.reserve_count", "sessions.exercise_minutes"):
        assert missing.get(f"{STATISTICS}.{name}") == reason
    if reason is None:
        assert at(found, f"{STATISTICS}.sessions.exercise_minutes") == 38
        assert at(found, f"{STATISTICS}.reserve_zones.moderate") == pytest.approx(100 * 38 / 519)


def test_a_steady_fever_is_no_exercise() -> None:
    """From 107 asleep to a maximum of 159 at 70, exercise would begin at 127.8."""
    found = of(steady(107, range(1440)), age=70, night=(MIDNIGHT, MIDNIGHT + 8 * HOUR - 1))
    assert (at(found, f"{STATISTICS}.sessions.count"), at(found, f"{STATISTICS}.sessions.minutes")) == (1, 959)
    assert at(found, f"{STATISTICS}.sessions.exercise_count") == 0
    assert not {f"{STATISTICS}.sessions.exercise_count", f"{STATISTICS}.sessions.count"} & withheld(found).keys()


def test_an_unknown_offset_hides_the_clock() -> None:
    found = told(batch(samples(steady(70, range(0, 600, 5)), offset_s=None), people=person({})))
    assert "temporal_patterns.hourly_distribution" in withheld(found)
    assert at(found, "temporal_patterns.peak_hour") is None


@pytest.mark.parametrize(("value", "fails"), [(29, True), (30, False), (220, False), (221, True), (None, False)])
def test_the_range_of_heart_rates(value: float | None, fails: bool) -> None:
    rule = next(rule for rule in RULES if rule.name == "heart_rate_out_of_range")
    row = pl.DataFrame({"value": [value]}, schema={"value": pl.Float64})
    assert row.select(rule.fails.fill_null(value=False)).item() is fails


def test_samples_and_their_times_may_be_missing() -> None:
    rows = pl.DataFrame({"value": [60.0, None, 60.0], "start": [1, 1, None], "record_start": 0, "record_end": 2})
    by_name = {rule.name: rows.select(rule.fails).to_series().to_list() for rule in RULES}
    assert by_name["samples_missing"] == [False, True, False]
    assert by_name["sample_time_missing"] == [False, False, True]


def real(folder: Path, number: str) -> Insights:
    """An upload beside the sleep of all real uploads."""
    slept = [
        uploaded(folder, f"SleepSessionRecord_{each}", SLEEP_SESSION).with_columns(subject=pl.lit(1, pl.Int64))
        for each in ("1758407139312", "1758494067274", "1758554834823")
    ]
    own = uploaded(folder, f"HeartRateRecord_{number}", HEART_RATE).with_columns(subject=pl.lit(1, pl.Int64))
    main = sleep.main_sessions(pl.concat(slept)).filter(
        (pl.col("start") <= own["start"].max()) & (pl.col("end") >= own["start"].min())
    )
    return told(chosen(HEART_RATE, own, people=person({}), sleep=main))


@pytest.mark.parametrize(
    ("number", "count", "mean", "sample_mean", "lowest"),
    [
        ("1758407139312", 548, 77.43, 77.51, 66.6),
        ("1758494067274", 383, 83.37, 87.25, 84.1),
        ("1758554834823", 726, 73.30, 68.28, 55.8),
    ],
)
def test_real_uploads(
    real_samples: Path, number: str, count: int, mean: float, sample_mean: float, lowest: float
) -> None:
    found = real(real_samples, number)
    assert at(found, f"{STATISTICS}.count") == count
    assert at(found, f"{STATISTICS}.mean") == pytest.approx(mean, abs=0.005)
    assert at(found, f"{STATISTICS}.sample_mean") == pytest.approx(sample_mean, abs=0.005)
    assert at(found, f"{STATISTICS}.resting.lowest_sustained_sleeping") == pytest.approx(lowest, abs=0.05)
    assert at(found, f"{STATISTICS}.sessions.count") is None
    assert at(found, f"{STATISTICS}.sustained_above_100.count") is None
    assert at(found, f"{NOCTURNAL}.nights") == 1


def test_the_devices_of_a_real_upload_agree(real_samples: Path) -> None:
    found = real(real_samples, "1758407139312")
    assert at(found, "device_agreement.windows") == 74
    assert at(found, "device_agreement.bias") == pytest.approx(-0.12, abs=0.005)
    assert at(found, "device_agreement.mean_absolute_error") == pytest.approx(1.09, abs=0.005)


@pytest.mark.parametrize("number", ["1758494067274", "1758554834823"])
def test_one_device_has_none_to_agree_with(real_samples: Path, number: str) -> None:
    found = real(real_samples, number)
    assert at(found, "device_agreement.windows") is None
    assert "second source" in withheld(found)["device_agreement.windows"]


def test_one_source_speaks_for_each_local_day() -> None:
    day_one = samples(steady(70, range(0, 600, 10)))
    other = samples(steady(90, range(0, 600, 5))).with_columns(source=pl.lit("org.example.ring"))
    later = samples(steady(80, range(1440, 2000, 10)))
    own = chosen(HEART_RATE, day_one, other, later, people=person({}))
    by_day = own.readings.group_by(pl.col("start") // DAY, maintain_order=True).agg(pl.col("source").unique())
    assert by_day["source"].to_list() == [["org.example.ring"], ["org.example.cgm"]]


@pytest.mark.parametrize(
    ("step", "age", "reason"),
    [
        (30, None, "samples are too far apart for bouts to be found, and your age is not known"),
        (30, 40, "samples are too far apart for bouts to be found"),
        (1, None, "your age is not known"),
        (1, 12, "the marks used here are for adults, and you are under 18"),
        (1, 40, None),
    ],
)
def test_a_silence_on_exercise_names_what_is_missing_and_no_more(
    step: int, age: int | None, reason: str | None
) -> None:
    found = withheld(of(steady(70, range(0, 600, step)), age=age, night=None))
    assert found.get(f"{STATISTICS}.sessions.count") == reason
