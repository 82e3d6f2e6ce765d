"""Opening a connection to the broker, and what may go wrong with it."""

import contextlib
import logging
import re
import socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)
from pydantic import JsonValue

from etlnarr.errors import BrokerUnavailableError, UsageError, masked
from etlnarr.settings import Settings

FAILED: Final = "failed_queue"
VIRTUAL_HOST: Final = re.compile(r"\(530\)(?!.*connection limit)", re.DOTALL)
"""What a broker says of a virtual host that is not there or is another user's, but not of one that is full."""

DELAYED: Final = re.compile(r"\.retry\.\d+s$", re.ASCII)
HEARTBEAT_SECONDS: Final = 60
CONNECT_SECONDS: Final = 5
REFUSED: Final = 403
NOT_FOUND: Final = 404
LONGEST: Final = 240
"""Bytes of a name: a broker takes 255, and delay queues add to that of theirs."""

logging.getLogger("pika").addHandler(logging.NullHandler())  # what it would say there is said here, in one line
logging.getLogger("pika").propagate = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that the broker waits to hear of."""

    tag: int
    body: bytes
    headers: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Link:
    """A connection with one channel, on which every publication is confirmed.

    Shapes: inbox holds what the broker delivered and nobody took yet; declared the delay queues that are known to be
    there.
    """

    connection: BlockingConnection
    channel: BlockingChannel
    queue: str
    exchange: str
    inbox: deque[Delivery] = field(default_factory=deque)
    declared: set[str] = field(default_factory=set)


@contextlib.contextmanager
def linked(settings: Settings, queue: str | None = None) -> Iterator[Link]:
    """Connect to the broker; what was delivered and not acknowledged goes back to its queue at the end.

    Errors: UsageError for a URL that is none or credentials that are refused; BrokerUnavailableError.
    """
    url, name = settings.rabbitmq_url.get_secret_value(), checked(queue or settings.queue_name)
    if not of_work(name):
        raise UsageError(f"{name}: holds what has failed or waits; name the queue of the work, see ETL_QUEUE_NAME")
    exchange = checked(settings.exchange_name)
    with broker_faults(url):
        connection = _connect(url)
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield Link(connection, channel, name, exchange)
        finally:
            with contextlib.suppress(AMQPError):
                connection.close()


def checked(name: str) -> str:
    """Return the name of a queue or an exchange.

    Errors: UsageError for one that a broker cannot have.
    """
    if not name.isprintable() or len(name.encode()) > LONGEST:
        raise UsageError(f"no queue or exchange has a name with control characters or of more than {LONGEST} bytes")
    return name


def of_work(queue: str) -> bool:
    """Whether a queue may hold what is to be done, going by its name."""
    return queue != FAILED and not DELAYED.search(queue)


@contextlib.contextmanager
def broker_faults(url: str) -> Iterator[None]:
    """Turn what the library raises into an error of ours; the texts of a broker may quote a message."""
    where = masked(url)
    try:
        yield
    except (AuthenticationError, ProbableAuthenticationError) as fault:
        raise UsageError(f"{where}: the broker refuses these credentials; see ETL_RABBITMQ_URL") from fault
    except ProbableAccessDeniedError as fault:
        if not VIRTUAL_HOST.search(str(fault)):  # such as a broker that went away just then
            raise BrokerUnavailableError(f"{where}: the broker closed the connection; run again later") from fault
        raise UsageError(
            f"{where}: the broker has no such virtual host for this user; it is the path of ETL_RABBITMQ_URL"
        ) from fault
    except ChannelClosedByBroker as fault:
        if fault.reply_code == NOT_FOUND:
            raise UsageError(f"{where}: no such queue or exchange; run etlnarr queue setup") from fault
        if fault.reply_code == REFUSED:
            raise UsageError(
                f"{where}: the broker refuses such a queue or exchange; see ETL_QUEUE_NAME and ETL_EXCHANGE_NAME"
            ) from fault
        raise BrokerUnavailableError(f"{where}: the broker closed the channel; run again later") from fault
    except AMQPError as fault:
        raise BrokerUnavailableError(f"{where}: the broker does not answer; run again later") from fault


def _connect(url: str) -> BlockingConnection:
    if not url.startswith(("amqp://", "amqps://")):
        raise UsageError("ETL_RABBITMQ_URL: not an amqp:// URL")
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError, AttributeError, SyntaxError) as fault:
        raise UsageError("ETL_RABBITMQ_URL: not an amqp:// URL") from fault
    if len(parameters.virtual_host.encode()) > LONGEST:
        raise UsageError("ETL_RABBITMQ_URL: no virtual host has so long a name")
    if "heartbeat=" not in url:
        parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.socket_timeout = parameters.stack_timeout = CONNECT_SECONDS
    try:
        return BlockingConnection(parameters)
    except socket.gaierror as fault:
        raise BrokerUnavailableError(f"{masked(url)}: no such host; see ETL_RABBITMQ_URL") from fault
    except OSError as fault:  # such as a port that speaks no TLS
        raise BrokerUnavailableError(f"{masked(url)}: the broker does not answer; run again later") from fault
