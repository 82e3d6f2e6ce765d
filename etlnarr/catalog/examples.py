"""What narration reads, the examples it leaves, and the months they make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from etlnarr.catalog.connection import Catalog

FETCH_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Analysed:
    """An analysed upload, and the hash of the inputs its example was told from, if one was."""

    no: int
    user_id: str
    record_type: str
    content_hash: str
    uploaded: int
    key: str
    bucket: str
    correlation_id: str | None
    records: int
    quality: str
    first_told: int | None
    document: str
    inputs: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An example as it is kept."""

    upload: int
    inputs: str
    example_id: str
    category: str
    line: str


@dataclass(frozen=True, slots=True)
class Month:
    """The examples of one category and month, with a signature of them all."""

    category: str
    month: str
    rows: int
    signature: str


DUE = """
    state = 'accepted' AND brings_new
    AND ($month IS NULL OR strftime(make_timestamp(uploaded * 1000), '%Y-%m') = $month)
"""


def count_analysed(con: Catalog, month: str | None) -> int:
    """Return how many uploads analysed() yields."""
    query = f"SELECT count(*) FROM uploads JOIN analyses ON analyses.upload = no WHERE {DUE}"  # noqa: S608 - a constant
    return int(con.execute(query, {"month": month}).fetchall()[0][0])


def analysed(con: Catalog, month: str | None) -> Iterator[Analysed]:
    """Yield the analysed uploads that bring something new, by number."""
    result = con.cursor().execute(
        f"""
        SELECT no, user_id, record_type, content_hash, uploaded, key, bucket, correlation_id, records, quality,
               first_told, document, examples.inputs
        FROM uploads JOIN analyses ON analyses.upload = no LEFT JOIN examples ON examples.upload = no
        WHERE {DUE} ORDER BY no
        """,  # noqa: S608 - a constant
        {"month": month},
    )
    while rows := result.fetchmany(FETCH_ROWS):
        yield from (Analysed(*row) for row in rows)


def tell(con: Catalog, told: Sequence[Told], now: int) -> None:
    """Store examples, and when each content was first told."""
    if not told:
        return
    con.register("told", pl.DataFrame(told, orient="row"))
    con.execute("INSERT OR REPLACE INTO examples BY NAME SELECT * FROM told").complete()
    con.execute(
        "UPDATE uploads SET first_told = $now FROM told WHERE no = told.upload AND first_told IS NULL", {"now": now}
    ).complete()
    con.unregister("told")


def months(con: Catalog, month: str | None, flavour: str) -> list[Month]:
    """Return what there is to export.

    Shapes: flavour names the settings that shape the lines; it is part of the signature.
    """
    rows = con.execute(
        """
        SELECT category, strftime(make_timestamp(uploaded * 1000), '%Y-%m') AS month, count(*),
               md5($flavour || string_agg(example_id || inputs, ',' ORDER BY example_id))
        FROM examples JOIN uploads ON no = upload
        WHERE state = 'accepted' AND brings_new
        GROUP BY category, strftime(make_timestamp(uploaded * 1000), '%Y-%m')
        HAVING $month IS NULL OR strftime(make_timestamp(uploaded * 1000), '%Y-%m') = $month
        ORDER BY 2, 1
        """,
        {"month": month, "flavour": flavour},
    ).fetchall()
    return [Month(*row) for row in rows]


def lines(con: Catalog, category: str, month: str) -> Iterator[str]:
    """Yield the rows of one month by upload time, then id."""
    result = con.cursor().execute(
        """
        SELECT line FROM examples JOIN uploads ON no = upload
        WHERE state = 'accepted' AND brings_new AND category = $category
          AND strftime(make_timestamp(uploaded * 1000), '%Y-%m') = $month
        ORDER BY uploaded, example_id
        """,
        {"category": category, "month": month},
    )
    while rows := result.fetchmany(FETCH_ROWS):
        yield from (line for (line,) in rows)


def exported(con: Catalog, lake: str) -> dict[str, tuple[str, str]]:
    """Return month and signature of each file that was written to a lake, by key."""
    rows = con.execute("SELECT key, month, signature FROM exports WHERE lake = ?", [lake]).fetchall()
    return {key: (month, signature) for key, month, signature in rows}


def mark_exported(con: Catalog, lake: str, key: str, month: Month) -> None:
    """Remember that a file was written."""
    con.execute(
        "INSERT OR REPLACE INTO exports (lake, key, month, signature, rows) VALUES (?, ?, ?, ?, ?)",
        [lake, key, month.month, month.signature, month.rows],
    ).complete()


def forget_export(con: Catalog, lake: str, key: str) -> None:
    """Forget a file that was removed."""
    con.execute("DELETE FROM exports WHERE lake = ? AND key = ?", [lake, key]).complete()


@dataclass(frozen=True, slots=True)
class Inspected:
    """All that the catalog holds of its only upload."""

    user_id: str
    record_type: str | None
    content_hash: str
    uploaded: int
    key: str
    bucket: str
    size: int
    fingerprint: str | None
    codec: str | None
    records: int
    state: str
    reason: str | None
    detail: str | None
    quality: str
    document: str | None
    line: str | None


def inspected(con: Catalog) -> Inspected:
    """Return the only upload of a catalog that was made for it."""
    (row,) = con.execute(
        """
        SELECT user_id, record_type, content_hash, uploaded, key, bucket, size, fingerprint, codec, records, state,
               reason, detail, quality, document, line
        FROM uploads LEFT JOIN analyses ON analyses.upload = no LEFT JOIN examples ON examples.upload = no
        """
    ).fetchall()
    return Inspected(*row)
