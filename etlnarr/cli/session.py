"""From options to a run: settings, people, lake, catalog, log."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import typer
from pydantic import ValidationError

from etlnarr.errors import UsageError
from etlnarr.settings import Settings

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from etlnarr.catalog import Catalog
    from etlnarr.counts import Status
    from etlnarr.run import Claims, Run

T = TypeVar("T")
ALIVE_SECONDS: Final = 60
"""How long a worker that is not heard of is taken to be at its messages."""

SECONDS_PER_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class Session:
    """An open catalog and the run that works on it."""

    con: "Catalog"
    run: "Run"
    log: "FilteringBoundLogger"


def settings_from(**options: object) -> Settings:
    """Read the settings; an option that was given wins over the environment.

    Errors: UsageError naming the setting, never its value.
    """
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]  # judged right here
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(".env: cannot be read as UTF-8 text; check the file and its rights") from fault
    except ValidationError as fault:
        first = fault.errors(include_input=False)[0]
        name = str(first["loc"][0])
        raise UsageError(f"{name} (ETL_{name.upper()}): {first['msg']}") from fault


@contextlib.contextmanager
def session(
    settings: Settings, *, wait: float = 0, dry: bool = False, memory: bool = False, read: bool = False
) -> Iterator[Session]:
    """Open the catalog for one command: for writing, for a dry run, in memory, or for reading.

    Errors: CatalogBusyError, UsageError.
    """
    from etlnarr import lake, logs, people
    from etlnarr.catalog import open_catalog, peek, rehearse, status
    from etlnarr.run import Run, new_run_id, now_ms

    run_id = new_run_id()
    log = logs.configure(settings, run_id)
    for notice in _notices(settings):
        typer.echo(f"etlnarr: {notice}", err=True)
    known = people.load(settings.people) if settings.people else {}
    run = Run(settings, lake.root(settings.lake, settings), known, now_ms(), run_id, progress, log, dry)
    path = Path(":memory:") if memory else settings.catalog
    with rehearse(path) if dry and not memory else peek(path) if read else open_catalog(path, wait) as con:
        yield Session(con, run, log)
        if not (dry or memory or read):
            status.settle(con, path)


def reach(settings: Settings) -> None:
    """See whether the lake is there, before a catalog that is opened in it makes its folder.

    Errors: UsageError when it is not; LakeUnavailableError; DeniedError.
    """
    from etlnarr import lake

    lake.reach(lake.root(settings.lake, settings))


def counted(catalog: Path) -> "Status":
    """Count what a catalog holds, as status.read()."""
    from etlnarr.catalog import status

    return status.read(catalog)


def claims(opened: Session) -> "Claims":
    """Return the store that the settings name, in which workers tell each other what they are at.

    Errors: UsageError for a Redis URL that is none.
    """
    from etlnarr.catalog.claims import CatalogClaims
    from etlnarr.sharing import place_of

    settings, owner = opened.run.settings, opened.run.run_id
    kept = settings.deduplication_retention_hours * SECONDS_PER_HOUR
    if settings.deduplication_store == "redis":
        from etlnarr.redis_store import RedisClaims

        url = settings.deduplication_redis_url.get_secret_value()
        return RedisClaims(url, place_of(opened.run), owner, ALIVE_SECONDS, kept)
    own = CatalogClaims(opened.con, owner, ALIVE_SECONDS, kept)
    own.inherit()
    return own


def progress(items: Iterable[T], stage: str, total: int) -> Iterable[T]:
    """Draw a bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty() or not total:
        return items
    from tqdm import tqdm

    return tqdm(items, desc=stage, total=total, file=sys.stderr, leave=False)


def _notices(settings: Settings) -> Iterator[str]:
    if settings.deduplication_store == "sqlite":
        yield f"ETL_DEDUPLICATION_STORE=sqlite: the DuckDB catalog at {settings.catalog} deduplicates instead"
