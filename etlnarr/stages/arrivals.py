"""Sources on their way into the catalog: read, hashed, and decoded where their bytes are not known."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, TypeAlias

from etlnarr import avro_columns, envelope, lake
from etlnarr.avro import Limits
from etlnarr.avro_columns import Decoded
from etlnarr.catalog import Catalog, uploads
from etlnarr.catalog.uploads import PLACED_REASONS, Known
from etlnarr.envelope import Envelope
from etlnarr.errors import EtlnarrError, MismatchError, OtherTypeError, UnreadableError
from etlnarr.lake import Source
from etlnarr.records import by_name
from etlnarr.run import Run

MISMATCH, OTHER_BYTES = PLACED_REASONS
TIMED_OUT: Final = "timed_out"
UNKNOWN: Final = Known(0, None, again=True)
Outcome: TypeAlias = Decoded | UnreadableError


@dataclass(frozen=True, slots=True)
class Offer:
    """A source, and what is said of it."""

    source: Source
    said: Envelope


@dataclass(frozen=True, slots=True)
class Read:
    """What was offered, whose it is, the hash of its bytes, and the bytes unless they are too many to be held."""

    offer: Offer
    user: str
    content: str
    body: bytes | None

    @property
    def place(self) -> tuple[str, str]:
        """What the catalog knows it by."""
        return self.user, self.content


@dataclass(frozen=True, slots=True)
class Arrival:
    """A source on its way into the catalog, as the upload of this number."""

    known: Known
    source: Source
    said: Envelope
    user_id: str
    content_hash: str
    outcome: Outcome | None = None  # None: the catalog has these bytes already

    @property
    def no(self) -> int:
        """The number of the upload."""
        return self.known.no


@dataclass(frozen=True, slots=True)
class Contents:
    """The uploads that the catalog holds, by user and content hash, and the latest fetch time of each by number."""

    known: dict[tuple[str, str], Known]
    fetched: dict[int, int | None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was offered together, read, and decoded as far as the catalog did not have the bytes.

    Shapes: outcomes by content hash; faults by place tell what could not be read, or is wrong with a message.
    """

    read: list[Read]
    outcomes: dict[str, Outcome]
    faults: dict[str, EtlnarrError]


def fetched(con: Catalog, run: Run, batch: Sequence[Offer]) -> Fetched:
    """Read and decode a batch; what the catalog has by the time that it is taken in was decoded in vain."""
    faults: dict[str, EtlnarrError] = {}
    read = list(_hashed(run, batch, faults))
    return Fetched(read, _decoded(run, _unread(read, known(con, run, read))), faults)


def known(con: Catalog, run: Run, read: Sequence[Read]) -> Contents:
    """Return what the catalog holds of the bytes that were read."""
    return Contents(*uploads.known_contents(con, run.settings.limits, {one.content for one in read}))


def arrivals_of(run: Run, batch: Fetched, contents: Contents, no: int) -> Iterator[Arrival]:
    """Yield what was read of a batch, with what came of its bytes where they are new.

    Shapes: no is the number of the next upload that the catalog does not have. What was announced rightly goes first,
    as the others are to be held against it.
    """
    unread = _unread(batch.read, contents)
    late = {content: body for content, body in unread.items() if content not in batch.outcomes}
    outcomes = batch.outcomes | _decoded(run, late)
    kinds = {place: known.kind for place, known in contents.known.items()}
    kinds |= {one.place: _kind(outcomes[one.content]) for one in batch.read if one.content in unread}
    for one in sorted(batch.read, key=lambda one: bool(_wrong(one.offer.said, one.content, kinds[one.place]))):
        source, said = one.offer.source, one.offer.said
        known = contents.known.get(one.place, replace(UNKNOWN, no=no))
        if not known.again:
            if wrong := _wrong(said, one.content, known.kind):
                batch.faults[source.url] = wrong
            yield Arrival(known, source, said, one.user, one.content)
            continue
        outcome = _expected(said, one.content, outcomes[one.content])
        if isinstance(outcome, UnreadableError) and outcome.reason == TIMED_OUT and said.announced is not None:
            batch.faults[source.url] = outcome  # its message comes back
            continue
        mismatch = isinstance(outcome, UnreadableError) and outcome.reason in PLACED_REASONS
        contents.known[one.place] = now = replace(known, kind=_kind(outcome), again=mismatch)
        yield Arrival(now, source, said, one.user, one.content, outcome)
        no += known.no == no


def _unread(read: Sequence[Read], contents: Contents) -> dict[str, bytes | None]:
    return {one.content: one.body for one in read if contents.known.get(one.place, UNKNOWN).again}


def _hashed(run: Run, batch: Sequence[Offer], faults: dict[str, EtlnarrError]) -> Iterator[Read]:
    """Yield each source that may be read; faults take by place what could not be.

    Shapes: each place once.
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
        offer = replace(offers[source.url], source=replace(source, size=size))
        yield Read(offer, offer.said.user_id or run.settings.user_id, content, body if held else None)


def _or_raise(found: bytes | EtlnarrError | None) -> bytes | None:
    if isinstance(found, EtlnarrError):
        raise found
    return found


def _decoded(run: Run, bodies: Mapping[str, bytes | None]) -> dict[str, Outcome]:
    limits = Limits(run.settings.max_records_per_file, run.settings.processing_timeout_seconds)
    held = {content: body for content, body in bodies.items() if body is not None}
    too_large = UnreadableError("too_large", "the file is larger than ETL_MAX_FILE_SIZE_MB allows")
    return dict.fromkeys(bodies, too_large) | dict(zip(held, avro_columns.decode(held.values(), limits), strict=True))


def as_announced(said: Envelope, content: str) -> bool:
    """Whether the bytes with this hash are those that a message told of, if one did."""
    return content.startswith(said.content_hash or "")


def _kind(outcome: Outcome) -> str | None:
    return envelope.base_name(outcome.writer.name) if isinstance(outcome, Decoded) else None


def _wrong(said: Envelope, content: str, kind: str | None) -> EtlnarrError | None:
    """Return what is wrong with a message that tells of bytes with this hash and of this type, if one told of them."""
    if not as_announced(said, content):
        return MismatchError("the bytes are known, and not those that were announced")
    if said.announced is not None and kind in by_name and said.record_type != kind:
        return OtherTypeError("the bytes are known, and of another type than was announced")
    return None


def _expected(said: Envelope, content: str, outcome: Outcome) -> Outcome:
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
