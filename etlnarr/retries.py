"""What becomes of a message whose upload could not be handled: again later, or to the dead letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from etlnarr.errors import (
    DeniedError,
    EtlnarrError,
    GoneError,
    LakeRefusedError,
    LakeThrottledError,
    MismatchError,
    OtherTypeError,
    StoreUnavailableError,
    UnreadableError,
)
from etlnarr.settings import Settings

MINUTE: Final = 60


class ErrorKind(StrEnum):
    """What kept an upload from being handled, under the name that travels with its message."""

    network = auto()
    connection_refused = auto()
    rate_limit = auto()
    timeout = auto()
    memory = auto()
    store = auto()
    not_found = auto()
    access_denied = auto()
    content_hash_mismatch = auto()
    record_type_mismatch = auto()


DELAYS: Final[Mapping[ErrorKind, tuple[int, ...]]] = {
    ErrorKind.network: (30, 5 * MINUTE, 15 * MINUTE),
    ErrorKind.connection_refused: (30, 5 * MINUTE),
    ErrorKind.rate_limit: (60, 5 * MINUTE),
    ErrorKind.timeout: (1 * MINUTE, 5 * MINUTE),
    ErrorKind.memory: (2 * MINUTE, 10 * MINUTE),
    ErrorKind.store: (30, 2 * MINUTE, 2 * MINUTE),
    ErrorKind.not_found: (),
    ErrorKind.access_denied: (),
    ErrorKind.content_hash_mismatch: (),
    ErrorKind.record_type_mismatch: (),
}
"""Seconds before each further attempt; after the last one the message is a dead letter.

A schema or a quality that will not do is no failure of a message: its upload goes to quarantine. So does one whose
bytes or type are not those that were announced, unless the catalog has the bytes already: then it is the message that
is wrong.
"""

KINDS: Final[Mapping[type[EtlnarrError], ErrorKind]] = {
    GoneError: ErrorKind.not_found,
    DeniedError: ErrorKind.access_denied,
    MismatchError: ErrorKind.content_hash_mismatch,
    OtherTypeError: ErrorKind.record_type_mismatch,
    LakeRefusedError: ErrorKind.connection_refused,
    LakeThrottledError: ErrorKind.rate_limit,
    StoreUnavailableError: ErrorKind.store,
    UnreadableError: ErrorKind.timeout,
}


LAKE_AWAY: Final = frozenset({ErrorKind.network, ErrorKind.connection_refused, ErrorKind.rate_limit})
"""The kinds after which it is time to ask whether the lake is there at all."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The table, and what the settings put in its place.

    Shapes: delays of the settings stand for those of every kind that is tried again at all.
    Units: seconds.
    """

    delays: tuple[int, ...] | None
    most: int | None

    def delay(self, kind: ErrorKind, retries: int) -> int | None:
        """Return how long to wait before the next attempt, None when there is none left."""
        own = DELAYS[kind]
        if not own:
            return None
        delays = self.delays or own
        most = self.most if self.most is not None else len(delays)
        return delays[min(retries, len(delays) - 1)] if retries < most else None

    def every(self) -> list[int]:
        """Return every delay that a message may get."""
        return sorted({*(self.delays or ()), *(seconds for own in DELAYS.values() for seconds in own)})


def policy(settings: Settings) -> Policy:
    """Return the policy of a run."""
    return Policy(settings.retry_delays, settings.max_retries)


def kind_of(fault: EtlnarrError) -> ErrorKind:
    """Return what a fault of the lake, of a store or of an upload that took too long counts as."""
    return KINDS.get(type(fault), ErrorKind.network)
