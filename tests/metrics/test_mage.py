import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlnarr.metrics import mage as module
from etlnarr.metrics.mage import mage
from tests.traces import HOUR, MINUTE, at_steps, batch, readings

Point = tuple[int, float | None]


def wave(hours: int, low: float, high: float, period: int = 4) -> list[float]:
    """Values every 5 minutes that start at the middle, rise to the high and fall to the low."""
    middle, reach = (low + high) / 2, (high - low) / 2
    return [middle + reach * math.sin(2 * math.pi * n / (12 * period)) for n in range(12 * hours)]


def found(points: list[Point]) -> float | None:
    rows = mage(batch(readings(points)))["mage"].to_list()
    return rows[0] if rows else None


def test_a_regular_wave_has_the_height_of_its_excursions() -> None:
    assert found(at_steps(wave(48, 80.0, 180.0))) == pytest.approx(100.0, rel=0.03)


def test_ripples_within_one_standard_deviation_are_no_excursions() -> None:
    slow, ripple = wave(48, 80.0, 180.0, period=8), wave(48, -10.0, 10.0, period=2)
    plain = found(at_steps(slow))
    rippled = found(at_steps([a + b for a, b in zip(slow, ripple, strict=True)]))
    assert plain is not None
    assert rippled is not None
    assert plain <= rippled <= plain + 20.0


def test_a_single_rise_is_its_height() -> None:
    # one stretch, one nadir, one peak: there are no falls to average with
    assert found(at_steps([80.0] * 40 + [80.0 + 2 * n for n in range(41)])) == pytest.approx(80.0)


def test_rises_and_falls_count_alike() -> None:
    # a rise of 60 and a fall of 100
    values = [140.0] * 40 + [140.0 + 2 * n for n in range(31)] + [200.0 - 2 * n for n in range(51)] + [100.0] * 40
    assert found(at_steps(values)) == pytest.approx(80.0)


def test_a_flat_trace_has_no_excursion() -> None:
    assert found(at_steps([100.0] * 288)) is None


@pytest.mark.parametrize(("readings_there", "known"), [(32, False), (33, True)])
def test_a_long_mean_takes_32_grid_values(readings_there: int, known: bool) -> None:
    # the grid begins after the first reading
    values = [100.0 + 3 * n for n in range(readings_there)]
    assert (found(at_steps(values)) is not None) == known


def test_finger_sticks_have_none() -> None:
    assert found(at_steps(wave(40, 80.0, 180.0), HOUR)) is None


def test_segments_are_weighted_by_their_time() -> None:
    # a rise of 80 in 355 minutes of grid, one of 160 in 560 minutes, four hours apart
    first = at_steps([100.0] * 33 + [100.0 + 2 * n for n in range(1, 41)])
    second = at_steps([80.0] * 33 + [80.0 + 2 * n for n in range(1, 81)], start=first[-1][0] + 4 * HOUR)
    assert found(first + second) == pytest.approx((80.0 * 355 + 160.0 * 560) / (355 + 560))


@pytest.mark.parametrize(("hole", "segments"), [(180 * MINUTE, 1), (185 * MINUTE, 2)])
def test_a_hole_of_more_than_three_hours_splits_the_trace(hole: int, segments: int) -> None:
    # a rise before the hole and one after it: as one trace there is a single rise of 160
    before = at_steps([80.0] * 33 + [80.0 + 2 * n for n in range(1, 41)])
    after = at_steps([160.0] * 33 + [160.0 + 2 * n for n in range(1, 41)], start=before[-1][0] + hole)
    assert found(before + after) == pytest.approx(160.0 / segments)


def test_a_peak_before_its_crossing_point_is_found() -> None:
    # swings of 50 minutes: the long mean lags, and a peak has passed by the time the short one crosses it
    up, down = [60.0 + 24 * n for n in range(5)], [180.0 - 24 * n for n in range(5)]
    assert found(at_steps([60.0] * 40 + 3 * (up + down) + [60.0] * 40)) == pytest.approx(120.0)


def test_a_trace_that_swings_with_every_reading_is_settled_in_few_passes() -> None:
    swings = [100.0 + (60.0 - n / 40) * (-1) ** n for n in range(1500)]
    # the swings that exceed one standard deviation shrink from 120 to 85 mg/dL
    assert found(at_steps(swings)) == pytest.approx(91.0, abs=12.0)


def legs(values: list[float], sd: float) -> list[float]:
    """Walk along turning points and keep the legs beyond one standard deviation, as the description reads."""
    low = high = last = pivot = values[0]
    way, found = 0, []
    for value in values[1:]:
        if way == 0:
            low, high = min(low, value), max(high, value)
            if value - low > sd:
                way, pivot, last = 1, low, value
            elif high - value > sd:
                way, pivot, last = -1, high, value
        elif way * (value - last) >= 0:
            last = value
        elif way * (last - value) > sd:
            found.append(last - pivot)
            way, pivot, last = -way, last, value
    return [*found, last - pivot] if way else found


@given(st.lists(st.integers(0, 30), min_size=2, max_size=40), st.integers(1, 20))
def test_pruning_keeps_what_a_walk_keeps(heights: list[int], sd: int) -> None:
    values = [float(height) for height in heights]
    turns = pl.DataFrame({"subject": 1, "segment": 0, "value": values, "sd": float(sd)})
    kept = module._excursions(turns)["value"].diff().drop_nulls().to_list()
    assert kept == legs(values, sd)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(50, 300), min_size=33, max_size=120), min_size=2, max_size=3))
def test_subjects_do_not_touch_each_other(many: list[list[int]]) -> None:
    frames = [readings(at_steps([float(v) for v in values]), subject=n) for n, values in enumerate(many)]
    together = mage(batch(*frames)).sort("subject")
    alone = pl.concat([mage(batch(frame)) for frame in frames]).sort("subject")
    assert together["subject"].equals(alone["subject"])
    assert together["mage"].to_list() == pytest.approx(alone["mage"].to_list())
