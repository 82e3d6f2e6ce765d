"""The main sleep sessions of people, which tell sleep and waking apart in records of other types."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from etlnarr import local_time, people, quality
from etlnarr.analysis import subjects
from etlnarr.catalog import Catalog, analyses
from etlnarr.metrics import sleep
from etlnarr.model import SLEEP
from etlnarr.people import Person
from etlnarr.records import by_name, sources

TYPE: Final = "SleepSessionRecord"


def main_sleep(con: Catalog, around: pl.DataFrame, persons: Sequence[Person], lenders: pl.DataFrame) -> pl.DataFrame:
    """Return the main sleep sessions of people around a time.

    Shapes: around as analyses.spans(), lenders as local_time.donors(); the result as SLEEP with user_id for subject.
    """
    records, readings = analyses.near_last(con, around, TYPE)
    users = records.select("upload", "user_id").unique()
    kept, inside = quality.usable(records.drop("user_id"), readings, by_name[TYPE])
    whole = subjects.joined(kept, inside, users)
    resolved = local_time.resolve(whole, people.zones(persons), lenders, sources.ALWAYS_UTC)
    own = subjects.canonical(subjects.placed(resolved, persons).rename({"user_id": "subject"}))
    return sleep.main_sessions(own).rename({"subject": "user_id"})


def touching(spans: pl.DataFrame, main: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions that touch the time of each subject, as SLEEP.

    Shapes: spans subject, user_id, from, to; main as main_sleep().
    """
    found = spans.join(main, on="user_id").filter((pl.col("start") <= pl.col("to")) & (pl.col("end") >= pl.col("from")))
    return found.select(SLEEP.names()).sort("subject", "start")
