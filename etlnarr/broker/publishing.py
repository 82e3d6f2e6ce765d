"""Messages to the broker: persistent, mandatory, and confirmed before anything else is done."""

from collections.abc import Mapping

from pika import BasicProperties
from pika.exceptions import NackError, UnroutableError
from pydantic import JsonValue

from etlnarr.broker.connection import Link
from etlnarr.errors import BrokerUnavailableError
from etlnarr.message import HealthDataMessage, body_of


def announce(link: Link, message: HealthDataMessage) -> None:
    """Tell the exchange of an upload.

    Errors: BrokerUnavailableError when no queue takes it.
    """
    publish(link, link.exchange, f"health.processing.{message.record_type}.{message.priority}", body_of(message))


def publish(
    link: Link, exchange: str, routing_key: str, body: bytes, headers: Mapping[str, JsonValue] | None = None
) -> None:
    """Publish a message and wait until the broker has it.

    Errors: BrokerUnavailableError when no queue takes it.
    """
    properties = BasicProperties(
        content_type="application/json", delivery_mode=2, headers=dict(headers) if headers else None
    )
    try:
        link.channel.basic_publish(exchange, routing_key, body, properties, mandatory=True)
    except (UnroutableError, NackError) as fault:
        raise BrokerUnavailableError(
            "the broker takes no message there; run etlnarr queue setup, then run again"
        ) from fault
