"""What can go wrong, and the exit code each kind of fault ends with.

EtlnarrError                 1  failed
├── DeniedError              1  an object may not be read or written
├── GoneError                1  an object is not there
├── MismatchError            1  a message tells of other bytes than those that stand there
├── OtherTypeError           1  a message tells of another record type than that of the bytes
├── UsageError               2  a wrong argument, setting or file given by the person
├── RejectedError            3  uploads were rejected and --strict was given
├── GateError                4  a proof failed, nothing was published
├── TemporaryError          75  away for now, run again
│   ├── CatalogBusyError        another process holds the catalog
│   ├── LakeUnavailableError    the lake does not answer
│   │   ├── LakeRefusedError    nobody listens where it should stand
│   │   └── LakeThrottledError  it is asked too often
│   ├── BrokerUnavailableError  the message broker does not answer
│   ├── StoreUnavailableError   the deduplication store does not answer
│   └── TurnError               another worker writes the training files
├── StoppedError           143  SIGTERM came before all was done; the rest waits for the next run
└── UnreadableError          1  the bytes of one upload cannot be used; ends in quarantine, never at the person
"""

import re
from typing import ClassVar


def masked(url: str) -> str:
    """Return a URL without what may be a key or a password; text that is no URL is not to be printed at all."""
    hidden = re.sub(r"//.*@", "//***@", url, flags=re.DOTALL)
    return re.sub(r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)


class EtlnarrError(Exception):
    """A fault that is told in one line: what, where, what to do next."""

    exit_code: ClassVar[int] = 1


class DeniedError(EtlnarrError):
    """An object may not be read or written."""


class GoneError(EtlnarrError):
    """An object is not there."""


class MismatchError(EtlnarrError):
    """A message tells of other bytes than those that stand there, which are known by their own right."""


class OtherTypeError(EtlnarrError):
    """A message tells of another record type than that of the bytes, which are known by their own right."""


class UsageError(EtlnarrError):
    """The person asked for something that cannot be done as asked."""

    exit_code = 2


class RejectedError(EtlnarrError):
    """Some uploads were rejected, and the person wanted to know."""

    exit_code = 3


class GateError(EtlnarrError):
    """A proof failed; nothing was published."""

    exit_code = 4


class TemporaryError(EtlnarrError):
    """Something is away for now; the same command will do later."""

    exit_code = 75


class CatalogBusyError(TemporaryError):
    """Another process holds the catalog."""


class LakeUnavailableError(TemporaryError):
    """The lake does not answer."""


class LakeRefusedError(LakeUnavailableError):
    """Nobody listens where the lake should stand."""


class LakeThrottledError(LakeUnavailableError):
    """The lake is asked too often."""


class BrokerUnavailableError(TemporaryError):
    """The message broker does not answer."""


class StoreUnavailableError(TemporaryError):
    """The deduplication store does not answer."""


class TurnError(TemporaryError):
    """Another worker writes the training files."""


class StoppedError(EtlnarrError):
    """SIGTERM came before all was done; the rest waits for the next run."""

    exit_code = 143


class UnreadableError(EtlnarrError):
    """The bytes of one upload cannot be used.

    Units: reason is the snake_case name under which the upload is quarantined.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
