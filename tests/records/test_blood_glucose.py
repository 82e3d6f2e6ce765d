from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import fastavro
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr import insights
from etlnarr.metrics.episodes import LOW, episodes
from etlnarr.metrics.grid import trace
from etlnarr.model import Batch
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE, RULES, choose
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, nights, person, readings, reference, trace_file

STATISTICS = "glucose_statistics"
VARIABILITY = f"{STATISTICS}.glycemic_variability"
TIR = f"{STATISTICS}.time_in_range"
HYPO = f"{STATISTICS}.hypoglycemic_events"
HYPER = f"{STATISTICS}.hyperglycemic_events"
COVERAGE = f"{STATISTICS}.coverage"
PATTERNS = "temporal_patterns"
ASSESSMENT = "clinical_assessment"
STELO = "com.dexcom.stelo"

REFERENCE_PATHS = {
    "mean": f"{STATISTICS}.mean",
    "sd": f"{STATISTICS}.std",
    "cv_pct": f"{STATISTICS}.cv",
    "gmi_pct": f"{STATISTICS}.gmi",
    "ea1c_adag_pct": f"{STATISTICS}.estimated_hba1c",
    "pct_lt54": f"{TIR}.severe_hypoglycemia",
    "pct_54_69": f"{TIR}.hypoglycemia",
    "pct_70_180": f"{TIR}.target_range",
    "pct_181_250": f"{TIR}.hyperglycemia",
    "pct_gt250": f"{TIR}.severe_hyperglycemia",
    "titr_70_140": f"{TIR}.tight_range",
    "modd": f"{VARIABILITY}.modd",
    "conga1": f"{VARIABILITY}.conga_1",
    "conga2": f"{VARIABILITY}.conga_2",
    "conga4": f"{VARIABILITY}.conga_4",
    "conga24": f"{VARIABILITY}.conga_24",
    "j_index": f"{VARIABILITY}.j_index",
    "lbgi": f"{VARIABILITY}.lbgi",
    "hbgi": f"{VARIABILITY}.hbgi",
    "gri": f"{VARIABILITY}.gri",
    "auc_hourly_avg": f"{VARIABILITY}.auc_hourly",
    "auc_total_mgdl_h": f"{VARIABILITY}.auc",
    "active_pct": f"{COVERAGE}.active_percent",
    "n_hypo_l1": f"{HYPO}.level_1",
    "n_hypo_l2": f"{HYPO}.level_2",
    "n_hypo_extended": f"{HYPO}.extended",
    "n_hypo_l1_excl": f"{HYPO}.level_1_exclusive",
    "n_hyper_l1": f"{HYPER}.level_1",
    "n_hyper_l2": f"{HYPER}.level_2",
    "n_hyper_extended": f"{HYPER}.extended",
}
"""Keys of the reference, but for MAGE and ADRR, of which it has only the values of peers."""

DETAIL_PATHS = {
    "span_h": f"{PATTERNS}.collection_span_hours",
    "nominal_interval_min": f"{PATTERNS}.interval_minutes",
    "n": f"{STATISTICS}.count",
    "min": f"{STATISTICS}.min",
    "max": f"{STATISTICS}.max",
    "active_pct_of_14_days": f"{COVERAGE}.active_percent_14d",
    "gaps_gt_1.5_intervals": f"{COVERAGE}.gaps",
    "peak_hour_local": f"{PATTERNS}.peak_glucose_hour",
}
TRACES = ("cgm_14d_5min", "cgm_band_edges_1d")
PEER_MAGE = ("iglu-R(ma,avg)", "cgmguru(mage_rcpp)")


def row_of(whole: Batch) -> dict[str, object]:
    """The row of the only subject."""
    return insights.evaluate(BLOOD_GLUCOSE, whole, ()).row(0, named=True)


def silences(whole: Batch) -> dict[str, str]:
    """Reasons by the path that is withheld."""
    (found,) = insights.unfold(BLOOD_GLUCOSE, insights.evaluate(BLOOD_GLUCOSE, whole, ()), ())
    return {entry.path: entry.reason for entry in found.withheld}


def days(number: float, value: float = 110.0, every: int = 5 * MINUTE) -> list[tuple[int, float | None]]:
    """A trace in range that is not flat."""
    return at_steps([value + n % 12 for n in range(round(number * DAY / every))], every)


@pytest.fixture(scope="module")
def reference_rows() -> dict[str, dict[str, object]]:
    row = insights.evaluate(BLOOD_GLUCOSE, batch(*(trace_file(name, name) for name in TRACES)), ())
    return {line["subject"]: line for line in row.iter_rows(named=True)}


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("key", REFERENCE_PATHS)
def test_reference(reference_rows: Mapping[str, Mapping[str, object]], name: str, key: str) -> None:
    values = reference("traces", name, "metrics", key)
    assert isinstance(values, dict)
    tolerance = 5e-5 if key in {"lbgi", "hbgi"} else 1e-6
    value = reference_rows[name][REFERENCE_PATHS[key]]
    expected = values["reference"]
    assert value is None if expected is None else value == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("key", DETAIL_PATHS)
def test_reference_detail(reference_rows: Mapping[str, Mapping[str, object]], name: str, key: str) -> None:
    expected = reference("traces", name, "reference_detail", key)
    assert reference_rows[name][DETAIL_PATHS[key]] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("peer", PEER_MAGE)
def test_mage_is_that_of_its_peers(reference_rows: Mapping[str, Mapping[str, object]], name: str, peer: str) -> None:
    anchor = reference("traces", name, "metrics", "mage", peer)
    assert reference_rows[name][f"{VARIABILITY}.mage"] == pytest.approx(anchor, rel=1e-6)


@pytest.mark.parametrize("name", TRACES)
def test_adrr_is_that_of_the_peer_with_the_exact_constant(
    reference_rows: Mapping[str, Mapping[str, object]], name: str
) -> None:
    peer = reference("traces", name, "metrics", "adrr", "py-agata")
    assert reference_rows[name][f"{VARIABILITY}.adrr"] == pytest.approx(peer, rel=1e-6)


@pytest.mark.parametrize("name", TRACES)
def test_reference_of_the_night(reference_rows: Mapping[str, Mapping[str, object]], name: str) -> None:
    night = reference("traces", name, "reference_detail", "nocturnal_0000_0600_local")
    assert isinstance(night, dict)
    row = reference_rows[name]
    assert row[f"{PATTERNS}.nocturnal.count"] == night["n"]
    assert row[f"{PATTERNS}.nocturnal.mean"] == pytest.approx(night["mean"])
    assert row[f"{PATTERNS}.nocturnal.below_70"] == pytest.approx(night["pct_lt70"])


@pytest.mark.parametrize(("name", "ongoing"), [("cgm_14d_5min", (0, 1)), ("cgm_band_edges_1d", (0, 1))])
def test_reference_of_ongoing_episodes(
    reference_rows: Mapping[str, Mapping[str, object]], name: str, ongoing: tuple[int, int]
) -> None:
    row = reference_rows[name]
    assert (row[f"{HYPO}.ongoing"], row[f"{HYPER}.ongoing"]) == ongoing


@pytest.mark.parametrize("name", TRACES)
def test_reference_of_single_episodes(name: str) -> None:
    expected = reference("traces", name, "reference_detail", "hypo_events")
    found = episodes(trace(trace_file(name)), LOW)
    keys = {
        "start": "start_ms",
        "last": "last_low_ms",
        "minutes": "duration_min",
        "readings": "readings",
        "extreme": "nadir",
    }
    assert found.select(pl.col(ours).alias(theirs) for ours, theirs in keys.items()).to_dicts() == expected


def of_real_files(folder: Path, *stamps: str) -> pl.DataFrame:
    """Readings of real uploads, each record once."""
    found: dict[int, float | None] = {}
    for stamp in stamps:
        with (folder / f"BloodGlucoseRecord_{stamp}.avro").open("rb") as file:
            for record in fastavro.reader(file):
                assert isinstance(record, dict)
                found[record["timeEpochMillis"]] = record["levelInMilligramsPerDeciliter"]
    return readings(sorted(found.items()), offset_s=-5 * 3600, source=STELO)


FIRST, SECOND, THIRD, FOURTH = "1758407139312", "1758407245091", "1758494067274", "1758554834823"


@pytest.mark.parametrize(
    ("stamps", "mean", "std", "mage", "peak"),
    [
        ((FIRST,), 111.478, 14.998, 41.96, 13),
        ((SECOND,), 111.290, 14.724, 41.63, 13),
        ((THIRD,), 104.798, 14.452, 28.58, 21),
        ((FOURTH,), 105.534, 14.284, 60.26, 15),
        ((FIRST, SECOND, THIRD, FOURTH), 107.781, 15.217, 39.56, None),
    ],
)
def test_real_uploads(
    real_samples: Path, stamps: tuple[str, ...], mean: float, std: float, mage: float, peak: int | None
) -> None:
    row = row_of(batch(of_real_files(real_samples, *stamps)))
    assert row[f"{STATISTICS}.mean"] == pytest.approx(mean, abs=1e-3)
    assert row[f"{STATISTICS}.std"] == pytest.approx(std, abs=1e-3)
    assert row[f"{VARIABILITY}.mage"] == pytest.approx(mage, abs=1e-2)
    assert row[f"{TIR}.target_range"] == 100.0
    assert row[f"{COVERAGE}.grade"] == ("D" if peak else "C")
    assert peak is None or row[f"{PATTERNS}.peak_glucose_hour"] == peak


def test_union_of_real_uploads(real_samples: Path) -> None:
    whole = batch(of_real_files(real_samples, FIRST, SECOND, THIRD, FOURTH))
    row = row_of(whole)
    assert row[f"{STATISTICS}.count"] == 707
    assert row[f"{COVERAGE}.active_percent"] == pytest.approx(94.90, abs=5e-3)
    assert row[f"{VARIABILITY}.modd"] == pytest.approx(14.8894, abs=5e-5)
    silent = silences(whole)
    assert f"{VARIABILITY}.mage" not in silent
    assert silent[f"{STATISTICS}.gmi"] == "the sensor readings span less than 10 days"


def shares(value: float) -> dict[str, object]:
    row = row_of(batch(readings([(MIDNIGHT, value)])))
    return {path.removeprefix(f"{TIR}."): share for path, share in row.items() if path.startswith(TIR) and share}


@pytest.mark.parametrize(
    ("value", "bands"),
    [
        (53.9, {"severe_hypoglycemia", "below_range"}),
        (53.99999999999999, {"hypoglycemia", "below_range"}),
        (54.0, {"hypoglycemia", "below_range"}),
        (62.9, {"hypoglycemia", "below_range"}),
        (63.0, {"hypoglycemia", "below_range", "pregnancy_range"}),
        (69.5, {"hypoglycemia", "below_range", "pregnancy_range"}),
        (69.99999999999999, {"target_range", "tight_range", "pregnancy_range"}),
        (70.0, {"target_range", "tight_range", "pregnancy_range"}),
        (140.0, {"target_range", "tight_range", "pregnancy_range"}),
        (140.1, {"target_range"}),
        (180.0, {"target_range"}),
        (180.00000000000003, {"target_range"}),
        (180.1, {"hyperglycemia", "above_range"}),
        (250.0, {"hyperglycemia", "above_range"}),
        (250.00000000000003, {"hyperglycemia", "above_range"}),
        (250.1, {"severe_hyperglycemia", "above_range"}),
    ],
)
def test_band_edges(value: float, bands: set[str]) -> None:
    assert shares(value) == dict.fromkeys(bands, 100.0)


def test_readings_beyond_a_limit_are_counted_for_any_source() -> None:
    values = [53.9, 54.0, 69.9, 70.0, 180.0, 180.1, 250.0, 250.1]
    row = row_of(batch(readings(at_steps(values, 4 * HOUR))))
    assert [row[f"{HYPO}.readings_below_{n}"] for n in (54, 70)] == [1, 3]
    assert [row[f"{HYPER}.readings_above_{n}"] for n in (180, 250)] == [3, 1]


NEEDS_TRACE = [
    *(
        f"{VARIABILITY}.{name}"
        for name in ("mage", "modd", "conga_1", "conga_2", "conga_4", "conga_24", "auc", "auc_hourly")
    ),
    *(f"{HYPO}.{name}" for name in ("level_1", "level_1_exclusive", "level_2", "extended", "ongoing", "minutes")),
    *(f"{HYPER}.{name}" for name in ("level_1", "level_2", "extended", "ongoing", "minutes")),
    *(f"{COVERAGE}.{name}" for name in ("active_percent", "active_percent_14d", "days", "gaps", "grade")),
]


@pytest.mark.parametrize("path", NEEDS_TRACE)
def test_finger_sticks_have_no_trace_metrics(path: str) -> None:
    sticks = batch(readings(days(20, 100.0, 4 * HOUR), label="CAPILLARY_BLOOD"))
    assert row_of(sticks)[path] is None
    assert path in silences(sticks)


def test_finger_sticks_are_described_without_percentages() -> None:
    silent = silences(batch(readings(days(20, 100.0, 4 * HOUR))))
    stated = {"count", "mean", "median", "min", "max", "range", "hypoglycemic_events.readings_below_70"}
    assert not stated & {path.removeprefix(f"{STATISTICS}.") for path in silent}
    for name in ("std", "cv", "gmi", "time_in_range.target_range"):
        assert silent[f"{STATISTICS}.{name}"] == "single measurements are no sensor trace"


LEAST_DAYS = {
    f"{STATISTICS}.std": 0.5,
    f"{STATISTICS}.cv": 0.5,
    f"{TIR}.target_range": 0.5,
    f"{VARIABILITY}.lbgi": 0.5,
    f"{HYPO}.level_1": 0.5,
    f"{VARIABILITY}.mage": 2,
    f"{STATISTICS}.gmi": 10,
    f"{STATISTICS}.estimated_hba1c": 10,
    f"{VARIABILITY}.j_index": 10,
    f"{ASSESSMENT}.control_quality": 10,
    f"{ASSESSMENT}.variability": 10,
    f"{ASSESSMENT}.stability": 10,
    f"{ASSESSMENT}.hypoglycemia_risk": 10,
    f"{VARIABILITY}.gri": 14,
    f"{VARIABILITY}.adrr": 14,
}


@pytest.mark.parametrize("path", LEAST_DAYS)
def test_claims_need_their_days(path: str) -> None:
    points = days(LEAST_DAYS[path])
    rising = [(start, value + number / 100) for number, (start, value) in enumerate(points) if value is not None]
    assert path not in silences(batch(readings([*rising])))
    short = batch(readings([*rising[:-1]]))
    assert "span less than" in silences(short)[path]
    assert row_of(short)[path] is not None


@pytest.mark.parametrize("path", LEAST_DAYS)
def test_claims_need_70_percent_of_the_readings(path: str) -> None:
    points = days(LEAST_DAYS[path] * 2)
    # the first and the last reading stay, of the rest what makes 70 % or one less
    kept = round(len(points) * 0.7)
    enough, fewer = ([*points[: number - 1], points[-1]] for number in (kept + 1, kept - 1))
    assert "less than 70 %" in silences(batch(readings(fewer)))[path]
    assert "less than 70 %" not in silences(batch(readings(enough))).get(path, "")


@pytest.mark.parametrize(("hours", "least"), [(1, 13), (2, 14), (4, 16), (24, 36)])
def test_conga_needs_half_a_day_more_than_it_looks_back(hours: int, least: int) -> None:
    path = f"{VARIABILITY}.conga_{hours}"
    exactly = days((least * 12 + 1) / 288)  # a reading at either end
    assert path in silences(batch(readings(exactly)))
    assert path not in silences(batch(readings(days((least * 12 + 2) / 288))))


def test_modd_needs_70_percent_of_pairs() -> None:
    path = f"{VARIABILITY}.modd"
    whole = days(2)
    assert path not in silences(batch(readings(whole)))
    holed = whole[:288] + whole[288 + 100 :]
    assert silences(batch(readings(holed)))[path] == "less than 70 % of the readings have one 24 hours before"


@pytest.mark.parametrize(("number", "grade"), [(0.99, "D"), (1, "C"), (9.99, "C"), (10, "B"), (13.99, "B"), (14, "A")])
def test_grades(number: float, grade: str) -> None:
    assert row_of(batch(readings(days(number))))[f"{COVERAGE}.grade"] == grade


def test_a_fortnight_of_holes_is_grade_d() -> None:
    points = days(14)
    assert row_of(batch(readings(points[:100] + points[-100:])))[f"{COVERAGE}.grade"] == "D"


CENSORED_LOW = [
    *(f"{TIR}.{name}" for name in ("severe_hypoglycemia", "hypoglycemia", "below_range")),
    *(f"{HYPO}.{name}" for name in ("level_1", "level_1_exclusive", "level_2", "extended", "ongoing", "minutes")),
    *(f"{HYPO}.readings_below_{limit}" for limit in (54, 70)),
    f"{VARIABILITY}.lbgi",
    f"{VARIABILITY}.gri",
    f"{VARIABILITY}.adrr",
    f"{PATTERNS}.nocturnal.below_70",
    f"{ASSESSMENT}.hypoglycemia_risk",
    f"{ASSESSMENT}.time_below_range_target",
]
CENSORED_HIGH = [
    f"{TIR}.severe_hyperglycemia",
    f"{VARIABILITY}.hbgi",
    *(f"{HYPER}.{name}" for name in ("level_2", "extended", "readings_above_250")),
]


@pytest.mark.parametrize("path", [*CENSORED_LOW, *CENSORED_HIGH])
def test_what_a_stelo_cannot_see_keeps_its_number_and_is_withheld(path: str) -> None:
    people = person({"diabetes": "t2", "age": 50})
    stelo = batch(readings(days(14), source=STELO), people=people)
    assert row_of(stelo)[path] is not None
    assert silences(stelo)[path] == "the source reports 70 to 250 mg/dL only"
    assert path not in silences(batch(readings(days(14)), people=people))


@pytest.mark.parametrize("path", [f"{TIR}.target_range", f"{TIR}.tight_range", f"{STATISTICS}.gmi", f"{HYPER}.level_1"])
def test_what_a_stelo_sees_is_stated(path: str) -> None:
    assert path not in silences(batch(readings(days(14), source=STELO)))


CLOCK = [
    *(f"{PATTERNS}.{name}" for name in ("hourly_distribution", "weekday_distribution", "peak_glucose_hour")),
    *(f"{PATTERNS}.nocturnal.{name}" for name in ("count", "mean", "below_70")),
    f"{VARIABILITY}.adrr",
]


@pytest.mark.parametrize("path", CLOCK)
def test_without_a_clock_nothing_is_said_of_the_time_of_day(path: str) -> None:
    unknown, known = (batch(readings(days(14), offset_s=offset)) for offset in (None, 0))
    assert row_of(unknown)[path] is None
    assert path in silences(unknown)
    assert path not in silences(known)


def test_a_night_needs_70_percent_of_its_readings() -> None:
    path = f"{PATTERNS}.nocturnal.mean"
    late = [point for point in days(1) if point[0] >= MIDNIGHT + 2 * HOUR]
    assert silences(batch(readings(late)))[path] == "less than 70 % of one night is covered"
    assert path not in silences(batch(readings(days(1))))


def test_dawn_needs_three_nights() -> None:
    path = f"{PATTERNS}.dawn_phenomenon.elevation"
    sleep = [(MIDNIGHT + day * DAY, MIDNIGHT + day * DAY + 7 * HOUR) for day in range(3)]
    two, three = (batch(readings(days(4)), sleep=nights(*sleep[:count])) for count in (2, 3))
    assert silences(two)[path] == "fewer than 3 complete nights with a known wake-up"
    assert row_of(two)[path] is not None
    assert path not in silences(three)


def judged(path: str, points: list[tuple[int, float | None]], facts: Mapping[str, object]) -> tuple[object, str | None]:
    whole = batch(readings(points), people=person(facts))
    return row_of(whole)[path], silences(whole).get(path)


TARGETS: dict[str, dict[str, object]] = {
    "time_in_range_target": {"diabetes": "t2", "age": 40},
    "time_below_range_target": {"diabetes": "t1", "age": 64},
    "time_above_range_target": {"diabetes": "t1"},
    "older_time_in_range_target": {"diabetes": "t2", "age": 65},
    "older_time_below_range_target": {"diabetes": "t2", "age": 80},
    "pregnancy_time_in_range_target": {"diabetes": "t1", "pregnant": True},
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_for_those_they_were_made_for(name: str) -> None:
    word, silent = judged(f"{ASSESSMENT}.{name}", days(10), TARGETS[name])
    assert word in {"above", "below"}
    assert silent is None


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("time_in_range_target", {"age": 40}),
        ("time_in_range_target", {"age": 40, "diabetes": "none"}),
        ("time_in_range_target", {"age": 40, "diabetes": "gdm"}),
        ("time_in_range_target", {"age": 17, "diabetes": "t1"}),
        ("time_in_range_target", {"age": 65, "diabetes": "t1"}),
        ("time_in_range_target", {"age": 30, "diabetes": "t1", "pregnant": True}),
        ("older_time_in_range_target", {"diabetes": "t2"}),
        ("older_time_in_range_target", {"diabetes": "t2", "age": 64}),
        ("pregnancy_time_in_range_target", {"diabetes": "t2", "pregnant": True}),
        ("pregnancy_time_in_range_target", {"diabetes": "t1", "pregnant": False}),
    ],
)
def test_targets_are_not_for_others(name: str, facts: Mapping[str, object]) -> None:
    _, silent = judged(f"{ASSESSMENT}.{name}", days(10), facts)
    assert silent is not None


def mixed(percent: float, inside: float, outside: float) -> list[tuple[int, float | None]]:
    """Ten days of which so many percent have the one value."""
    number = 2880
    first = round(number * percent / 100)
    return at_steps([inside] * first + [outside] * (number - first))


@pytest.mark.parametrize(
    ("percent", "quality", "target"),
    [(29, "poor", "below"), (30, "fair", "below"), (49, "fair", "below"), (50, "good", "below"),
     (69, "good", "below"), (70, "excellent", "at"), (71, "excellent", "above")],
)  # fmt: skip
def test_words_for_the_share_in_range(percent: float, quality: str, target: str) -> None:
    row = row_of(batch(readings(mixed(percent, 110.0, 200.0))))
    assert row[f"{ASSESSMENT}.control_quality"] == quality
    assert row[f"{ASSESSMENT}.time_in_range_target"] == target


@pytest.mark.parametrize(("percent", "word"), [(3, "below"), (5, "above")])
def test_words_for_the_share_below_range(percent: float, word: str) -> None:
    row = row_of(batch(readings(mixed(percent, 60.0, 110.0))))
    assert row[f"{ASSESSMENT}.time_below_range_target"] == word


@pytest.mark.parametrize(
    ("cv", "variability", "stability"),
    [(35.9, "low", "stable"), (36.1, "moderate", "labile"), (49.9, "moderate", "labile"), (50.1, "high", "labile")],
)
def test_words_for_the_coefficient_of_variation(cv: float, variability: str, stability: str) -> None:
    # two values at 100 -+ d have a standard deviation of d times the root of n / (n - 1)
    reach = cv / (2880 / 2879) ** 0.5
    row = row_of(batch(readings(at_steps([100.0 - reach, 100.0 + reach] * 1440))))
    assert row[f"{ASSESSMENT}.variability"] == variability
    assert row[f"{ASSESSMENT}.stability"] == stability


LOW_EPISODE, DEEP_EPISODE = [60.0] * 3 + [110.0] * 3, [50.0] * 3 + [110.0] * 3


@pytest.mark.parametrize(
    ("values", "risk"),
    [([], "low"), (LOW_EPISODE * 2, "low"), (LOW_EPISODE * 3, "moderate"), (DEEP_EPISODE, "high"), ([50.0] * 2, "low")],
)
def test_risk_of_hypoglycemia_follows_the_episodes(values: list[float], risk: str) -> None:
    row = row_of(batch(readings(at_steps([110.0] * 12 + values + [110.0] * 12))))
    assert row[f"{ASSESSMENT}.hypoglycemia_risk"] == risk


def test_without_a_trace_there_is_no_risk_to_name() -> None:
    row = row_of(batch(readings(at_steps([50.0] * 9, 4 * HOUR))))
    assert row[f"{ASSESSMENT}.hypoglycemia_risk"] is None


def advice(whole: Batch) -> list[str]:
    (found,) = insights.unfold(BLOOD_GLUCOSE, insights.evaluate(BLOOD_GLUCOSE, whole, ()), ())
    return found.recommendations


def test_advice_follows_from_what_is_stated() -> None:
    patient = person({"diabetes": "t1", "age": 40})
    lows = [110.0] * 2874 + DEEP_EPISODE
    assert advice(batch(readings(days(10)), people=patient)) == []
    assert advice(batch(readings(days(9)), people=patient)) == ["keep_sensor_connected"]
    assert advice(batch(readings(mixed(60, 110.0, 200.0)), people=patient)) == ["discuss_time_in_range"]
    assert advice(batch(readings(mixed(60, 110.0, 200.0)))) == []
    assert advice(batch(readings(at_steps(lows)), people=patient)) == ["discuss_lows"]
    assert advice(batch(readings(at_steps(lows), source=STELO), people=patient)) == []
    assert advice(batch(readings(days(20, every=4 * HOUR)), people=patient)) == []


def meals(meal_type: str | None, relation: str | None, *values: float, start: int = MIDNIGHT) -> pl.DataFrame:
    return readings(at_steps(values, HOUR, start), meal_type=meal_type, relation_to_meal=relation)


def test_meals_have_their_statistics() -> None:
    row = row_of(
        batch(
            meals("BREAKFAST", "AFTER_MEAL", 120.0, 140.0, 160.0),
            meals("DINNER", "BEFORE_MEAL", 95.0, start=MIDNIGHT + 12 * HOUR),
            meals("UNKNOWN", "UNKNOWN", 300.0, start=MIDNIGHT + 20 * HOUR),
        )
    )
    group = "meal_analysis.by_meal_type"
    statistics = ("count", "mean", "std", "min", "max")
    assert [row[f"{group}.breakfast.{name}"] for name in statistics] == [3, 140.0, 20.0, 120.0, 160.0]
    assert [row[f"{group}.dinner.{name}"] for name in statistics] == [1, 95.0, None, 95.0, 95.0]
    assert [row[f"{group}.lunch.{name}"] for name in statistics] == [0, None, None, None, None]
    assert row["meal_analysis.by_relation_to_meal.after_meal.mean"] == 140.0
    assert row["meal_analysis.by_relation_to_meal.fasting.count"] == 0


@pytest.mark.parametrize("mark", [None, "UNKNOWN"])
def test_unmarked_readings_say_nothing_of_meals(mark: str | None) -> None:
    whole = batch(meals(mark, mark, 100.0, 110.0))
    assert {path for path in silences(whole) if path.startswith("meal_analysis")} == {"meal_analysis"}


def test_a_reading_outside_the_range_of_instruments_fails() -> None:
    frame = pl.DataFrame({"value": [19.9, 20.0, 600.0, 600.1, None]})
    failed = {rule.name: frame.select(rule.fails).to_series().to_list() for rule in RULES}
    assert failed["glucose_out_of_range"] == [True, False, False, True, None]
    assert failed["value_missing"] == [False, False, False, False, True]


def test_finger_sticks_between_sensor_readings_are_another_source() -> None:
    sensor = readings(days(1))
    sticks = readings(at_steps([95.0] * 4, 5 * HOUR, MIDNIGHT + 60_000), label="CAPILLARY_BLOOD")
    chosen, others = choose(pl.concat([sensor, sticks]))
    assert chosen["label"].unique().to_list() == ["INTERSTITIAL_FLUID"]
    assert (chosen.height, others.height) == (288, 4)
    # a day of finger-sticks alone does not enter the trace either
    later = sticks.with_columns(pl.col("start", "end") + 2 * DAY)
    assert choose(pl.concat([sensor, later]))[0].height == 288


def test_finger_sticks_speak_where_they_are_most() -> None:
    sensor = readings(at_steps([100.0] * 3))
    sticks = readings(at_steps([95.0] * 4, 5 * HOUR), label="PLASMA")
    chosen, others = choose(pl.concat([sensor, sticks]))
    assert (chosen["label"].unique().to_list(), others.height) == (["PLASMA"], 3)


def test_of_two_sensors_one_speaks_for_a_day() -> None:
    one, other = readings(days(1), source="a"), readings(days(0.5), source="b")
    chosen, others = choose(pl.concat([one, other]))
    assert chosen["source"].unique().to_list() == ["a"]
    assert others["source"].unique().to_list() == ["b"]


def comparable(whole: Batch, *left_out: str) -> dict[str, object]:
    """The metrics of a row as ten digits, for sums depend on the order of their terms in the last ones."""
    row = row_of(whole)
    return {metric.path: row[metric.path] for metric in BLOOD_GLUCOSE.metrics if not metric.path.endswith(left_out)}


values = st.lists(st.sampled_from([50.0, 65.0, 70.0, 100.0, 150.0, 200.0, 260.0]), min_size=2, max_size=60)


@settings(max_examples=12, deadline=None)
@given(values.flatmap(lambda levels: st.permutations(list(enumerate(levels)))))
def test_the_order_of_rows_does_not_matter(shuffled: list[tuple[int, float]]) -> None:
    def told(order: list[tuple[int, float]]) -> dict[str, object]:
        frame = readings([(MIDNIGHT + place * 5 * MINUTE, level) for place, level in order])
        return comparable(replace(batch(frame), readings=frame))

    one, other = told(shuffled), told(sorted(shuffled))
    for path, value in one.items():
        assert value == (pytest.approx(other[path], rel=1e-9) if isinstance(value, float) else other[path]), path


@settings(max_examples=12, deadline=None)
@given(values, values)
def test_a_batch_gives_what_its_subjects_give_alone(one: list[float], other: list[float]) -> None:
    frames = [readings(at_steps(levels), subject) for subject, levels in (("a", one), ("b", other))]
    together = insights.evaluate(BLOOD_GLUCOSE, batch(*frames), ())
    alone = pl.concat([insights.evaluate(BLOOD_GLUCOSE, batch(frame), ()) for frame in frames], how="vertical_relaxed")
    for metric in BLOOD_GLUCOSE.metrics:
        assert together[metric.path].to_list() == alone[metric.path].to_list(), metric.path


@settings(max_examples=12, deadline=None)
@given(values, st.integers(-400, 400))
def test_whole_days_later_nothing_but_the_weekday_changes(levels: list[float], later: int) -> None:
    now, then = (batch(readings(at_steps(levels, start=MIDNIGHT + 7 * HOUR + day * DAY))) for day in (0, later))
    assert comparable(now, "weekday_distribution") == comparable(then, "weekday_distribution")
