"""Bytes to records in the catalog. Known places are not opened, known bytes are not decoded."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import polars as pl

from etlnarr import avro_columns, canonical, envelope, lake
from etlnarr.avro import Limits, Writer
from etlnarr.avro_columns import Decoded
from etlnarr.batching import batches
from etlnarr.catalog import Catalog, transaction, uploads
from etlnarr.catalog.uploads import Known, Place, Upload
from etlnarr.envelope import Envelope
from etlnarr.errors import DeniedError, EtlnarrError, UnreadableError
from etlnarr.lake import Source
from etlnarr.records import by_name
from etlnarr.run import Run

BATCH_BYTES: Final = 32_000_000
BATCH_FILES: Final = 1_000
MISMATCH: Final = "record_type_mismatch"
OTHER_BYTES: Final = "content_hash_mismatch"
TIMED_OUT: Final = "timed_out"
UNKNOWN: Final = Known(0, None, again=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """A source, and what is said of it."""

    source: Source
    said: Envelope


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was found. Each source is counted once: known, duplicate, unreadable, new or denied.

    Shapes: denied also counts the folders that may not be listed.
    """

    found: int = 0
    ignored: int = 0
    denied: int = 0
    known: int = 0
    duplicate: int = 0
    unreadable: int = 0
    new: int = 0
    drift: int = 0


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


def ingest(con: Catalog, run: Run, urls: Sequence[str]) -> Ingested:
    """Read every source that the catalog does not know.

    Errors: UsageError for a source that is not there; LakeUnavailableError.
    """
    wanted = list(urls) or [lake.raw(run.lake, run.settings)]
    listed = lake.sources(wanted, run.lake, run.settings)
    known = uploads.known_places(con, run.settings.limits)
    offers = (Offer(source, envelope.read(source.path, by_name)) for source in listed.sources)
    fresh = [offer for offer in offers if not _is_known(run, offer, known)]
    found = len(listed.sources)
    report = Ingested(found, listed.ignored, listed.denied, found - len(fresh))
    return _take(con, run, fresh, _refuse_all_but_denied, report)


def ingest_announced(con: Catalog, run: Run, offers: Sequence[Offer]) -> dict[str, EtlnarrError]:
    """Read uploads that a queue announced; return by place what kept one from being read.

    Shapes: each place once; the size of a source is the one that was announced.
    """
    faults: dict[str, EtlnarrError] = {}
    _take(con, run, offers, faults.update, Ingested())
    return faults


def _refuse_all_but_denied(faults: Mapping[str, EtlnarrError]) -> None:
    for fault in faults.values():
        if not isinstance(fault, DeniedError):
            raise fault


def _take(
    con: Catalog,
    run: Run,
    offers: Sequence[Offer],
    told: Callable[[Mapping[str, EtlnarrError]], None],
    report: Ingested,
) -> Ingested:
    users = {offer.said.user_id or run.settings.user_id for offer in offers}
    contents = Contents(*uploads.known_contents(con, run.settings.limits, users))
    progress = run.progress(offers, "ingest", len(offers))
    for batch in batches(progress, BATCH_FILES, BATCH_BYTES, lambda offer: offer.source.size):
        faults: dict[str, EtlnarrError] = {}
        report = _ingest_batch(con, run, batch, contents, report, faults)
        told(faults)
    return replace(report, drift=uploads.mark_drift(con))


def _is_known(run: Run, offer: Offer, known: Mapping[tuple[str, int, str], str]) -> bool:
    """Whether a source was read as an upload of the user whom it would be given to now."""
    user = known.get((offer.source.url, offer.source.size, offer.source.stamp))
    if user is None or "user_id" not in run.settings.model_fields_set:
        return user is not None
    return user == run.settings.user_id or offer.said.user_id is not None


def _ingest_batch(
    con: Catalog,
    run: Run,
    batch: Sequence[Offer],
    contents: Contents,
    so_far: Ingested,
    faults: dict[str, EtlnarrError],
) -> Ingested:
    arrivals = list(_arrivals(run, batch, contents, uploads.next_no(con), faults))
    fresh = list({arrival.no: arrival for arrival in arrivals if arrival.outcome is not None}.values())
    records, readings = _columns(fresh)
    contents.fetched.update(_fetched(records))
    places = {arrival.source.url: _place(arrival, contents) for arrival in arrivals}
    rows = [_upload(arrival, places[arrival.source.url], run.settings.limits, contents) for arrival in fresh]
    if arrivals:  # else nothing of the batch could be read
        with transaction(con):
            uploads.add(con, rows, list(places.values()), records, readings)
    unreadable = sum(row.state == "unreadable" for row in rows)
    return replace(
        so_far,
        denied=so_far.denied + len(faults),
        duplicate=so_far.duplicate + len(arrivals) - len(fresh),
        unreadable=so_far.unreadable + unreadable,
        new=so_far.new + len(fresh) - unreadable,
    )


def _arrivals(
    run: Run, batch: Sequence[Offer], contents: Contents, no: int, faults: dict[str, EtlnarrError]
) -> Iterator[Arrival]:
    found, unread = [], {}
    for offer, content, body in _hashed(run, batch, faults):
        user = offer.said.user_id or run.settings.user_id
        found.append((offer, user, content))
        if contents.known.get((user, content), UNKNOWN).again:
            unread[content] = body
    outcomes = _decoded(run, unread)
    for offer, user, content in found:
        known = contents.known.get((user, content), replace(UNKNOWN, no=no))
        if not known.again:
            yield Arrival(known, offer.source, offer.said, user, content)
            continue
        outcome = _expected(offer.said, content, outcomes[content])
        if isinstance(outcome, UnreadableError) and outcome.reason == TIMED_OUT and offer.said.announced is not None:
            faults[offer.source.url] = outcome  # its message comes back
            continue
        kind = envelope.base_name(outcome.writer.name) if isinstance(outcome, Decoded) else None
        mismatch = isinstance(outcome, UnreadableError) and outcome.reason in (MISMATCH, OTHER_BYTES)
        contents.known[user, content] = now = replace(known, kind=kind, again=mismatch)
        yield Arrival(now, offer.source, offer.said, user, content, outcome)
        no += known.no == no


def _hashed(
    run: Run, batch: Sequence[Offer], faults: dict[str, EtlnarrError]
) -> Iterator[tuple[Offer, str, bytes | None]]:
    """Yield the content hash of each source that may be read, and its bytes unless they are too many to be held."""
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


def _expected(said: Envelope, content: str, outcome: Decoded | UnreadableError) -> Decoded | UnreadableError:
    """Return the outcome, or the fault of an upload whose bytes or type are not what was said of it, or not known."""
    if not content.startswith(said.content_hash or ""):
        return UnreadableError(OTHER_BYTES, "the bytes are not those that were announced")
    kind = envelope.base_name(outcome.writer.name) if isinstance(outcome, Decoded) else None
    if kind is None:
        return outcome
    if kind not in by_name:
        return UnreadableError("unknown_record_type", "the schema is of a record type that has no narrative")
    if said.record_type not in (None, kind):
        return UnreadableError(MISMATCH, "the schema is of another record type than the key")
    return outcome


def _columns(arrivals: Sequence[Arrival]) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """Turn the rows of all uploads that share a writer schema into records and readings together."""
    groups: dict[Writer, list[tuple[int, Decoded]]] = defaultdict(list)
    for arrival in arrivals:
        if isinstance(arrival.outcome, Decoded):
            groups[arrival.outcome.writer].append((arrival.no, arrival.outcome))
    records, readings = [], []
    for writer, group in groups.items():
        rows = pl.concat(
            decoded.rows.with_columns(upload=pl.lit(no, pl.Int64), record=pl.int_range(pl.len(), dtype=pl.Int64))
            for no, decoded in group
        )
        kind = by_name[envelope.base_name(writer.name)]
        found = canonical.records(rows, kind)
        records.append(found)
        readings.append(canonical.readings(rows, found, kind))
    return records, readings


def _fetched(records: Sequence[pl.DataFrame]) -> dict[int, int | None]:
    latest = [frame.group_by("upload").agg(pl.col("fetched").max()) for frame in records]
    return {no: time for frame in latest for no, time in frame.iter_rows()}


def _place(arrival: Arrival, contents: Contents) -> Place:
    source = arrival.source
    uploaded = envelope.uploaded(arrival.said, contents.fetched.get(arrival.no), source.changed_ms)
    said = arrival.said
    fits = said.record_type in (None, arrival.known.kind) and arrival.content_hash.startswith(said.content_hash or "")
    return Place(
        source.url, source.size, source.stamp, source.key, source.bucket, uploaded, arrival.no, fits,
        said.announced is not None, said.correlation_id,
    )  # fmt: skip


def _upload(arrival: Arrival, place: Place, limits: str, contents: Contents) -> Upload:
    plain = Upload(
        no=arrival.no,
        limits=limits,
        user_id=arrival.user_id,
        content_hash=arrival.content_hash,
        record_type=arrival.said.record_type,
        uploaded=place.uploaded,
        key=place.key,
        bucket=place.bucket,
        url=place.url,
        size=place.size,
        fetched=contents.fetched.get(arrival.no),
    )
    match arrival.outcome:
        case Decoded() as decoded:
            kind = envelope.base_name(decoded.writer.name)
            missing = canonical.missing_fields(decoded.writer.columns, by_name[kind].shape)
            return replace(
                plain,
                record_type=kind,
                state="decoded",
                records=decoded.rows.height,
                codec=decoded.codec,
                fingerprint=decoded.writer.fingerprint,
                reason="schema_error" if missing else None,
                detail=", ".join(missing) or None,
            )
        case UnreadableError() as fault:
            return replace(plain, reason=fault.reason, detail=fault.detail)
    return plain
