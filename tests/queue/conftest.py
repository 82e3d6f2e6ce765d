from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Rabbit, RedisServer, rabbit, redis_server
from tests.queue.world import World
from tests.servers import S3, gateway


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    with rabbit(tmp_path_factory.mktemp("rabbit")) as server:
        yield server


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with gateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server


@pytest.fixture
def world(broker: Rabbit, tmp_path: Path) -> World:
    """An empty queue, and a lake in a folder."""
    one = World(broker, tmp_path)
    one.clear()
    return one
