import pytest

from etlnarr.metrics.dawn import dawn
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, at_steps, batch, nights, readings

Point = tuple[int, float | None]
WAKE = 7 * HOUR


def night(rise: float, day: int = 0, lowest: float = 90.0) -> list[Point]:
    """A night from 22:00 to 08:00: at 02:00 the lowest value, from 06:00 on the rise above it."""
    start = MIDNIGHT + day * DAY - 2 * HOUR
    values = [110.0] * 48 + [lowest] * 12 + [lowest + 5.0] * 36 + [lowest + rise] * 24
    return at_steps(values, start=start)


def asleep(day: int = 0, fell: int = -HOUR, wake: int = WAKE) -> tuple[int, int]:
    return (MIDNIGHT + day * DAY + fell, MIDNIGHT + day * DAY + wake)


def found(points: list[Point], *sleep: tuple[int, int], offset_s: int | None = 0) -> tuple[object, ...] | None:
    rows = dawn(batch(readings(points, offset_s=offset_s), sleep=nights(*sleep))).drop("subject").rows()
    return rows[0] if rows else None


def test_three_nights() -> None:
    points = [*night(30.0), *night(20.0, day=1), *night(19.0, day=2)]
    elevation, count, frequency = found(points, asleep(0), asleep(1), asleep(2)) or (None, None, None)
    assert (elevation, count) == (23.0, 3)
    assert frequency == pytest.approx(200 / 3)  # 20 mg/dL is enough, 19 are not


def test_only_the_last_half_hour_before_waking_is_compared() -> None:
    # who wakes at 06:15 has had two readings of the half hour before the rise at 06:00, and four on it
    elevation, _, _ = found(night(30.0), asleep(wake=6 * HOUR + 15 * MINUTE)) or (None, None, None)
    assert elevation == pytest.approx((2 * 5.0 + 4 * 30.0) / 6)


def test_the_lowest_value_is_sought_while_asleep() -> None:
    # asleep from 02:30: the first of the low hour has passed, the rest has not; from 03:01 it is over
    assert found(night(30.0), asleep(fell=150 * MINUTE)) == (30.0, 1, 100.0)


@pytest.mark.parametrize(("fell", "counts"), [(3 * HOUR, True), (3 * HOUR + 1, False)])
def test_a_night_needs_three_hours_of_sleep_before_six(fell: int, counts: bool) -> None:
    assert (found(night(30.0), asleep(fell=fell)) is not None) == counts


def test_waking_early_ends_the_night() -> None:
    assert found(night(30.0), asleep(wake=3 * HOUR)) is not None
    assert found(night(30.0), asleep(wake=3 * HOUR - 1)) is None


@pytest.mark.parametrize(("missing", "counts"), [(1, True), (2, False)])
def test_two_missing_readings_spoil_a_night(missing: int, counts: bool) -> None:
    points = night(30.0)
    assert (found(points[:60] + points[60 + missing :], asleep()) is not None) == counts


def test_readings_must_reach_from_sleep_to_waking() -> None:
    points = night(30.0)
    at_midnight, at_seven = 24, 24 + 7 * 12
    assert found(points[at_midnight + 2 :], asleep()) is not None
    assert found(points[at_midnight + 3 :], asleep()) is None
    assert found(points[: at_seven - 1], asleep()) is not None
    assert found(points[: at_seven - 2], asleep()) is None


@pytest.mark.parametrize(("lowest", "counts"), [(70.0, True), (69.0, False)])
def test_what_follows_a_low_is_no_dawn_phenomenon(lowest: float, counts: bool) -> None:
    assert (found(night(30.0, lowest=lowest), asleep()) is not None) == counts


def test_the_night_is_local() -> None:
    west = [(start + 5 * HOUR, value) for start, value in night(30.0)]
    sleep = tuple(at + 5 * HOUR for at in asleep())
    assert found(west, (sleep[0], sleep[1]), offset_s=-5 * 3600) == (30.0, 1, 100.0)


def test_of_two_sessions_of_a_date_the_first_is_the_night() -> None:
    # the second begins after the low hour, from which the rise is smaller
    second = asleep(fell=3 * HOUR, wake=8 * HOUR - 5 * MINUTE)
    assert found(night(30.0), second) == (25.0, 1, 100.0)
    assert found(night(30.0), second, asleep()) == (30.0, 1, 100.0)


def test_without_sleep_or_clock_nothing_is_known() -> None:
    assert found(night(30.0)) is None
    assert found(night(30.0), asleep(), offset_s=None) is None
