"""Rows of one writer schema to canonical records and readings."""

from typing import Final

import polars as pl

from etlnarr.envelope import EARLIEST, LATEST
from etlnarr.model import Field, RecordType, Shape

METADATA: Final = {
    "id": Field(("metadata.id",), required=False, kind="text"),
    "source": Field(("metadata.dataOriginPackageName",), required=False, kind="text"),
    "modified": Field(
        ("metadata.lastModifiedTimeEpochMillis", "metadata.lastModifiedTime.epochMillis"), required=False
    ),
    "version": Field(("metadata.clientRecordVersion",), required=False),
    "device": Field(("metadata.device.model",), required=False, kind="text"),
    "fetched": Field(("appRecordFetchTimeEpochMillis", "appRecordFetchTime.epochMillis"), required=False),
}
"""What every Health Connect record carries, whatever its type."""

OPTIONAL: Final = {
    "offset": pl.String(),
    "value": pl.Float64(),
    "label": pl.String(),
    "meal_type": pl.String(),
    "relation_to_meal": pl.String(),
}
KINDS: Final = {"integer": (pl.Int64(),), "number": (pl.Float64(), pl.Int64()), "text": (pl.String(),)}
UNKNOWN_SOURCE: Final = "unknown"
SKEW_MS: Final = 3_600_000
"""What is told of the time after a fetch may be ahead by this much: clocks of phone and device differ."""

WRITE_SKEW_MS: Final = 86_400_000
IMPOSSIBLE: Final = -1
"""Stands for a last write that is more than a day later than the fetch: believed, it would win over every version."""

PACKAGE: Final = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$"
"""How a package is named; any other text could put words into a narrative."""


def missing_fields(columns: pl.Schema, shape: Shape) -> list[str]:
    """Return the required fields that the writer schema lacks or has in another type, under their real names."""
    wanted = [(columns, f) for f in shape.record.values()]
    if shape.items_path is not None:
        inner = _dtype(columns, shape.items_path)
        items = inner.inner if isinstance(inner, pl.List) else None
        item_columns = pl.Schema(items.to_schema()) if isinstance(items, pl.Struct) else pl.Schema()
        wanted += [(item_columns, f) for f in shape.items.values()]
    return [field.paths[0] for within, field in wanted if field.required and _found(within, field) is None]


def records(rows: pl.DataFrame, kind: RecordType) -> pl.DataFrame:
    """Return one line per record.

    Shapes: rows as the writer's columns plus upload and record; the result upload, record, identity, source, device,
    modified, version, fetched, start, end, offset, value_present, in the order of rows.
    """
    schema = rows.schema
    fields = {**METADATA, **kind.shape.record}
    plain = rows.select("upload", "record", *(_expr(schema, name, field) for name, field in fields.items()))
    if "end" not in plain.columns:
        plain = plain.with_columns(end=pl.col("start"))
    packages = plain["source"].unique().to_frame().filter(pl.col("source").str.contains(PACKAGE)).to_series().to_list()
    return plain.with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in OPTIONAL.items() if name not in plain.columns),
        pl.when(pl.col("source").is_in(packages)).then("source").otherwise(pl.lit(UNKNOWN_SOURCE)).alias("source"),
        pl.col("modified").fill_null(0).clip(0, LATEST),
        pl.col("version").fill_null(0).clip(0),
        *(_plausible(name) for name in ("start", "end", "fetched")),
    ).with_columns(
        identity=_identity(),
        modified=pl.when(pl.col("modified") > pl.col("fetched") + WRITE_SKEW_MS)
        .then(pl.lit(IMPOSSIBLE, pl.Int64))
        .otherwise("modified"),
    )


def numbered(rows: pl.DataFrame, upload: int) -> pl.DataFrame:
    """Return the rows of an upload as records() takes them."""
    return rows.with_columns(upload=pl.lit(upload, pl.Int64), record=pl.int_range(pl.len(), dtype=pl.Int64))


def latest_fetch(found: pl.DataFrame) -> dict[int, int | None]:
    """Return the latest fetch time of each upload of which there are records, as records() returned them.

    Units: epoch ms.
    """
    return dict(found.group_by("upload").agg(pl.col("fetched").max()).iter_rows())


def readings(rows: pl.DataFrame, found: pl.DataFrame, kind: RecordType) -> pl.DataFrame:
    """Return one line per reading.

    Shapes: found as records() returned it; the result upload, record, start, end, value, label, meal_type,
    relation_to_meal. A record without items is one reading without a value.
    """
    columns = ["upload", "record", "start", "end", "value", "label", "meal_type", "relation_to_meal"]
    if kind.shape.items_path is None or not isinstance(_dtype(rows.schema, kind.shape.items_path), pl.List):
        return found.select(columns)
    items = rows.select("upload", "record", _path(kind.shape.items_path).alias("item")).explode("item")
    struct = items.schema["item"]
    inner = pl.Schema(struct.to_schema()) if isinstance(struct, pl.Struct) else pl.Schema()
    told = items.filter(pl.col("item").is_not_null())
    plain = told.select(
        "upload", "record", *(_expr(inner, name, field, "item") for name, field in kind.shape.items.items())
    )
    if "end" not in plain.columns:
        plain = plain.with_columns(end=pl.col("start"))
    plain = plain.with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in OPTIONAL.items() if name not in plain.columns),
        *(_plausible(name) for name in ("start", "end")),
    )
    filled = rows.select((_path(kind.shape.items_path).list.len() > 0).fill_null(value=False).all()).item()
    if filled and told.height == items.height:
        return plain.select(columns)
    whole = found.join(plain, on=["upload", "record"], how="anti")
    return pl.concat([plain.select(columns), whole.select(columns)]).sort("upload", "record", maintain_order=True)


def _identity() -> pl.Expr:
    known = [pl.col(name).cast(pl.String).fill_null("") for name in ("source", "device", "start", "end")]
    fallback = pl.format("at:{}|{}|{}|{}", *known)
    return pl.when(pl.col("id").str.len_bytes() > 0).then(pl.format("id:{}", "id")).otherwise(fallback)


def _plausible(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_between(EARLIEST, LATEST)).then(pl.col(name)).alias(name)


def _expr(columns: pl.Schema, name: str, field: Field, within: str = "") -> pl.Expr:
    dtype: pl.DataType = {"integer": pl.Int64(), "number": pl.Float64(), "text": pl.String()}[field.kind]
    path = _found(columns, field)
    whole = f"{within}.{path}" if within else path
    return (pl.lit(None, dtype) if path is None else _path(str(whole)).cast(dtype)).alias(name)


def _found(columns: pl.Schema, field: Field) -> str | None:
    return next((path for path in field.paths if _dtype(columns, path) in KINDS[field.kind]), None)


def _path(path: str) -> pl.Expr:
    head, *rest = path.split(".")
    expr = pl.col(head)
    for part in rest:
        expr = expr.struct.field(part)
    return expr


def _dtype(columns: pl.Schema, path: str) -> pl.DataType | None:
    head, _, rest = path.partition(".")
    dtype = columns.get(head)
    if not rest:
        return dtype
    return _dtype(pl.Schema(dtype.to_schema()), rest) if isinstance(dtype, pl.Struct) else None
