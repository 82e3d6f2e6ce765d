"""The main sleep sessions of people, which tell sleep and waking apart in records of other types."""

from collections.abc import Sequence

import polars as pl

from etlnarr.analysis import subjects
from etlnarr.catalog import Catalog, analyses
from etlnarr.metrics import sleep
from etlnarr.model import SLEEP, RecordType
from etlnarr.people import Person
from etlnarr.records.sleep_session import SLEEP_SESSION


def main_sleep(con: Catalog, around: pl.DataFrame, persons: Sequence[Person]) -> pl.DataFrame:
    """Return the main sleep sessions of people around a time.

    Shapes: around as analyses.spans(); the result as SLEEP with user_id for subject.
    """
    records, readings = analyses.near_last(con, around, SLEEP_SESSION.name)
    users = subjects.numbered(records).rename({"person": "subject"})
    whole = subjects.resolved(con, SLEEP_SESSION, records, readings, users, persons, around)
    main = sleep.main_sessions(subjects.canonical(whole))
    named = main.join(users.select("subject", "user_id").unique(), on="subject")
    return named.select("user_id", "start", "end", pl.col("source").cast(pl.String))


def nobody() -> pl.DataFrame:
    """Return no sessions, as main_sleep()."""
    return SLEEP.to_frame().select(pl.lit(None, pl.String).alias("user_id"), "start", "end", "source")


def touching(kind: RecordType, spans: Sequence[tuple[int, str, int, int]], main: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions that touch the time of each subject and bear on records of a type: none on sleep itself.

    Shapes: spans subject, user_id, from, to (epoch ms); main as main_sleep(); the result as SLEEP.
    """
    if kind is SLEEP_SESSION:
        spans = []
    names = {"subject": pl.Int64, "user_id": pl.String, "from": pl.Int64, "to": pl.Int64}
    whole = pl.DataFrame(spans, schema=names, orient="row")
    found = whole.join(main, on="user_id").filter((pl.col("start") <= pl.col("to")) & (pl.col("end") >= pl.col("from")))
    return found.select(SLEEP.names()).sort("subject", "start")
