"""Hand-made uploads for the tests, in both shapes that writers use."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from etlnarr import avro
from etlnarr.model import Json
from etlnarr.samples.schemas import SCHEMAS

SYNC = bytes(16)
T0 = 1_763_200_800_000  # 2025-11-15T10:00:00Z
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FETCHED = T0 + 2 * DAY
INSTANT = re.compile(r"^(.+)EpochMillis$")
QUANTITY = re.compile(r"^(.+)(In[A-Z]\w+)$")


def metadata(
    record_id: str, source: str = "org.example.app", modified: int = T0, version: int = 0, client_id: str | None = None
) -> dict[str, Json]:
    """What every record carries."""
    return {
        "id": record_id,
        "dataOriginPackageName": source,
        "lastModifiedTimeEpochMillis": modified,
        "clientRecordId": client_id,
        "clientRecordVersion": version,
        "device": None,
    }


def glucose(
    values: Sequence[tuple[int, float | None]],
    *,
    source: str = "org.example.cgm",
    offset: str | None = "+00:00",
    fetched: int = FETCHED,
    modified: int = T0,
    specimen: str = "INTERSTITIAL_FLUID",
    relation: str = "UNKNOWN",
    meal: str = "UNKNOWN",
) -> list[dict[str, Json]]:
    """Readings at times; the id of a record follows from its time."""
    return [
        {
            "metadata": metadata(_id("glucose", source, time), source, modified),
            "timeEpochMillis": time,
            "zoneOffsetId": offset,
            "levelInMilligramsPerDeciliter": value,
            "specimenSource": specimen,
            "mealType": meal,
            "relationToMeal": relation,
            "appRecordFetchTimeEpochMillis": fetched,
        }
        for time, value in values
    ]


def steps(
    days: Sequence[tuple[int, int, int]], *, source: str = "org.example.app", modified: int = T0, fetched: int = FETCHED
) -> list[dict[str, Json]]:
    """Counts between two times."""
    return [
        {
            "metadata": metadata(_id("steps", source, start), source, modified),
            "startTimeEpochMillis": start,
            "endTimeEpochMillis": end,
            "startZoneOffsetId": "+00:00",
            "endZoneOffsetId": "+00:00",
            "count": count,
            "appRecordFetchTimeEpochMillis": fetched,
        }
        for start, end, count in days
    ]


def sleep(
    start: int, stages: Sequence[tuple[int, str]], *, source: str = "org.example.app", fetched: int = FETCHED
) -> dict[str, Json]:
    """One session of consecutive stages, each given by its minutes."""
    parts: list[Json] = []
    at = start
    for minutes, stage in stages:
        end = at + minutes * MINUTE
        parts.append({"startTimeEpochMillis": at, "endTimeEpochMillis": end, "stage": stage})
        at = end
    return {
        "metadata": metadata(_id("sleep", source, start), source),
        "title": None,
        "notes": None,
        "startTimeEpochMillis": start,
        "endTimeEpochMillis": at,
        "startZoneOffsetId": "+00:00",
        "endZoneOffsetId": "+00:00",
        "durationMillis": at - start,
        "appRecordFetchTimeEpochMillis": fetched,
        "stages": parts,
    }


def write(
    path: Path, kind: str, rows: Iterable[Mapping[str, Json]], *, codec: str = "null", nested: bool = False
) -> Path:
    """Write an upload, and return its path."""
    schema: Mapping[str, Json] = SCHEMAS[kind]
    body = list(rows)
    if any(row.get("levelInMilligramsPerDeciliter", 0) is None for row in body):
        schema = json.loads(
            json.dumps(schema).replace(
                '"levelInMilligramsPerDeciliter", "type": "double"',
                '"levelInMilligramsPerDeciliter", "type": ["null", "double"]',
            )
        )
    if nested:
        converted = _nested_schema(dict(schema))
        assert isinstance(converted, dict)
        schema, body = converted, [_nested_row(dict(row)) for row in body]  # type: ignore[misc]  # rows stay rows
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(avro.encode(schema, body, codec, SYNC))
    return path


def _id(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def _nested_row(value: Json) -> Json:
    if isinstance(value, list):
        return [_nested_row(item) for item in value]
    if not isinstance(value, dict):
        return value
    row: dict[str, Json] = {}
    for name, inner in value.items():
        if match := INSTANT.match(name):
            row[match[1]] = {"epochMillis": inner}
        elif match := QUANTITY.match(name):
            row[match[1]] = {_lower(match[2]): inner}
        else:
            row[name] = _nested_row(inner)
    return row


def _nested_schema(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_nested_schema(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if "fields" in schema:
        fields = schema["fields"]
        assert isinstance(fields, list)
        return {**schema, "fields": [_nested_field(field, str(schema["name"])) for field in fields]}
    return {name: _nested_schema(inner) for name, inner in schema.items()}


def _nested_field(field: Json, owner: str) -> Json:
    assert isinstance(field, dict)
    name = str(field["name"])
    inner = "epochMillis" if (match := INSTANT.match(name)) else None
    if match is None and (match := QUANTITY.match(name)):
        inner = _lower(match[2])
    if match is None or inner is None:
        return {**field, "type": _nested_schema(field["type"])}
    record: Json = {"type": "record", "name": f"{owner}_{match[1]}", "fields": [{"name": inner, "type": field["type"]}]}
    return {"name": match[1], "type": record}


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
