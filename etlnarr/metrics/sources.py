"""Which source speaks for a subject and a period: several devices see the same body, and are never added up."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, MINUTE_MS, local_ms

LONGEST_HOLD_MS: Final = 10 * MINUTE_MS
"""A point covers the time to the next point of its stream, but no more than this."""

COMPARABLE_COVERAGE: Final = 0.5
"""Share of the longest coverage below which a source cannot win by its labels or its resolution."""

UNKNOWN_LABEL: Final = "UNKNOWN"
SOURCE: Final = pl.col("source")
PERIOD: Final = "_period"
STREAM: Final = "_stream"
ROW: Final = "_row"
LATEST: Final = ("modified", "end", "value", "label", "record", "meal_type", "relation_to_meal", "offset_s")
"""What decides between readings of one start; all but the first only make the choice the same every time."""

PLACE: Final = "place"
SEEN_FROM: Final = "seen_from"
SEEN_TO: Final = "seen_to"
KNOWN_MORE: Final = (PLACE, SEEN_FROM, SEEN_TO)
"""Optional columns of readings: the place of their source in the order that the person prefers; when the first record
of the source began and when it last wrote, where records are known beside those of the subject."""

KEY: Final = ("subject", PERIOD, STREAM)
INSTANT: Final = ("subject", "start")
ONE: Final = (*INSTANT, STREAM)


def local_date(later_ms: int = 0) -> pl.Expr:
    """Days since 1970-01-01 on the local calendar, on that of UTC where the offset is unknown.

    Units: of the moment so many ms after the start.
    """
    return (pl.coalesce(local_ms(), "start") + later_ms) // DAY_MS


def by_start(readings: pl.DataFrame, sleep: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG001 - as RecordType.by_day
    """Add the local day that each reading starts on."""
    return readings.with_columns(day=local_date())


def covered_ms() -> pl.Expr:
    """Time that a reading stands for: its own length, or the time to the next one, at most ten minutes.

    Shapes: to be evaluated over the readings of one stream in order of start; the last point stands for no time.
    """
    step = (pl.col("start").shift(-1) - pl.col("start")).fill_null(0)
    return pl.max_horizontal(pl.col("end") - pl.col("start"), pl.min_horizontal(step, LONGEST_HOLD_MS))


COVERAGE: Final = covered_ms().sum()


def choose(
    readings: pl.DataFrame,
    period: pl.Expr,
    stream: pl.Expr = SOURCE,
    coverage: pl.Expr = COVERAGE,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose one stream per subject and period, and drop what a stream repeats.

    The first that tells two streams apart decides: place of the source in the preferred order, at least half of the
    longest coverage, more kinds of label, shorter median step between readings, longer coverage, name.

    Shapes: readings as READINGS in canonical order, with PLACE where the person prefers a source; stream yields a
    string, by default the source; coverage is evaluated over the readings of a stream in a period. The result is the
    chosen readings and all others, each in the order they came in. Of readings of one stream with the same start, the
    one written last stands.
    """
    once = _once(readings.with_columns(period.alias(PERIOD), stream.alias(STREAM)))
    best = _ranked(once, coverage).unique(["subject", PERIOD], keep="first", maintain_order=True)
    told = best.select(*KEY, chosen=pl.lit(value=True))
    judged = once.join(told, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    chosen = pl.col("chosen").is_not_null()
    return judged.filter(chosen).select(readings.columns), judged.filter(~chosen).select(readings.columns)


def criteria(once: pl.DataFrame, by: Sequence[str], coverage: pl.Expr = COVERAGE) -> pl.DataFrame:
    """Describe streams by what decides between them.

    Shapes: once holds readings of distinct starts in their order; the result by, place (null without a preference),
    kinds, step (null below two readings), coverage, n (readings). Units: ms.
    """
    known = pl.col("label").filter(pl.col("label") != UNKNOWN_LABEL)
    return once.group_by(by, maintain_order=True).agg(
        place=(pl.col(PLACE) if PLACE in once.columns else pl.lit(None, pl.Int64)).min(),
        kinds=known.n_unique(),
        step=pl.col("start").diff().median(),
        coverage=coverage,
        n=pl.len(),
    )


def _once(marked: pl.DataFrame) -> pl.DataFrame:
    """Drop all but the last written of readings with one start; few are, so that only these are put in that order."""
    numbered = marked.with_row_index(ROW)
    ordered = numbered.select(ROW, *INSTANT).sort(INSTANT, maintain_order=True)  # the faster way for what is in order
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in INSTANT)
    repeated = ordered.filter((same | same.shift(-1)).fill_null(value=False))
    if repeated.is_empty():
        return marked
    rivals = numbered.join(repeated, on=ROW, how="semi").sort(LATEST, descending=True, nulls_last=True)
    lost = rivals.join(rivals.unique(ONE, keep="first", maintain_order=True), on=ROW, how="anti")
    return numbered.join(lost, on=ROW, how="anti", maintain_order="left").drop(ROW)


def _ranked(once: pl.DataFrame, coverage: pl.Expr) -> pl.DataFrame:
    streams = criteria(once, KEY, coverage)
    longest = pl.col("coverage").max().over("subject", PERIOD)
    return streams.with_columns(brief=pl.col("coverage") < COMPARABLE_COVERAGE * longest).sort(
        *("subject", PERIOD, "place", "brief", "kinds", "step", "coverage", STREAM),
        descending=[False, False, False, False, True, False, True, False],
        nulls_last=True,
    )
