"""Exports: what apps write of a body to Health Connect, each with its habits."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from etlnarr.samples.exports import activity, glucose, heart_rate, hrv, sleep
from etlnarr.samples.person import Person
from etlnarr.samples.sources import Row

EXPORTS: Final[Mapping[str, Callable[[Person, date, int], Iterator[Row]]]] = {
    glucose.KIND: glucose.records,
    heart_rate.KIND: heart_rate.records,
    sleep.KIND: sleep.records,
    activity.STEPS: activity.step_records,
    activity.ENERGY: activity.energy_records,
    hrv.KIND: hrv.records,
}
"""By record type: the records of a person's local day as known at an instant."""
