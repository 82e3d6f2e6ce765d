"""A batch of messages to uploads in the catalog. What becomes of each message is for the queue to settle."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import zip_longest
from typing import TypeAlias

from etlnarr import lake, sharing
from etlnarr.catalog import Catalog
from etlnarr.envelope import Envelope, base_name
from etlnarr.errors import DeniedError, EtlnarrError, GoneError, StoreUnavailableError
from etlnarr.message import KEY_DIGITS, HealthDataMessage, PoisonError, parse
from etlnarr.model import Standing
from etlnarr.records import by_name
from etlnarr.retries import ErrorKind, kind_of
from etlnarr.run import Claims, Run
from etlnarr.stages.arrivals import Offer
from etlnarr.stages.ingest import ingest_announced

What: TypeAlias = tuple[str, str, str]
"""Idempotency, bucket and key of a message."""

Upload: TypeAlias = tuple[str, str, str, str, str]
"""User, first digits of the hash, record type, bucket and key of a message."""


class Outcome(StrEnum):
    """What a message came to."""

    read = auto()  # its upload is in the catalog
    duplicate = auto()  # another message told of the same
    elsewhere = auto()  # another worker is at it
    failed = auto()  # its upload could not be had
    poison = auto()  # it is no message of ours


@dataclass(frozen=True, slots=True)
class Settled:
    """A message with its outcome; reason and detail of a failure or a poison."""

    outcome: Outcome
    message: HealthDataMessage | None = None
    kind: ErrorKind | None = None
    reason: str = ""
    detail: str = ""


def handle(con: Catalog, run: Run, claims: Claims, bodies: Sequence[bytes]) -> list[Settled]:
    """Read the uploads that messages tell of; return what each message came to, in order.

    Shapes: a batch that memory cannot hold is handled in halves.
    Errors: EtlnarrError when the catalog fails.
    """
    try:
        return _handled(con, run, claims, [_parsed(body) for body in bodies])
    except MemoryError:
        if len(bodies) == 1:
            return [Settled(Outcome.failed, _parsed(bodies[0]).message, ErrorKind.memory)]
    half = len(bodies) // 2
    return handle(con, run, claims, bodies[:half]) + handle(con, run, claims, bodies[half:])


def _parsed(body: bytes) -> Settled:
    try:
        message = parse(body)
    except PoisonError as fault:
        return Settled(Outcome.poison, reason=fault.reason, detail=fault.detail)
    if base_name(message.record_type) not in by_name:
        return Settled(Outcome.poison, reason="unknown_record_type", detail="record_type")
    return Settled(Outcome.read, message)


def _handled(con: Catalog, run: Run, claims: Claims, parsed: Sequence[Settled]) -> list[Settled]:
    messages = {_what(one.message): one.message for one in reversed(parsed) if one.message}
    try:
        standing = claims.claim(sorted({key for key, _, _ in messages})) if messages else {}
    except StoreUnavailableError:
        return [_failed(one.message, ErrorKind.store) if one.message else one for one in parsed]
    mine = [message for (key, _, _), message in messages.items() if standing[key] is Standing.mine]
    faults = _read(con, run, mine)
    try:
        sharing.publish(con, run, sharing.UPLOADS)
    except EtlnarrError as fault:  # what is read is in the catalog, but not yet safe from its loss
        faults = {_what(message): kind_of(fault) for message in mine} | faults
    _remember(run, claims, mine, faults)
    seen: set[Upload] = set()
    return [_settled(one, standing, faults, seen) for one in parsed]


def _what(message: HealthDataMessage) -> What:
    """Return what two messages must share for one of them to be enough."""
    return message.idempotency, message.bucket, message.key


def _upload(message: HealthDataMessage) -> Upload:
    """Return what two messages share that tell of one upload, whatever key was agreed on for either."""
    kind = base_name(message.record_type)
    return message.user_id, message.content_hash[:KEY_DIGITS], kind, message.bucket, message.key


def _settled(
    one: Settled, standing: Mapping[str, Standing], faults: Mapping[What, ErrorKind], seen: set[Upload]
) -> Settled:
    if one.message is None:
        return one
    match standing[one.message.idempotency]:
        case Standing.held:
            return Settled(Outcome.elsewhere, one.message)
        case Standing.done:
            return Settled(Outcome.duplicate, one.message)
    if kind := faults.get(_what(one.message)):
        return _failed(one.message, kind)
    upload = _upload(one.message)
    again = upload in seen
    seen.add(upload)
    return Settled(Outcome.duplicate, one.message) if again else one


def _failed(message: HealthDataMessage, kind: ErrorKind) -> Settled:
    return Settled(Outcome.failed, message, kind)


def _read(con: Catalog, run: Run, messages: Sequence[HealthDataMessage]) -> dict[What, ErrorKind]:
    """Read the uploads of messages; return what kept those that could not be had, by message."""
    faults: dict[What, ErrorKind] = {}
    for told in _rounds(run, messages, faults):
        found = ingest_announced(con, run, [offer for offer, _ in told])
        faults |= {what: kind_of(found[offer.source.url]) for offer, what in told if offer.source.url in found}
    return faults


def _rounds(
    run: Run, messages: Sequence[HealthDataMessage], faults: dict[What, ErrorKind]
) -> Iterator[list[tuple[Offer, What]]]:
    """Yield offers with their message, each place once at a time: several messages may tell of one object.

    Shapes: those that tell of different bytes or types come twice, as it shows only then which of them are wrong.
    """
    places: dict[str, list[tuple[Offer, What]]] = defaultdict(list)
    for message in messages:
        try:
            offer = _offer(run, message)
        except (GoneError, DeniedError) as fault:
            faults[_what(message)] = kind_of(fault)
        else:
            places[offer.source.url].append((offer, _what(message)))
    for several in zip_longest(*(told * (1 + _differ(told)) for told in places.values())):
        yield [one for one in several if one is not None]


def _differ(told: Sequence[tuple[Offer, What]]) -> bool:
    return len({((offer.said.content_hash or "")[:KEY_DIGITS], offer.said.record_type) for offer, _ in told}) > 1


def _offer(run: Run, message: HealthDataMessage) -> Offer:
    said = Envelope(
        message.user_id, base_name(message.record_type), None, None,
        message.uploaded_ms, message.correlation_id, message.content_hash,
    )  # fmt: skip
    return Offer(lake.named(run.lake, message.bucket, message.key, message.file_size_bytes), said)


def _remember(run: Run, claims: Claims, mine: Sequence[HealthDataMessage], faults: Mapping[What, ErrorKind]) -> None:
    """Mark what is done and free what is not. A store that is away for it does no harm: its claims lapse."""
    done = {message.idempotency for message in mine if _what(message) not in faults}
    try:
        claims.complete(sorted(done))
        claims.release(sorted({message.idempotency for message in mine} - done))
    except StoreUnavailableError as fault:
        run.log.warning("claims not settled", reason=str(fault))
