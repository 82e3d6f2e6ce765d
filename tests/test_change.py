"""Weeks and months against the period before them, with differences worked out by hand."""

from dataclasses import replace

import polars as pl
import pytest

from etlnarr import change, insights
from etlnarr.model import Comparison, RecordType
from etlnarr.records.steps import STEPS_RECORD
from tests.amounts import WATCH, amounts, chosen, days_of
from tests.traces import person

NOW, THEN = 1, 2
METRIC = "steps_statistics.daily_mean"
Said = dict[str, object]


def told(
    now: tuple[float, ...], then: tuple[float, ...] | None, *, relative: bool = False, app: str = WATCH
) -> tuple[Said, dict[str, str]]:
    one = Comparison("daily_mean", METRIC, 25 if relative else 1_000, "a test", relative)
    kind: RecordType = replace(STEPS_RECORD, comparisons=(one,))
    frames = [amounts(days_of(*now), NOW)] + ([] if then is None else [amounts(days_of(*then), THEN, app)])
    people = pl.concat([person({}).with_columns(subject=pl.lit(number, pl.Int64)) for number in (NOW, THEN)])
    batch = chosen(kind, *frames, people=people)
    row = insights.evaluate(kind, batch, ())
    compared = change.compare(kind, row, batch.readings, {NOW: THEN}, "week")
    found = {one.subject: one for one in insights.unfold(kind, compared, (), change.claims_of(kind, "week"))}[NOW]
    group = found.clinical["change"]
    assert isinstance(group, dict)
    said = group["daily_mean"]
    assert isinstance(said, dict)
    return dict(said), {entry.path: entry.reason for entry in found.withheld if entry.path.startswith("change")}


@pytest.mark.parametrize(
    ("now", "difference", "word"),
    [(9_001.0, 1_001, "risen"), (9_000.0, 1_000, "held"), (7_000.0, -1_000, "held"), (6_999.0, -1_001, "fallen")],
)
def test_a_change_is_more_than_the_threshold(now: float, difference: float, word: str) -> None:
    said, silent = told((now,) * 4, (8_000.0,) * 4)
    assert said == {"previous": 8_000, "difference": difference, "direction": word}
    assert silent == {}


@pytest.mark.parametrize(
    ("now", "word"), [(10_001.0, "risen"), (10_000.0, "held"), (6_000.0, "held"), (5_999.0, "fallen")]
)
def test_a_threshold_may_be_a_share_of_the_period_before(now: float, word: str) -> None:
    assert told((now,) * 4, (8_000.0,) * 4, relative=True)[0]["direction"] == word


def test_without_a_period_before_nothing_is_compared() -> None:
    said, silent = told((8_000.0,) * 4, None)
    assert (said["previous"], said["difference"]) == (None, None)
    assert set(silent.values()) == {"no week before carries the claim that would be compared"}


def test_a_claim_that_either_period_does_not_carry_is_not_compared() -> None:
    _, silent = told((8_000.0,) * 4, (8_000.0,) * 2)  # an average takes three days
    assert set(silent.values()) == {"no week before carries the claim that would be compared"}
    said, silent = told((8_000.0,) * 2, (8_000.0,) * 4)
    assert said["difference"] is None
    assert set(silent.values()) == {"this week does not carry the claim that would be compared"}


def test_two_apps_are_not_compared() -> None:
    said, silent = told((8_000.0,) * 4, (8_000.0,) * 4, app="org.example.ring")
    assert said["direction"] == "held"
    assert set(silent.values()) == {"the week before was recorded by another app"}


@pytest.mark.parametrize(("days", "silent"), [(4, True), (5, False), (7, False)])
def test_half_a_week_is_not_compared_with_a_whole_one(days: int, silent: bool) -> None:
    for now, then in ((7, days), (days, 7)):
        reasons = set(told((8_000.0,) * now, (8_000.0,) * then)[1].values())
        assert reasons == ({"this week and the one before were not recorded over a similar time"} if silent else set())
