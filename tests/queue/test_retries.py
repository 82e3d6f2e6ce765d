import pytest

from etlnarr.errors import (
    DeniedError,
    EtlnarrError,
    GoneError,
    LakeRefusedError,
    LakeThrottledError,
    LakeUnavailableError,
    MismatchError,
    OtherTypeError,
    StoreUnavailableError,
    UnreadableError,
)
from etlnarr.retries import ErrorKind, Policy, kind_of

TABLE = {
    "network": [30, 300, 900],
    "connection_refused": [30, 300],
    "rate_limit": [60, 300],
    "timeout": [60, 300],
    "memory": [120, 600],
    "store": [30, 120, 120],
    "not_found": [],
    "access_denied": [],
    "content_hash_mismatch": [],
    "record_type_mismatch": [],
}


@pytest.mark.parametrize("kind", ErrorKind)
def test_each_kind_waits_as_agreed_and_is_then_given_up(kind: ErrorKind) -> None:
    delays = [Policy(None, None).delay(kind, retries) for retries in range(4)]
    assert [delay for delay in delays if delay] == TABLE[kind]
    assert delays[-1] is None


def test_settings_stand_in_for_the_table_but_revive_nothing() -> None:
    own = Policy((1, 2), 3)
    assert [own.delay(ErrorKind.network, retries) for retries in range(4)] == [1, 2, 2, None]
    assert own.delay(ErrorKind.not_found, 0) is None
    assert Policy(None, 1).delay(ErrorKind.network, 1) is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (GoneError("x"), "not_found"),
        (DeniedError("x"), "access_denied"),
        (MismatchError("x"), "content_hash_mismatch"),
        (OtherTypeError("x"), "record_type_mismatch"),
        (LakeRefusedError("x"), "connection_refused"),
        (LakeThrottledError("x"), "rate_limit"),
        (LakeUnavailableError("x"), "network"),
        (StoreUnavailableError("x"), "store"),
        (UnreadableError("timed_out", "x"), "timeout"),
    ],
)
def test_what_a_fault_counts_as(fault: EtlnarrError, kind: str) -> None:
    assert kind_of(fault) == kind
