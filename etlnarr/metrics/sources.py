"""Which source speaks for a subject and a period: several devices see the same body, and are never added up."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from etlnarr.metrics.clock import DAY_MS, MINUTE_MS, local_ms
from etlnarr.metrics.runs import NO, in_order, numbered

LONGEST_HOLD_MS: Final = 10 * MINUTE_MS
"""A point covers the time to the next point of its stream, but no more than this."""

COMPARABLE_COVERAGE: Final = 0.5
"""Share of the longest coverage below which a source cannot win by its labels or its resolution."""

UNKNOWN_LABEL: Final = "UNKNOWN"
SOURCE: Final = pl.col("source")
PERIOD: Final = "_period"
STREAM: Final = "_stream"
ROW: Final = "_row"
AHEAD: Final = "_ahead"
"""Column for the time to the next reading of a stream, null for the last; ms."""

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


def covered_ms(ahead: pl.Expr | None = None) -> pl.Expr:
    """Time that a reading stands for: its own length, or the time to the next one, at most ten minutes.

    Shapes: to be evaluated over the readings of one stream in order of start, or with the time to the next one given;
    the last point stands for no time.
    """
    step = pl.col("start").shift(-1) - pl.col("start") if ahead is None else ahead
    return pl.max_horizontal(pl.col("end") - pl.col("start"), pl.min_horizontal(step.fill_null(0), LONGEST_HOLD_MS))


COVERAGE: Final = covered_ms(pl.col(AHEAD)).sum()


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
    string, by default the source; coverage is evaluated over start, end and AHEAD of the readings of a stream in a
    period. The result is the chosen readings and all others, each in the order they came in. Of readings of one stream
    with the same start, the one written last stands.
    """
    once = single(readings.with_columns(period.alias(PERIOD), stream.alias(STREAM)))
    streams, of = numbered(once, KEY)
    return among(once.select(readings.columns), streams, of, coverage)


def among(
    once: pl.DataFrame, streams: pl.DataFrame, of: pl.Series, coverage: pl.Expr = COVERAGE
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose as choose(), between streams that are numbered already.

    Shapes: once as the readings of choose(), of distinct starts; streams as KEY, with the number of each by its place;
    of tells that of each reading, as NO.
    """
    rivals = streams.with_row_index(NO).filter((pl.len() > 1).over("subject", PERIOD))
    if rivals.is_empty():
        return once, once.clear()
    lost = of.is_in(_lost(once.hstack([of]), rivals, coverage).implode())
    return once.filter(~lost), once.filter(lost)


def criteria(once: pl.DataFrame, by: Sequence[str], coverage: pl.Expr = COVERAGE) -> pl.DataFrame:
    """Describe streams by what decides between them.

    Shapes: once holds readings of distinct starts in their order; the result by, place (null without a preference),
    kinds, step (null below two readings), coverage, n (readings). Units: ms.
    """
    known = pl.when(pl.col("label") != UNKNOWN_LABEL).then("label")
    place = pl.col(PLACE) if PLACE in once.columns else pl.lit(None, pl.Int64).alias(PLACE)
    # streams lie one behind the other, for what looks at other rows inside a group costs as much again for each group
    ordered = once.select(*by, "start", "end", place, known=known).sort(by, maintain_order=True)
    last = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in by)
    ahead = pl.when(~last).then(pl.col("start").shift(-1) - pl.col("start"))
    return (
        ordered.with_columns(ahead.alias(AHEAD))
        .group_by(by, maintain_order=True)
        .agg(
            place=pl.col(PLACE).min(),
            kinds=pl.col("known").n_unique() - pl.col("known").is_null().any().cast(pl.UInt32),
            step=pl.col(AHEAD).median(),
            coverage=coverage,
            n=pl.len(),
        )
    )


def single(marked: pl.DataFrame) -> pl.DataFrame:
    """Drop all but the last written of readings of one stream with one start.

    Shapes: as the readings of choose(), with the column STREAM; the rest in their order.
    """
    rows = marked.with_row_index(ROW)
    ordered = rows.select(ROW, *INSTANT)
    if not in_order(ordered):
        ordered = ordered.sort(INSTANT, maintain_order=True)  # the faster way for what is nearly in order
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in INSTANT)
    repeated = ordered.filter((same | same.shift(-1)).fill_null(value=False))
    if repeated.is_empty():
        return marked
    # few are, so that only these are put in the order of writing
    rivals = rows.join(repeated, on=ROW, how="semi").sort(LATEST, descending=True, nulls_last=True)
    lost = rivals.join(rivals.unique(ONE, keep="first", maintain_order=True), on=ROW, how="anti")
    return marked if lost.is_empty() else rows.filter(~pl.col(ROW).is_in(lost[ROW].implode())).drop(ROW)


def _lost(once: pl.DataFrame, rivals: pl.DataFrame, coverage: pl.Expr) -> pl.Series:
    """Return the numbers of the streams that another one is chosen before; those without a rival are not looked at."""
    contested = once.filter(pl.col(NO).is_in(rivals[NO].implode()))
    streams = criteria(contested, [NO], coverage).join(rivals, on=NO)
    longest = pl.col("coverage").max().over("subject", PERIOD)
    ranked = streams.with_columns(brief=pl.col("coverage") < COMPARABLE_COVERAGE * longest).sort(
        *("subject", PERIOD, "place", "brief", "kinds", "step", "coverage", STREAM),
        descending=[False, False, False, False, True, False, True, False],
        nulls_last=True,
    )
    return ranked.filter(pl.struct("subject", PERIOD).is_first_distinct().not_())[NO]
