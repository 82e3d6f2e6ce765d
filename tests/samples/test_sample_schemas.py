"""The synthetic uploads are written with the schemas of the real ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from etlnarr import container
from etlnarr.samples.schemas import NAMESPACE, SCHEMAS
from tests.samples.default_set import files

INTERVAL = "startTimeEpochMillis:long endTimeEpochMillis:long startZoneOffsetId:string? endZoneOffsetId:string?"
METADATA = (
    "metadata.id:string metadata.dataOriginPackageName:string metadata.lastModifiedTimeEpochMillis:long"
    " metadata.clientRecordId:string? metadata.clientRecordVersion:long metadata.device.manufacturer:string?"
    " metadata.device.model:string? metadata.device.type:string?"
)
FIELDS = {
    "AvroBloodGlucoseRecord": "timeEpochMillis:long zoneOffsetId:string? levelInMilligramsPerDeciliter:double"
    " specimenSource:AvroBloodGlucoseSpecimenSource mealType:AvroBloodGlucoseMealType"
    " relationToMeal:AvroBloodGlucoseRelationToMeal appRecordFetchTimeEpochMillis:long",
    "AvroHeartRateRecord": f"{INTERVAL} appRecordFetchTimeEpochMillis:long"
    " samples[].timeEpochMillis:long samples[].beatsPerMinute:long",
    "AvroSleepSessionRecord": f"title:string? notes:string? {INTERVAL} durationMillis:long?"
    " appRecordFetchTimeEpochMillis:long stages[].startTimeEpochMillis:long stages[].endTimeEpochMillis:long"
    " stages[].stage:AvroSleepStageType",
    "AvroStepsRecord": f"{INTERVAL} count:long appRecordFetchTimeEpochMillis:long",
    "AvroActiveCaloriesBurnedRecord": f"{INTERVAL} energyInKilocalories:double appRecordFetchTimeEpochMillis:long",
    "AvroHeartRateVariabilityRmssdRecord": "timeEpochMillis:long zoneOffsetId:string?"
    " heartRateVariabilityRmssd:double appRecordFetchTimeEpochMillis:long",
}


def flat(schema: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for field in schema["fields"]:
        kind, name = field["type"], prefix + field["name"]
        optional = isinstance(kind, list)
        kind = kind[1] if optional else kind
        if isinstance(kind, str):
            found.append(f"{name}:{kind}{'?' if optional else ''}")
        elif kind["type"] == "record":
            found += flat(kind, f"{name}.")
        elif kind["type"] == "array":
            found += flat(kind["items"], f"{name}[].")
        else:
            found.append(f"{name}:{kind['name']}")
    return found


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_fields_and_types_are_those_of_the_real_files(schema: dict[str, Any]) -> None:
    assert flat(schema) == f"{METADATA} {FIELDS[schema['name']]}".split()


def test_the_schemas_are_the_real_ones_but_for_the_namespace(real_samples: Path) -> None:
    real = {}
    for path in real_samples.glob("*.avro"):
        schema = json.loads(container.header(path.read_bytes()).schema)
        assert schema.pop("namespace") != NAMESPACE
        real[schema["name"]] = schema
    ours = {str(schema["name"]): dict(schema) for schema in SCHEMAS.values()}
    for schema in ours.values():
        assert schema.pop("namespace") == NAMESPACE
    assert ours == real


def test_every_committed_file_carries_the_schema_of_its_name() -> None:
    for path in files():
        schema = json.loads(container.header(path.read_bytes()).schema)
        assert schema["name"].rsplit(".", 1)[-1] == f"Avro{path.name.split('_')[0]}"
