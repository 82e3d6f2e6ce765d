"""The apps that write to Health Connect, and how each of them names its records."""

from dataclasses import dataclass, replace
from hashlib import md5
from typing import Final
from uuid import UUID

from etlnarr.samples.chance import digest, random_id

Row = dict[str, object]

TYPE_CODES: Final = {
    "SleepSessionRecord": 12,
    "StepsRecord": 13,
    "BloodGlucoseRecord": 17,
    "HeartRateVariabilityRmssdRecord": 31,
    "HeartRateRecord": 56,
    "ActiveCaloriesBurnedRecord": 67,
}
"""Health Connect's numbers of the record types, part of every identity that it derives."""


@dataclass(frozen=True, slots=True, eq=False)  # the same only as itself, which makes a cheap key of a cache
class App:
    """A source of records.

    Units: lowest and highest in mg/dL, resolution in seconds; delay_s is what the source keeps back of its newest data,
    counted the share of steps that it notices.
    """

    package: str
    manufacturer: str | None = None
    model: str | None = None
    device: str = "UNKNOWN"
    names_records: bool = False  # sets clientRecordId, so that the identity is derived and not random
    counts_versions: bool = False  # writes the time of writing as clientRecordVersion
    always_utc: bool = False
    delay_s: int = 0
    lowest: int = 40
    highest: int = 400
    resolution: int = 60
    day_hour: int = 0  # when its day begins
    in_slices: bool = False  # activity in short slices, not in daily totals
    energy_minutes: int = 10  # in each of its slices
    counted: float = 1.0


SAMSUNG: Final = App("com.sec.android.app.shealth", resolution=30)
OURA: Final = App(
    "com.ouraring.oura",
    device="RING",
    names_records=True,
    counts_versions=True,
    resolution=300,
    day_hour=4,
    counted=0.72,
)
MAT: Final = App("com.withings.wiscale2", "Withings", "Sleep", names_records=True)
PHONE: Final = App(
    "com.google.android.apps.fitness", "Google", "Pixel 8", "PHONE", names_records=True, in_slices=True, counted=0.97
)
PHONE_BY_MINUTE: Final = replace(PHONE, energy_minutes=1)
STRAP: Final = App("fi.polar.polarflow", "Polar", "H10", "CHEST_STRAP", names_records=True, resolution=5)
METER: Final = App(
    "com.mysugr.android.companion", "Roche", "Accu-Chek Guide", names_records=True, lowest=20, highest=600
)
G7: Final = App("com.dexcom.g7", "Dexcom Inc", "com.dexcom.g7", names_records=True, always_utc=True, delay_s=3 * 3600)
STELO: Final = App(
    "com.dexcom.stelo",
    "Dexcom Inc",
    "com.dexcom.stelo",
    names_records=True,
    always_utc=True,
    delay_s=3 * 3600,
    lowest=70,
    highest=250,
)


def derived_id(package: str, kind: str, client_id: str) -> str:
    """Return the identity that Health Connect derives from an app's own name of a record.

    Source: AOSP HealthFitness module, StorageUtils.getUUID.
    """
    name = package.encode() + TYPE_CODES[kind].to_bytes(4, "big") + client_id.encode()
    return str(UUID(bytes=md5(name, usedforsecurity=False).digest(), version=3))


def metadata(app: App, kind: str, key: str, modified: int) -> Row:
    """Return the metadata of a record; key is what the app calls the record, or what makes it unique."""
    own = key if app.names_records else None
    return {
        "id": derived_id(app.package, kind, key) if own else random_id("record", app.package, kind, key),
        "dataOriginPackageName": app.package,
        "lastModifiedTimeEpochMillis": modified,
        "clientRecordId": own,
        "clientRecordVersion": modified - 10 - digest(key, modified)[0] % 130 if app.counts_versions else 0,
        "device": {"manufacturer": app.manufacturer, "model": app.model, "type": app.device},
    }
