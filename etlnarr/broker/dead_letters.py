"""The dead letters: what they are, and back to work with them."""

from collections import Counter
from collections.abc import Callable, Iterator

from pydantic import BaseModel, ConfigDict, JsonValue

from etlnarr import envelope
from etlnarr.broker.connection import Delivery, Link, checked, of_work
from etlnarr.broker.deliveries import DETAIL, QUEUE, REASON
from etlnarr.broker.publishing import publish
from etlnarr.broker.topology import depth
from etlnarr.message import Failure, HealthDataMessage, PoisonError, body_of, parse

UNKNOWN = "unknown"


class Letter(BaseModel):
    """What may be said of a dead letter: which one, of what type, and why.

    Shapes: queue is where it came from, None when that is not known; key has a * where the user would be named, so
    that it is a pattern that finds the object.
    """

    model_config = ConfigDict(frozen=True)

    reason: str
    detail: str
    queue: str | None
    message_id: str | None
    correlation_id: str | None
    record_type: str | None
    key: str | None
    retry_count: int | None
    failures: tuple[Failure, ...]
    size: int


def peek(link: Link, queue: str, most: int) -> list[Letter]:
    """Return the first messages of a queue and leave them there."""
    return [_letter(delivery) for delivery in _held(link, queue, most)]


def requeue(link: Link, queue: str, wanted: Callable[[Letter], bool], to: str | None, *, dry: bool) -> dict[str, int]:
    """Send the messages of a queue that are wanted back to work, as if they had never failed; return how many to each.

    Shapes: each goes to the queue that is named, else to the one it came from, else to that of the settings.
    Errors: UsageError when one of these queues is not there: nothing is sent then.
    """
    letters = ((delivery, _letter(delivery)) for delivery in _held(link, queue, None))
    targets = [(delivery, to or letter.queue or link.queue) for delivery, letter in letters if wanted(letter)]
    sent = Counter(target for _, target in targets)
    for target in sent:
        depth(link, target)
    for delivery, target in () if dry else targets:
        publish(link, "", target, _fresh(delivery.body))
        link.channel.basic_ack(delivery.tag)
    return dict(sent)


def purge(link: Link, queue: str) -> int:
    """Throw away what waits in a queue; return how many messages.

    Errors: UsageError when there is no such queue.
    """
    depth(link, queue)
    return int(link.channel.queue_purge(checked(queue)).method.message_count)


def _held(link: Link, queue: str, most: int | None) -> Iterator[Delivery]:
    """Yield what waits in a queue now; what is not acknowledged goes back to its place when the connection ends."""
    waiting = depth(link, queue)
    for _ in range(waiting if most is None else min(most, waiting)):
        method, properties, body = link.channel.basic_get(queue)
        if method is None:
            return
        yield Delivery(method.delivery_tag, body, properties.headers or {})


def _fresh(body: bytes) -> bytes:
    try:
        return body_of(parse(body).model_copy(update={"retry_count": 0}))
    except PoisonError:
        return body


def _letter(delivery: Delivery) -> Letter:
    try:
        said: HealthDataMessage | None = parse(delivery.body)
    except PoisonError:
        said = None
    return Letter(
        reason=str(delivery.headers.get(REASON) or _reason_of_broker(delivery.headers) or UNKNOWN),
        detail=str(delivery.headers.get(DETAIL) or ""),
        queue=_origin(delivery.headers),
        message_id=said.message_id if said else None,
        correlation_id=said.correlation_id if said else None,
        record_type=said.record_type if said else None,
        key=_unnamed(said) if said else None,
        retry_count=said.retry_count if said else None,
        failures=said.failures if said else (),
        size=len(delivery.body),
    )


def _unnamed(said: HealthDataMessage) -> str:
    """Return the key without the user, who may go by another name there than in the message."""
    told = envelope.read(said.key, {envelope.base_name(said.record_type)}).user_id
    key = said.key.replace(told, "*") if told else said.key
    return key.replace(said.user_id, "*")


def _origin(headers: dict[str, JsonValue]) -> str | None:
    """Return the queue of work that a message came from, by what was said of it last."""
    queue = headers.get(QUEUE)
    match headers.get("x-death"):
        case [{"queue": last}, *_] if queue is None:
            queue = last
    return queue if isinstance(queue, str) and queue.isprintable() and of_work(queue) else None


def _reason_of_broker(headers: dict[str, JsonValue]) -> JsonValue:
    """Return why the broker itself gave a message up: it expired, was rejected, or the queue was too long."""
    match headers.get("x-death"):
        case [{"reason": reason}, *_]:
            return reason
    return None
