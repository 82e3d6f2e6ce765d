"""Whatever happens to a drain, nothing is lost and nothing is told twice."""

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from tests.brokers import Rabbit, RedisServer
from tests.command import ROOT, environment, etlnarr
from tests.proxy import Proxy, proxy
from tests.queue.world import FAILED, QUEUE, World, message
from tests.servers import S3, get

KILLS = int(os.environ.get("ETLNARR_KILLS", "6"))
MESSAGES = int(os.environ.get("ETLNARR_MESSAGES", "48"))
PATIENT = {"ETL_RETRY_DELAYS": "[1]", "ETL_MAX_RETRIES": "50"}
Files = dict[str, bytes]


@dataclass(frozen=True)
class Corpus:
    """Uploads, the messages that announce them, and the files that a drain makes of them when nothing disturbs it."""

    uploads: dict[str, bytes]
    messages: list[dict[str, object]]
    files: Files = field(default_factory=dict)

    def into(self, lake: Path) -> None:
        for key, body in self.uploads.items():
            (lake / key).parent.mkdir(parents=True, exist_ok=True)
            (lake / key).write_bytes(body)

    def into_bucket(self, server: S3, prefix: str) -> list[dict[str, object]]:
        """Put the uploads under a prefix, and return messages that tell of them there."""
        for key, body in self.uploads.items():
            server.put_bytes(f"{prefix}/{key}", body)
        return [{**told, "key": f"{prefix}/{told['key']}"} for told in self.messages]


@pytest.fixture(scope="session")
def corpus(broker: Rabbit, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    etlnarr("samples", "--out", folder / "made", "--uploads", MESSAGES, "--records", 4)
    uploads, messages = {}, []
    for file in sorted((folder / "made").rglob("*.avro")):
        body = file.read_bytes()
        kind = next(part for part in (*file.parts, file.name.split("_")[0]) if part.endswith("Record"))
        key = f"raw/{kind}/2025/11/15/{file.name}"
        uploads[key] = body
        messages.append(message(key, body, kind, "u1"))
    bare = Corpus(uploads, messages)
    world = World(broker, folder)
    bare.into(world.lake)
    world.clear()
    world.run("queue", "setup")
    world.publish(*messages)
    assert world.drain()["read"] == MESSAGES
    world.clear()
    return Corpus(uploads, messages, files_of(world.lake))


def files_of(lake: Path) -> Files:
    found = sorted((lake / "training").rglob("*.jsonl"))
    return {str(file.relative_to(lake)): file.read_bytes() for file in found}


def files_in(server: S3, prefix: str, target: Path) -> Files:
    get(server.endpoint, f"{server.bucket}/{prefix}/training", target / "training")
    return files_of(target)


@contextlib.contextmanager
def begun(world: World, *arguments: str, **env: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a drain beside the test, no longer than the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "etlnarr", "drain-queue", "--json", *arguments],
        cwd=world.where, env={**environment(**{**world.env, **PATIENT, **env}), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as worker:  # fmt: skip
        try:
            yield worker
        finally:
            worker.kill()


def drain_until_quiet(world: World, **env: str) -> None:
    """Drain as a cron job does, until nothing waits but dead letters."""
    quiet = 0
    for _ in range(30):
        done = world.drain(**PATIENT, **env)
        waiting = {name for name in world.depths() if name != FAILED}
        quiet = 0 if done["messages"] or waiting else quiet + 1
        if quiet == 2:
            return
        time.sleep(1.2)
    raise AssertionError(world.depths())


def accounts(world: World, messages: list[dict[str, object]], **env: str) -> Counter[str]:
    """Say where each message is; each must be in one place."""
    catalog = Path(env.get("ETL_CATALOG_PATH", world.lake / "catalog.duckdb"))
    dead = [str(letter["message_id"]) for letter in world.run("queue", "peek", "--limit", 10_000)]
    assert len(dead) == len(set(dead))
    read = known_hashes(catalog)
    states = Counter(
        ("dead" if told["message_id"] in dead else "") + read.get(str(told["content_hash"]), "") for told in messages
    )
    assert set(states) <= {"dead", "accepted", "superseded", "quarantined"}, states
    return states


def known_hashes(catalog: Path) -> dict[str, str]:
    query = """
        SELECT content_hash, CASE WHEN state = 'accepted' AND NOT brings_new THEN 'superseded' ELSE state END
        FROM uploads
    """
    with duckdb.connect(catalog, read_only=True) as con:
        return dict(con.execute(query).fetchall())


def test_a_drain_that_is_killed_again_and_again(world: World, corpus: Corpus) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    corpus.into(world.lake)
    world.run("queue", "setup")
    world.publish(*corpus.messages)
    for number in range(KILLS):
        with begun(world, "--batch-size", "6", ETL_CATALOG_PATH=str(world.where / f"{number % 2}.duckdb")):
            time.sleep(chance.uniform(0.5, 5))
    env = {"ETL_CATALOG_PATH": str(world.where / "0.duckdb")}
    drain_until_quiet(world, **env)
    assert files_of(world.lake) == corpus.files, f"seed {seed}"
    assert accounts(world, corpus.messages, **env)["dead"] == 0


def test_two_drains_at_once_each_message_three_times(world: World, corpus: Corpus) -> None:
    corpus.into(world.lake)
    world.run("queue", "setup")
    thrice = corpus.messages * 3
    random.shuffle(thrice)
    world.publish(*thrice)
    catalogs = [{"ETL_CATALOG_PATH": str(world.where / f"{number}.duckdb")} for number in (0, 1)]
    with (
        begun(world, "--batch-size", "7", **catalogs[0]) as one,
        begun(world, "--batch-size", "7", **catalogs[1]) as two,
    ):
        done = [json.loads(worker.communicate(timeout=300)[0]) for worker in (one, two)]
    assert sum(one["messages"] for one in done) == 3 * MESSAGES
    assert max(one["told"]["export"]["rows"] for one in done) == MESSAGES
    assert files_of(world.lake) == corpus.files


def test_a_broker_that_is_restarted_in_the_middle(world: World, corpus: Corpus) -> None:
    corpus.into(world.lake)
    world.run("queue", "setup")
    world.publish(*corpus.messages)
    with begun(world, "--batch-size", "2") as worker:
        wait_for(lambda: known_to(world) > 2)
        world.broker.kill()
        out, err = worker.communicate(timeout=120)
    assert worker.returncode == 75, err
    assert "Traceback" not in err
    world.broker.start()
    drain_until_quiet(world)
    assert files_of(world.lake) == corpus.files
    assert accounts(world, corpus.messages) == {"accepted": MESSAGES}, out


def test_a_watcher_comes_back_when_the_broker_does(world: World, corpus: Corpus) -> None:
    corpus.into(world.lake)
    world.run("queue", "setup")
    with begun(world, "--watch", "--batch-size", "5") as worker:
        world.publish(*corpus.messages[:20])
        wait_for(lambda: known_to(world) > 2)
        world.broker.kill()
        time.sleep(1)
        world.broker.start()
        world.publish(*corpus.messages[20:])
        wait_for(lambda: files_of(world.lake) == corpus.files, 120)
        worker.terminate()
        worker.communicate(timeout=20)
    assert worker.returncode == 0


@pytest.mark.parametrize("mode", ["away", "slow", "503", "403"])
def test_a_lake_that_will_not(world: World, corpus: Corpus, minio: S3, tmp_path: Path, mode: str) -> None:
    messages = corpus.into_bucket(minio, tmp_path.name)
    with proxy(minio.endpoint) as way:
        world.more = {
            **minio.environment,
            "ETL_S3_ENDPOINT_URL": way.endpoint,
            "ETL_LAKE_URL": f"s3://{minio.bucket}/{tmp_path.name}",
        }
        world.run("queue", "setup")
        world.publish(*messages)
        with begun(world, "--batch-size", "8") as worker:
            wait_for((world.where / "catalog.duckdb").exists)
            time.sleep(0.5)
            disturb(way, mode, 10 if mode == "away" else 3)
            _, err = worker.communicate(timeout=240)
        assert "Traceback" not in err, err
        drain_until_quiet(world)
        if mode == "403":
            world.run("queue", "requeue", "--where", "reason=access_denied", "--yes")
            drain_until_quiet(world)
    catalog = {"ETL_CATALOG_PATH": str(world.where / "catalog.duckdb")}
    assert accounts(world, corpus.messages, **catalog) == {"accepted": MESSAGES}
    assert files_in(minio, tmp_path.name, tmp_path / "got") == corpus.files


def disturb(way: Proxy, mode: str, seconds: float) -> None:
    way.become(mode)
    timer = threading.Timer(seconds, way.become, args=("pass",))
    timer.start()


def test_heartbeats_outlast_a_batch(world: World, corpus: Corpus, minio: S3, tmp_path: Path) -> None:
    messages = corpus.into_bucket(minio, tmp_path.name)
    with proxy(minio.endpoint) as way:
        world.more = {
            **minio.environment,
            "ETL_S3_ENDPOINT_URL": way.endpoint,
            "ETL_LAKE_URL": f"s3://{minio.bucket}/{tmp_path.name}",
            "ETL_RABBITMQ_URL": f"{world.broker.url}/?heartbeat=1",
        }
        world.run("queue", "setup")
        world.publish(*messages)
        way.become("slow")
        began = time.monotonic()
        done = world.drain("--batch-size", MESSAGES)
        assert time.monotonic() - began > 4, "several times the heartbeat"
    assert (done["messages"], done["read"], done["duplicate"]) == (MESSAGES, MESSAGES, 0)


def test_a_redis_that_is_restarted(world: World, corpus: Corpus, tmp_path: Path) -> None:
    corpus.into(world.lake)
    (tmp_path / "redis").mkdir()
    store = RedisServer(tmp_path / "redis")
    store.start()
    try:
        world.more = {"ETL_DEDUPLICATION_STORE": "redis", "ETL_DEDUPLICATION_REDIS_URL": store.url}
        world.run("queue", "setup")
        world.publish(*corpus.messages)
        with begun(world, "--batch-size", "4") as worker:
            wait_for(lambda: known_to(world) > 4)
            store.kill()
            time.sleep(1)
            store.start()
            _, err = worker.communicate(timeout=120)
        assert "Traceback" not in err
        drain_until_quiet(world)
    finally:
        store.kill()
    assert accounts(world, corpus.messages) == {"accepted": MESSAGES}
    assert files_of(world.lake) == corpus.files


def test_a_thousand_poisons_among_the_good(world: World, corpus: Corpus) -> None:
    corpus.into(world.lake)
    world.run("queue", "setup")
    good = corpus.messages
    poison = [
        *(os.urandom(40) for _ in range(300)),
        *(json.dumps({**good[0], "file_size_bytes": "many"}).encode() for _ in range(300)),
        *(json.dumps({**good[0], "record_type": "BloodPressureRecord"}).encode() for _ in range(390)),
        *(b'"' + b"x" * 5_000_000 + b'"' for _ in range(10)),
    ]
    mixed: list[bytes | dict[str, object]] = [*poison, *good]
    random.shuffle(mixed)
    world.publish(*mixed)
    done = world.drain()
    assert (done["messages"], done["read"]) == (1000 + MESSAGES, MESSAGES)
    assert done["dead"] == {
        "message_not_json": 300, "message_invalid": 300, "unknown_record_type": 390, "message_too_large": 10,
    }  # fmt: skip
    assert world.depths() == {FAILED: 1000}
    assert files_of(world.lake) == corpus.files


def test_messages_that_expire_while_others_are_drained(world: World, corpus: Corpus) -> None:
    corpus.into(world.lake)
    with world.broker.channel() as channel:
        channel.exchange_declare("health_data_exchange", "topic", durable=True)
        arguments = {"x-message-ttl": 10_000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": FAILED}
        channel.queue_declare(QUEUE, durable=True, arguments=arguments)
        channel.queue_bind(QUEUE, "health_data_exchange", "health.processing.#")
    world.run("queue", "setup")
    world.publish(*corpus.messages)
    taken = world.drain("--batch-size", 1, "--max-messages", 10)["messages"]
    assert taken > 0
    wait_for(lambda: world.depths() == {FAILED: MESSAGES - taken})
    assert accounts(world, corpus.messages)["dead"] == MESSAGES - taken
    with world.broker.channel() as channel:
        channel.queue_delete(QUEUE)
    world.run("queue", "setup")
    world.run("queue", "requeue", "--where", "reason=expired", "--yes")
    drain_until_quiet(world)
    assert files_of(world.lake) == corpus.files


def known_to(world: World) -> int:
    """How many uploads the catalog of the worker has published."""
    return len(list((world.lake / "catalog" / "uploads").glob("*.parquet")))


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
