import polars as pl
import pytest

from etlnarr.metrics import grid
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, readings

SLOT = MIDNIGHT // (5 * MINUTE)


def gridded(points: list[tuple[int, float | None]], offset_s: int | None = 0) -> dict[int, float]:
    rows = grid.on_grid(grid.trace(readings(points, offset_s=offset_s)))
    return {slot - SLOT: value for _, slot, value in rows.rows()}


@pytest.mark.parametrize(("step", "kept"), [(15 * MINUTE, 3), (15 * MINUTE + 30_000, 0), (4 * HOUR, 0)])
def test_only_sensors_have_a_trace(step: int, kept: int) -> None:
    assert grid.trace(readings(at_steps([100.0, 110.0, 120.0], step))).height == kept


def test_readings_without_an_interval_have_no_trace() -> None:
    assert grid.trace(readings([(MIDNIGHT, 100.0)])).is_empty()
    assert grid.trace(readings(at_steps([100.0, 110.0], 100))).is_empty()  # a step of no whole second


def test_a_trace_that_is_in_order_is_known_to_be() -> None:
    """Sums over sorted subjects differ from others in their last digits."""
    ordered = readings(at_steps([100.0, 110.0, 120.0])).with_columns(pl.Series("subject", [1, 1, 2]).cast(pl.Int64))
    for frame in (ordered, ordered.reverse()):
        assert grid.trace(frame)["subject"].flags["SORTED_ASC"]
    assert grid.trace(ordered).equals(grid.trace(ordered.reverse()))


def test_a_trace_has_one_value_per_instant_without_noise() -> None:
    points = [
        (MIDNIGHT, 88.99999999999999),
        (MIDNIGHT, 90.0),
        (MIDNIGHT + 5 * MINUTE, None),
        *at_steps([70.0], 1, MIDNIGHT + 10 * MINUTE),
    ]
    found = grid.trace(readings(points).with_columns(modified=pl.Series([1, 0, 0, 0])))
    assert found["value"].to_list() == [89.0, 70.0]


@pytest.mark.parametrize(("step", "block"), [(45 * MINUTE, 0), (45 * MINUTE + 1, 1)])
def test_a_step_of_more_than_45_minutes_breaks_the_trace(step: int, block: int) -> None:
    points = at_steps([100.0] * 3)
    found = grid.trace(readings([*points, (points[-1][0] + step, 100.0)]))
    assert found["block"].to_list() == [0, 0, 0, block]


def test_values_between_readings_lie_on_the_line() -> None:
    points = [(MIDNIGHT + MINUTE, 100.0), (MIDNIGHT + 11 * MINUTE, 120.0), (MIDNIGHT + 21 * MINUTE, 110.0)]
    assert gridded([*points]) == pytest.approx({1: 108.0, 2: 118.0, 3: 116.0, 4: 111.0})


def test_the_grid_begins_after_the_first_reading() -> None:
    assert gridded(at_steps([100.0, 110.0, 120.0])) == {1: 110.0, 2: 120.0}


def test_long_gaps_stay_empty_but_for_a_reading_on_the_grid() -> None:
    after = MIDNIGHT + 60 * MINUTE
    points = at_steps([100.0, 100.0, 100.0])
    assert sorted(gridded([*points, *at_steps([130.0, 130.0], start=after)])) == [1, 2, 12, 13]
    assert sorted(gridded([*points, *at_steps([130.0, 130.0], start=after + 1)])) == [1, 2, 13]


def test_the_grid_follows_the_local_midnight() -> None:
    # 2 minutes past a local quarter that is no multiple of 5 minutes in UTC
    points = at_steps([100.0, 105.0, 110.0])
    assert gridded(points, offset_s=120) == pytest.approx({1: 103.0, 2: 108.0})
    assert gridded(points, offset_s=None) == {1: 105.0, 2: 110.0}


def test_modd_and_conga_by_hand() -> None:
    # two days of 100, then a third of 130: of 576 pairs a day apart half differ by 30
    values = [100.0] * 576 + [130.0] * 289
    row = grid.between_hours(batch(readings(at_steps(values)))).row(0, named=True)
    assert row["modd"] == pytest.approx(15.0)
    assert row["modd_matched"] == pytest.approx(100.0)
    # of 852 pairs an hour apart 12 differ by 30: variance 900 x 12/852 x 840/852 x 852/851
    assert row["conga_1"] == pytest.approx((900 * 12 * 840 / 852 / 851) ** 0.5)


def test_a_day_has_no_pairs_a_day_apart() -> None:
    row = grid.between_hours(batch(readings(at_steps([100.0] * 288)))).row(0, named=True)
    assert (row["modd"], row["modd_matched"], row["conga_24"]) == (None, None, None)
    assert row["conga_4"] == 0.0


def test_matched_counts_the_pairs_that_a_whole_trace_would_have() -> None:
    # two days, of the second only every other hour
    second = [point for point in at_steps([100.0] * 288, start=MIDNIGHT + DAY) if (point[0] // HOUR) % 2]
    row = grid.between_hours(batch(readings(at_steps([100.0] * 288) + second))).row(0, named=True)
    assert row["modd_matched"] == pytest.approx(100 * 144 / 287)


def test_area_leaves_out_long_steps() -> None:
    points = [
        *at_steps([100.0, 160.0, 100.0], 15 * MINUTE),
        *at_steps([200.0, 200.0], 15 * MINUTE, MIDNIGHT + 2 * HOUR),
    ]
    row = grid.area(batch(readings(points))).row(0, named=True)
    # (130 + 130 + 200) mg/dL over a quarter of an hour each
    assert (row["auc"], row["auc_hourly"]) == (pytest.approx(115.0), pytest.approx(460 / 3))
