"""Bytes to records in the catalog. Known places are not opened, known bytes are not decoded."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from etlnarr import canonical, envelope, identity, lake, quality
from etlnarr.avro import Writer
from etlnarr.avro_columns import Decoded, joined
from etlnarr.batching import ahead, batches
from etlnarr.catalog import Catalog, transaction, uploads
from etlnarr.catalog.rows import as_in_files
from etlnarr.catalog.uploads import Place, Upload
from etlnarr.errors import DeniedError, EtlnarrError, UnreadableError
from etlnarr.lake import Source
from etlnarr.records import by_name
from etlnarr.run import Run
from etlnarr.stages.arrivals import Arrival, Contents, Fetched, Offer, arrivals_of, as_announced, fetched, known

BATCH_BYTES: Final = 16_000_000
BATCH_FILES: Final = 1_000


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


def ingest(
    con: Catalog, run: Run, urls: Sequence[str], expected: Callable[[Sequence[str | None]], object] = lambda _: None
) -> Ingested:
    """Read every source that the catalog does not know.

    Shapes: expected is told before the first one is read of what type each is, None where that is not known yet.
    Errors: UsageError for a source that is not there; LakeUnavailableError.
    """
    wanted = list(urls) or [lake.raw(run.lake, run.settings)]
    listed = lake.sources(wanted, run.lake, run.settings)
    places = uploads.known_places(con, run.settings.limits)
    unknown = (source for source in listed.sources if not _is_known(run, source, places))
    fresh = [Offer(source, envelope.read(source.path, by_name)) for source in unknown]
    expected([offer.said.record_type for offer in fresh])
    found = len(listed.sources)
    report = Ingested(found, listed.ignored, listed.denied, found - len(fresh))
    return _take(con, run, fresh, _refuse_all_but_denied, report)


def ingest_announced(con: Catalog, run: Run, offers: Sequence[Offer]) -> dict[str, EtlnarrError]:
    """Read uploads that a queue announced; return by place what kept one from being read, or is wrong with it.

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
    progress = run.progress(offers, "ingest", len(offers))
    parts = batches(progress, BATCH_FILES, BATCH_BYTES, lambda offer: offer.source.size)
    with closing(con.cursor()) as beside:
        for batch in ahead(lambda part: fetched(beside, run, part), parts):
            report = _ingest_batch(con, run, batch, report)
            told(batch.faults)
    return replace(report, drift=uploads.mark_drift(con))


def _is_known(run: Run, source: Source, known: Mapping[tuple[str, int, str], str]) -> bool:
    """Whether a source was read as an upload of the user whom it would be given to now."""
    user = known.get((source.url, source.size, source.stamp))
    if user is None or "user_id" not in run.settings.model_fields_set:
        return user is not None
    return user == run.settings.user_id or envelope.read(source.path, by_name).user_id is not None


def _ingest_batch(con: Catalog, run: Run, batch: Fetched, so_far: Ingested) -> Ingested:
    contents = known(con, run, batch.read)
    arrivals = list(arrivals_of(run, batch, contents, uploads.next_no(con)))
    fresh = list({arrival.no: arrival for arrival in arrivals if arrival.outcome is not None}.values())
    records, readings, scores = _columns(fresh)
    for frame in records:
        contents.fetched.update(canonical.latest_fetch(frame))
    places = {arrival.source.url: _place(arrival, contents) for arrival in arrivals}
    plain = [_upload(arrival, places[arrival.source.url], run.settings.limits, contents) for arrival in fresh]
    rows = [replace(row, scores=scores.get(row.no)) for row in plain]
    if arrivals:  # else nothing of the batch could be read
        with transaction(con):
            uploads.add(con, rows, list(places.values()), records, readings)
    unreadable = sum(row.state == "unreadable" for row in rows)
    return replace(
        so_far,
        denied=so_far.denied + len(batch.faults),
        duplicate=so_far.duplicate + len(arrivals) - len(fresh),
        unreadable=so_far.unreadable + unreadable,
        new=so_far.new + len(fresh) - unreadable,
    )


def _columns(arrivals: Sequence[Arrival]) -> tuple[list[pl.DataFrame], list[pl.DataFrame], dict[int, str]]:
    """Turn the rows of all uploads that share a writer schema into records and readings together, and score them.

    Shapes: scores as quality.documents(), for validation to judge by; it would have to read the rows anew.
    """
    groups: dict[Writer, list[tuple[int, Decoded]]] = defaultdict(list)
    for arrival in arrivals:
        if isinstance(arrival.outcome, Decoded):
            groups[arrival.outcome.writer].append((arrival.no, arrival.outcome))
    records, readings = [], []
    scores: dict[int, str] = {}
    for writer, group in groups.items():
        sizes = pl.DataFrame({"upload": [no for no, _ in group], "size": [one.records for _, one in group]})
        places = sizes.select(pl.col("upload").repeat_by("size"), record=pl.int_ranges("size")).explode(
            "upload", "record"
        )
        rows = joined([one for _, one in group]).hstack(places)
        kind = by_name[envelope.base_name(writer.name)]
        found = canonical.records(rows, kind)
        records.append(found)
        readings.append(as_in_files(canonical.readings(rows, found, kind), kind.told))
        scores |= quality.documents(quality.assess(found, readings[-1], kind))
    return records, readings, scores


def _place(arrival: Arrival, contents: Contents) -> Place:
    source = arrival.source
    uploaded = envelope.uploaded(arrival.said, contents.fetched.get(arrival.no), source.changed_ms)
    said = arrival.said
    fits = said.record_type in (None, arrival.known.kind) and as_announced(said, arrival.content_hash)
    owner = "" if said.announced is None else identity.digest(arrival.user_id, arrival.content_hash)
    return Place(
        source.url, source.size, source.stamp, source.key, source.bucket, uploaded, arrival.no, fits,
        owner, said.correlation_id,
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
                records=decoded.records,
                codec=decoded.codec,
                fingerprint=decoded.writer.fingerprint,
                reason="schema_error" if missing else None,
                detail=", ".join(missing) or None,
            )
        case UnreadableError() as fault:
            return replace(plain, reason=fault.reason, detail=fault.detail)
    return plain
