"""What a writer schema says about its records, worked out without reading one."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from etlnarr.errors import UnreadableError
from etlnarr.model import Json

DTYPES: Final[Mapping[str, pl.DataType]] = {
    "boolean": pl.Boolean(),
    "int": pl.Int64(),
    "long": pl.Int64(),
    "float": pl.Float64(),
    "double": pl.Float64(),
    "string": pl.String(),
    "enum": pl.String(),
}
LEAST_BYTES: Final[Mapping[str, int]] = {"null": 0, "float": 4, "double": 8}
MOST_NODES: Final = 20_000
LEAST_OF_OTHERS: Final = 1  # a varint, a length, a branch or an end marker


def check_size(schema: Json) -> None:
    """Refuse a schema that a few bytes blow up by naming types inside of types.

    Errors: UnreadableError.
    """
    waiting, seen = [schema], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MOST_NODES:
            raise UnreadableError("schema_unreadable", "the schema of the file is larger than any record type needs")
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def dtype(schema: Json) -> pl.DataType | None:
    """Return the column type of a schema, None for one that no record type uses (bytes, maps, wide unions)."""
    match schema:
        case str():
            return DTYPES.get(schema)
        case list():
            branches = [branch for branch in schema if branch != "null"]
            return dtype(branches[0]) if len(branches) == 1 else None
        case {"type": "record" | "error", "fields": list() as fields}:
            return pl.Struct(columns(fields))
        case {"type": "array", "items": items}:
            inner = dtype(items)
            return None if inner is None else pl.List(inner)
        case {"type": "enum"}:
            return DTYPES["enum"]
        case {"type": str() as name}:
            return DTYPES.get(name)
        case {"type": inner_schema}:
            return dtype(inner_schema)
    return None


def columns(fields: Sequence[Json]) -> dict[str, pl.DataType]:
    """Return the usable fields of a record schema with their column types."""
    named = {str(f["name"]): dtype(f["type"]) for f in fields if isinstance(f, dict)}
    return {name: found for name, found in named.items() if found is not None}


def least_bytes(schema: Json) -> int:
    """Return the fewest bytes that a value of this schema can take.

    Errors: UnreadableError for arrays whose items take no bytes: a few bytes could claim any number of them.
    """
    match schema:
        case str():
            return LEAST_BYTES.get(schema, LEAST_OF_OTHERS)
        case {"type": "record" | "error", "fields": list() as fields}:
            return sum(least_bytes(f["type"]) for f in fields if isinstance(f, dict))
        case {"type": "array", "items": items}:
            if not least_bytes(items):
                raise UnreadableError("schema_unreadable", "an array of this schema has items that take no bytes")
        case {"type": "fixed", "size": int() as size}:
            return size
        case {"type": "map", "values": inner} | {"type": dict() as inner}:
            return max(least_bytes(inner), LEAST_OF_OTHERS)
        case {"type": str() as name}:
            return LEAST_BYTES.get(name, LEAST_OF_OTHERS)
        case list():
            return LEAST_OF_OTHERS + min((least_bytes(branch) for branch in schema), default=0)
    return LEAST_OF_OTHERS


def without_logical_types(schema: Json) -> Json:
    """Return the schema with its plain types alone; a logical type would turn a number into an object."""
    match schema:
        case dict():
            return {k: without_logical_types(v) for k, v in schema.items() if k != "logicalType"}
        case list():
            return [without_logical_types(branch) for branch in schema]
    return schema
