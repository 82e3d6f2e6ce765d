"""Bodies are plausible: smooth glucose, cycles of sleep, a heart that rests at night and works by day."""

from datetime import date
from itertools import pairwise
from statistics import mean

import pytest

from etlnarr.samples.body.glucose import glucose
from etlnarr.samples.body.movement import exercise, steps
from etlnarr.samples.body.night import EPOCH, night, stages_of_day
from etlnarr.samples.body.pulse import pulse
from etlnarr.samples.body.vagal import rmssd
from etlnarr.samples.chance import drift, ease, exponential, hump, random_id, stream
from etlnarr.samples.clock import HOUR, MINUTE, instant, midnight, offset_id
from etlnarr.samples.crowd import one_of_many
from etlnarr.samples.inventory import default_uploads
from etlnarr.samples.story import sample_data_user

DAY = date(2025, 11, 20)
FASTEST = 6.0
"""mg/dL a minute; a healthy body changes by less than 2, a brittle one seldom by more than 5."""


@pytest.mark.parametrize("number", range(1, 7))
def test_glucose_never_leaps(number: int) -> None:
    person = one_of_many(1, number)
    start = midnight(person.zone, DAY)
    levels = [glucose(person, DAY, at) for at in range(start, start + 24 * HOUR, 5 * MINUTE)]
    assert max(abs(b - a) / 5 for a, b in pairwise(levels)) < FASTEST


def test_glucose_does_not_leap_where_a_phase_begins() -> None:
    person = sample_data_user(1)
    change = midnight(person.zone, date(2025, 11, 12))
    before = glucose(person, date(2025, 11, 11), change - MINUTE)
    assert glucose(person, date(2025, 11, 12), change) == pytest.approx(before, abs=FASTEST)


def test_deep_sleep_comes_early_and_rem_late() -> None:
    nights = [night(one_of_many(1, number), DAY).stages for number in range(1, 20)]
    halves = [(stages[: len(stages) // 2], stages[len(stages) // 2 :]) for stages in nights]
    assert sum(first.count("DEEP") for first, _ in halves) > 3 * sum(last.count("DEEP") for _, last in halves)
    assert sum(first.count("REM") for first, _ in halves) < sum(last.count("REM") for _, last in halves)


def test_the_efficiency_of_a_night_is_the_one_wanted() -> None:
    person = sample_data_user(1)
    nights = [night(person, date(2025, 11, day)).stages for day in range(18, 28)]
    shares = [100 * (1 - stages.count("AWAKE") / len(stages)) for stages in nights]
    assert mean(shares) == pytest.approx(95, abs=1.5)


def test_nobody_walks_asleep() -> None:
    person = one_of_many(1, 2)
    asleep = [stage is not None for stage in stages_of_day(person, DAY)]
    assert sum(count for count, sleeping in zip(steps(person, DAY), asleep, strict=True) if sleeping) == 0


def test_the_heart_is_slower_asleep_and_fast_in_exercise() -> None:
    person = sample_data_user(1)
    day = next(date(2025, 11, d) for d in range(15, 22) if exercise(person, date(2025, 11, d)))
    rates, bout, start = pulse(person, day), exercise(person, day), midnight(person.zone, day)
    assert bout is not None
    asleep = [
        rate for rate, stage in zip(rates, stages_of_day(person, day), strict=True) if stage not in {None, "AWAKE"}
    ]
    working = rates[(bout.start - start) // MINUTE : (bout.end - start) // MINUTE]
    assert mean(asleep) < 70
    assert max(working) > 0.9 * 176


def test_rmssd_rises_in_the_course_of_a_night() -> None:
    person = one_of_many(1, 4)
    nights = [rmssd(person, date(2025, 11, day), 80) for day in range(1, 15)]
    assert mean(mean(values[40:]) for values in nights) > 1.15 * mean(mean(values[:40]) for values in nights)


def test_night_epochs_are_half_minutes() -> None:
    sleep = night(one_of_many(1, 1), DAY)
    assert EPOCH == 30_000
    assert sleep.end - sleep.start == 30_000 * len(sleep.stages)


def test_the_clock_goes_back_in_chicago() -> None:
    assert midnight("America/Chicago", date(2025, 11, 3)) - midnight("America/Chicago", date(2025, 11, 2)) == 25 * HOUR
    assert offset_id("America/Chicago", instant("America/Chicago", date(2025, 11, 2), 0.5)) == "-05:00"
    assert offset_id("America/Chicago", instant("America/Chicago", date(2025, 11, 2), 12)) == "-06:00"
    assert offset_id("Europe/London", instant("Europe/London", DAY, 12)) == "Z"
    assert offset_id("Asia/Kolkata", instant("Asia/Kolkata", DAY, 12)) == "+05:30"
    assert instant("Europe/Berlin", DAY, -1) == midnight("Europe/Berlin", DAY) - HOUR


def test_chance_repeats_and_curves_have_their_ends() -> None:
    assert stream("a", 1).random() == stream("a", 1).random()
    assert stream("a", 1).random() != stream("a1").random()
    assert random_id("a") == random_id("a") != random_id("b")
    assert (ease(-1), ease(0.5), ease(2)) == (0, 0.5, 1)
    assert (hump(0, 0.3), hump(0.3, 0.3), hump(1, 0.3), hump(1.2, 0.3)) == (0, 1, 0, 0)
    assert exponential(1) == pytest.approx(2.718, abs=0.002)
    assert abs(drift("a", 999, 1000) - drift("a", 1000, 1000)) < 0.01


def test_the_default_uploads_are_of_one_person() -> None:
    assert {upload.person.name for upload in default_uploads(1)} == {"sample_data_user"}
