"""What is known of how one example came to be."""

from dataclasses import dataclass

import polars as pl

from etlnarr.catalog.connection import Catalog


@dataclass(frozen=True, slots=True)
class Origin:
    """The subject of an example, and its row."""

    kind: str
    user_id: str
    record_type: str
    upload: int | None
    month: str
    line: str


def find(con: Catalog, example_id: str) -> Origin | None:
    """Return the subject of an example by its id."""
    rows = con.execute(
        """
        SELECT kind, user_id, standing.record_type, upload, month, line FROM examples JOIN standing USING (subject)
        WHERE example_id = ?
        """,
        [example_id],
    ).fetchall()
    return Origin(*rows[0]) if rows else None


def versions(con: Catalog, user_id: str, record_type: str, records: pl.DataFrame) -> pl.DataFrame:
    """Return the records of which there are several versions.

    Shapes: records holds upload and record of those that count; the result identity, modified and version of the one
    that counts, the key of its upload, how many versions there are, and how many other uploads hold one.
    """
    con.register("winners", records.select("upload", "record").unique())
    found: pl.DataFrame = con.sql(
        """
        WITH own AS (
            SELECT records.*, key, uploaded FROM records JOIN uploads ON upload = no
            WHERE state = 'accepted' AND user_id = $user_id AND record_type = $record_type
        ),
        best AS (SELECT * FROM own SEMI JOIN winners USING (upload, record))
        SELECT identity, any_value(best.modified) AS modified, any_value(best.version) AS version,
               any_value(best.key) AS key, count(DISTINCT (own.modified, own.version)) AS versions,
               count(DISTINCT own.upload) - 1 AS others
        FROM best JOIN own USING (identity) GROUP BY identity HAVING count(*) > 1 ORDER BY identity
        """,
        params={"user_id": user_id, "record_type": record_type},
    ).pl()
    con.unregister("winners")
    return found
