"""Amounts added up over days: steps, energy. A day counts only when it was over before it was last written."""

from typing import Final

import polars as pl

from etlnarr.metrics import sources
from etlnarr.metrics.bounded import dated, iso_date, latest_rows
from etlnarr.metrics.clock import DAY_MS, MINUTE_MS, THURSDAY, WEEKDAYS, offset_ms
from etlnarr.metrics.days import DAY, day_sums, days, told_whole
from etlnarr.metrics.overlap import pro_rata
from etlnarr.model import Batch

GOALS: Final = (7_000, 10_000)
TOTAL_DECIMALS: Final = 6


def totals(batch: Batch) -> pl.DataFrame:
    """Summarise the days of each subject; daily figures are of complete days.

    Shapes: days, complete_days, total, daily_mean, daily_std, daily_min, daily_max, weekday_mean (of the complete days,
    null where a local date is unknown), cut_days, cut_day (the first of them, an ISO date), last_dated (whether the
    last write of the last day is known), last_open (whether that was before its end), and then latest_total,
    latest_elapsed_percent, latest_as_of (minutes after local midnight) and latest_records.
    """
    found = batch.once(day_sums)
    full = pl.col("total").filter("complete")
    summed = found.group_by("subject", maintain_order=True).agg(
        days=pl.len().cast(pl.Int64),
        complete_days=pl.col("complete").sum().cast(pl.Int64),
        total=pl.col("total").sum(),
        daily_mean=full.mean(),
        daily_std=full.std(ddof=1),
        daily_min=full.min(),
        daily_max=full.max(),
        weekday_mean=_by_weekday(),
        cut_days=pl.col("cut").sum().cast(pl.Int64),
        cut_day=iso_date("day").filter("cut").first(),
    )
    return summed.join(_latest(found), on="subject", how="left")


def low_days(batch: Batch, limit: float) -> pl.DataFrame:
    """Count the complete days below a limit; no row without a complete day.

    Shapes: low_days.
    """
    found = batch.once(day_sums).filter("complete")
    return found.group_by("subject", maintain_order=True).agg(low_days=(pl.col("total") < limit).sum().cast(pl.Int64))


def goals(batch: Batch) -> pl.DataFrame:
    """Count the complete days of at least 7,000 and 10,000 steps; null without a complete day.

    Shapes: days_at_least_7000, days_at_least_10000.
    """
    found = batch.once(day_sums).filter("complete")
    return found.group_by("subject", maintain_order=True).agg(
        (pl.col("total") >= goal).sum().cast(pl.Int64).alias(f"days_at_least_{goal}") for goal in GOALS
    )


def other_totals(batch: Batch) -> pl.DataFrame:
    """Set the totals beside those of the other source that has most of the same days.

    Two counts of a day differ for the time of their last write alone, so the difference is of days that were over.

    Shapes: other_source, shared_days, other_total, compared_days (complete in both), difference_percent (of the chosen
    total, over these), other_day_start (minutes after local midnight, null where it is not one time); a subject without
    a second source has no row.
    """
    own = batch.once(day_sums).select(*DAY, own="total", over="complete")
    began, over = pl.col("began"), pl.col("over") & pl.col("complete")
    return (
        _by_source(batch.others)
        .join(own, on=DAY)
        .sort(*DAY, "other_source")
        .group_by("subject", "other_source", maintain_order=True)
        .agg(
            shared_days=pl.len().cast(pl.Int64),
            other_total=pl.col("total").sum(),
            compared_days=over.sum().cast(pl.Int64),
            own_over=pl.col("own").filter(over).sum(),
            other_over=pl.col("total").filter(over).sum(),
            other_day_start=pl.when(began.is_not_null().all() & (began.n_unique() == 1)).then(began.first()),
        )
        .sort("subject", "shared_days", "other_total", "other_source", descending=[False, True, True, False])
        .unique("subject", keep="first", maintain_order=True)
        .with_columns(difference_percent=_change("other_over", "own_over"))
        .drop("own_over", "other_over")
    )


def combined(batch: Batch) -> pl.DataFrame:
    """Add up the days that two sources told as Health Connect's own aggregate does, the chosen source first.

    At each instant the chosen source counts, and the other one where the chosen is silent, pro rata by time.

    Shapes: combined_total; a subject without a second source has no row.
    """
    second = other_totals(batch).select("subject", source="other_source")
    theirs = _one_way(batch.others.join(second, on=["subject", "source"], how="semi"))
    both = [frame.with_columns(rank=pl.lit(rank)) for rank, frame in enumerate((batch.readings, theirs))]
    dated_rows = pl.concat(both).with_columns(day=sources.local_date())
    shared = dated_rows.filter((pl.col("rank").n_unique() == 2).over(DAY))  # noqa: PLR2004 - both sources
    counted = pro_rata(shared.sort("subject", "start", "rank", "record"), ("subject",), [pl.col("rank")])
    marked = counted.with_columns(pl.col("subject").set_sorted())  # some joins lose it: groups are summed in one way
    return marked.group_by("subject", maintain_order=True).agg(combined_total=pl.col("value").sum())


def series(batch: Batch) -> pl.DataFrame:
    """Tabulate the latest days.

    Shapes: subject, series: a list of structs label, n (records), total, complete.
    """
    found = batch.once(day_sums).with_columns(label=dated("", "day", "day"))
    return latest_rows(found, ["label", "n", "total", "complete"])


def _latest(found: pl.DataFrame) -> pl.DataFrame:
    """Describe the last of days(), and what it holds when it was not over at its last write."""
    written, begins, ends = pl.col("written"), pl.col("begins"), pl.col("ends")
    placed = pl.col("last_open") & (pl.col("whole") | pl.col("dated"))
    last = found.group_by("subject", maintain_order=True).last().rename({"open": "last_open"})
    return last.select(
        "subject",
        "last_open",
        last_dated=written.is_not_null(),
        latest_total=pl.when("last_open").then("total"),
        latest_elapsed_percent=pl.when(placed).then((100 * (written - begins) / (ends - begins)).clip(0, 100)),
        latest_records=pl.when("last_open").then("n"),
        latest_as_of=pl.when("last_open").then((written + offset_ms()) % DAY_MS / MINUTE_MS),
    )


def _by_source(others: pl.DataFrame) -> pl.DataFrame:
    """Add up each local day of each source; its daily total or its shorter records, never both.

    Shapes: the columns of days(), other_source, began (minutes after local midnight, null for shorter records).
    """
    found = days(_one_way(others).with_columns(subject=pl.struct("subject", "source"))).unnest("subject")
    began = pl.when("whole").then((pl.col("begins") + offset_ms()) % DAY_MS / MINUTE_MS)
    return found.select(*DAY, "total", "complete", began=began, other_source="source")


def _one_way(others: pl.DataFrame) -> pl.DataFrame:
    """Keep of each source and day its daily total, or its shorter records where it has none."""
    told = told_whole()
    return others.filter(told == told.any().over("subject", "source", sources.local_date()))


def _change(name: str, base: str) -> pl.Expr:
    return pl.when(pl.col(base) > 0).then(100 * (pl.col(name) - pl.col(base)) / pl.col(base))


def _by_weekday() -> pl.Expr:
    day = (pl.col("day") + THURSDAY) % 7
    means = [
        pl.col("total").filter(pl.col("complete") & (day == number)).mean().round(TOTAL_DECIMALS).alias(name)
        for number, name in enumerate(WEEKDAYS)
    ]
    return pl.when(pl.col("dated").all() & pl.col("complete").any()).then(pl.struct(means))
