import pytest

from etlnarr.metrics import energy
from tests.amounts import amounts
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch, person

MASS = 60.0
"""At 60 kg a kilocalorie a minute is one MET above rest."""


def minutes(*kcal: float, start: int = MIDNIGHT, step: int = MINUTE) -> list[tuple[int, int, float, int]]:
    return [(start + n * step, start + n * step + MINUTE, value, MIDNIGHT + 9 * DAY) for n, value in enumerate(kcal)]


def found(rows: list[tuple[int, int, float, int]], mass: float | None = MASS) -> list[dict[str, object]]:
    return energy.intensity(batch(amounts(rows), people=person({"mass_kg": mass}))).to_dicts()


@pytest.mark.parametrize(
    ("kcal", "bands"),
    [(1.99, (1, 0, 0)), (2.0, (0, 1, 0)), (4.99, (0, 1, 0)), (5.0, (0, 0, 1))],
)
def test_bands_of_effort(kcal: float, bands: tuple[int, int, int]) -> None:
    (row,) = found(minutes(kcal))
    assert (row["light_minutes"], row["moderate_minutes"], row["vigorous_minutes"]) == bands
    assert row["mean_met"] == pytest.approx(kcal + 1)


def test_the_mean_is_over_time() -> None:
    rows = [*minutes(5.0), (MIDNIGHT + HOUR, MIDNIGHT + HOUR + 3 * MINUTE, 3.0, MIDNIGHT + 9 * DAY)]
    assert found(rows)[0]["mean_met"] == pytest.approx((6 * 1 + 2 * 3) / 4)


@pytest.mark.parametrize(("length", "rows"), [(0, 0), (10 * MINUTE, 1), (10 * MINUTE + 1, 0)])
def test_long_records_average_effort_and_rest(length: int, rows: int) -> None:
    assert len(found([(MIDNIGHT, MIDNIGHT + length, 20.0, 0)])) == rows


def test_without_a_mass_there_is_no_effort() -> None:
    assert found(minutes(5.0), None) == []


@pytest.mark.parametrize(("length", "sessions"), [(9, 0), (10, 1)])
def test_a_session_lasts_ten_minutes(length: int, sessions: int) -> None:
    (row,) = found([*minutes(*[3.0] * length), *minutes(0.5, start=MIDNIGHT + HOUR)])
    assert (row["sessions"], row["sessions_minutes"]) == (sessions, 10.0 * sessions)


@pytest.mark.parametrize(("gap", "sessions"), [(2 * MINUTE, 1), (2 * MINUTE + 1, 0)])
def test_a_gap_of_more_than_two_minutes_ends_a_session(gap: int, sessions: int) -> None:
    (row,) = found([*minutes(*[3.0] * 6), *minutes(*[3.0] * 6, start=MIDNIGHT + 6 * MINUTE + gap)])
    assert row["sessions"] == sessions


def test_light_effort_ends_a_session() -> None:
    (row,) = found(minutes(*[3.0] * 9, 1.0, *[3.0] * 9))
    assert row["sessions"] == 0


def test_a_week_is_reckoned_from_the_complete_days() -> None:
    one_day = [*minutes(0.1), *minutes(*[3.0] * 10, *[6.0] * 5, start=MIDNIGHT + HOUR)]
    rows = [*one_day, *minutes(0.1, start=MIDNIGHT + DAY), *minutes(*[3.0] * 9, start=MIDNIGHT + 2 * DAY)]
    rows[-9:] = [(start, end, value, end) for start, end, value, _ in rows[-9:]]  # the third day is not over
    rows[:-9] = [(start, end, value, MIDNIGHT + 2 * DAY) for start, end, value, _ in rows[:-9]]
    (row,) = found(rows)
    assert row["weekly_minutes"] == pytest.approx(7 * (10 + 2 * 5) / 2)
    assert row["moderate_minutes"] == 19


def test_without_a_complete_day_there_is_no_week() -> None:
    (row,) = found(minutes(3.0, start=MIDNIGHT + 7 * HOUR))
    assert row["weekly_minutes"] is None


@pytest.mark.parametrize(("sex", "rate"), [("male", 1780.0), ("female", 1614.0), (None, None), ("other", None)])
def test_resting_rate(sex: str | None, rate: float | None) -> None:
    body = person({"sex": sex, "age": 30, "mass_kg": 80.0, "height_cm": 180.0})  # 800 + 1125 - 150 = 1775
    assert body.select(energy.basal_rate()).to_series().to_list() == [rate]


@pytest.mark.parametrize("unknown", ["age", "mass_kg", "height_cm"])
def test_the_resting_rate_needs_all_of_the_body(unknown: str) -> None:
    body = person({"sex": "male", "age": 30, "mass_kg": 80.0, "height_cm": 180.0, unknown: None})
    assert body.select(energy.basal_rate()).to_series().to_list() == [None]
