"""The exchange and the queues. What others have declared is used as it stands; only what is missing is made."""

from collections.abc import Callable
from typing import Final

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from etlnarr.broker.connection import FAILED, NOT_FOUND, Link, checked
from etlnarr.errors import UsageError

BINDING: Final = "health.processing.#"


def set_up(link: Link) -> list[str]:
    """Make what is missing of the topology; return what was made.

    Shapes: the binding is among it where the exchange or the queue is new; no broker tells whether two that were there
    were bound before.
    Errors: BrokerUnavailableError.
    """
    made = []
    if _missing(link, lambda channel: channel.exchange_declare(link.exchange, passive=True)):
        link.channel.exchange_declare(link.exchange, exchange_type="topic", durable=True)
        made.append(link.exchange)
    if ready(link, FAILED) is None:
        link.channel.queue_declare(FAILED, durable=True)
        made.append(FAILED)
    if ready(link, link.queue) is None:
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": FAILED}
        link.channel.queue_declare(link.queue, durable=True, arguments=arguments)
        made.append(link.queue)
    link.channel.queue_bind(link.queue, link.exchange, BINDING)
    return [*made, binding(link)] if {link.exchange, link.queue} & {*made} else made


def binding(link: Link) -> str:
    """Name the binding by which announcements come to the queue."""
    return f"{link.exchange} -> {link.queue} ({BINDING})"


def ready(link: Link, queue: str) -> int | None:
    """Return how many messages wait in a queue, None when there is no such queue.

    Errors: UsageError for a name that no queue can have.
    """
    checked(queue)
    found: list[int] = []
    missing = _missing(
        link, lambda channel: found.append(channel.queue_declare(queue, passive=True).method.message_count)
    )
    return None if missing else found[0]


def delay_queue(link: Link, seconds: int) -> str:
    """Return the queue whose messages come back to work after a delay; make it if there is none.

    Shapes: a quorum queue, the kind that lets go of a message only when the other queue has it.
    """
    name = _delay_name(link, seconds)
    if name not in link.declared and ready(link, name) is None:
        arguments = {
            "x-queue-type": "quorum",
            "x-message-ttl": seconds * 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": link.queue,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        link.channel.queue_declare(name, durable=True, arguments=arguments)
    link.declared.add(name)
    return name


def _delay_name(link: Link, seconds: int) -> str:
    return f"{link.queue}.retry.{seconds}s"


def depth(link: Link, queue: str) -> int:
    """Return how many messages wait in a queue.

    Errors: UsageError when there is no such queue.
    """
    found = ready(link, queue)
    if found is None:
        raise UsageError(f"{queue}: no such queue; see ETL_QUEUE_NAME, or run etlnarr queue setup")
    return found


def depths(link: Link, delays: list[int]) -> dict[str, int | None]:
    """Return how many messages wait in each queue, None for one that is not there."""
    names = [link.queue, *(_delay_name(link, seconds) for seconds in delays), FAILED]
    return {name: ready(link, name) for name in names}


def _missing(link: Link, ask: Callable[[BlockingChannel], object]) -> bool:
    """Ask on a channel of its own: the broker closes the one on which it says no."""
    channel = link.connection.channel()
    try:
        ask(channel)
    except ChannelClosedByBroker as fault:
        if fault.reply_code != NOT_FOUND:
            raise
        return True
    channel.close()
    return False
