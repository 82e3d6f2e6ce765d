"""What one run of the command carries from stage to stage."""

import os
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from etlnarr.errors import UsageError
from etlnarr.lake import Root
from etlnarr.model import Standing
from etlnarr.people import Person
from etlnarr.settings import Settings

T = TypeVar("T")
LAST_SECOND: Final = 253_402_300_799


class Progress(Protocol):
    """Passes the items on and may draw how far they are."""

    def __call__(self, items: Iterable[T], stage: str, total: int) -> Iterable[T]:
        """Yield the items in order."""
        ...


class Log(Protocol):
    """Takes what happens to single uploads: counts, states and reasons, never a reading or a user."""

    def debug(self, event: str, *args: object, **fields: object) -> object:
        """Tell what a developer may want to know."""
        ...

    def info(self, event: str, *args: object, **fields: object) -> object:
        """Tell what someone may want to know."""
        ...

    def warning(self, event: str, *args: object, **fields: object) -> object:
        """Tell what someone may have to look after."""
        ...


class Claims(Protocol):
    """Remembers which messages are being handled, by whom, and which are done.

    Errors: StoreUnavailableError from every call.
    """

    def claim(self, keys: Sequence[str]) -> dict[str, Standing]:
        """Claim what is free or was left behind; return how each stands now."""
        ...

    def renew(self) -> None:
        """Hold all claims for longer."""
        ...

    def complete(self, keys: Sequence[str]) -> None:
        """Remember that these are done."""
        ...

    def release(self, keys: Sequence[str]) -> None:
        """Let others have what was not done."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """The frozen surroundings of a run; the clock is read once, when it is made.

    Shapes: a dry run works on a copy of the catalog and writes nothing to the lake; together tells that it is this
    worker's turn to write to a lake that several share, and that it knows what they know.
    """

    settings: Settings
    lake: Root
    people: Mapping[str, Person]
    now: int  # epoch ms
    run_id: str
    progress: Progress
    log: Log
    dry: bool = False
    together: bool = False


def now_ms() -> int:
    """Return the time of the run in epoch ms; SOURCE_DATE_EPOCH stands in for the clock.

    Errors: UsageError when SOURCE_DATE_EPOCH is no number.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return int(time.time() * 1000)
    if not (fixed.isascii() and fixed.isdigit()) or int(fixed) > LAST_SECOND:
        raise UsageError("SOURCE_DATE_EPOCH: not a whole number of seconds up to the year 9999")
    return int(fixed) * 1000


def new_run_id() -> str:
    """Return an id for the log lines of one run; it goes nowhere else."""
    return str(uuid.uuid4())
