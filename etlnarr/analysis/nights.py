"""The main sleep sessions of people, which tell sleep and waking apart in records of other types."""

from collections.abc import Sequence

import polars as pl

from etlnarr.analysis import rows
from etlnarr.analysis.rows import Rows
from etlnarr.catalog import Catalog, analyses
from etlnarr.metrics import sleep
from etlnarr.model import SLEEP, RecordType
from etlnarr.people import Person
from etlnarr.records.sleep_session import SLEEP_SESSION


def read(con: Catalog, around: pl.DataFrame, persons: Sequence[Person]) -> Rows:
    """Read what people slept around a time.

    Shapes: around as analyses.spans(); the users of the result have a number as subject.
    """
    found = analyses.near_last(con, around, SLEEP_SESSION.name, SLEEP_SESSION.told)
    return rows.read(con, found, rows.numbered(found[0]).rename({"person": "subject"}), persons, around)


def main_sleep(slept: Rows) -> pl.DataFrame:
    """Return the main sleep sessions.

    Shapes: slept as read(); the result as SLEEP with user_id for subject.
    """
    main = sleep.main_sessions(rows.canonical(rows.resolved(SLEEP_SESSION, slept)))
    named = main.join(slept.users.select("subject", "user_id").unique(), on="subject")
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
