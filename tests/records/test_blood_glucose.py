from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr import insights
from etlnarr.model import Batch
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE, RULES, choose
from tests.glucose import ASSESSMENT, HABITS, HYPER, HYPO, STATISTICS, STELO, TIR, days, row_of, silences
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, person, readings


def shares(value: float) -> dict[str, object]:
    row = row_of(batch(readings([(MIDNIGHT, value)])))
    return {path.removeprefix(f"{TIR}."): share for path, share in row.items() if path.startswith(TIR) and share}


@pytest.mark.parametrize(
    ("value", "bands"),
    [
        (53.9, {"severe_hypoglycemia", "below_range", "pregnancy_below_range"}),
        (53.99999999999999, {"hypoglycemia", "below_range", "pregnancy_below_range"}),
        (54.0, {"hypoglycemia", "below_range", "pregnancy_below_range"}),
        (62.9, {"hypoglycemia", "below_range", "pregnancy_below_range"}),
        (62.99999999999999, {"hypoglycemia", "below_range", "pregnancy_range"}),
        (63.0, {"hypoglycemia", "below_range", "pregnancy_range"}),
        (69.5, {"hypoglycemia", "below_range", "pregnancy_range"}),
        (69.99999999999999, {"target_range", "tight_range", "pregnancy_range"}),
        (70.0, {"target_range", "tight_range", "pregnancy_range"}),
        (140.0, {"target_range", "tight_range", "pregnancy_range"}),
        (140.00000000000003, {"target_range", "tight_range", "pregnancy_range"}),
        (140.1, {"target_range", "pregnancy_above_range"}),
        (180.0, {"target_range", "pregnancy_above_range"}),
        (180.00000000000003, {"target_range", "pregnancy_above_range"}),
        (180.1, {"hyperglycemia", "above_range", "pregnancy_above_range"}),
        (250.0, {"hyperglycemia", "above_range", "pregnancy_above_range"}),
        (250.00000000000003, {"hyperglycemia", "above_range", "pregnancy_above_range"}),
        (250.1, {"severe_hyperglycemia", "above_range", "pregnancy_above_range"}),
    ],
)
def test_band_edges(value: float, bands: set[str]) -> None:
    assert shares(value) == dict.fromkeys(bands, 100.0)


def test_readings_beyond_a_limit_are_counted_for_any_source() -> None:
    values = [53.9, 54.0, 69.9, 70.0, 180.0, 180.1, 250.0, 250.1]
    row = row_of(batch(readings(at_steps(values, 4 * HOUR))))
    assert [row[f"{HYPO}.readings_below_{n}"] for n in (54, 70)] == [1, 3]
    assert [row[f"{HYPER}.readings_above_{n}"] for n in (180, 250)] == [3, 1]


def mixed(percent: float, inside: float, outside: float) -> list[tuple[int, float | None]]:
    """More than ten days of which so many percent have the one value."""
    number = 3000
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


@pytest.mark.parametrize(
    ("name", "limit", "inside"),
    [
        ("time_in_range_target", 70, 110.0),
        ("time_below_range_target", 4, 60.0),
        ("time_above_range_target", 25, 190.0),
        ("older_time_in_range_target", 50, 170.0),
        ("older_time_below_range_target", 1, 60.0),
        ("pregnancy_time_in_range_target", 70, 63.0),
    ],
)
def test_targets_have_their_limit(name: str, limit: float, inside: float) -> None:
    # 150 lies above the range of pregnancy and within the one of others; the rest is far from what is counted
    outside = 150.0 if inside in {60.0, 63.0, 190.0} else 300.0
    below, at, above = (
        row_of(batch(readings(mixed(percent, inside, outside))))[f"{ASSESSMENT}.{name}"]
        for percent in (limit - 0.1, limit, limit + 0.1)
    )
    assert (below, at, above) == ("below", "at", "above")


@pytest.mark.parametrize(
    ("name", "limit", "counted", "rest"),
    [
        ("time_below_54_target", 1, 53.9, 54.0),
        ("time_above_250_target", 5, 250.1, 250.0),
        ("older_time_above_250_target", 10, 250.1, 250.0),
        ("pregnancy_time_below_range_target", 4, 62.9, 63.0),
        ("pregnancy_time_below_54_target", 1, 53.9, 54.0),
        ("pregnancy_time_above_range_target", 25, 140.1, 140.0),
    ],
)
def test_limits_of_time_far_outside(name: str, limit: float, counted: float, rest: float) -> None:
    below, at, above = (
        row_of(batch(readings(mixed(percent, counted, rest))))[f"{ASSESSMENT}.{name}"]
        for percent in (limit - 0.1, limit, limit + 0.1)
    )
    assert (below, at, above) == ("below", "at", "above")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        # a flat trace has the J-index 0.001 x value squared
        *(("j_index", value, word) for value, word in [(99, "below"), (100, "ideal"), (141, "ideal"), (142, "good")]),
        *(("j_index", value, word) for value, word in [(173, "good"), (174, "poor"), (200, "poor"), (201, "lack")]),
        # and the risk of its one value, which reaches 1.1, 2.5 and 5 at 94.1, 86.0 and 76.9 mg/dL
        *(("lbgi_risk", value, word) for value, word in [(95, "minimal"), (94, "low"), (87, "low")]),
        *(("lbgi_risk", value, word) for value, word in [(85, "moderate"), (78, "moderate"), (76, "high")]),
        # 4.5 and 9 at 161.1 and 186.8 mg/dL
        *(("hbgi_risk", value, word) for value, word in [(160, "low"), (162, "moderate")]),
        *(("hbgi_risk", value, word) for value, word in [(186, "moderate"), (188, "high")]),
        # and 20 and 40 at 239.2 and 326.0 mg/dL
        *(("adrr_risk", value, word) for value, word in [(238, "low"), (240, "moderate")]),
        *(("adrr_risk", value, word) for value, word in [(325, "moderate"), (327, "high")]),
    ],
)
def test_words_for_the_indices_of_risk(name: str, value: float, word: str) -> None:
    assert row_of(batch(readings(at_steps([value] * 4032))))[f"{ASSESSMENT}.{name}"] == word


@pytest.mark.parametrize(
    ("percent", "zone"),
    [(12.5, "A"), (12.6, "B"), (25, "B"), (25.1, "C"), (37.5, "C"), (37.6, "D"), (50, "D"), (50.1, "E"), (100, "E")],
)
def test_zones_of_the_glycemia_risk_index(percent: float, zone: str) -> None:
    # 1.6 for every percent above 250 mg/dL
    values = [260.0] * round(50 * percent) + [110.0] * round(50 * (100 - percent))
    assert row_of(batch(readings(at_steps(values))))[f"{ASSESSMENT}.gri_zone"] == zone


def test_the_mean_in_the_other_unit() -> None:
    assert row_of(batch(readings(at_steps([99.0, 117.0]))))[f"{STATISTICS}.mean_mmol_per_l"] == 6.0


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
    (found,) = insights.unfold(BLOOD_GLUCOSE, insights.evaluate(BLOOD_GLUCOSE, whole, HABITS), HABITS)
    return found.recommendations


def test_advice_follows_from_what_is_stated() -> None:
    patient = person({"diabetes": "t1", "age": 40})
    lows = [110.0] * 2874 + DEEP_EPISODE
    assert advice(batch(readings(days(10)), people=patient)) == []
    assert advice(batch(readings(days(9)), people=patient)) == ["keep_sensor_connected"]
    assert advice(batch(readings(mixed(60, 110.0, 200.0)), people=patient)) == [
        "discuss_highs",
        "discuss_time_in_range",
    ]
    assert advice(batch(readings(mixed(60, 110.0, 200.0)))) == ["discuss_highs"]
    assert advice(batch(readings(mixed(76, 110.0, 200.0)))) == []
    assert advice(batch(readings(mixed(60, 110.0, 50.0)), people=patient))[-1] == "discuss_time_in_range"
    assert advice(batch(readings(at_steps(lows)), people=patient)) == ["discuss_lows"]
    assert advice(batch(readings(at_steps(lows), source=STELO), people=patient)) == ["discuss_lows"]
    assert advice(batch(readings(days(10), source=STELO), people=patient)) == []
    assert advice(batch(readings(days(20, every=4 * HOUR)), people=patient)) == []


@pytest.mark.parametrize(
    ("values", "step", "found"),
    [
        ([54.0, 60.0, 65.0], 240, []),
        ([53.9, 60.0, 65.0], 240, ["discuss_lows"]),
        ([54.0], 5, []),
        ([41.0], 5, ["discuss_lows"]),
        ([180.0], 5, []),
        ([410.0], 5, ["discuss_highs"]),
        ([110.0] * 2900 + [62.0] * 23 + [110.0] * 3, 5, []),
        ([110.0] * 2900 + [62.0] * 24 + [110.0] * 3, 5, ["discuss_lows"]),
        ([110.0] * 2900 + [62.0] * 2, 5, []),
        ([110.0] * 2900 + [62.0] * 3, 5, ["discuss_lows"]),
        ([110.0] * 38 + [45.0] * 20 + [110.0] * 38, 5, ["discuss_lows", "keep_sensor_connected"]),
        ([62.0] * 864, 5, ["discuss_lows", "keep_sensor_connected"]),
        ([64.1, 135.9] * 1440, 5, []),
        ([63.9, 136.1] * 1440, 5, ["discuss_swings"]),
    ],
)
def test_advice_on_what_was_read(values: list[float], step: int, found: list[str]) -> None:
    assert advice(batch(readings(at_steps(values, step * MINUTE)))) == found


MOST, OLDER = {"diabetes": "t1", "age": 40}, {"diabetes": "t2", "age": 70}
PREGNANT = {"diabetes": "t1", "pregnant": True}


@pytest.mark.parametrize(
    ("facts", "value", "rest", "limit", "found"),
    [
        (MOST, 60.0, 110.0, 4, "discuss_lows"),
        (OLDER, 60.0, 110.0, 1, "discuss_lows"),
        (PREGNANT, 60.0, 110.0, 4, "discuss_lows"),
        (MOST, 260.0, 130.0, 5, "discuss_highs"),
        (OLDER, 260.0, 130.0, 10, "discuss_highs"),
        (PREGNANT, 150.0, 110.0, 25, "discuss_highs"),
    ],
)
def test_a_target_that_is_missed_gives_advice(
    facts: dict[str, object], value: float, rest: float, limit: int, found: str
) -> None:
    # pieces of 10 minutes, too short to be episodes, in 3,000 readings
    def advised(pieces: int) -> list[str]:
        values = ([value] * 2 + [rest] * 6) * pieces
        return advice(batch(readings(at_steps(values + [rest] * (3000 - len(values)))), people=person(facts)))

    assert advised(15 * limit) == [found]
    assert advised(15 * limit - 1) == []


@pytest.mark.parametrize(("facts", "value", "percent"), [(MOST, 110.0, 70), (OLDER, 110.0, 50), (PREGNANT, 110.0, 70)])
def test_too_little_time_in_range_gives_advice(facts: dict[str, object], value: float, percent: int) -> None:
    for more, missed in ((0, True), (1, False)):
        found = advice(batch(readings(mixed(percent + more, value, 190.0)), people=person(facts)))
        assert ("discuss_time_in_range" in found) == missed


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
    frames = [readings(at_steps(levels), subject) for subject, levels in ((1, one), (2, other))]
    together = insights.evaluate(BLOOD_GLUCOSE, batch(*frames), ())
    alone = pl.concat([insights.evaluate(BLOOD_GLUCOSE, batch(frame), ()) for frame in frames], how="vertical_relaxed")
    for metric in BLOOD_GLUCOSE.metrics:
        assert together[metric.path].to_list() == alone[metric.path].to_list(), metric.path


@settings(max_examples=12, deadline=None)
@given(values, st.integers(-400, 400))
def test_whole_days_later_nothing_but_weekdays_and_dates_change(levels: list[float], later: int) -> None:
    moved = ("weekday_distribution", "_events.episodes")
    now, then = (batch(readings(at_steps(levels, start=MIDNIGHT + 7 * HOUR + day * DAY))) for day in (0, later))
    assert comparable(now, *moved) == comparable(then, *moved)
