"""Opening the catalog, and what may go wrong with it."""

import contextlib
import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from etlnarr.batching import cores
from etlnarr.errors import CatalogBusyError, EtlnarrError, UsageError

Catalog: TypeAlias = "duckdb.DuckDBPyConnection"  # as text: a reference would outlive the library at exit

SCHEMA: Final = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
LAYOUT: Final = hashlib.sha256(" ".join(re.sub("--.*", "", SCHEMA).split()).encode()).hexdigest()
LAST_VERSIONS: Final = """
    SELECT * EXCLUDE (uploaded, content_hash) FROM own QUALIFY row_number() OVER (
        PARTITION BY user_id, identity ORDER BY modified DESC, version DESC, uploaded, content_hash, record
    ) = 1
"""
"""Of records of one type, which own holds with user_id, uploaded and content_hash, the versions that count."""

HOLDER: Final = re.compile(r"\(PID (\d+)\)")
UNWRITABLE: Final = re.compile("No space left|Permission denied|Read-only file system|Disk quota exceeded")
INTERRUPTED: Final = "Query interrupted"
RETRY_SECONDS: Final = 0.1
MEMORY: Final = 160
MEMORY_A_CORE: Final = 64
"""MB that queries have, in all and for each core; what they need beyond it waits on disk beside the catalog."""

LONGEST_LOG: Final = "256MB"
"""How much that was committed waits beside the catalog: whenever it is taken in, unfilled blocks are written anew."""


@contextlib.contextmanager
def open_catalog(path: Path, wait_seconds: float) -> Iterator[Catalog]:
    """Open the catalog for writing, and make it if there is none.

    Errors: CatalogBusyError naming the holder when it is still held after wait_seconds; UsageError for a file that is
    no catalog; EtlnarrError when it cannot be written.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            con = _connect(path, read_only=False)
            break
        except CatalogBusyError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)  # of a run that was killed: this one holds it
    with contextlib.closing(con), _faults(path):
        _refuse_other_layouts(con, path)
        with transaction(con):
            con.execute(SCHEMA).complete()
            con.execute(
                "INSERT INTO layout SELECT ?, uuid() WHERE NOT EXISTS (SELECT * FROM layout)", [LAYOUT]
            ).complete()
        yield con


@contextlib.contextmanager
def rehearse(path: Path) -> Iterator[Catalog]:
    """Open a copy of the catalog in memory, empty when there is none: what is done to it is done to nothing.

    Errors: as peek(), but for a catalog that is not there.
    """
    with contextlib.closing(duckdb.connect(":memory:")) as con, _faults(path):
        con.execute(SCHEMA).complete()
        if path.exists():
            with peek(path):  # says what is wrong with it
                pass
            con.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS old (READ_ONLY)").complete()
            tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'old'").fetchall()
            for (table,) in tables:
                con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM old.{table}").complete()  # noqa: S608 - our own
            con.execute("DETACH old").complete()
        yield con


@contextlib.contextmanager
def peek(path: Path) -> Iterator[Catalog]:
    """Open the catalog for reading.

    Errors: CatalogBusyError while another process writes; UsageError when there is none.
    """
    if not path.exists():
        raise UsageError(f"{path}: no catalog here yet; run etlnarr build, or name it with --catalog")
    with contextlib.closing(_connect(path, read_only=True)) as con, _faults(path):
        _refuse_other_layouts(con, path)
        yield con


def catalog_id(con: Catalog) -> str:
    """Return the id by which a lake knows the catalog that writes to it."""
    return str(con.execute("SELECT catalog FROM layout").fetchall()[0][0])


@contextlib.contextmanager
def transaction(con: Catalog) -> Iterator[None]:
    """Commit all that happens inside, or none of it."""
    con.begin()
    with contextlib.ExitStack() as undo:
        undo.callback(_roll_back, con)
        yield
        undo.pop_all()
    con.commit()


def _roll_back(con: Catalog) -> None:
    with contextlib.suppress(duckdb.Error):  # an interrupt may have done so already
        con.rollback()


def _refuse_other_layouts(con: Catalog, path: Path) -> None:
    tables = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    known = con.execute("SELECT hash FROM layout").fetchall() if "layout" in tables else []
    if tables and known != [(LAYOUT,)]:
        raise UsageError(f"{path}: a catalog of another version; build a new one, or name another with --catalog")


def _connect(path: Path, *, read_only: bool) -> Catalog:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        limits: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{MEMORY + MEMORY_A_CORE * cores()}MB",
            "threads": cores(),
            "checkpoint_threshold": LONGEST_LOG,
        }
        return duckdb.connect(str(path), read_only=read_only, config=limits)
    except OSError as fault:
        raise EtlnarrError(f"{path}: the catalog cannot be made here; check the folder and its rights") from fault
    except duckdb.IOException as fault:
        if reason := UNWRITABLE.search(str(fault)):
            said = reason[0].lower()
            raise EtlnarrError(
                f"{path}: the catalog cannot be opened: {said}; check the disk and its rights"
            ) from fault
        if holder := HOLDER.search(str(fault)):
            raise CatalogBusyError(
                f"{path}: held by process {holder[1]}; run again when it is done, or wait with --wait-lock SECONDS"
            ) from fault
        raise UsageError(f"{path}: not a catalog that can be opened; name another with --catalog") from fault
    except duckdb.Error as fault:
        raise UsageError(f"{path}: not a catalog that can be opened; name another with --catalog") from fault


@contextlib.contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Name the catalog and the kind of fault; the text of a database error may quote a row."""
    try:
        yield
    except RuntimeError as fault:
        if INTERRUPTED in str(fault):  # how the library tells of Ctrl-C
            raise KeyboardInterrupt from fault
        raise
    except duckdb.Error as fault:
        kind = type(fault).__name__.removesuffix("Exception")
        raise EtlnarrError(f"{path}: the catalog failed ({kind}); what was committed is safe, run again") from fault
