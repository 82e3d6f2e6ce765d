"""How good an upload is, and which of its rows may reach a metric."""

from collections.abc import Sequence
from typing import Final

import polars as pl

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

HARMLESS: Final = {"out_of_order", "written_after_fetch"}
"""Rules that say something of the file and nothing of the row."""


def usable(records: pl.DataFrame, readings: pl.DataFrame, kind: RecordType) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop the rows that fail a rule which makes them unfit for a metric.

    Shapes: both frames as the catalog holds them; a record that is dropped takes its readings along. Of records with
    one identity in one upload the last version stands.
    """
    rules = _rules(kind)
    latest = records.sort("modified", "version", "record", descending=[True, True, False])
    once = latest.unique(["upload", "identity"], keep="first", maintain_order=True)
    kept = once.filter(~_any(rules, "records")).sort("upload", "record")
    inside = _bounded(readings, kept).filter(~_any(rules, "readings"))
    return kept, inside.drop("record_start", "record_end")


def assess(records: pl.DataFrame, readings: pl.DataFrame, kind: RecordType) -> pl.DataFrame:
    """Score uploads.

    Shapes: upload, usable (the readings that may reach a metric), completeness, physiological, temporal, and a column
    per rule with the number of rows that fail it.
    Units: scores between 0 and 1.
    """
    rules = [*COMMON_RULES, *kind.rules]
    parts = [
        _scores(frame, [r for r in rules if r.over == over])
        for over, frame in (("records", records), ("readings", _bounded(readings, records)))
    ]
    joined = parts[0].join(parts[1], on="upload", how="left", suffix="_readings")
    worst = (pl.min_horizontal(score, f"{score}_readings").round(DECIMALS).alias(score) for score in WEIGHTS)
    left = usable(records, readings, kind)[1].group_by("upload").agg(usable=pl.len())
    scored = joined.with_columns(*worst).join(left, on="upload", how="left").with_columns(pl.col("usable").fill_null(0))
    return scored.select("upload", "usable", *WEIGHTS, *(pl.col(rule.name).fill_null(0) for rule in rules))


def _scores(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Count the rows that fail each rule, and the share that pass all rules of each kind."""
    flagged = frame.select("upload", *(rule.fails.fill_null(value=False).alias(rule.name) for rule in rules))
    return flagged.group_by("upload").agg(
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


def _bounded(readings: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Give each reading the bounds of its record; a reading without a record is dropped."""
    bounds = records.select("upload", "record", record_start="start", record_end="end")
    return readings.join(bounds, on=["upload", "record"], maintain_order="left")


def _rules(kind: RecordType) -> list[Rule]:
    return [rule for rule in (*COMMON_RULES, *kind.rules) if rule.name not in HARMLESS]


def _any(rules: Sequence[Rule], over: str) -> pl.Expr:
    own = [rule.fails.fill_null(value=False) for rule in rules if rule.over == over]
    return pl.any_horizontal(*own) if own else pl.lit(value=False)


def _share(names: Sequence[str]) -> pl.Expr:
    return 1.0 - pl.any_horizontal(*names).mean() if names else pl.lit(1.0)
