"""Readings to insights: the declarations of a record type evaluated for all subjects together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import polars as pl

from etlnarr.model import Batch, Gate, Json, RecordType, Verdict
from etlnarr.wire import Withheld

SIGNIFICANT_DIGITS: Final = 10
"""Sums depend on the order of their terms in the last digits; insights do not."""

NOISE_DIGITS: Final = 13
"""What lies half way between two of these numbers is told from what lies beside it by no more digits than these."""

LONG_GROUP: Final = 10
"""A group of so many claims, all silent for one reason, is withheld as one."""


@dataclass(frozen=True, slots=True)
class Insights:
    """What was worked out for one subject."""

    subject: int
    clinical: dict[str, Json]
    withheld: list[Withheld]
    recommendations: list[str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A metric or a verdict, with all that may keep it from being stated."""

    path: str
    gates: tuple[Gate, ...]
    undefined: tuple[str, str]


def evaluate(kind: RecordType, batch: Batch, habits: Sequence[tuple[str, Gate]]) -> pl.DataFrame:
    """Evaluate every metric, gate, verdict and recommendation.

    Shapes: one row per subject in the order of the subjects; a column per path; "gate|path" holds the position of the
    first gate that the claim did not pass, null when it passed all; "advice|name" whether it is given. Habits are
    gates of sources by the path, or the beginning of the path, that they concern.
    """
    row = _quantities(kind, _remembered(kind, batch))
    schema = row.schema  # made anew each time it is asked for
    row = row.with_columns(_tidy(schema[metric.path], metric.path) for metric in kind.metrics)
    row = row.with_columns(_word(verdict).alias(verdict.path) for verdict in kind.verdicts)
    claims = claims_of(kind, habits)
    row = row.with_columns(first_failed(claim.gates).alias(f"gate|{claim.path}") for claim in claims)
    return row.with_columns(
        (
            advice.when.fill_null(value=False)
            & pl.col(advice.follows).is_not_null()
            & pl.col(f"gate|{advice.follows}").is_null()
        ).alias(f"advice|{advice.name}")
        for advice in kind.recommendations
    ).sort("subject")


def claims_of(kind: RecordType, habits: Sequence[tuple[str, Gate]]) -> list[Claim]:
    """Return metrics and verdicts with their gates; a verdict has those of its metric too."""
    gates = {metric.path: metric.gates for metric in kind.metrics}
    undefined = {metric.path: metric.undefined for metric in kind.metrics}
    claims = [Claim(metric.path, metric.gates, metric.undefined) for metric in kind.metrics]
    claims += [
        Claim(v.path, (*gates.get(v.metric, ()), *v.gates), undefined.get(v.metric, ("", ""))) for v in kind.verdicts
    ]
    concerned = {v.path: v.metric for v in kind.verdicts}
    return [
        Claim(
            claim.path,
            (
                *(g for p, g in habits if _under(claim.path, p) or _under(concerned.get(claim.path, ""), p)),
                *claim.gates,
            ),
            claim.undefined,
        )
        for claim in claims
    ]


def unfold(
    kind: RecordType, row: pl.DataFrame, habits: Sequence[tuple[str, Gate]], more: Sequence[Claim] = ()
) -> Iterator[Insights]:
    """Turn the rows of evaluate() into nested insights and the list of what is withheld.

    Shapes: more are claims that were added to the row.
    """
    claims = [*claims_of(kind, habits), *more]
    silences = [(claim.path, f"gate|{claim.path}", _silences(claim)) for claim in claims]
    for line in row.iter_rows(named=True):
        withheld = [
            silent[-1 if line[gate] is None else line[gate]]
            for path, gate, silent in silences
            if line[gate] is not None or line[path] is None
        ]
        clinical = _nested({claim.path: line[claim.path] for claim in claims})
        advice = [a.name for a in kind.recommendations if line[f"advice|{a.name}"]]
        yield Insights(line["subject"], *_folded(clinical, withheld), advice)


def _remembered(kind: RecordType, batch: Batch) -> Batch:
    """Work out the nights once for all tables that look at them, where no others than the subject's own bear on it."""
    if kind.history is None or batch.past is not None:
        return batch
    return replace(batch, past=kind.history.nights(batch).with_columns(inside=pl.lit(value=True)))


def _quantities(kind: RecordType, batch: Batch) -> pl.DataFrame:
    row = batch.readings.group_by("subject", maintain_order=True).agg(
        pl.col("source").unique().cast(pl.String).sort().str.join(" "),
        *(metric.agg.alias(metric.path) for metric in kind.metrics if metric.agg is not None),
    )
    row = row.join(batch.people, on="subject", how="left")
    for table in kind.tables:
        row = row.join(table(batch), on="subject", how="left")
    for metric in kind.metrics:
        if metric.agg is None:
            expr = pl.col(metric.path.rsplit(".", 1)[-1]) if metric.expr is None else metric.expr
            row = row.with_columns(expr.alias(metric.path))
    return row


def tidy(value: pl.Expr) -> pl.Expr:
    """Return a number without what the order of its terms left behind; null when it is not finite."""
    steady = value.round_sig_figs(NOISE_DIGITS)  # or noise would decide where a value lies between two
    return pl.when(value.is_finite()).then(steady.round_sig_figs(SIGNIFICANT_DIGITS))


def _tidy(dtype: pl.DataType, path: str) -> pl.Expr:
    return tidy(pl.col(path)).alias(path) if dtype.is_float() else pl.col(path)


def _word(verdict: Verdict) -> pl.Expr:
    if verdict.expr is not None:
        return verdict.expr
    value = pl.col(verdict.metric)
    word: pl.Expr = pl.lit(None, pl.String)
    for name, upper, closed in reversed(verdict.bands):
        word = pl.when(value <= upper if closed else value < upper).then(pl.lit(name)).otherwise(word)
    return pl.when(value.is_not_null()).then(word)


def first_failed(gates: Sequence[Gate]) -> pl.Expr:
    """Return the position of the first gate that is not passed, null when all are."""
    failed: pl.Expr = pl.lit(None, pl.Int16)
    for position, gate in reversed(list(enumerate(gates))):
        failed = pl.when(gate.passes.fill_null(value=False)).then(failed).otherwise(pl.lit(position, pl.Int16))
    return failed


def _silences(claim: Claim) -> list[Withheld]:
    """Tell how a claim is withheld for each of its gates, and last for being undefined."""
    told = [*((gate.reason, gate.needs) for gate in claim.gates), claim.undefined]
    return [_silence(claim.path, reason, needs) for reason, needs in told]


@cache  # the declarations have some hundreds of them, batches have thousands
def _silence(path: str, reason: str, needs: str) -> Withheld:
    return Withheld(path=path, reason=reason, needs=needs)


@cache
def _steps(path: str) -> tuple[tuple[str, ...], str]:
    *parents, name = path.split(".")
    return tuple(parents), name


def _nested(flat: Mapping[str, Json]) -> dict[str, Json]:
    tree: dict[str, Json] = {}
    groups: dict[tuple[str, ...], dict[str, Json]] = {(): tree}
    for path, value in flat.items():
        parents, name = _steps(path)
        node = groups.get(parents)
        if node is None:  # most groups have several values
            node = groups[parents] = _group(tree, parents)
        if name in node:
            raise TypeError(f"{path} is a value and a group")
        node[name] = value
    return tree


def _group(tree: dict[str, Json], parents: Sequence[str]) -> dict[str, Json]:
    """Return the group below all parents, made where it is not there yet."""
    for parent in parents:
        inner = tree.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise TypeError(f"{'.'.join(parents)}: {parent} is a value and a group")
        tree = inner
    return tree


def _folded(clinical: dict[str, Json], withheld: list[Withheld]) -> tuple[dict[str, Json], list[Withheld]]:
    """Let a long group of which nothing is defined, all for one reason, be withheld as one."""
    by_group: dict[str, list[Withheld]] = defaultdict(list)
    for entry in withheld:
        group, dot, _ = entry.path.partition(".")
        by_group[group + dot].append(entry)
    for group, inner in clinical.items():
        own = by_group[f"{group}."]
        if len(own) >= LONG_GROUP and _empty(inner) and len({(entry.reason, entry.needs) for entry in own}) == 1:
            clinical[group] = None
            rest = [entry for entry in withheld if not entry.path.startswith(f"{group}.")]
            withheld = [*rest, own[0].model_copy(update={"path": group})]
    return clinical, withheld


def _empty(node: Json) -> bool:
    return all(_empty(inner) for inner in node.values()) if isinstance(node, dict) else node in (None, [])


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}.")
