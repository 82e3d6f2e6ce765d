"""Dead letters: back to work with them, or away."""

import contextlib
import json
import time
from collections.abc import Iterator

from tests.command import etlnarr
from tests.queue.world import FAILED, QUEUE, World, samples


@contextlib.contextmanager
def extra_queue(world: World, name: str) -> Iterator[None]:
    """Take away a queue at the end, with the exchange of its name."""
    try:
        yield
    finally:
        with world.broker.channel() as channel:
            channel.queue_delete(name)
            channel.exchange_delete(f"{name}_exchange")


def test_a_message_that_expires_is_a_dead_letter_that_can_be_sent_back(world: World) -> None:
    with world.broker.channel() as channel:
        channel.exchange_declare("health_data_exchange", "topic", durable=True)
        arguments = {"x-message-ttl": 100, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": FAILED}
        channel.queue_declare(QUEUE, durable=True, arguments=arguments)
    world.run("queue", "setup")
    world.publish(world.put(samples(1)[0]))
    time.sleep(0.5)
    assert world.drain()["messages"] == 0
    (letter,) = world.run("queue", "peek")
    assert (letter["reason"], letter["queue"]) == ("expired", QUEUE)
    with world.broker.channel() as channel:
        channel.queue_delete(QUEUE)
    world.run("queue", "setup")
    assert world.run("queue", "requeue", "--where", "reason=not_found", "--yes")["requeued"] == 0
    assert world.run("queue", "requeue", "--where", "reason=expired") == {
        "requeued": 1, "to": {QUEUE: 1}, "done": False,
    }  # fmt: skip
    assert world.depths() == {FAILED: 1}
    assert world.run("queue", "requeue", "--where", "reason=expired", "--yes")["requeued"] == 1
    assert world.drain()["read"] == 1
    assert world.depths() == {}


def test_dead_letters_go_back_to_the_queue_they_came_from(world: World) -> None:
    with extra_queue(world, "night"):
        night = {"ETL_QUEUE_NAME": "night", "ETL_EXCHANGE_NAME": "night_exchange"}
        world.run("queue", "setup", **night)
        world.run("queue", "setup")
        gone = [world.put(file, key=f"raw/StepsRecord/{n}.avro") for n, file in enumerate(samples(3))]
        world.publish(gone[0])
        with world.broker.channel() as channel:
            channel.basic_publish("", "night", json.dumps(gone[1]).encode())
            channel.basic_publish("", FAILED, json.dumps(gone[2]).encode())
        world.drain()
        world.drain(**night)
        letters = world.run("queue", "peek")
        assert {letter["key"]: letter["queue"] for letter in letters} == {
            gone[0]["key"]: QUEUE, gone[1]["key"]: "night", gone[2]["key"]: None,
        }  # fmt: skip
        assert world.run("queue", "requeue", "--yes")["to"] == {QUEUE: 2, "night": 1}
        assert world.depths() == {QUEUE: 2}
        assert world.run("queue", "status", **night)["night"] == 1
        world.drain(**night)
        assert world.run("queue", "requeue", "--queue", QUEUE)["to"] == {QUEUE: 1}, "what is named outright wins"
    done = etlnarr("queue", "requeue", "--yes", env=world.env, expect=2)
    assert "night: no such queue" in done.stderr
    assert world.depths()[FAILED] == 1


def test_nothing_is_sent_back_when_one_of_the_queues_is_gone(world: World) -> None:
    night = {"ETL_QUEUE_NAME": "night", "ETL_EXCHANGE_NAME": "night_exchange"}
    world.run("queue", "setup")
    world.publish(b"{")
    world.drain()
    with extra_queue(world, "night"):
        world.run("queue", "setup", **night)
        with world.broker.channel() as channel:
            channel.basic_publish("", "night", b"{")
        world.drain(**night)
    for more in ([], ["--yes"]):
        done = etlnarr("queue", "requeue", *more, env=world.env, expect=2)
        assert done.stderr.startswith("etlnarr: night: no such queue")
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)
        assert world.depths() == {FAILED: 2}
    assert world.run("queue", "requeue", "--where", "queue=night", "--queue", QUEUE, "--yes")["to"] == {QUEUE: 1}


def test_the_last_dead_letters_are_thrown_away_when_that_is_meant(world: World) -> None:
    world.run("queue", "setup")
    world.publish(b"{")
    world.drain()
    assert world.run("queue", "purge") == {"purged": 1, "done": False}
    assert world.depths() == {FAILED: 1}
    assert world.run("queue", "purge", "--yes") == {"purged": 1, "done": True}
    assert world.depths() == {}
    for more in ([], ["--yes"]):
        done = etlnarr("queue", "purge", "--from", "typo", *more, env=world.env, expect=2)
        assert done.stderr.startswith("etlnarr: typo: no such queue")


def test_numbers_beyond_all_reason_are_a_dead_letter(world: World) -> None:
    world.run("queue", "setup")
    good = world.put(samples(1)[0])
    world.publish({**good, "file_size_bytes": 1 << 63}, good)
    done = world.drain()
    assert (done["dead"], done["read"]) == ({"message_invalid": 1}, 1)


def test_dead_letters_that_are_not_taken_multiply_nothing(world: World) -> None:
    with world.broker.channel() as channel:
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare(FAILED, durable=True, arguments=arguments)
    world.run("queue", "setup")
    world.publish(*[b"{"] * 4)
    for _ in range(3):
        done = etlnarr("drain-queue", cwd=world.where, env=world.env, expect=75)
        assert "the broker takes no message there" in done.stderr
    assert world.depths() == {QUEUE: 3, FAILED: 1}
