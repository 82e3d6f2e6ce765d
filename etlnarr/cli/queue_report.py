"""What the commands of the queue say."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from etlnarr.broker import Letter
from etlnarr.cli import report
from etlnarr.errors import UsageError
from etlnarr.settings import Settings

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from etlnarr.stages.drain import Drained
    from etlnarr.stages.load import Loaded, Sent

SHOWN: Final = 20
"""Lines about single uploads beyond which a summary is none."""


def log_drain(log: "FilteringBoundLogger", done: "Drained") -> None:
    """Log what became of the messages, and what each stage did."""
    log.info(
        "drained",
        messages=done.messages,
        read=done.read,
        duplicate=done.duplicate,
        elsewhere=done.elsewhere,
        retried=done.retried,
        dead=done.dead,
    )
    if done.told:
        report.log_build(log, done.told)


def drained(done: "Drained", settings: Settings) -> Iterator[str]:
    """Yield the summary of a drain."""
    counts = {"read": done.read, "duplicate": done.duplicate, "at another worker": done.elsewhere}
    counts |= {f"to be tried again for {kind}": number for kind, number in sorted(done.retried.items())}
    counts |= {f"given up for {reason}": number for reason, number in sorted(done.dead.items())}
    yield f"messages     {done.messages} taken: {report.counted(counts)}"
    if done.stopped:
        yield "stopped      what was not done waits for the next run"
    if done.told:
        yield from report.told_summary(done.told, settings, dry=False)


def loaded(done: "Loaded", *, dry: bool) -> Iterator[str]:
    """Yield the summary of a load."""
    verb = "would be loaded" if dry else "loaded"
    yield f"uploads      {done.found} found: {sum(done.loaded.values())} {verb}"
    for kind, number in sorted(done.loaded.items()):
        yield f"  {kind:<34} {number}"
    for what, number in (("of another type", done.other_type), ("of no type that could be told", done.untold)):
        if number:
            yield f"passed over  {number} {what}"
    yield from _some([_sent(sent, dry=dry) for sent in done.uploads])
    yield from _some([f"passed over  {left.source}: {left.reason}" for left in done.passed_over])


def _sent(sent: "Sent", *, dry: bool) -> str:
    if sent.key is None:
        return f"posted       {sent.source}"
    verb = "would send" if dry else "announced"
    return f"{verb:<12} {sent.key}, {sent.correlation_id}{', already there' if sent.already_there else ''}"


def _some(lines: Sequence[str]) -> Iterator[str]:
    """Yield as many lines as a person reads."""
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"             and {len(lines) - SHOWN} more; --json lists all"


def letters(found: Sequence[Letter]) -> Iterator[str]:
    """Yield a line per dead letter, with those of its object and its attempts."""
    if not found:
        yield "nothing waits there"
    for one in found:
        retries = "" if one.retry_count is None else f", {one.retry_count} retries"
        detail = f" ({one.detail})" if one.detail else ""
        who = f"message {one.message_id}" if one.message_id else f"a message of {one.size} bytes"
        whence = f" from {one.queue}" if one.queue else ""
        yield f"{one.reason}{detail}: {one.record_type or 'unknown type'}{retries}, {who}{whence}"
        if one.key:
            yield f"  object     {one.key}"
        for number, failure in enumerate(one.failures, 1):
            then = "given up" if failure.delay_seconds is None else f"again after {failure.delay_seconds} s"
            yield f"  attempt {number:<2} {failure.failed_utc} {failure.kind}, {then}"


def requeued(sent: Mapping[str, int], *, done: bool) -> Iterator[str]:
    """Yield how many dead letters went to each queue."""
    verb = "sent back" if done else "would be sent back; add --yes"
    yield f"{sum(sent.values())} messages {verb}"
    for queue, number in sorted(sent.items()):
        yield f"  {queue:<38} {number}"


def wanted(conditions: Iterable[str]) -> Callable[[Letter], bool]:
    """Return what tells whether a letter has the values that were asked for.

    Errors: UsageError for a condition that is none.
    """
    pairs = [condition.partition("=") for condition in conditions]
    for name, sign, _ in pairs:
        if not sign or name not in Letter.model_fields:
            raise UsageError(f"--where: write FIELD=VALUE with one of {', '.join(Letter.model_fields)}")
    return lambda letter: all(str(getattr(letter, name)) == value for name, _, value in pairs)
