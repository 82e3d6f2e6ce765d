"""Whose turn it is to write the training files: one worker at a time, however many there are."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from typing import IO, Final, Protocol, TypeVar

from etlnarr import lake
from etlnarr.errors import TurnError, UsageError, masked
from etlnarr.lake import Root
from etlnarr.run import Progress, Run

T = TypeVar("T")
TURN: Final = "catalog/turn"
WRITER: Final = "catalog/writer"
FREE: Final = b"free"
HELD_SECONDS: Final = 300.0
RENEW_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.5


class Turn(Protocol):
    """Something that one worker at a time has."""

    def take(self) -> bool:
        """Take it if nobody has it; say whether it is ours."""
        ...

    def renew(self) -> bool:
        """Hold it for longer; say whether it still is ours."""
        ...

    def release(self) -> None:
        """Let others have it."""
        ...


@dataclass(frozen=True, slots=True)
class FileTurn:
    """The lock of an open file: it ends with its process."""

    stream: IO[bytes]

    def take(self) -> bool:
        """Lock the file unless another process has."""
        return lake.try_lock(self.stream)

    def renew(self) -> bool:
        """Say that it still is ours, as nobody can take it."""
        return True

    def release(self) -> None:
        """Let others have it."""
        self.stream.close()


@dataclass(slots=True)
class ObjectTurn:
    """An object that is put only if it is as it was seen; its owner writes it anew to show that it lives."""

    lake: Root
    owner: str
    held: float
    beats: int = 0
    etag: str | None = field(default=None)

    def take(self) -> bool:
        """Take what is free, or what its owner did not renew for too long."""
        seen = lake.see(self.lake, TURN)
        if seen and seen.body != FREE and seen.age < self.held:
            return False
        return self._put(seen.etag if seen else None)

    def renew(self) -> bool:
        """Write it anew."""
        return self._put(self.etag)

    def _put(self, etag: str | None) -> bool:
        self.beats += 1
        body = f"{self.owner} {self.beats}".encode()
        lake.put_if(self.lake, TURN, body, etag)  # one that is refused may have been put by an attempt before
        seen = lake.see(self.lake, TURN)
        self.etag = seen.etag if seen and seen.body == body else None
        return self.etag is not None

    def release(self) -> None:
        """Mark it free, unless another one has it by now."""
        if self.etag is not None:
            lake.put_if(self.lake, TURN, FREE, self.etag)


@dataclass(frozen=True, slots=True)
class SoleWriter:
    """For a store on which no turn can be taken: the first catalog that wrote to the lake is the only one that may."""

    lake: Root
    catalog: str

    def take(self) -> bool:
        """Say who writes, if nobody did.

        Errors: UsageError when another catalog does.
        """
        writer = self.catalog.encode()
        if lake.size(self.lake, WRITER) is None:
            lake.write(self.lake, WRITER, writer)
        if lake.read(self.lake, WRITER) != writer:
            raise UsageError(
                f"{masked(self.lake.url)}: another catalog writes here, and this store has no conditional put; "
                "set ETL_DEDUPLICATION_STORE=redis for several, or move this one away and run etlnarr catalog rebuild"
            )
        return True

    def renew(self) -> bool:
        """Say that nobody else came."""
        return self.take()

    def release(self) -> None:
        """Stay the one that writes."""


def place_of(run: Run) -> str:
    """Name the place of a lake, however its URL is written."""
    server = masked(run.settings.s3_endpoint_url or "") if run.lake.remote else ""
    return f"{server.rstrip('/')} {run.lake.path}".strip()


def take_over(run: Run, catalog: str) -> None:
    """Let this catalog be the one that writes to a store on which no turn can be taken.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written.
    """
    if run.lake.remote:
        lake.write(run.lake, WRITER, catalog.encode())


def admit(run: Run, catalog: str) -> None:
    """See, before anything is taken, whether this catalog may write to the lake at all.

    Errors: UsageError for a second writer where no turn can be taken; LakeUnavailableError.
    """
    with _turn_of(run, catalog) as mine:
        if isinstance(mine, SoleWriter):
            mine.take()


@contextlib.contextmanager
def turn(run: Run, catalog: str, wait: float) -> Iterator[Run]:
    """Wait for the turn and hold it; the run that is given shows with its progress that it lives.

    Errors: TurnError when another worker has it for longer than wait seconds, or when it was lost; UsageError for a
    second writer where no turn can be taken; LakeUnavailableError, StoreUnavailableError.
    """
    with _turn_of(run, catalog) as mine:
        deadline = time.monotonic() + wait
        for _ in run.progress(repeat(None), "turn", 0):
            if mine.take():
                break
            if time.monotonic() >= deadline:
                raise TurnError("another worker writes the training files now; what was read is published, run again")
            time.sleep(PAUSE_SECONDS)
        try:
            yield replace(run, progress=partial(_alive, mine, run.progress), together=True)
        finally:
            mine.release()


@contextlib.contextmanager
def _turn_of(run: Run, catalog: str) -> Iterator[Turn]:
    if not run.lake.remote:
        with lake.file_lock(run.lake, TURN) as stream:
            yield FileTurn(stream)
    elif lake.honours_conditions(run.lake, f"catalog/probe-{run.run_id}"):
        yield ObjectTurn(run.lake, run.run_id, HELD_SECONDS)
    elif run.settings.deduplication_store == "redis":
        from etlnarr.redis_store import RedisTurn  # noqa: PLC0415  its library takes long to load, and few need it

        url = run.settings.deduplication_redis_url.get_secret_value()
        yield RedisTurn(url, place_of(run), run.run_id, HELD_SECONDS)
    else:
        yield SoleWriter(run.lake, catalog)


def _alive(mine: Turn, progress: Progress, items: Iterable[T], stage: str, total: int) -> Iterable[T]:
    """Pass the items on and show a sign of life now and then, and before each file that is written."""
    heard = time.monotonic()
    for item in progress(items, stage, total):
        if stage == "export" or time.monotonic() > heard + RENEW_SECONDS:
            if not mine.renew():
                raise TurnError("another worker took over meanwhile; nothing was written since, run again")
            heard = time.monotonic()
        yield item
