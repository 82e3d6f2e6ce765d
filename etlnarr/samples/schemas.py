"""The Avro schemas that the six record types are written with: the real ones, but for their namespace."""

from collections.abc import Mapping
from typing import Final

from etlnarr.model import Json

NAMESPACE: Final = "org.etlnarr.sample"

DEVICE: Final[Json] = {
    "type": "record",
    "name": "AvroDevice",
    "fields": [
        {"name": name, "type": ["null", "string"], "default": None} for name in ("manufacturer", "model", "type")
    ],
}
METADATA: Final[Json] = {
    "type": "record",
    "name": "AvroMetadata",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "dataOriginPackageName", "type": "string"},
        {"name": "lastModifiedTimeEpochMillis", "type": "long"},
        {"name": "clientRecordId", "type": ["null", "string"], "default": None},
        {"name": "clientRecordVersion", "type": "long"},
        {"name": "device", "type": ["null", DEVICE], "default": None},
    ],
}
SPECIMENS: Final[list[Json]] = [
    "INTERSTITIAL_FLUID",
    "CAPILLARY_BLOOD",
    "PLASMA",
    "SERUM",
    "TEARS",
    "WHOLE_BLOOD",
    "UNKNOWN",
]
MEALS: Final[list[Json]] = ["UNKNOWN", "BREAKFAST", "LUNCH", "DINNER", "SNACK"]
RELATIONS: Final[list[Json]] = ["UNKNOWN", "GENERAL", "FASTING", "BEFORE_MEAL", "AFTER_MEAL"]
STAGES: Final[list[Json]] = ["UNKNOWN", "AWAKE", "SLEEPING", "OUT_OF_BED", "LIGHT", "DEEP", "REM"]


def _field(name: str, kind: Json) -> Json:
    return {"name": name, "type": kind}


def _optional(name: str, kind: str = "string") -> Json:
    return {"name": name, "type": ["null", kind], "default": None}


def _enum(name: str, symbols: list[Json]) -> Json:
    return {"type": "enum", "name": name, "symbols": symbols}


def _array(name: str, item: str, fields: list[Json]) -> Json:
    items: Json = {"type": "record", "name": item, "fields": fields}
    return {"name": name, "type": {"type": "array", "items": items}, "default": []}


FETCHED: Final = _field("appRecordFetchTimeEpochMillis", "long")
POINT: Final[list[Json]] = [_field("timeEpochMillis", "long"), _optional("zoneOffsetId")]
BOUNDS: Final[list[Json]] = [_field("startTimeEpochMillis", "long"), _field("endTimeEpochMillis", "long")]
INTERVAL: Final[list[Json]] = [*BOUNDS, _optional("startZoneOffsetId"), _optional("endZoneOffsetId")]
SAMPLE: Final[list[Json]] = [_field("timeEpochMillis", "long"), _field("beatsPerMinute", "long")]
STAGE: Final[list[Json]] = [*BOUNDS, _field("stage", _enum("AvroSleepStageType", STAGES))]

FIELDS: Final[Mapping[str, list[Json]]] = {
    "BloodGlucoseRecord": [
        *POINT,
        _field("levelInMilligramsPerDeciliter", "double"),
        _field("specimenSource", _enum("AvroBloodGlucoseSpecimenSource", SPECIMENS)),
        _field("mealType", _enum("AvroBloodGlucoseMealType", MEALS)),
        _field("relationToMeal", _enum("AvroBloodGlucoseRelationToMeal", RELATIONS)),
        FETCHED,
    ],
    "HeartRateRecord": [*INTERVAL, FETCHED, _array("samples", "AvroHeartRateSample", SAMPLE)],
    "SleepSessionRecord": [
        _optional("title"),
        _optional("notes"),
        *INTERVAL,
        _optional("durationMillis", "long"),
        FETCHED,
        _array("stages", "AvroSleepStageRecord", STAGE),
    ],
    "StepsRecord": [*INTERVAL, _field("count", "long"), FETCHED],
    "ActiveCaloriesBurnedRecord": [*INTERVAL, _field("energyInKilocalories", "double"), FETCHED],
    "HeartRateVariabilityRmssdRecord": [*POINT, _field("heartRateVariabilityRmssd", "double"), FETCHED],
}
SCHEMAS: Final[Mapping[str, Mapping[str, Json]]] = {
    kind: {
        "type": "record",
        "name": f"Avro{kind}",
        "namespace": NAMESPACE,
        "fields": [_field("metadata", METADATA), *fields],
    }
    for kind, fields in FIELDS.items()
}
"""By Health Connect's name of the record type, in the order of the specification's inventory."""
