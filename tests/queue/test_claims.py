"""One suite for every store of claims."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etlnarr.catalog import open_catalog
from etlnarr.catalog.claims import CatalogClaims
from etlnarr.errors import StoreUnavailableError, UsageError
from etlnarr.model import Standing
from etlnarr.redis_store import RedisClaims
from etlnarr.run import Claims
from tests.brokers import RedisServer

HELD = 0.4
KEPT = 1.2
Opener = Callable[[str], Claims]


@pytest.fixture(params=["catalog", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    if request.param == "catalog":
        with open_catalog(tmp_path / "catalog.duckdb", 0) as con:
            yield lambda owner: CatalogClaims(con, owner, HELD, KEPT)
    else:
        store: RedisServer = request.getfixturevalue("store")
        space = request.node.name
        yield lambda owner: RedisClaims(store.url, space, owner, HELD, KEPT)


def test_what_one_is_at_is_held_for_the_others(opened: Opener, request: pytest.FixtureRequest) -> None:
    one, other, key = opened("one"), opened("other"), request.node.name
    assert one.claim([key]) == {key: Standing.mine}
    assert other.claim([key, f"{key}2"]) == {key: Standing.held, f"{key}2": Standing.mine}
    assert one.claim([key]) == {key: Standing.mine}


def test_what_is_done_is_done_for_all_until_it_is_forgotten(opened: Opener, request: pytest.FixtureRequest) -> None:
    one, other, key = opened("one"), opened("other"), request.node.name
    one.claim([key])
    one.complete([key])
    assert other.claim([key]) == {key: Standing.done}
    assert one.claim([key]) == {key: Standing.done}
    one.release([key])
    assert other.claim([key]) == {key: Standing.done}
    time.sleep(KEPT + 0.1)
    assert other.claim([key]) == {key: Standing.mine}


def test_what_is_released_is_free(opened: Opener, request: pytest.FixtureRequest) -> None:
    one, other, key = opened("one"), opened("other"), request.node.name
    one.claim([key])
    other.release([key])
    assert other.claim([key]) == {key: Standing.held}
    one.release([key])
    assert other.claim([key]) == {key: Standing.mine}


def test_the_claim_of_a_dead_owner_is_taken_over(opened: Opener, request: pytest.FixtureRequest) -> None:
    one, other, key = opened("one"), opened("other"), request.node.name
    one.claim([key])
    for _ in range(3):
        time.sleep(HELD / 2)
        one.renew()
        assert other.claim([key]) == {key: Standing.held}
    time.sleep(HELD + 0.1)
    assert other.claim([key]) == {key: Standing.mine}
    assert one.claim([key]) == {key: Standing.held}


def test_no_keys_are_no_fault(opened: Opener) -> None:
    one = opened("one")
    assert one.claim([]) == {}
    one.complete([])
    one.release([])


def test_who_opens_the_catalog_inherits(tmp_path: Path) -> None:
    with open_catalog(tmp_path / "catalog.duckdb", 0) as con:
        CatalogClaims(con, "dead", 60, 60).claim(["a", "b"])
        CatalogClaims(con, "dead", 60, 60).complete(["a"])
        own = CatalogClaims(con, "own", 60, 60)
        own.inherit()
        assert own.claim(["a", "b"]) == {"a": Standing.done, "b": Standing.mine}


def test_a_store_that_is_away_or_wrong_is_told_without_its_password() -> None:
    away = RedisClaims("redis://user:hidden@127.0.0.1:1/2", "lake", "one", 1, 1)
    with pytest.raises(StoreUnavailableError, match=r"redis://\*\*\*@127.0.0.1:1/2") as fault:
        away.claim(["a"])
    assert "hidden" not in str(fault.value)
    with pytest.raises(UsageError, match="ETL_DEDUPLICATION_REDIS_URL"):
        RedisClaims("http://x", "lake", "one", 1, 1)
