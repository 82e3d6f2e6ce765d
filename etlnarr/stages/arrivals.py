"""Sources on their way into the catalog: read, hashed, and decoded where their bytes are not known."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, TypeAlias

from etlnarr import avro_columns, envelope, lake
from etlnarr.avro import Limits
from etlnarr.avro_columns import Decoded
from etlnarr.catalog.uploads import PLACED_REASONS, Known
from etlnarr.envelope import Envelope
from etlnarr.errors import EtlnarrError, MismatchError, OtherTypeError, UnreadableError
from etlnarr.lake import Source
from etlnarr.records import by_name
from etlnarr.run import Run

MISMATCH, OTHER_BYTES = PLACED_REASONS
TIMED_OUT: Final = "timed_out"
UNKNOWN: Final = Known(0, None, again=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """A source, and what is said of it."""

    source: Source
    said: Envelope


Read: TypeAlias = tuple[Offer, str, bytes | None]
"""What was offered, the hash of its bytes, and the bytes unless they are too many to be held."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A source on its way into the catalog, as the upload of this number."""

    known: Known
    source: Source
    said: Envelope
    user_id: str
    content_hash: str
    outcome: Decoded | UnreadableError | None = None  # None: the catalog has these bytes already

    @property
    def no(self) -> int:
        """The number of the upload."""
        return self.known.no


@dataclass(frozen=True, slots=True)
class Contents:
    """The uploads that the catalog holds, by user and content hash, and the latest fetch time of each by number."""

    known: dict[tuple[str, str], Known]
    fetched: dict[int, int | None]


def arrivals_of(
    run: Run, read: Sequence[Read], contents: Contents, no: int, faults: dict[str, EtlnarrError]
) -> Iterator[Arrival]:
    """Yield what was read of a batch, decoded where it is new; faults take by place what is wrong with a message.

    Shapes: no is the number of the next upload that the catalog does not have. What was announced rightly goes first,
    as the others are to be held against it.
    """
    found, unread = [], {}
    for offer, content, body in read:
        user = offer.said.user_id or run.settings.user_id
        found.append((offer, user, content))
        if contents.known.get((user, content), UNKNOWN).again:
            unread[content] = body
    outcomes = _decoded(run, unread)
    kinds = {(user, content): known.kind for (user, content), known in contents.known.items()}
    kinds |= {(user, content): _kind(outcomes[content]) for _, user, content in found if content in outcomes}
    for offer, user, content in sorted(found, key=lambda one: bool(_wrong(one[0].said, one[2], kinds[one[1:]]))):
        known = contents.known.get((user, content), replace(UNKNOWN, no=no))
        if not known.again:
            if wrong := _wrong(offer.said, content, known.kind):
                faults[offer.source.url] = wrong
            yield Arrival(known, offer.source, offer.said, user, content)
            continue
        outcome = _expected(offer.said, content, outcomes[content])
        if isinstance(outcome, UnreadableError) and outcome.reason == TIMED_OUT and offer.said.announced is not None:
            faults[offer.source.url] = outcome  # its message comes back
            continue
        kind = _kind(outcome)
        mismatch = isinstance(outcome, UnreadableError) and outcome.reason in PLACED_REASONS
        contents.known[user, content] = now = replace(known, kind=kind, again=mismatch)
        yield Arrival(now, offer.source, offer.said, user, content, outcome)
        no += known.no == no


def hashed(run: Run, batch: Sequence[Offer], faults: dict[str, EtlnarrError]) -> Iterator[Read]:
    """Yield the content hash of each source that may be read, and its bytes unless they are too many to be held.

    Shapes: each place once; faults take by place what could not be read.
    """
    offers = {offer.source.url: offer for offer in batch}
    most = run.settings.max_bytes
    large = {url for url, offer in offers.items() if offer.said.announced is None and offer.source.size > most}
    read = lake.read_many([offer.source for url, offer in offers.items() if url not in large], most)
    for source, found in chain(read, ((offers[url].source, None) for url in large)):
        try:
            body = _or_raise(found)
            held = body is not None and len(body) <= most
            content = hashlib.sha256(body).hexdigest() if body is not None and held else lake.content_hash(source)
        except EtlnarrError as fault:
            faults[source.url] = fault
            continue
        size = max(source.size, len(body or b""))
        yield replace(offers[source.url], source=replace(source, size=size)), content, body if held else None


def _or_raise(found: bytes | EtlnarrError | None) -> bytes | None:
    if isinstance(found, EtlnarrError):
        raise found
    return found


def _decoded(run: Run, bodies: Mapping[str, bytes | None]) -> dict[str, Decoded | UnreadableError]:
    limits = Limits(run.settings.max_records_per_file, run.settings.processing_timeout_seconds)
    held = {content: body for content, body in bodies.items() if body is not None}
    too_large = UnreadableError("too_large", "the file is larger than ETL_MAX_FILE_SIZE_MB allows")
    return dict.fromkeys(bodies, too_large) | dict(zip(held, avro_columns.decode(held.values(), limits), strict=True))


def as_announced(said: Envelope, content: str) -> bool:
    """Whether the bytes with this hash are those that a message told of, if one did."""
    return content.startswith(said.content_hash or "")


def _kind(outcome: Decoded | UnreadableError) -> str | None:
    return envelope.base_name(outcome.writer.name) if isinstance(outcome, Decoded) else None


def _wrong(said: Envelope, content: str, kind: str | None) -> EtlnarrError | None:
    """Return what is wrong with a message that tells of bytes with this hash and of this type, if one told of them."""
    if not as_announced(said, content):
        return MismatchError("the bytes are known, and not those that were announced")
    if said.announced is not None and kind in by_name and said.record_type != kind:
        return OtherTypeError("the bytes are known, and of another type than was announced")
    return None


def _expected(said: Envelope, content: str, outcome: Decoded | UnreadableError) -> Decoded | UnreadableError:
    """Return the outcome, or the fault of an upload whose bytes or type are not what was said of it, or not known."""
    if not as_announced(said, content):
        return UnreadableError(OTHER_BYTES, "the bytes are not those that were announced")
    kind = _kind(outcome)
    if kind is None:
        return outcome
    if kind not in by_name:
        return UnreadableError("unknown_record_type", "the schema is of a record type that has no narrative")
    if said.record_type not in (None, kind):
        return UnreadableError(MISMATCH, "the schema is of another record type than the key")
    return outcome
