import polars as pl
import pytest

from etlnarr.metrics.regularity import circular_mean, circular_sd, consistency, regularity
from etlnarr.metrics.sleep import choose
from tests.sessions import fortnight, session, unstaged
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch, reference

NIGHT = [("SLEEPING", 480.0)]


def of_minutes(*minutes: float) -> tuple[float | None, float | None]:
    frame = pl.DataFrame({"m": minutes}, schema={"m": pl.Float64})
    return frame.select(circular_mean(pl.col("m")), sd=circular_sd(pl.col("m"))).row(0)


def nights_from(days: range, hour: float = 0, minutes: float = 480, subject: int = 1) -> pl.DataFrame:
    return pl.concat(
        session(MIDNIGHT + day * DAY + round(hour * HOUR), [("SLEEPING", minutes)], subject=subject, record=day)
        for day in days
    )


def test_times_on_both_sides_of_midnight_have_their_mean_at_midnight() -> None:
    mean, sd = of_minutes(1380, 60)
    assert mean == pytest.approx(0)
    assert sd == pytest.approx(60.35, abs=0.01)  # a little above the linear 60 of the population


def test_times_that_point_everywhere_have_no_mean() -> None:
    assert of_minutes(0, 720) == (None, None)
    assert of_minutes() == (None, None)


def test_one_time_has_no_spread_and_equal_times_none_either() -> None:
    assert of_minutes(300)[1] is None
    mean, sd = of_minutes(300, 300, 300)
    assert mean == 300
    assert sd == pytest.approx(0, abs=1e-4)


def test_the_fortnight_agrees_with_the_reference() -> None:
    found = consistency(batch(fortnight())).row(0, named=True)
    for name, key in (
        ("midpoint_sd", "midpoint_circular_sd_min"),
        ("social_jetlag", "social_jetlag_min"),
        ("free_nights", "free_nights"),
        ("free_midpoint", "freeday_midpoint_min"),
        ("work_midpoint", "workday_midpoint_min"),
    ):
        assert found[name] == pytest.approx(reference("sleep_14d", "values", key), rel=1e-6)
    index = regularity(batch(fortnight())).row(0, named=True)
    expected = reference("sleep_14d", "values", "SRI_pooled_calendar_days2_13_30s")
    assert index == {"subject": 1, "complete_days": 12, "regularity_index": pytest.approx(expected, rel=1e-6)}


def test_jetlag_goes_the_short_way_round_midnight() -> None:
    """Work nights have their middle at 23:30, free ones at 01:00."""
    work = nights_from(range(3), hour=19.5)
    free = nights_from(range(5, 6), hour=-3 + 24)
    found = consistency(batch(pl.concat([work, free]))).row(0, named=True)
    assert (found["work_nights"], found["free_nights"]) == (3, 1)
    assert (found["work_midpoint"], found["free_midpoint"]) == (pytest.approx(1410), pytest.approx(60))
    assert found["social_jetlag"] == pytest.approx(90)


def test_clocks_need_every_offset() -> None:
    known, unknown = nights_from(range(3)), unstaged(MIDNIGHT + 3 * DAY, 480, offset_s=None)
    assert consistency(batch(known)).height == 1
    assert consistency(batch(known, unknown)).is_empty()


def test_a_night_without_stages_has_bed_and_wake_times_and_no_midpoint() -> None:
    staged, plain = nights_from(range(2), hour=1), unstaged(MIDNIGHT + 2 * DAY + 3 * HOUR, 480, record=2)
    found = consistency(batch(staged, plain)).row(0, named=True)
    assert (found["midpoint"], found["work_nights"], found["free_nights"]) == (pytest.approx(300), 2, 0)
    assert found["bed_time"] == pytest.approx(100, abs=0.5)  # of 60, 60 and 180
    alone = consistency(batch(plain)).row(0, named=True)
    assert (alone["midpoint"], alone["social_jetlag"], alone["work_nights"]) == (None, None, 0)
    assert alone["bed_time"] == pytest.approx(180)


def test_bed_and_wake_times_are_those_of_the_sessions() -> None:
    found = consistency(batch(nights_from(range(2), hour=23))).row(0, named=True)
    assert (found["bed_time"], found["wake_time"]) == (pytest.approx(1380), pytest.approx(420))


def test_the_same_every_day_is_perfectly_regular() -> None:
    found = regularity(batch(nights_from(range(6), hour=1))).row(0, named=True)
    assert (found["complete_days"], found["regularity_index"]) == (4, 100)


def test_an_index_worked_out_by_hand() -> None:
    """Days 1 and 2 are complete; day 1 sleeps 8 h, day 2 sleeps 6 h of the same: 2 h of 24 differ."""
    nights = [
        nights_from(range(2), hour=1),
        nights_from(range(2, 3), hour=1, minutes=360),
        nights_from(range(3, 4), hour=1),
    ]
    found = regularity(batch(pl.concat(nights))).row(0, named=True)
    assert found["regularity_index"] == pytest.approx(200 * 22 / 24 - 100)


def test_naps_count_and_time_awake_in_bed_does_not() -> None:
    """A nap of 2 h on day 1 only, and a night of day 2 with an hour awake: 3 h of 24 differ."""
    awake = session(MIDNIGHT + 2 * DAY + HOUR, [("SLEEPING", 200.0), ("AWAKE", 60), ("SLEEPING", 220)], record=2)
    nap = session(MIDNIGHT + DAY + 14 * HOUR, [("SLEEPING", 120.0)], record=9)
    rest = pl.concat([nights_from(range(2), hour=1), nights_from(range(3, 4), hour=1)])
    found = regularity(batch(pl.concat([awake, nap, rest]))).row(0, named=True)
    assert found["regularity_index"] == pytest.approx(200 * 21 / 24 - 100)


def test_states_are_those_of_epochs_of_half_a_minute() -> None:
    """Ten seconds more on day 2 do not reach the last moment of an epoch; thirty do."""
    frames = [nights_from(range(4), hour=1), nights_from(range(4), hour=1, subject=2)]
    long = pl.col("record") == 2
    both = [
        frame.with_columns(
            pl.when(long).then(pl.col("end", "record_end") + more).otherwise(pl.col("end", "record_end"))
        )
        for frame, more in zip(frames, (10_000, 30_000), strict=True)
    ]
    found = regularity(batch(*both)).sort("subject")["regularity_index"].to_list()
    assert found == [100, pytest.approx(200 * (1 - 0.5 / 1440) - 100)]


@pytest.mark.parametrize(
    "frame",
    [
        nights_from(range(3)),  # one complete day
        nights_from(range(6)).with_columns(offset_s=pl.lit(None, pl.Int32)),
        pl.concat([nights_from(range(6)), unstaged(MIDNIGHT + 2 * DAY + 12 * HOUR, 90)]),
        choose(
            pl.concat(
                [nights_from(range(6), hour=1), unstaged(MIDNIGHT + 2 * DAY + 9 * HOUR + 30 * MINUTE, 90, record=9)]
            )
        )[0],
        session(MIDNIGHT, [("SLEEPING", 100 * MINUTE / MINUTE)]),
    ],
    ids=["too short", "no offset", "no stages", "a part without stages", "only a nap"],
)
def test_no_index_without_complete_days_offsets_and_stages(frame: pl.DataFrame) -> None:
    assert regularity(batch(frame)).is_empty()
