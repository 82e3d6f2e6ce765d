import polars as pl
import pytest

from etlnarr.metrics.nights import AVERAGED, night_by_night, night_means, series
from etlnarr.metrics.sleep import choose
from etlnarr.model import PEOPLE, READINGS, SLEEP, Batch
from tests.sessions import WATCH, fortnight, session, unstaged
from tests.traces import DAY, HOUR, MIDNIGHT, MINUTE, batch, reference

TUESDAY = MIDNIGHT + DAY
NOBODY = PEOPLE.to_frame()


def of(*frames: pl.DataFrame) -> dict[str, object]:
    return night_means(batch(*frames)).row(0, named=True)


def test_one_night_is_told_by_its_values() -> None:
    found = of(session(TUESDAY - HOUR, [("AWAKE", 30), ("LIGHT", 210), ("DEEP", 60), ("REM", 100)]))
    assert (found["sessions"], found["nights"], found["naps"], found["nap_minutes"]) == (1, 1, 0, 0)
    assert (found["total_sleep_time"], found["efficiency"], found["sleep_onset_latency"]) == (370, 92.5, 30)
    assert found["total_sleep_time_std"] is None
    assert found["total_sleep_time_min"] is None
    assert found["total_sleep_time_max"] is None


def test_several_nights_are_told_by_their_means_and_naps_apart() -> None:
    found = of(
        session(TUESDAY, [("LIGHT", 400), ("AWAKE", 100)]),
        session(TUESDAY + DAY, [("LIGHT", 300)], record=1),
        session(TUESDAY + DAY + 12 * HOUR, [("LIGHT", 50), ("AWAKE", 10)], record=2),
    )
    assert (found["sessions"], found["nights"], found["naps"], found["nap_minutes"]) == (3, 2, 1, 60)
    assert (found["nap_sleep_minutes"], found["wake_date"]) == (50, "2025-03-05")
    assert (found["total_sleep_time"], found["time_in_bed"], found["efficiency"]) == (350, 400, 90)
    assert found["total_sleep_time_std"] == pytest.approx(70.710678)
    assert (found["total_sleep_time_min"], found["total_sleep_time_max"]) == (300, 400)


def test_only_a_nap_is_no_night() -> None:
    found = of(session(TUESDAY + 15 * HOUR, [("LIGHT", 104)]))
    assert (found["nights"], found["naps"], found["nap_minutes"], found["nap_sleep_minutes"]) == (0, 1, 104, 104)
    assert (found["wake_date"], found["staged_nights"], found["timed"]) == (None, 0, True)
    assert {found[name] for name in AVERAGED} == {None}
    assert found["weekday_total_sleep_time"] is None


def test_the_sleep_of_naps_is_known_when_that_of_each_is() -> None:
    staged = session(TUESDAY + 12 * HOUR, [("LIGHT", 50), ("AWAKE", 10)])
    plain = unstaged(TUESDAY + 18 * HOUR, 45, record=1)
    assert (of(staged, plain)["nap_minutes"], of(staged, plain)["nap_sleep_minutes"]) == (105, None)
    assert of(session(TUESDAY, [("LIGHT", 400)]))["nap_sleep_minutes"] == 0


def test_nights_without_stages_are_counted_apart() -> None:
    found = of(session(TUESDAY, [("LIGHT", 400)]), unstaged(TUESDAY + DAY, 300, record=1))
    assert (found["nights"], found["staged_nights"], found["total_sleep_time"]) == (2, 1, 400)


@pytest.mark.parametrize(
    ("apart", "source", "broken"),
    [(60, "org.example.ring", 1), (61, "org.example.ring", 0), (-20, WATCH, 1)],
)
def test_a_session_near_a_night_that_is_not_part_of_it_breaks_it(apart: int, source: str, broken: int) -> None:
    night = session(TUESDAY, [("LIGHT", 300)])
    late = session(TUESDAY + (300 + apart) * MINUTE, [("LIGHT", 100)], source, record=1)
    early = session(TUESDAY - (100 + apart) * MINUTE, [("LIGHT", 100)], source, record=1)
    for other in (late, early):
        found = night_means(Batch(choose(pl.concat([night, other]))[0], READINGS.to_frame(), SLEEP.to_frame(), NOBODY))
        assert found["broken_nights"].to_list() == [broken]


def test_the_weekday_is_that_of_waking() -> None:
    found = of(session(TUESDAY - HOUR, [("LIGHT", 400)]), session(TUESDAY + 6 * DAY + HOUR, [("LIGHT", 300)]))
    days = found["weekday_total_sleep_time"]
    assert isinstance(days, dict)
    assert {day: minutes for day, minutes in days.items() if minutes is not None} == {"tuesday": 400, "monday": 300}
    assert next(iter(days)) == "monday"


def test_a_clock_that_is_put_back_in_the_night_shows_in_its_end() -> None:
    """In bed at 23:00 of UTC-5; the clock goes back an hour at 02:00, and eight hours later it shows 06:00."""
    night = session(TUESDAY + 4 * HOUR, [("LIGHT", 180), ("DEEP", 300)], offset_s=-5 * 3600)
    changed = night.with_columns(
        offset_s=pl.when(pl.col("start") > TUESDAY + 6 * HOUR).then(-6 * 3600).otherwise("offset_s").cast(pl.Int32)
    )
    (found,) = night_by_night(changed).iter_rows(named=True)
    assert (found["bed_time"], found["wake_time"]) == (23 * 60, 6 * 60)


def test_an_unknown_offset_hides_the_clock_and_nothing_else() -> None:
    found = of(session(TUESDAY, [("LIGHT", 400)]), session(TUESDAY + DAY, [("LIGHT", 300)], offset_s=None))
    assert (found["total_sleep_time"], found["weekday_total_sleep_time"]) == (350, None)


@pytest.mark.parametrize(("offset_s", "midpoint"), [(0, 140), (-5 * 3600, 1280)])
def test_the_midpoint_is_that_of_the_sleep_period_on_the_local_clock(offset_s: int, midpoint: float) -> None:
    rows = [("AWAKE", 40), ("LIGHT", 200), ("AWAKE", 10)]
    found = night_by_night(session(TUESDAY, rows, offset_s=offset_s))
    assert found["midpoint"].to_list() == [midpoint]
    whole = night_by_night(unstaged(TUESDAY, 250, offset_s=offset_s))
    assert whole["midpoint"].to_list() == [None]


def test_the_fortnight_agrees_with_the_reference() -> None:
    found = of(fortnight())
    assert found["nights"] == reference("sleep_14d", "values", "nights")
    assert found["naps"] == 1
    for name, key in (
        ("total_sleep_time", "mean_TST_min"),
        ("total_sleep_time_std", "sd_TST_min_ddof1"),
        ("efficiency", "mean_SE_pct"),
    ):
        assert found[name] == pytest.approx(reference("sleep_14d", "values", key), rel=1e-6)


def test_the_table_of_nights_names_days_and_clocks_where_they_are_known() -> None:
    frames = (
        session(TUESDAY - HOUR, [("LIGHT", 240), ("REM", 60)]),
        session(TUESDAY + 15 * HOUR, [("LIGHT", 90.5)], record=1),
    )
    found = series(batch(*frames))["series"].to_list()[0]
    assert found[0] == {
        "label": "night to 2025-03-04",
        "bed_time": "23:00",
        "wake_time": "04:00",
        "time_in_bed": 300,
        "total_sleep_time": 300,
        "efficiency": 100,
        "light_minutes": 240,
        "deep_minutes": 0,
        "rem_minutes": 60,
    }
    assert (found[1]["label"], found[1]["bed_time"], found[1]["wake_time"]) == ("nap on 2025-03-04", "15:00", "16:30")
    nowhere = series(batch(*(frame.with_columns(offset_s=pl.lit(None, pl.Int32)) for frame in frames)))
    assert [(row["label"], row["bed_time"]) for row in nowhere["series"].to_list()[0]] == [
        ("session 1", None),
        ("session 2", None),
    ]


def test_what_lies_near_a_night_is_not_called_a_nap() -> None:
    frames = session(TUESDAY, [("LIGHT", 240)]), session(TUESDAY + 5 * HOUR, [("LIGHT", 90)], "org.example.ring")
    labels = [row["label"] for row in series(batch(*frames))["series"].to_list()[0]]
    assert labels == ["night to 2025-03-04", "session on 2025-03-04"]
