"""Watching, and being stopped."""

import contextlib
import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.command import ROOT, environment
from tests.queue.world import QUEUE, World, samples


def watching(world: World) -> "contextlib.AbstractContextManager[subprocess.Popen[str]]":
    return draining(world, "--watch")


@contextlib.contextmanager
def draining(world: World, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a drain beside the test, no longer than the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "etlnarr", "drain-queue", *arguments, "--json"],
        cwd=world.where, env={**environment(**world.env), "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as worker:  # fmt: skip
        try:
            yield worker
        finally:
            worker.kill()


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_a_watcher_stops_while_another_worker_writes(world: World) -> None:
    turn = world.lake / "catalog" / "turn"
    world.run("queue", "setup")
    turn.parent.mkdir(parents=True)
    with turn.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with watching(world) as watcher:
            world.publish(world.put(samples(1)[0]))
            wait_for(lambda: any((world.lake / "catalog").glob("uploads/*.parquet")))
            time.sleep(1)
            watcher.send_signal(signal.SIGTERM)
            watcher.communicate(timeout=10)
    assert watcher.returncode == 0


def test_a_drain_that_is_stopped_gives_back_what_it_holds_and_says_so(world: World) -> None:
    world.run("queue", "setup")
    some = samples(26)
    world.publish(*(world.put(file) for file in some))
    with draining(world, "--batch-size", "1") as worker:
        wait_for(lambda: any((world.lake / "catalog").glob("uploads/*.parquet")))
        worker.send_signal(signal.SIGTERM)
        out, said = worker.communicate(timeout=10)
    assert worker.returncode == 143
    assert "stopped by SIGTERM" in said
    done = json.loads(out)
    assert done["stopped"]
    left = world.depths()[QUEUE]
    assert (done["told"], done["messages"] + left) == (None, len(some))
    again = world.drain()
    assert (again["messages"], again["read"] + again["duplicate"]) == (left, left)
    assert sum(again["told"]["validate"].values()) == len(some)


@pytest.mark.parametrize("sort", ["poison", "duplicate"])
def test_a_drain_that_is_stopped_says_so_though_nothing_it_had_was_new(world: World, sort: str) -> None:
    world.run("queue", "setup")
    body = b"{" if sort == "poison" else json.dumps(world.put(samples(1)[0])).encode()
    world.publish(body)
    world.drain()
    world.publish(*[body] * 100)
    with draining(world, "--batch-size", "1") as worker:
        wait_for(lambda: world.depths()[QUEUE] < 95)
        worker.send_signal(signal.SIGTERM)
        out, _ = worker.communicate(timeout=10)
    done = json.loads(out)
    left = world.depths()[QUEUE]
    assert left
    assert (worker.returncode, done["stopped"], done["messages"] + left) == (143, True, 100)


def test_a_drain_that_is_stopped_before_it_wrote_says_so(world: World) -> None:
    turn = world.lake / "catalog" / "turn"
    world.run("queue", "setup")
    turn.parent.mkdir(parents=True)
    world.publish(world.put(samples(1)[0]))
    with turn.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with draining(world) as worker:
            wait_for(lambda: any((world.lake / "catalog").glob("uploads/*.parquet")) and not world.depths())
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=10)
    assert worker.returncode == 143
    assert world.drain()["told"]["export"]["rows"] == 1


def test_status_counts_the_rows_that_a_watcher_has_told(world: World) -> None:
    world.run("queue", "setup")
    world.publish(world.put(samples(1)[0]))
    with watching(world) as watcher:
        wait_for(lambda: any((world.lake / "training").rglob("*.jsonl")))
        wait_for(lambda: bool(world.run("status")["examples"]), 20)
        assert watcher.poll() is None, "the watcher holds the catalog"
        watcher.send_signal(signal.SIGTERM)
        watcher.communicate(timeout=10)


def test_a_watcher_outlives_a_queue_that_is_made_anew(world: World) -> None:
    world.run("queue", "setup")
    with watching(world) as watcher:
        world.publish(world.put(samples(1)[0]))
        wait_for(lambda: len(world.rows()) == 1)
        with world.broker.channel() as channel:
            channel.queue_delete(QUEUE)
        world.run("queue", "setup")
        world.publish(world.put(samples(2)[1]))
        wait_for(lambda: len(world.rows()) == 2)
        watcher.terminate()
        watcher.communicate(timeout=10)


def test_a_watcher_stays_and_stops_within_ten_seconds(world: World) -> None:
    world.run("queue", "setup")
    with watching(world) as watcher:
        first, second = samples(2)
        world.publish(world.put(first))
        wait_for(lambda: len(world.rows()) == 1)
        world.publish(world.put(second))
        wait_for(lambda: len(world.rows()) == 2)
        began = time.monotonic()
        watcher.send_signal(signal.SIGTERM)
        out, _ = watcher.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert watcher.returncode == 0
    assert json.loads(out)["read"] == 2
