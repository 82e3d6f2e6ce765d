"""The main sleep sessions of people, which tell sleep and waking apart in records of other types."""

from collections.abc import Sequence

import polars as pl

from etlnarr.analysis import subjects
from etlnarr.catalog import Catalog, analyses
from etlnarr.metrics import sleep
from etlnarr.model import SLEEP, RecordType
from etlnarr.people import Person
from etlnarr.records.sleep_session import SLEEP_SESSION


def main_sleep(con: Catalog, kind: RecordType, around: pl.DataFrame, persons: Sequence[Person]) -> pl.DataFrame:
    """Return the main sleep sessions of people around a time that bear on records of a type: none on sleep itself.

    Shapes: around as analyses.spans(); the result as SLEEP with user_id for subject.
    """
    if kind is SLEEP_SESSION:
        return SLEEP.to_frame().rename({"subject": "user_id"})
    records, readings = analyses.near_last(con, around, SLEEP_SESSION.name)
    users = records.select("upload", "user_id").unique()
    whole = subjects.resolved(con, SLEEP_SESSION, records, readings, users, persons, around)
    own = subjects.canonical(whole.rename({"user_id": "subject"}))
    return sleep.main_sessions(own).rename({"subject": "user_id"})


def touching(spans: Sequence[tuple[str, str, int, int]], main: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions that touch the time of each subject, as SLEEP.

    Shapes: spans subject, user_id, from, to (epoch ms); main as main_sleep().
    """
    names = {"subject": pl.String, "user_id": pl.String, "from": pl.Int64, "to": pl.Int64}
    whole = pl.DataFrame(spans, schema=names, orient="row")
    found = whole.join(main, on="user_id").filter((pl.col("start") <= pl.col("to")) & (pl.col("end") >= pl.col("from")))
    return found.select(SLEEP.names()).sort("subject", "start")
