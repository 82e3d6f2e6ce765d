"""How good an upload is, and which of its rows may reach a metric."""

import json
from collections.abc import Sequence
from typing import Final

import polars as pl

from etlnarr import __version__
from etlnarr.canonical import IMPOSSIBLE, SKEW_MS
from etlnarr.model import RecordType, Rule
from etlnarr.wire import Quality

SCHEMA_WEIGHT: Final = 0.3
WEIGHTS: Final = {"completeness": 0.3, "physiological": 0.2, "temporal": 0.2}
WARN_BELOW: Final = {"completeness": 0.8, "physiological": 0.9}
REJECT_BELOW: Final = {"completeness": 0.5, "physiological": 0.5}
DECIMALS: Final = 6

COMMON_RULES: Final = (
    Rule("time_missing", "completeness", "records", pl.col("start").is_null() | pl.col("end").is_null()),
    Rule("end_before_start", "temporal", "records", pl.col("end") < pl.col("start")),
    Rule("starts_in_future", "temporal", "records", pl.col("start") > pl.col("fetched") + SKEW_MS),
    Rule("written_after_fetch", "temporal", "records", pl.col("modified") == IMPOSSIBLE),
    Rule(
        "out_of_order",
        "temporal",
        "records",
        pl.col("start") < pl.col("start").shift().over("upload", "source", order_by="record"),
    ),
)
"""Rules of every type. Order is judged per source: a file may interleave two devices."""

BY: Final = "by"
"""The version of the program whose rules a document follows."""

AT: Final = "at"
"""Column of readings: the row of their record among the records that are kept."""

BOUNDS: Final = ("record_start", "record_end", "kept")
KEPT: Final = pl.col("kept")
PLACE: Final = pl.struct("upload", "record")

HARMLESS: Final = {"out_of_order", "written_after_fetch"}
"""Rules that say something of the file and nothing of the row."""


def usable(records: pl.DataFrame, readings: pl.DataFrame, kind: RecordType) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop the rows that fail a rule which makes them unfit for a metric.

    Shapes: both frames as the catalog holds them, in their order, and AT beside the readings; a record that is dropped
    takes its readings along. Of records with one identity in one upload the last version stands.
    """
    marked = _marked(records, kind)
    inside = _bounded(readings, marked).filter("kept").filter(~_any(_unfit(kind, "readings")))
    return marked.filter("kept").drop("kept"), inside.drop(BOUNDS)


def assess(records: pl.DataFrame, readings: pl.DataFrame, kind: RecordType) -> pl.DataFrame:
    """Score uploads.

    Shapes: upload, usable (the readings that may reach a metric), completeness, physiological, temporal, and a column
    per rule with the number of rows that fail it.
    Units: scores between 0 and 1.
    """
    rules = [*COMMON_RULES, *kind.rules]
    marked = _marked(records, kind)
    fit = pl.col("kept") & ~pl.any_horizontal(pl.lit(value=False), *(rule.name for rule in _unfit(kind, "readings")))
    of_records = _scores(marked, [rule for rule in rules if rule.over == "records"])
    of_readings = _scores(_bounded(readings, marked), [rule for rule in rules if rule.over == "readings"], fit)
    joined = of_records.join(of_readings, on="upload", how="left", suffix="_readings")
    worst = (pl.min_horizontal(score, f"{score}_readings").round(DECIMALS).alias(score) for score in WEIGHTS)
    counts = (pl.col(name).fill_null(0) for name in ("usable_readings", *(rule.name for rule in rules)))
    return joined.select("upload", *worst, *counts).rename({"usable_readings": "usable"})


def documents(scores: pl.DataFrame) -> dict[int, str]:
    """Return what assess() found as documents, by upload."""
    return {row["upload"]: json.dumps({**row, BY: __version__}) for row in scores.iter_rows(named=True)}


def scored(document: str | None) -> dict[str, float] | None:
    """Return a line of assess() from its document, None where there is none or another version made it."""
    row = json.loads(document or "{}")
    return row if row.pop(BY, None) == __version__ else None


def _scores(frame: pl.DataFrame, rules: Sequence[Rule], fit: pl.Expr = KEPT) -> pl.DataFrame:
    """Count the rows that are fit and those that fail each rule, and the share that pass all rules of each kind."""
    flagged = frame.select("upload", "kept", *(rule.fails.fill_null(value=False).alias(rule.name) for rule in rules))
    return flagged.group_by("upload").agg(
        fit.sum().cast(pl.Int64).alias("usable"),
        *(pl.col(rule.name).sum().cast(pl.Int64) for rule in rules),
        *(_share([rule.name for rule in rules if rule.kind == score]).alias(score) for score in WEIGHTS),
    )


def judge(
    row: dict[str, float], missing: Sequence[str], kind: RecordType, threshold: float
) -> tuple[Quality, str | None]:
    """Decide on one upload.

    Shapes: row as a line of assess(); missing names the fields that the writer schema lacks. The result is the
    quality and the reason for quarantine, None when the upload is accepted.
    """
    rules = [*COMMON_RULES, *kind.rules]
    counts = {rule.name: int(row[rule.name]) for rule in rules if row[rule.name]}
    schema_score = 0.0 if missing else 1.0
    score = round(SCHEMA_WEIGHT * schema_score + sum(WEIGHTS[name] * row[name] for name in WEIGHTS), DECIMALS)
    errors = [f"schema lacks {field}" for field in missing]
    errors += [f"{name} below {limit}" for name, limit in REJECT_BELOW.items() if row[name] < limit]
    if not row["usable"]:
        errors.append("no row may reach a metric")
    if score < threshold:
        errors.append(f"quality score below {threshold}")
    warnings = [f"{name} below {limit}" for name, limit in WARN_BELOW.items() if row[name] < limit]
    quality = Quality(
        score=score,
        schema_score=schema_score,
        completeness=row["completeness"],
        physiological=row["physiological"],
        temporal=row["temporal"],
        errors=errors,
        warnings=warnings,
        rules=counts,
    )
    return quality, _reason(quality, rules, row) if errors else None


def _reason(quality: Quality, rules: Sequence[Rule], row: dict[str, float]) -> str:
    """Name the rule that failed most rows, of the kind that failed."""
    if not quality.schema_score:
        return "schema_error"
    for kind, limit in REJECT_BELOW.items():
        if row[kind] < limit:
            own = [rule.name for rule in rules if rule.kind == kind]
            return max(own, key=lambda name: row[name])
    if not row["usable"]:
        return max((rule.name for rule in rules), key=lambda name: row[name])
    return "low_quality"


def _marked(records: pl.DataFrame, kind: RecordType) -> pl.DataFrame:
    """Mark the records that are kept: fit, and the last version of their identity in the upload."""
    fit = records.with_columns(kept=~_any(_unfit(kind, "records")))
    if not fit.select(pl.struct("upload", "identity").is_duplicated().any()).item():
        return fit
    record = pl.col("record")  # not a range of the group, which Polars does not sort
    last = record.sort_by("modified", "version", "record", descending=[True, True, False]).first()
    return fit.with_columns(KEPT & (record == last).over("upload", "identity"))


def _bounded(readings: pl.DataFrame, marked: pl.DataFrame) -> pl.DataFrame:
    """Give each reading the bounds of its record, whether that is kept, and AT; one without a record is dropped."""
    at = KEPT.cum_sum().cast(pl.Int64) - 1
    bounds = marked.select("upload", "record", "kept", at.alias(AT), record_start="start", record_end="end")
    runs, of = readings.select(PLACE.rle().alias("runs"))["runs"].struct.field("value"), readings.select(PLACE.rle_id())
    if runs.equals(bounds.select(PLACE).to_series()):  # as the catalog returns them; a join takes ten times as long
        return readings.hstack(bounds.select(*BOUNDS, AT)[of.to_series()])
    return readings.join(bounds, on=["upload", "record"], maintain_order="left")


def _unfit(kind: RecordType, over: str) -> list[Rule]:
    """Return the rules of a row that make it unfit; those of readings look at no other record."""
    rules = (*COMMON_RULES, *kind.rules)
    return [rule for rule in rules if rule.over == over and rule.name not in HARMLESS]


def _any(rules: Sequence[Rule]) -> pl.Expr:
    return pl.any_horizontal(pl.lit(value=False), *(rule.fails.fill_null(value=False) for rule in rules))


def _share(names: Sequence[str]) -> pl.Expr:
    return 1.0 - pl.any_horizontal(*names).mean() if names else pl.lit(1.0)
