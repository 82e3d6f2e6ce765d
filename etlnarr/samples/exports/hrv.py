"""RMSSD as the ring writes it: every five minutes of its night, all in one write."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from etlnarr.samples.body.night import night
from etlnarr.samples.body.vagal import rmssd
from etlnarr.samples.clock import MINUTE, SECOND, offset_id
from etlnarr.samples.exports.sleep import RING_EPOCH, key, ring_epochs
from etlnarr.samples.exports.writes import written
from etlnarr.samples.person import Person, during
from etlnarr.samples.sources import OURA, Row, metadata

KIND: Final = "HeartRateVariabilityRmssdRecord"


def records(person: Person, day: date, as_of: int) -> Iterator[Row]:
    """Yield the values of the night that ends on this day, as known at an instant."""
    sleep = night(person, day)
    starts = ring_epochs(person, sleep)
    if OURA not in during(person.habits, day).sleep or not starts:
        return
    end = starts[-1] + RING_EPOCH
    modified = written(person, OURA, (end - MINUTE, end), as_of)
    if modified is None or modified < end:
        return
    session = key(person, OURA, sleep)
    for at, value in zip(starts, rmssd(person, day, len(starts)), strict=True):
        named = f"{session} {datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
        yield {
            "metadata": metadata(OURA, KIND, named, modified),
            "timeEpochMillis": at,
            "zoneOffsetId": offset_id(person.zone, at),
            "heartRateVariabilityRmssd": float(value),
        }
