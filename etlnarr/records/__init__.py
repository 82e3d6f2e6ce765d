"""The Health Connect types that are told, one file each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from etlnarr.model import RecordType
from etlnarr.records.active_calories_burned import ACTIVE_CALORIES_BURNED
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from etlnarr.records.heart_rate import HEART_RATE
from etlnarr.records.heart_rate_variability import HEART_RATE_VARIABILITY
from etlnarr.records.sleep_session import SLEEP_SESSION
from etlnarr.records.steps import STEPS_RECORD

RECORD_TYPES: Final[tuple[RecordType, ...]] = (
    BLOOD_GLUCOSE,
    HEART_RATE,
    SLEEP_SESSION,
    STEPS_RECORD,
    ACTIVE_CALORIES_BURNED,
    HEART_RATE_VARIABILITY,
)
"""Every type, in the order in which they are listed."""

by_name: Final[Mapping[str, RecordType]] = MappingProxyType({kind.name: kind for kind in RECORD_TYPES})
