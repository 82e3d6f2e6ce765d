"""Announced uploads to training files: take messages, read their uploads, settle each message, tell once at the end."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeVar

from etlnarr import broker, envelope, lake, retries, sharing
from etlnarr.broker import Delivery, Link
from etlnarr.catalog import Catalog, catalog_id
from etlnarr.errors import StoppedError, StoreUnavailableError, TemporaryError
from etlnarr.message import Failure, HealthDataMessage, body_of
from etlnarr.retries import LAKE_AWAY, ErrorKind
from etlnarr.run import Claims, Progress, Run, now_ms
from etlnarr.stages.build import Told, tell_together
from etlnarr.stages.handle import Outcome, Settled, handle

T = TypeVar("T")
QUIET_SECONDS: Final = 0.5
UNTOLD_SECONDS: Final = 60.0
"""How long a watcher reads on before it tells what it has read, if messages never cease."""

SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
ELSEWHERE_SECONDS: Final = 30
"""How long a message waits that another worker is at."""

RENEW_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Draining:
    """How far to go.

    Shapes: without a limit until the queue is empty; watch stays when it is.
    """

    batch_size: int
    kinds: tuple[str, ...]
    queue: str | None = None
    max_messages: int | None = None
    max_seconds: float | None = None
    watch: bool = False


@dataclass(slots=True)
class Drained:
    """What became of the messages: each is counted once."""

    messages: int = 0
    read: int = 0
    duplicate: int = 0
    retried: dict[str, int] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    elsewhere: int = 0
    stopped: bool = False
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """What one drain works with."""

    con: Catalog
    run: Run
    claims: Claims
    wanted: Draining
    stop: threading.Event
    done: Drained
    ends: float

    def over(self) -> bool:
        """Whether it is time to take no more messages."""
        return self.stop.is_set() or self.left() == 0 or time.monotonic() >= self.ends

    def left(self) -> int:
        """Return how many messages the next batch may hold."""
        most = self.wanted.max_messages
        return self.wanted.batch_size if most is None else min(self.wanted.batch_size, most - self.done.messages)


def drain(con: Catalog, run: Run, claims: Claims, wanted: Draining, stop: threading.Event) -> Drained:
    """Take messages until none is left, or as long as is wanted, and write the training files once.

    Shapes: the lake is there, as the caller has seen.
    Errors: BrokerUnavailableError, LakeUnavailableError; UsageError; as the stages.
    """
    ends = time.monotonic() + wanted.max_seconds if wanted.max_seconds is not None else float("inf")
    alive = replace(run, progress=partial(_until, stop, claims, run.progress))
    work = Drain(con, alive, claims, wanted, stop, Drained(), ends)
    sharing.admit(run, catalog_id(con))
    claims.renew()  # a store that is away shows before a message is taken
    try:
        _watch(work) if wanted.watch else _once(work)
    except StoppedError:
        work.done.stopped = True
    return work.done


def _until(
    stop: threading.Event, claims: Claims, progress: Progress, items: Iterable[T], stage: str, total: int
) -> Iterable[T]:
    """Pass the items on until it is time to stop: between two of them nothing is half done."""
    heard = time.monotonic()
    for item in progress(items, stage, total):
        if stop.is_set():
            raise StoppedError("stopped; what was not done waits for the next run")
        if stage == "ingest" and time.monotonic() > heard + RENEW_SECONDS:
            claims.renew()
            heard = time.monotonic()
        yield item


def _once(work: Drain) -> None:
    """Drain, and tell what was read even if the broker went away meanwhile."""
    fault = None
    try:
        with broker.linked(work.run.settings, work.wanted.queue) as link:
            _prepare(work, link, work.left())
            _empty(work, link, float("inf"))
            if work.stop.is_set() and work.left() and broker.waits(link):
                raise StoppedError("stopped; what was not taken waits for the next run")
    except TemporaryError as away:
        fault = away
    work.done.told = tell_together(work.con, work.run, None, work.wanted.kinds)
    if fault:
        raise fault


def _watch(work: Drain) -> None:
    """Drain whenever there is something, tell whenever there is nothing, and come back when the broker does."""
    pause = SHORTEST_PAUSE
    while not work.over():
        try:
            with broker.linked(work.run.settings, work.wanted.queue) as link:
                _prepare(work, link, work.wanted.batch_size)
                pause = SHORTEST_PAUSE
                _stay(work, link)
        except TemporaryError as away:
            work.run.log.warning("away", reason=str(away), pause_seconds=pause)
            work.stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _prepare(work: Drain, link: Link, prefetch: int) -> None:
    """Begin to take messages; a queue that was named outright must be there, as a name may be mistyped."""
    if work.wanted.queue is None:
        broker.set_up(link)
    else:
        broker.depth(link, link.queue)
    broker.consume(link, prefetch)


def _stay(work: Drain, link: Link) -> None:
    told = -1  # what an earlier process left untold is told first
    while not work.over():
        _empty(work, link, time.monotonic() + UNTOLD_SECONDS)
        if told != work.done.read and not work.stop.is_set():
            told = work.done.read
            today = replace(work.run, now=now_ms())  # a watcher lives for weeks
            work.done.told = broker.pumped(link, partial(tell_together, work.con, today, None, work.wanted.kinds))
            work.run.log.info("told", messages=work.done.messages, rows=work.done.told.export.rows)


def _empty(work: Drain, link: Link, until: float) -> None:
    """Take and settle batch after batch until the queue is empty, or so late that it is time to tell."""
    while time.monotonic() < until and (batch := broker.take(link, work.left(), QUIET_SECONDS, work.over)):
        bodies = [delivery.body for delivery in batch]
        settled = broker.pumped(link, partial(handle, work.con, work.run, work.claims, bodies))
        _settle(work, link, batch, settled)


def _settle(work: Drain, link: Link, batch: Sequence[Delivery], settled: Sequence[Settled]) -> None:
    """Send on what is to come back or is given up, acknowledge each, then see whether lake and store are there."""
    for delivery, one in zip(batch, settled, strict=True):
        _send_on(work, link, delivery, one)
        broker.acknowledge(link, delivery)
        work.done.messages += 1
    work.done.read += sum(one.outcome is Outcome.read for one in settled)
    work.done.duplicate += sum(one.outcome is Outcome.duplicate for one in settled)
    if any(one.kind in LAKE_AWAY for one in settled):
        lake.reach(work.run.lake)
    if any(one.kind is ErrorKind.store for one in settled):
        raise StoreUnavailableError("the deduplication store does not answer; run again later")


def _send_on(work: Drain, link: Link, delivery: Delivery, one: Settled) -> None:
    match one:
        case Settled(Outcome.elsewhere):
            broker.retry(link, delivery.body, ELSEWHERE_SECONDS)
            work.done.elsewhere += 1
        case Settled(Outcome.poison, reason=reason, detail=detail):
            broker.bury(link, delivery.body, reason, detail)
            _count(work.done.dead, reason)
        case Settled(Outcome.failed, HealthDataMessage() as message, ErrorKind() as kind):
            _try_again(work, link, message, kind)


def _try_again(work: Drain, link: Link, message: HealthDataMessage, kind: ErrorKind) -> None:
    delay = retries.policy(work.run.settings).delay(kind, message.retry_count)
    failure = Failure(kind=kind, failed_utc=envelope.utc(int(time.time() * 1000)), delay_seconds=delay)
    failed = message.model_copy(update={"failures": (*message.failures, failure)})
    if delay is None:
        broker.bury(link, body_of(failed), kind, f"after {message.retry_count} retries")
        _count(work.done.dead, kind)
    else:
        broker.retry(link, body_of(failed.model_copy(update={"retry_count": message.retry_count + 1})), delay)
        _count(work.done.retried, kind)
    work.run.log.warning("not handled", correlation_id=message.correlation_id, reason=kind, delay_seconds=delay)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
