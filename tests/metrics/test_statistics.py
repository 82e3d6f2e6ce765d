import polars as pl
import pytest

from etlnarr.metrics.statistics import override, statistics
from etlnarr.model import Gate, Metric
from tests.traces import at_steps, readings

DECLARED = statistics("p", "readings", "bpm", 1)


def found(*values: float | None) -> dict[str, float | None]:
    frame = readings(at_steps([0.0] * len(values))).with_columns(value=pl.Series(values, dtype=pl.Float64))
    row = frame.group_by("subject").agg(metric.agg.alias(metric.path) for metric in DECLARED if metric.agg is not None)
    return {path.removeprefix("p."): value for path, value in row.drop("subject").row(0, named=True).items()}


def test_eight_values_worked_by_hand() -> None:
    row = found(2, 4, 4, 4, 5, 5, 7, 9)
    assert row == pytest.approx(
        {
            "count": 8,
            "mean": 5.0,
            "median": 4.5,
            "std": 2.138089935,  # root of 32 / 7
            "min": 2.0,
            "max": 9.0,
            "range": 7.0,
            "cv": 42.7617987,
            "percentiles.p5": 2.7,  # 0.35 of the way from the first to the second
            "percentiles.p25": 4.0,
            "percentiles.p75": 5.5,
            "percentiles.p95": 8.3,
            "outliers.count": 1,  # 9 lies beyond 5.5 + 1.5 x 1.5, 2 above 4 - 2.25
        }
    )


def test_one_value_has_no_spread() -> None:
    row = found(80.0)
    assert (row["std"], row["cv"]) == (None, None)
    assert (row["count"], row["mean"], row["range"], row["outliers.count"]) == (1, 80.0, 0.0, 0)


def test_missing_values_take_no_part() -> None:
    row = found(10.0, None, 20.0)
    assert (row["count"], row["mean"]) == (2, 15.0)


def test_without_values_there_is_only_a_count() -> None:
    row = found(None, None)
    assert row.pop("count") == 0
    assert set(row.values()) == {None}


def test_a_mean_of_zero_has_no_coefficient_of_variation() -> None:
    row = found(-1.0, 1.0)
    assert row["cv"] is None


@pytest.mark.parametrize(("last", "outliers"), [(7.0, 0), (7.01, 1)])
def test_an_outlier_lies_beyond_the_fence(last: float, outliers: int) -> None:
    # quartiles 2 and 4: the upper fence is 4 + 1.5 x 2 = 7
    assert found(1, 2, 3, 4, last)["outliers.count"] == outliers


def test_gates_go_to_the_metric_they_name() -> None:
    gate = Gate(pl.lit(value=True), "reason", "needs")
    gated = statistics("p", "readings", "bpm", 1, {"percentiles.p5": (gate,)})
    assert [metric.path for metric in gated if metric.gates] == ["p.percentiles.p5"]


def test_an_override_takes_the_place_of_its_path() -> None:
    weighted = Metric("p.mean", "bpm", 1, "weighted by time", "own", agg=pl.col("value").max())
    replaced = override(DECLARED, weighted)
    assert [metric.path for metric in replaced] == [metric.path for metric in DECLARED]
    assert replaced[1] is weighted


def test_an_override_of_nothing_is_a_slip() -> None:
    with pytest.raises(KeyError):
        override(DECLARED, Metric("p.meen", "bpm", 1, "misspelt", "own"))
