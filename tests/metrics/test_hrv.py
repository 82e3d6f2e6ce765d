from math import exp, log, sqrt
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etlnarr.metrics import hrv
from etlnarr.metrics.hrv import BASELINE_DAYS, NIGHT_VALUES, WEEK_DAYS
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, nights, readings

Point = tuple[int, float | None]
ASLEEP = (23 * HOUR - DAY, 7 * HOUR)
"""From eleven to seven, from the midnight between them."""


def night(day: int, value: float, count: int = 36, start: int = HOUR) -> list[Point]:
    """Values every five minutes from one o'clock on, half of them a fifth below and half a fifth above."""
    values = [value * (0.8 if number % 2 else 1.2) for number in range(count)]
    return at_steps(values, start=MIDNIGHT + day * DAY + start)


def sessions(*days: int, subject: int = 1) -> pl.DataFrame:
    bounds = [(MIDNIGHT + day * DAY + ASLEEP[0], MIDNIGHT + day * DAY + ASLEEP[1]) for day in days]
    return nights(*bounds, subject=subject)


def logs(*values: float) -> tuple[list[Point], pl.DataFrame]:
    """Nights whose lnRMSSD are these."""
    points = [point for day, value in enumerate(values) for point in night(day, exp(value))]
    return points, sessions(*range(len(values)))


def trend(*values: float) -> dict[str, float | None]:
    points, sleep = logs(*values)
    return hrv.trend(batch(readings(points), sleep=sleep)).drop("subject").row(0, named=True)


def test_a_night_is_what_lies_in_its_session() -> None:
    points = [(MIDNIGHT - 3 * HOUR, 90.0), *night(0, 30.0), (MIDNIGHT + 8 * HOUR, 90.0)]
    (found,) = hrv.nights(batch(readings(points), sleep=sessions(0))).to_dicts()
    assert (found["n"], found["in_session"], found["counts"]) == (36, True, True)
    assert (found["mean"], found["median"]) == (pytest.approx(30.0), pytest.approx(30.0))
    assert (found["lowest"], found["highest"]) == (24.0, 36.0)
    assert found["ln_rmssd"] == pytest.approx(3.401197)  # of the mean: the mean of logarithms is 3.381


def test_a_night_belongs_to_the_day_of_waking() -> None:
    evening = at_steps([30.0] * 40, start=MIDNIGHT - HOUR)
    found = hrv.nights(batch(readings(evening), sleep=sessions(0)))
    assert found["day"].to_list() == [MIDNIGHT // DAY]
    late = [(at - 9 * HOUR, value) for at, value in evening]
    east = hrv.nights(batch(readings(late, offset_s=9 * 3600)))
    assert (east["day"].to_list(), east["in_session"].to_list()) == ([MIDNIGHT // DAY], [False])


@pytest.mark.parametrize(
    ("count", "step", "counts"),
    [
        (29, 5 * MINUTE, False),
        (30, 5 * MINUTE, True),
        (18, 10 * MINUTE, False),
        (19, 10 * MINUTE, True),  # three hours of them
        (2, 4 * HOUR, False),  # two values four hours apart cover ten minutes
    ],
)
def test_a_night_counts_with_thirty_values_or_three_hours(count: int, step: int, counts: bool) -> None:
    points = at_steps([30.0] * count, step, MIDNIGHT + HOUR)
    assert hrv.nights(batch(readings(points), sleep=sessions(0)))["counts"].to_list() == [counts]


@pytest.mark.parametrize(
    ("hour", "kept"), [(18 * HOUR - 1, 0), (18 * HOUR, 1), (23 * HOUR, 1), (36 * HOUR - 1, 1), (36 * HOUR, 0)]
)
def test_without_a_session_the_night_is_from_six_to_noon(hour: int, kept: int) -> None:
    found = hrv.nights(batch(readings([(MIDNIGHT + hour, 30.0)])))
    assert found["day"].to_list() == [MIDNIGHT // DAY + 1] * kept
    assert not found["in_session"].any()


def test_without_session_or_local_time_no_night_is_known() -> None:
    points = night(0, 30.0)
    assert hrv.nights(batch(readings(points, offset_s=None))).is_empty()
    (found,) = hrv.nights(batch(readings(points, offset_s=None), sleep=sessions(0))).to_dicts()
    assert (found["in_session"], found["dated"]) == (True, False)


def test_where_a_session_is_known_nights_without_one_do_not_count() -> None:
    points = [*night(0, 30.0), *night(1, 60.0)]
    assert hrv.nights(batch(readings(points), sleep=sessions(1)))["mean"].to_list() == [pytest.approx(60.0)]


def test_a_night_of_zeros_has_no_logarithm() -> None:
    assert hrv.nights(batch(readings(night(0, 0.0)), sleep=sessions(0)))["ln_rmssd"].to_list() == [None]


def test_nights_are_averaged_and_the_latest_has_its_logarithm() -> None:
    points = [*night(0, 20.0), *night(1, 40.0), *night(2, 99.0, count=29)]
    (found,) = hrv.nightly(batch(readings(points), sleep=sessions(0, 1, 2))).to_dicts()
    assert (found["nights"], found["in_session"]) == (2, True)
    assert found["nightly_mean"] == found["nightly_median"] == pytest.approx(30.0)
    assert found["ln_rmssd"] == pytest.approx(log(40.0))


def test_where_no_night_counts_all_are_averaged() -> None:
    points = [*night(0, 20.0, count=10), *night(1, 40.0, count=10)]
    (found,) = hrv.nightly(batch(readings(points), sleep=sessions(0, 1))).to_dicts()
    assert (found["nights"], found["nightly_mean"]) == (0, pytest.approx(30.0))
    assert hrv.trend(batch(readings(points), sleep=sessions(0, 1))).is_empty()


def test_the_last_seven_nights_stand_against_those_before() -> None:
    before = [3.0, 3.2] * 7  # mean 3.1
    found = trend(*before, *[3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6])
    assert (found["baseline_nights"], found["seven_day_nights"]) == (14, 7)
    assert found["baseline_mean"] == pytest.approx(3.1)
    sd = sqrt(14 * 0.01 / 13)
    assert found["baseline_sd"] == pytest.approx(sd)
    assert found["seven_day_mean"] == pytest.approx(3.3)
    assert found["cv_7"] == pytest.approx(6.546203)  # SD of the seven is 0.216025
    assert found["swc_low"] == pytest.approx(3.1 - sd / 2)
    assert found["swc_high"] == pytest.approx(3.1 + sd / 2)
    assert found["deviation"] == pytest.approx(0.2 / sd)
    in_ms = (found["baseline_ms"], found["seven_day_ms"], found["swc_low_ms"], found["swc_high_ms"])
    assert in_ms == pytest.approx((22.197951, 27.112639, 21.075532, 23.380146))  # e to 3.1, 3.3, 3.0481125, 3.1518875


def test_nights_are_counted_by_the_calendar() -> None:
    days = [0, 20, 27, 28, 33, 34]  # from the last: 34, 14, 7 | 6, 1, 0 days
    points = [point for day in days for point in night(day, 30.0)]
    (found,) = hrv.trend(batch(readings(points), sleep=sessions(*days))).to_dicts()
    assert (found["seven_day_nights"], found["baseline_nights"]) == (3, 3)
    older = [point for day in [*days, 35] for point in night(day, 30.0)]
    (later,) = hrv.trend(batch(readings(older), sleep=sessions(*days, 35))).to_dicts()
    assert (later["seven_day_nights"], later["baseline_nights"]) == (3, 3)  # 28 has left the week, 0 the baseline
    assert (WEEK_DAYS, BASELINE_DAYS, NIGHT_VALUES) == (7, 28, 30)


def test_a_baseline_without_spread_has_no_band_to_leave() -> None:
    found = trend(*[3.0] * 8)
    assert (found["baseline_sd"], found["deviation"], found["swc_low"]) == (None, None, None)
    even = hrv.trend(batch(readings([p for d in range(9) for p in night(d, 30.0)]), sleep=sessions(*range(9))))
    assert even["deviation"].to_list() == [None]


def test_a_single_night_is_told_by_the_hour_and_more_by_the_night() -> None:
    single = batch(readings(night(0, 30.0, count=13)), sleep=sessions(0))
    (rows,) = hrv.series(single)["series"].to_list()
    assert [(row["label"], row["n"]) for row in rows] == [("2025-03-03 01:00", 12), ("2025-03-03 02:00", 1)]
    points, sleep = logs(3.0, 3.1)
    (several,) = hrv.series(batch(readings(points), sleep=sleep))["series"].to_list()
    assert [(row["label"], row["n"]) for row in several] == [("night to 2025-03-03", 36), ("night to 2025-03-04", 36)]
    assert several[0]["mean"] == pytest.approx(exp(3.0), abs=1e-6)


def test_values_of_no_night_are_told_by_the_hour() -> None:
    (rows,) = hrv.series(batch(readings([(MIDNIGHT, 30.0)], offset_s=None)))["series"].to_list()
    assert rows == [{"label": "hour 1", "n": 1, "mean": 30.0, "lowest": 30.0, "highest": 30.0}]


VALUES = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), min_size=1, max_size=40)


@given(VALUES, VALUES, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_neither_row_order_nor_company_matters(
    first: list[tuple[int, int]], second: list[tuple[int, int]], random: Random
) -> None:
    frames = [
        readings([(MIDNIGHT + at * 15 * MINUTE, float(value)) for at, value in points], subject)
        for subject, points in ((1, first), (2, second))
    ]
    sleep = pl.concat([sessions(0, 1, 2, subject=1), sessions(3, subject=2)])
    order = list(range(len(first) + len(second)))
    random.shuffle(order)
    whole = batch(pl.concat(frames)[order], sleep=sleep)
    for table in (hrv.nightly, hrv.trend, hrv.series):
        apart = pl.concat([table(batch(frame, sleep=sleep)) for frame in frames])
        assert_frame_equal(table(whole).sort("subject"), apart.sort("subject"), abs_tol=1e-9)
