"""Descriptive statistics of the column value, one metric each.

The expressions are meant for group_by("subject").agg; a null value takes no part in any of them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from etlnarr.model import Gate, Metric

VALUE: Final = pl.col("value")
PERCENTILES: Final = (5, 25, 75, 95)
FENCE: Final = 1.5
"""Quartile ranges beyond a quartile at which a value counts as an outlier."""

NO_VALUES: Final = ("there are no values", "one reading")
ONE_VALUE: Final = ("one value has no spread", "two readings")
NO_GATES: Final[Mapping[str, tuple[Gate, ...]]] = MappingProxyType({})


def statistics(
    prefix: str, noun: str, unit: str, decimals: int, gates: Mapping[str, tuple[Gate, ...]] = NO_GATES
) -> tuple[Metric, ...]:
    """Declare the descriptive statistics of a quantity.

    Shapes: noun is the plural that definitions speak of ("glucose readings"); gates go by the part of the path after
    the prefix ("std", "percentiles.p5").
    """

    def metric(name: str, definition: str, agg: pl.Expr, unit: str = unit, decimals: int = decimals) -> Metric:
        undefined = ONE_VALUE if name in {"std", "cv"} else NO_VALUES
        return Metric(
            f"{prefix}.{name}", unit, decimals, definition, "descriptive", agg, None, gates.get(name, ()), undefined
        )

    return (
        metric("count", f"number of {noun}", count(), "readings", 0),
        metric("mean", f"arithmetic mean of {noun}", mean()),
        metric("median", f"middle of {noun}", VALUE.median()),
        metric("std", f"standard deviation of {noun}, n - 1 in the denominator", std()),
        metric("min", f"lowest of {noun}", VALUE.min()),
        metric("max", f"highest of {noun}", VALUE.max()),
        metric("range", "highest minus lowest", VALUE.max() - VALUE.min()),
        metric("cv", "coefficient of variation: 100 x standard deviation / mean", cv(), "%", 1),
        *(
            metric(f"percentiles.p{p}", f"{p}th percentile of {noun}, linear between neighbours", percentile(p))
            for p in PERCENTILES
        ),
        metric(
            "outliers.count",
            f"{noun} more than {FENCE} quartile ranges outside the quartiles",
            outliers(),
            "readings",
            0,
        ),
    )


def override(metrics: tuple[Metric, ...], *others: Metric) -> tuple[Metric, ...]:
    """Put each of the others in the place of the metric with the same path.

    Errors: KeyError for a path that none of the metrics has.
    """
    by_path = {metric.path: metric for metric in metrics}
    for other in others:
        by_path[other.path]  # an override of nothing is a slip
        by_path[other.path] = other
    return tuple(by_path.values())


def finite(expr: pl.Expr) -> pl.Expr:
    """Turn NaN and the infinities into null: what cannot be computed is absent."""
    return pl.when(expr.is_finite()).then(expr)


def count() -> pl.Expr:
    """Count the values that are not null."""
    return VALUE.count().cast(pl.Int64)


def mean() -> pl.Expr:
    """Average the values."""
    return VALUE.mean()


def std() -> pl.Expr:
    """Return the standard deviation with n - 1 in the denominator; null below two values."""
    return VALUE.std(ddof=1)


def cv() -> pl.Expr:
    """Return the coefficient of variation in percent; null below two values or at a mean of zero."""
    return finite(100.0 * std() / mean())


def percentile(p: int) -> pl.Expr:
    """Return the p-th percentile, linear between neighbours."""
    return VALUE.quantile(p / 100, interpolation="linear")


def outliers() -> pl.Expr:
    """Count the values beyond the fences; null without values."""
    low, high = percentile(25), percentile(75)
    reach = FENCE * (high - low)
    beyond = (low - reach > VALUE) | (high + reach < VALUE)
    return pl.when(VALUE.count() > 0).then(beyond.sum()).cast(pl.Int64)
