"""Messages from the queue, in batches, and what becomes of each."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from etlnarr.broker.connection import FAILED, Delivery, Link
from etlnarr.broker.publishing import publish
from etlnarr.broker.topology import delay_queue, ready
from etlnarr.errors import BrokerUnavailableError

T = TypeVar("T")
TICK_SECONDS: Final = 0.1
REASON: Final = "x-etlnarr-reason"
DETAIL: Final = "x-etlnarr-detail"
QUEUE: Final = "x-etlnarr-queue"


def consume(link: Link, prefetch: int) -> None:
    """Let the broker deliver, at most so many messages ahead of what was settled."""
    link.channel.basic_qos(prefetch_count=prefetch)
    link.channel.basic_consume(
        link.queue,
        lambda _channel, method, properties, body: link.inbox.append(
            Delivery(method.delivery_tag, body, properties.headers or {})
        ),
    )


def take(link: Link, most: int, patience: float, stop: Callable[[], bool]) -> list[Delivery]:
    """Return the next messages, at most so many.

    Shapes: none when nothing came for so many seconds and nothing waits, or when it is time to stop.
    Errors: BrokerUnavailableError when the queue is gone.
    """
    deadline = time.monotonic() + patience
    while not stop():
        before = len(link.inbox)
        if before >= most:
            break
        link.connection.process_data_events(time_limit=TICK_SECONDS)
        if not link.channel.consumer_tags:
            raise BrokerUnavailableError("the queue was taken away meanwhile; run again later")
        if len(link.inbox) > before:
            continue
        if before or (time.monotonic() >= deadline and not ready(link, link.queue)):
            break
    return [link.inbox.popleft() for _ in range(0 if stop() else min(most, len(link.inbox)))]


def waits(link: Link) -> bool:
    """Whether a message waits that nobody took yet, here or in the queue."""
    if not link.inbox and not ready(link, link.queue):
        link.connection.process_data_events(time_limit=TICK_SECONDS)  # the broker may have sent the last one just now
        return bool(link.inbox)
    return True


def pumped(link: Link, work: Callable[[], T]) -> T:
    """Return what the work returns, and keep the broker hearing from us while it lasts."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        while not future.done():
            link.connection.process_data_events(time_limit=TICK_SECONDS)
        return future.result()


def acknowledge(link: Link, delivery: Delivery) -> None:
    """Say that a message is settled."""
    link.channel.basic_ack(delivery.tag)


def retry(link: Link, body: bytes, seconds: int) -> None:
    """Let a message come back after a delay."""
    publish(link, "", delay_queue(link, seconds), body)


def bury(link: Link, body: bytes, reason: str, detail: str) -> None:
    """Put a message to the dead letters, with the reason and the queue that it came from."""
    publish(link, "", FAILED, body, {REASON: reason, DETAIL: detail, QUEUE: link.queue})
