"""Proof that rows were read from their very bytes, in columns.

Each block must hold exactly the bytes that its rows take when they are written as short as can be, and each branch of
a union must be the one that its value asks for. A reader stays inside the bytes and nothing can be written shorter, so
when the lengths of all blocks agree, every value was read where it stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa

from etlnarr.container import Block
from etlnarr.model import Json

PLAIN: Final = {
    "boolean": pl.Boolean(),
    "int": pl.Int32(),
    "long": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "string": pl.String(),
}
FIXED: Final = {"enum": 1, "boolean": 1, "float": 4, "double": 8}
MOST_SYMBOLS: Final = 64
"""As many symbols have numbers of one byte."""

BRANCHES: Final = (0, 2)
"""How the numbers of the first and the second branch are written."""


@dataclass(frozen=True, slots=True)
class _Bytes:
    """Bytes as a column that is not copied; for an array of Arrow itself Polars loads more than a build takes."""

    body: bytes

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        array = pa.Array.from_buffers(pa.uint8(), len(self.body), [None, pa.py_buffer(self.body)])
        schema, told = array.__arrow_c_array__(requested_schema)  # whose types Arrow does not tell
        return schema, told


class Piece(NamedTuple):
    """A part of each row: how many bytes it takes, and the byte it must be where that is known."""

    size: pl.Expr
    byte: pl.Expr | None = None


def dtype(schema: Json) -> pl.DataType | None:
    """Return the column type of a schema whose bytes can be measured, None for all others.

    Shapes: plain types, enums, records, arrays without unions in them, and one of these or null.
    """
    match schema:
        case {"type": "record", "fields": list()}:
            inner = {name: dtype(of) for name, of in _fields(schema)}
            known = {name: found for name, found in inner.items() if found is not None}
            return pl.Struct(known) if len(known) == len(inner) else None
        case {"type": "array", "items": items}:
            item = None if _has_union(items) else dtype(items)
            return None if item is None else pl.List(item)
        case {"type": "enum", "symbols": list() as symbols}:
            return pl.Categorical() if len(symbols) <= MOST_SYMBOLS else None
        case ["null", other] | [other, "null"]:
            return None if isinstance(other, list) else dtype(other)
    return PLAIN.get(_kind(schema))


def is_exact(rows: pl.DataFrame, schema: Json, blocks: Sequence[Block], body: bytes) -> bool:
    """Tell whether the blocks are just what their rows are written as.

    Shapes: rows as dtype(schema), those of all blocks in their order, one or more of each; body is that of all blocks.
    """
    pieces = [piece for name, inner in _fields(schema) for piece in _pieces(inner, pl.col(name), pl.lit(value=True))]
    sizes = rows.select(piece.size.alias(str(i)) for i, piece in enumerate(pieces)).get_columns()
    ends = rows.select(pl.sum_horizontal(piece.size for piece in pieces).cum_sum()).to_series()
    lengths = ends.gather([records - 1 for records in accumulate(block.records for block in blocks)])
    if lengths.to_list() != list(accumulate(len(block.body) for block in blocks)):
        return False
    written = pl.Series(_Bytes(body))
    at = ends.shift(1, fill_value=0)
    for piece, size in zip(pieces, sizes, strict=True):
        if piece.byte is not None:
            wanted = rows.select(piece.byte).to_series()
            if (written.gather(at.filter(size > 0)) != wanted.filter(size > 0)).any():
                return False
        at += size
    return True


def _pieces(schema: Json, value: pl.Expr, there: pl.Expr) -> Iterator[Piece]:
    match schema:
        case {"type": "record"}:
            for name, inner in _fields(schema):
                yield from _pieces(inner, value.struct.field(name), there)
        case [first, second]:
            null, other = BRANCHES if first == "null" else reversed(BRANCHES)
            byte = pl.when(value.is_null()).then(pl.lit(null, pl.UInt8)).otherwise(pl.lit(other, pl.UInt8))
            yield Piece(there.cast(pl.Int64), byte)
            yield from _pieces(second if first == "null" else first, value, there & value.is_not_null())
        case _:
            yield Piece(pl.when(there).then(_size(schema, value)).otherwise(0).cast(pl.Int64))


def _size(schema: Json, value: pl.Expr) -> pl.Expr:
    """The bytes of values that are not null."""
    match schema:
        case {"type": "record"}:
            return pl.sum_horizontal(_size(inner, value.struct.field(name)) for name, inner in _fields(schema))
        case {"type": "array", "items": items}:
            length = value.list.len().cast(pl.Int64)
            inside = value.list.eval(_size(items, pl.element())).list.sum()
            return pl.when(length > 0).then(_varint(length) + inside + 1).otherwise(1)
    match _kind(schema):
        case "int" | "long":
            number = value.cast(pl.Int64)
            return _varint(pl.max_horizontal(number, -1 - number))
        case "string":
            length = value.str.len_bytes().cast(pl.Int64)
            return _varint(length) + length
        case kind:
            return value.is_not_null().cast(pl.Int64) * FIXED[kind]


def _varint(number: pl.Expr) -> pl.Expr:
    """The bytes of a number that is not negative: seven bits in each, and one of all bits is the sign."""
    return (71 - number.bitwise_leading_zeros().cast(pl.Int64)) // 7


def _has_union(schema: Json) -> bool:
    if isinstance(schema, list):
        return True
    inner = [of for _, of in _fields(schema)] if _kind(schema) == "record" else []
    return any(map(_has_union, inner)) or (isinstance(schema, dict) and _has_union(schema.get("items")))


def _kind(schema: Json) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _fields(schema: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(schema, dict) and isinstance(fields := schema["fields"], list):
        yield from ((str(field["name"]), field["type"]) for field in fields if isinstance(field, dict))
