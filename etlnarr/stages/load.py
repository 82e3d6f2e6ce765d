"""Uploads into the lake under the keys of the specification, each announced to the queue, or through a Health API."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final

import urllib3
from pydantic import ValidationError

from etlnarr import avro_columns, broker, canonical, envelope, identity, lake
from etlnarr.avro import Limits
from etlnarr.avro_columns import Decoded
from etlnarr.batching import batches
from etlnarr.broker import Link
from etlnarr.errors import EtlnarrError, TemporaryError, UnreadableError, UsageError, masked
from etlnarr.lake import Source
from etlnarr.message import KEY_DIGITS, HealthDataMessage, idempotency_key
from etlnarr.records import by_name
from etlnarr.run import Run

SECOND: Final = 1_000
UPLOAD_PATH: Final = "/v1/upload"
NO_API: Final = "--via-api: not an http:// or https:// URL"
LONGEST_USER: Final = 128
BATCH: Final = 100
BATCH_BYTES: Final = 32_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload that was loaded; an API gives it a key of its own."""

    source: str
    record_type: str
    key: str | None = None
    correlation_id: str | None = None
    already_there: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A file that was passed over, and why."""

    source: str
    reason: str


@dataclass(slots=True)
class Loaded:
    """What was loaded; untold counts the files of which neither bytes nor name tell the record type."""

    found: int = 0
    loaded: dict[str, int] = field(default_factory=dict)
    other_type: int = 0
    untold: int = 0
    uploads: list[Sent] = field(default_factory=list)
    passed_over: list[Left] = field(default_factory=list)

    def add(self, sent: Sent) -> None:
        """Count an upload that was loaded."""
        self.uploads.append(sent)
        self.loaded[sent.record_type] = self.loaded.get(sent.record_type, 0) + 1


@dataclass(frozen=True, slots=True)
class Parcel:
    """An upload on its way into the lake."""

    source: Source
    body: bytes
    user: str
    record_type: str
    uploaded: int
    records: int | None


def load(run: Run, urls: Sequence[str], only: str | None, uploaded: int | None) -> Loaded:
    """Put uploads into raw/ and announce them, each only when it stands there.

    Units: uploaded in epoch ms, for all of them in the place of their own times.
    Errors: UsageError for a source or bucket that is not there; TemporaryError; EtlnarrError.
    """
    user = run.settings.user_id
    if not (user and user.isprintable() and len(user) <= LONGEST_USER) or "/" in user:
        raise UsageError("--user-id: a key of the lake cannot hold it; use letters, digits, - and _")
    done = Loaded()
    with broker.linked(run.settings) as link:
        if not run.dry:
            lake.refuse_missing(run.lake)
            broker.set_up(link)
        for parcel in _parcels(run, urls, only, done):
            done.add(_send(run, link, parcel if uploaded is None else replace(parcel, uploaded=uploaded)))
    return done


def _send(run: Run, link: Link, parcel: Parcel) -> Sent:
    message = _message(run, parcel)
    key = message.key.removeprefix(_root(run))
    there = lake.holds(run.lake, key, message.content_hash)
    if not (there or run.dry):
        lake.write(run.lake, key, parcel.body)
    if not run.dry:
        broker.announce(link, message)
    return Sent(parcel.source.path, parcel.record_type, message.key, message.correlation_id, there)


def load_via_api(run: Run, urls: Sequence[str], only: str | None, api: str) -> Loaded:
    """Post uploads to a Health API.

    Errors: UsageError for a source that is not there, or a URL or token that is refused; TemporaryError.
    """
    token = run.settings.api_token.get_secret_value().strip() if run.settings.api_token else ""
    if not (token and token.isascii() and token.isprintable()):
        raise UsageError("ETL_API_TOKEN: not set, or no token in plain letters; the API wants a bearer token")
    _check(api)
    done = Loaded()
    for parcel in _parcels(run, urls, only, done):
        if not run.dry:
            _post(api, token, parcel)
        done.add(Sent(parcel.source.path, parcel.record_type))
    return done


def _parcels(run: Run, urls: Sequence[str], only: str | None, done: Loaded) -> Iterator[Parcel]:
    sources = lake.sources(urls, run.lake, run.settings).sources
    done.found = len(sources)
    for batch in batches(sources, BATCH, BATCH_BYTES, lambda source: source.size):
        for source, found in lake.read_many(batch, max(source.size for source in batch)):
            if isinstance(found, EtlnarrError):
                raise found
            parcel = _parcel(run, source, found, only)
            if isinstance(parcel, Left):
                done.untold += 1
                done.passed_over.append(parcel)
            elif only not in (None, parcel.record_type):
                done.other_type += 1
                done.passed_over.append(Left(source.path, f"a {parcel.record_type}"))
            else:
                yield parcel


def _parcel(run: Run, source: Source, body: bytes, only: str | None) -> Parcel | Left:
    """Return an upload with its own type and time, by the rules of a build, unless nothing tells its type."""
    said = envelope.read(source.path, by_name)
    limits = Limits(run.settings.max_records_per_file, run.settings.processing_timeout_seconds)
    found = avro_columns.decode([body], limits)[0] if len(body) <= run.settings.max_bytes else None
    decoded = found if isinstance(found, Decoded) else None
    kind = envelope.base_name(decoded.writer.name) if decoded else said.record_type or only
    if kind is None:
        why = found.reason if isinstance(found, UnreadableError) else "too_large"
        return Left(source.path, f"{why}, and the name tells no record type; see --record-type")
    if kind not in by_name:
        return Left(source.path, f"a {kind}, of which there is no narrative")
    fetched = _fetched(decoded, kind) if decoded else None
    uploaded = envelope.uploaded(said, fetched, source.changed_ms)
    return Parcel(
        source, body, said.user_id or run.settings.user_id, kind, uploaded, decoded.records if decoded else None
    )


def _fetched(decoded: Decoded, kind: str) -> int | None:
    found = canonical.records(canonical.numbered(decoded.rows, 0), by_name[kind])
    return canonical.latest_fetch(found).get(0)


def _message(run: Run, parcel: Parcel) -> HealthDataMessage:
    content = hashlib.sha256(parcel.body).hexdigest()
    user, told = parcel.user, envelope.utc(parcel.uploaded)
    stamp = parcel.uploaded if parcel.uploaded % SECOND else parcel.uploaded // SECOND
    day = envelope.day(parcel.uploaded).replace("-", "/")
    key = f"{_root(run)}raw/{parcel.record_type}/{day}/{user}_{stamp}_{content[:KEY_DIGITS]}.avro"
    return _checked(
        message_id=identity.derived("message", user, content, told),
        correlation_id=identity.derived("correlation", user, content, told),
        user_id=user,
        bucket=run.lake.bucket,
        key=key,
        record_type=parcel.record_type,
        upload_timestamp_utc=told,
        content_hash=content,
        file_size_bytes=len(parcel.body),
        record_count=parcel.records,
        idempotency_key=idempotency_key(user, content, told),
    )


def _checked(**fields: object) -> HealthDataMessage:
    try:
        return HealthDataMessage.model_validate(fields)
    except ValidationError as fault:
        names = sorted({str(error["loc"][0]) for error in fault.errors(include_input=False)})
        raise UsageError(f"an upload cannot be announced: check {', '.join(names)}; see --uploaded-at") from fault


def _root(run: Run) -> str:
    """Return where a lake stands in its bucket: nothing, or a folder with its slash."""
    inside = run.lake.path.removeprefix(run.lake.bucket).strip("/") if run.lake.remote else ""
    return f"{inside}/" if inside else ""


def _check(api: str) -> None:
    """Raise for what is no URL of a server, before any of it is printed or used."""
    try:
        url = urllib3.util.parse_url(api)
    except urllib3.exceptions.LocationValueError as fault:
        raise UsageError(NO_API) from fault
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(NO_API)


def _post(api: str, token: str, parcel: Parcel) -> None:
    name = PurePosixPath(parcel.source.path).name
    try:
        answer = urllib3.request(
            "POST",
            api.rstrip("/") + UPLOAD_PATH,
            fields={"file": (name, parcel.body, "application/avro")},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60.0,
            retries=False,
        )
    except urllib3.exceptions.LocationValueError as fault:  # such as a name that no host can have
        raise UsageError(NO_API) from fault
    except urllib3.exceptions.HTTPError as fault:
        raise TemporaryError(f"{masked(api)}: the API does not answer; run again later") from fault
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise UsageError(f"{masked(api)}: the API refuses the token; see ETL_API_TOKEN")
        case status if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TemporaryError(f"{masked(api)}: the API answers {status}; run again later")
        case status if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise EtlnarrError(
                f"{masked(api)}: the API answers {status} and took no upload; check the URL and the files"
            )
