"""What the analysis of windows reads, and the windows it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr.catalog.analyses import NEAR_MS, Worked, store
from etlnarr.catalog.connection import LAST_VERSIONS, Catalog
from etlnarr.catalog.rows import readings_in


@dataclass(frozen=True, slots=True)
class Context:
    """A user with records of a type in a stretch of time.

    Shapes: near is a hash of what is known of the accepted uploads, of every type, that come near it; fetched is when
    the type was last fetched; inputs is the hash that the windows there were last worked out from.
    """

    user_id: str
    readings: int
    near: str
    fetched: int
    inputs: str | None


def contexts(con: Catalog, record_type: str, window: str, month: str | None, span: tuple[int, int]) -> list[Context]:
    """Return the users whose records of a type touch a span of epoch ms, by name."""
    rows = con.execute(
        """
        WITH spans AS (
            SELECT no, user_id, record_type, md5_number(content_hash || uploaded || key || bucket || quality) AS known,
                   coalesce(min(start), uploaded) AS start, coalesce(max("end"), uploaded) AS "end",
                   coalesce(max(records.fetched), uploaded) AS fetched
            FROM uploads LEFT JOIN records ON upload = no WHERE state = 'accepted'
            GROUP BY no, user_id, record_type, content_hash, uploaded, key, bucket, quality
        ),
        sizes AS (SELECT upload AS no, count(*) AS readings FROM readings GROUP BY upload),
        touching AS (
            SELECT DISTINCT user_id, identity FROM records JOIN uploads ON upload = no
            WHERE state = 'accepted' AND record_type = $record_type AND start < $until AND "end" >= $since
        ),
        -- a version that moved away, however far, takes its record out of the windows it was in
        moved AS (
            SELECT DISTINCT no FROM records JOIN uploads ON upload = no SEMI JOIN touching USING (user_id, identity)
            WHERE state = 'accepted' AND record_type = $record_type
        ),
        latest AS (SELECT user_id, max(fetched) AS fetched FROM spans WHERE record_type = $record_type GROUP BY user_id)
        SELECT spans.user_id, sum(readings) FILTER (spans.record_type = $record_type),
               bit_xor(known)::VARCHAR, least(any_value(latest.fetched), $until),
               any_value(scopes.inputs)
        FROM spans JOIN latest USING (user_id) LEFT JOIN sizes USING (no)
        LEFT JOIN scopes ON scopes.user_id = spans.user_id AND scopes.record_type = $record_type
             AND scopes.kind = $window AND scopes.month = coalesce($month, '')
        WHERE (start < $until AND "end" >= $since) OR no IN (SELECT no FROM moved)
        GROUP BY spans.user_id HAVING bool_or(spans.record_type = $record_type) ORDER BY spans.user_id
        """,
        {"record_type": record_type, "window": window, "month": month, "since": span[0] - NEAR_MS,
         "until": span[1] + NEAR_MS},
    ).fetchall()  # fmt: skip
    return [Context(*row) for row in rows]


def resolved(
    con: Catalog, users: Sequence[str], record_type: str, told: Sequence[str], span: tuple[int, int]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the records of users that touch a span, each in the version that counts, with readings and uploads.

    Shapes: records, with user_id, and readings as quality.rows_of(); uploads no, key, bucket, content_hash,
    uploaded, quality.
    """
    con.register("wanted", pl.DataFrame({"user_id": users}, schema={"user_id": pl.String}))
    records = con.sql(
        f"""
        WITH whole AS (
            SELECT records.*, user_id, uploaded, content_hash FROM records JOIN uploads ON upload = no
            SEMI JOIN wanted USING (user_id) WHERE state = 'accepted' AND record_type = $record_type
        ),
        touching AS (SELECT DISTINCT user_id, identity FROM whole WHERE start < $until AND "end" >= $since),
        own AS (SELECT * FROM whole SEMI JOIN touching USING (user_id, identity)),
        best AS ({LAST_VERSIONS})
        SELECT * EXCLUDE (device) FROM best WHERE start < $until AND "end" >= $since
        ORDER BY user_id, start, upload, record
        """,  # noqa: S608 - a constant
        params={"record_type": record_type, "since": span[0], "until": span[1]},
    ).pl()
    con.unregister("wanted")
    con.register("chosen", records.select("upload", "record"))
    readings = readings_in(con, "chosen", told)
    uploads = con.sql(
        """
        SELECT no AS upload, key, bucket, content_hash, uploaded, quality FROM uploads
        WHERE no IN (SELECT upload FROM chosen) ORDER BY uploaded, content_hash
        """
    ).pl()
    con.unregister("chosen")
    return records, readings, uploads


def replace(
    con: Catalog,
    record_type: str,
    window: str,
    month: str | None,
    inputs: Sequence[tuple[str, str]],
    worked: Sequence[Worked],
) -> None:
    """Put the windows of users in the place of those that they had; all of one kind in a month.

    Shapes: inputs are user and hash.
    """
    scopes = pl.DataFrame(inputs, schema={"user_id": pl.String, "inputs": pl.String}, orient="row")
    con.register(
        "done", scopes.with_columns(record_type=pl.lit(record_type), kind=pl.lit(window), month=pl.lit(month or ""))
    )
    con.register("kept", pl.DataFrame({"subject": [one.subject for one in worked]}, schema={"subject": pl.String}))
    parameters = {"record_type": record_type, "window": window, "month": month}
    old = """
        SELECT subject FROM analyses SEMI JOIN done USING (user_id) ANTI JOIN kept USING (subject)
        WHERE record_type = $record_type AND kind = $window AND ($month IS NULL OR month = $month)
    """
    for table in ("examples", "analyses"):
        con.execute(f"DELETE FROM {table} WHERE subject IN ({old})", parameters).complete()  # noqa: S608 - constants
    store(con, worked)
    # what was worked out for one month is no longer that of all months, nor the other way round
    con.execute(
        """
        DELETE FROM scopes WHERE user_id IN (SELECT user_id FROM done) AND record_type = $record_type
        AND kind = $window AND ($month IS NULL OR month IN ('', $month))
        """,
        parameters,
    ).complete()
    con.execute("INSERT INTO scopes BY NAME SELECT * FROM done WHERE inputs <> ''").complete()
    for view in ("done", "kept"):
        con.unregister(view)


def strangers(con: Catalog, record_type: str, window: str, month: str | None, users: Sequence[str]) -> list[str]:
    """Return who has windows there and no records any more."""
    rows = con.execute(
        """
        SELECT DISTINCT user_id FROM analyses WHERE record_type = $record_type AND kind = $window
        AND ($month IS NULL OR month = $month) AND user_id NOT IN (SELECT unnest($users)) ORDER BY user_id
        """,
        {"record_type": record_type, "window": window, "month": month, "users": list(users)},
    ).fetchall()
    return [user for (user,) in rows]
