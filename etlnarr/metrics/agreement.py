"""How far a second device agrees with the chosen one. The two are compared, never added."""

from typing import Final

import polars as pl

from etlnarr.metrics.architecture import STAGES, architecture, is_asleep
from etlnarr.metrics.clock import MINUTE_MS
from etlnarr.metrics.nights import measured
from etlnarr.metrics.regularity import EPOCH_MS
from etlnarr.metrics.runs import NO, numbered
from etlnarr.metrics.sleep import PAUSE, SESSION
from etlnarr.metrics.statistics import finite
from etlnarr.model import READINGS, Batch

WINDOW_MS: Final = 5 * MINUTE_MS
PAIR: Final = ("subject", "other_source")
ENDED: Final = ""
"""State of a device that tells nothing more."""


def stage_agreement(batch: Batch) -> pl.DataFrame:
    """Compare the stages of the main sessions with those of the other source that shares most time with them.

    Shapes: other_source, overlap_minutes, sleep_wake_agreement, sleep_wake_kappa, stage_minutes (that both told as
    wake, LIGHT, DEEP or REM), stage_agreement, stage_kappa (over these), other_total_sleep_time, other_efficiency (mean
    over the nights), compared_nights (that they are the mean of); a subject without a second source has no row. The
    pauses of a night are not compared. Units: shared epochs of 30 s as minutes and percent, kappa from -1 to 1.
    """
    main = batch.once(measured).filter("main")
    nights, of = numbered(batch.readings, SESSION)
    inside = nights.with_row_index(NO).join(main, on=SESSION, how="semi", nulls_equal=True)[NO]
    own = batch.readings.filter(of.is_in(inside.implode()), pl.col("label").ne_missing(PAUSE))
    shared = _most_shared(_shared(own, batch.others))
    overlap = shared.group_by(PAIR, maintain_order=True).agg(overlap_minutes=pl.col("length").sum() / MINUTE_MS)
    asleep = {"own": pl.col("own") != "WAKE", "other": pl.col("other") != "WAKE"}
    detailed = shared.filter(pl.all_horizontal(pl.col("own", "other").is_in([*STAGES, "WAKE"])))
    two = _agreement(shared.with_columns(**asleep)).drop("minutes")
    two = two.rename({name: f"sleep_wake_{name}" for name in ("agreement", "kappa")})
    four = _agreement(detailed).rename({name: f"stage_{name}" for name in ("agreement", "kappa", "minutes")})
    slept = _other_sleep(main, batch.others)
    whole = overlap.join(two, on=PAIR, how="left").join(four, on=PAIR, how="left")
    return whole.join(slept, on=PAIR, how="left")


def value_agreement(batch: Batch) -> pl.DataFrame:
    """Compare point values of the chosen source with those of the source that has most beside it.

    Each value of the other source is set against the mean of the chosen values within 2.5 minutes of it.

    Shapes: other_source, windows, bias (chosen minus other), mean_absolute_error; a subject without a shared window has
    no row. Units: those of the values.
    """
    chosen = batch.readings.sort("subject", "start").select(
        "subject",
        "start",
        n=pl.col("value").cum_count().over("subject"),
        total=pl.col("value").cum_sum().over("subject"),
    )
    found = batch.others.select("subject", "start", "value", other_source="source")
    for side, edge in (("low", -WINDOW_MS // 2), ("high", WINDOW_MS // 2)):
        before = chosen.rename({"n": f"n_{side}", "total": f"total_{side}"}).sort("start", maintain_order=True)
        found = (
            found.with_columns(edge=pl.col("start") + edge)
            .sort("edge", maintain_order=True)
            .join_asof(
                before.rename({"start": "edge"}),
                on="edge",
                by="subject",
                allow_exact_matches=False,
                check_sortedness=False,
            )
        )
    n = pl.col("n_high") - pl.col("n_low").fill_null(0)
    mean = (pl.col("total_high") - pl.col("total_low").fill_null(0.0)) / n
    return (
        found.filter(n > 0)
        .with_columns(difference=mean - pl.col("value"))
        .group_by(PAIR)
        .agg(
            windows=pl.len().cast(pl.Int64),
            bias=pl.col("difference").sort().mean(),
            mean_absolute_error=pl.col("difference").abs().sort().mean(),
        )
        .sort("subject", "windows", "other_source", descending=[False, True, False])
        .unique("subject", keep="first", maintain_order=True)
    )


def _shared(own: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Add up the time that both devices staged, by the pair of states they told: PAIR, own, other, length (ms)."""
    theirs = _states(others).rename({"source": "other_source"})
    pairs, of = numbered(theirs, PAIR)
    by_number = pairs.with_row_index(NO)
    ours = _states(own).drop("source").join(by_number, on="subject", maintain_order="left_right")
    changes = [_changes(frame, name) for name, frame in (("own", ours), ("other", theirs.hstack([of])))]
    steps = (
        pl.concat(changes, how="diagonal")
        .sort(NO, "time", maintain_order=True)
        # both have ended by the last change of a pair, so that nothing is carried into the next
        .with_columns(pl.col("own", "other").forward_fill(), length=pl.col("time").shift(-1) - pl.col("time"))
        .filter(pl.col("own") != ENDED, pl.col("other") != ENDED)
    )
    sums = steps.group_by(NO, "own", "other").agg(pl.col("length").sum()).filter(pl.col("length") > 0)
    return by_number.join(sums, on=NO).drop(NO)


def _changes(held: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return when the state of a device changes: at each start, and at an end that no other start has come before."""
    following = pl.col("start").shift(-1).over(NO, order_by="start")
    starts = held.select(NO, "state", time="start")
    ends = held.filter((following > pl.col("end")).fill_null(value=True))
    both = pl.concat([ends.select(NO, pl.lit(ENDED, READINGS["label"]).alias("state"), time="end"), starts])
    return both.rename({"state": name})


def _states(readings: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of the state, on a grid of epochs; an epoch has the state of its last moment."""
    state = pl.when(is_asleep()).then("label").when(~is_asleep()).then(pl.lit("WAKE", READINGS["label"]))
    snapped = pl.col("start", "end") // EPOCH_MS * EPOCH_MS
    return readings.select("subject", "source", snapped, state=state).filter(
        pl.col("state").is_not_null(), pl.col("end") > pl.col("start")
    )


def _most_shared(shared: pl.DataFrame) -> pl.DataFrame:
    sums = shared.group_by(PAIR).agg(pl.col("length").sum())
    most = sums.sort("subject", "length", "other_source", descending=[False, True, False])
    return shared.join(most.unique("subject", keep="first", maintain_order=True), on=PAIR, how="semi").sort(PAIR)


def _agreement(shared: pl.DataFrame) -> pl.DataFrame:
    """Return the share of time in the same state, in percent, Cohen's kappa, and the minutes compared."""
    by_state = [shared.group_by(*PAIR, state=name).agg(pl.col("length").sum().alias(name)) for name in ("own", "other")]
    chance = (
        by_state[0]
        .join(by_state[1], on=[*PAIR, "state"], how="inner")
        .group_by(PAIR)
        .agg(chance=(pl.col("own") * pl.col("other")).sum())
    )
    same = pl.col("length").filter(pl.col("own") == pl.col("other")).sum()
    found = shared.group_by(PAIR).agg(total=pl.col("length").sum(), same=same).join(chance, on=PAIR, how="left")
    observed = pl.col("same") / pl.col("total")
    expected = pl.col("chance").fill_null(0) / pl.col("total").cast(pl.Float64) ** 2
    kappa = finite((observed - expected) / (1 - expected))
    return found.select(*PAIR, agreement=100 * observed, kappa=kappa, minutes=pl.col("total") / MINUTE_MS)


def _other_sleep(main: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Average over the nights what the other sources made of them."""
    nights = main.select("subject", night="record_start", night_end="record_end")
    names = ("subject", "record_start", "record_end", "total_sleep_time", "time_in_bed")
    staged = architecture(others).filter(pl.col("total_sleep_time").is_not_null())
    theirs = staged.select(*names, other_source="source").join(nights, on="subject")
    inside = (pl.col("record_start") < pl.col("night_end")) & (pl.col("record_end") > pl.col("night"))
    by_night = theirs.filter(inside).group_by(*PAIR, "night").agg(pl.col("total_sleep_time", "time_in_bed").sum())
    efficiency = 100 * pl.col("total_sleep_time") / pl.col("time_in_bed")
    return (
        by_night.sort("night")
        .group_by(PAIR)
        .agg(
            other_total_sleep_time=pl.col("total_sleep_time").mean(),
            other_efficiency=efficiency.mean(),
            compared_nights=pl.len().cast(pl.Int64),
        )
    )
