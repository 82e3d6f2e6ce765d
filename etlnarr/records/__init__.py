"""The Health Connect types that are told, one file each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from etlnarr.model import RecordType
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from etlnarr.records.sleep_session import SLEEP_SESSION

RECORD_TYPES: Final[tuple[RecordType, ...]] = (
    BLOOD_GLUCOSE,
    SLEEP_SESSION,
)
by_name: Final[Mapping[str, RecordType]] = MappingProxyType({kind.name: kind for kind in RECORD_TYPES})
