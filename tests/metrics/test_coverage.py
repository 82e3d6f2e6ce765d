import pytest

from etlnarr.metrics.coverage import coverage
from tests.traces import DAY, MIDNIGHT, MINUTE, at_steps, batch, readings

WEEK = [100.0] * 2016


def found(points: list[tuple[int, float | None]]) -> dict[str, float]:
    return coverage(batch(readings(points))).row(0, named=True)


def test_a_whole_day_is_one_day() -> None:
    row = found(at_steps([100.0] * 288))
    assert (row["days"], row["active_percent"], row["gaps"]) == (1.0, 100.0, 0)
    assert row["active_percent_14d"] == pytest.approx(100 / 14)


def test_missing_readings_lower_the_share() -> None:
    day = at_steps([100.0] * 288)
    row = found(day[:100] + day[172:])
    assert (row["days"], row["active_percent"], row["gaps"]) == (1.0, 75.0, 1)


@pytest.mark.parametrize(("step", "gaps"), [(450_000, 0), (450_001, 1)])
def test_a_gap_is_longer_than_one_and_a_half_intervals(step: int, gaps: int) -> None:
    day = at_steps([100.0] * 5)
    assert found([*day, *at_steps([100.0] * 5, start=day[-1][0] + step)])["gaps"] == gaps


def test_only_the_last_fortnight_counts_for_its_share() -> None:
    first, last = at_steps(WEEK), at_steps(WEEK, start=MIDNIGHT + 14 * DAY)
    row = found(first + last)
    assert row["days"] == 21.0
    assert row["active_percent"] == pytest.approx(200 / 3)
    assert row["active_percent_14d"] == pytest.approx(50.0)


def test_readings_that_come_early_do_not_exceed_all() -> None:
    early = [(start + 2 * MINUTE, value) for start, value in at_steps([100.0])]
    assert found(sorted(at_steps([100.0] * 30) + early))["active_percent"] == 100.0


def test_finger_sticks_have_no_coverage() -> None:
    assert coverage(batch(readings(at_steps([100.0] * 9, 240 * MINUTE)))).is_empty()
