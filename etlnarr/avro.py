"""Avro bytes to rows, strictly; the only importer of fastavro."""

import json
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

import fastavro
import fastavro.schema
import polars as pl

from etlnarr import avro_schema, container
from etlnarr.container import Block
from etlnarr.errors import UnreadableError
from etlnarr.model import Json

Row = dict[str, Json]

DAMAGE: Final = (
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RecursionError,
    struct.error,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
)
"""What fastavro raises on bytes that are not what their schema says; it has no exception of its own for that."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one upload may cost."""

    records: int
    seconds: float
    inflated: int = 1 << 27  # bytes; a megabyte of deflated zeros would be a gigabyte
    record: int = 1 << 20  # bytes of one record, on average over its block
    items: int = 10_000_000  # of all arrays together: an item in memory is a hundred times its size in the file


@dataclass(frozen=True, slots=True, eq=False)
class Writer:
    """A writer schema, understood once for all the files that carry it."""

    schema: bytes  # without logical types, which would turn plain numbers into objects
    name: str  # last part of the record's name
    fingerprint: str
    columns: pl.Schema
    least_bytes: int  # the fewest bytes that one record can take
    expanded: Json  # the schema, with each name replaced by what it stands for


@dataclass(frozen=True, slots=True)
class Opened:
    """One upload whose blocks are sound as far as their frames tell."""

    writer: Writer
    codec: str
    sync: bytes
    blocks: list[Block]

    @property
    def records(self) -> int:
        """How many records the blocks claim."""
        return sum(block.records for block in self.blocks)

    @property
    def size(self) -> int:
        """How many bytes the blocks hold."""
        return sum(len(block.body) for block in self.blocks)


def opened(data: bytes, limits: Limits) -> Opened:
    """Walk the blocks of one container.

    Errors: UnreadableError with the reason, for any bytes whatever.
    """
    start = time.monotonic()
    head = container.header(data)
    writer = understand(head.schema)
    parts = []
    for block in container.blocks(data, head, limits.records, limits.inflated):
        if block.records * writer.least_bytes > len(block.body):
            raise UnreadableError("corrupt_block", "a block claims more records than its bytes can hold")
        if len(block.body) > block.records * limits.record:
            raise UnreadableError("too_large", "a record is larger than any record of its type can be")
        parts.append(block)
        _check_time(start, limits)
    if not any(part.records for part in parts):
        raise UnreadableError("no_records", "the file holds no records")
    return Opened(writer, head.codec, head.sync, parts)


def decode(file: Opened, limits: Limits) -> list[Row]:
    """Return the rows of one container.

    Errors: UnreadableError with the reason, for any bytes whatever.
    """
    start = time.monotonic()
    rows: list[Row] = []
    items = 0
    try:
        for part in fastavro.block_reader(BytesIO(container.reframed(file.writer.schema, file.sync, file.blocks))):
            for row in part:
                rows.append(row)  # type: ignore[arg-type]  # the records of a record schema are dicts
                items += sum(len(value) for value in rows[-1].values() if isinstance(value, list))
                if items > limits.items:
                    raise UnreadableError("too_large", "the arrays of the file hold more items than an upload may")
            if part.bytes_.read(1):  # type: ignore[attr-defined]  # public, but its stub forgets it
                raise UnreadableError("corrupt_block", "a block holds bytes that belong to no record")
            _check_time(start, limits)
    except DAMAGE as fault:
        raise UnreadableError("corrupt_block", "a record does not match the schema of its file") from fault
    _check_time(start, limits)
    return rows


@lru_cache(maxsize=256)
def understand(schema: bytes) -> Writer:
    """Parse a writer schema.

    Errors: UnreadableError when it is no schema of a record.
    """
    try:
        plain = avro_schema.without_logical_types(json.loads(schema))
        canonical = fastavro.schema.to_parsing_canonical_form(plain)  # type: ignore[arg-type]  # judged right here
        full = fastavro.schema.expand_schema(plain)  # type: ignore[arg-type]  # as above
        if not isinstance(full, dict) or full.get("type") != "record":
            raise UnreadableError("schema_unreadable", "the schema of the file is not that of a record")
        avro_schema.check_size(full)
        least = avro_schema.least_bytes(full)
        usable = avro_schema.columns(full["fields"])
        fingerprint = fastavro.schema.fingerprint(canonical, "SHA-256")
    except DAMAGE as fault:
        raise UnreadableError("schema_unreadable", "the schema of the file cannot be understood") from fault
    if not least:
        raise UnreadableError("schema_unreadable", "a record of this schema takes no bytes")
    name = str(full["name"]).rsplit(".", 1)[-1]
    return Writer(json.dumps(plain).encode(), name, fingerprint, pl.Schema(usable), least, full)


def frame(writer: Writer, rows: Iterable[Row]) -> pl.DataFrame:
    """Return rows of one writer as columns.

    Shapes: as writer.columns.
    Errors: UnreadableError when a value does not fit its column.
    """
    try:
        return pl.DataFrame(list(rows), schema=writer.columns, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as fault:
        raise UnreadableError("corrupt_block", "a value does not fit its field") from fault


def encode(schema: Mapping[str, Json], rows: Iterable[Mapping[str, object]], codec: str, sync: bytes) -> bytes:
    """Return rows as a container whose bytes depend on nothing but the arguments."""
    out = BytesIO()
    fastavro.writer(out, dict(schema), rows, codec=codec, sync_marker=sync)
    return out.getvalue()


def _check_time(start: float, limits: Limits) -> None:
    if time.monotonic() - start > limits.seconds:
        raise UnreadableError("timed_out", f"decoding took longer than {limits.seconds:g} seconds")
