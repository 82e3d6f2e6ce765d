"""The commands that work with the queue."""

import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from etlnarr.cli import options
from etlnarr.cli.commands import app, epilog, kinds_of
from etlnarr.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from etlnarr.settings import Settings

queue_app = typer.Typer(help="Set up, look at and mend the queue.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(queue_app, name="queue")

QueueName = Annotated[str | None, typer.Option("--queue", metavar="NAME", help="Another queue than ETL_QUEUE_NAME.")]
From = Annotated[str, typer.Option("--from", metavar="NAME", help="Which queue.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it: without this, say what would be done.")]


@app.command("drain-queue", epilog=epilog("etlnarr drain-queue --max-seconds 240"))
def drain_queue(
    max_messages: Annotated[int | None, typer.Option(min=1, help="Take at most so many messages.")] = None,
    max_seconds: Annotated[float | None, typer.Option(min=0, help="Take no more messages after so long.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Messages handled together; else ETL_PREFETCH_COUNT.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay when the queue is empty, until SIGTERM.")] = False,
    queue: QueueName = None,
    per: options.Per = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    people: options.People = None,
    wait_lock: options.WaitLock = 0,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Take announced uploads from the queue, and write the training files once for all of them."""
    from etlnarr.cli import queue_report, report, session
    from etlnarr.stages.drain import Draining, drain

    settings = session.settings_from(lake_url=lake, catalog_path=catalog, people=people)
    if dry_run:
        _say_depth(settings, queue, as_json=as_json)
        return
    size = batch_size or settings.prefetch_count
    wanted = Draining(size, tuple(kinds_of(per)), queue, max_messages, max_seconds, watch)
    session.reach(settings)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with session.session(settings, wait=wait_lock) as opened:
        done = drain(opened.con, opened.run, session.claims(opened), wanted, stop)
        queue_report.log_drain(opened.log, done)
    report.show(done, queue_report.drained(done, settings), as_json=as_json)
    if done.stopped and not watch:
        raise StoppedError("stopped by SIGTERM; what was not done waits for the next run")


def _say_depth(settings: "Settings", queue: str | None, *, as_json: bool) -> None:
    from etlnarr import broker
    from etlnarr.cli import report

    with broker.linked(settings, queue) as link:
        number = broker.depth(link, link.queue)
    report.show({"messages": number}, [f"{number} messages would be taken"], as_json=as_json)


@app.command(epilog=epilog("etlnarr load uploads/ --user-id u1"))
def load(
    source: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Files, folders or globs.")],
    user_id: options.UserId = None,
    record_type: Annotated[str | None, typer.Option(metavar="TYPE", help="Load uploads of this type only.")] = None,
    uploaded_at: Annotated[
        datetime | None, typer.Option(metavar="TIME", help="Stamp all of them with this time, UTC, not with their own.")
    ] = None,
    via_api: Annotated[
        str | None, typer.Option(metavar="URL", help="Post to a Health API instead; token in ETL_API_TOKEN.")
    ] = None,
    lake: options.Lake = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Put uploads into the lake and announce them to the queue."""
    from etlnarr.cli import queue_report, report, session
    from etlnarr.records import by_name
    from etlnarr.stages import load as stage

    if record_type is not None and record_type not in by_name:
        raise UsageError(f"--record-type: not one of {', '.join(by_name)}")
    settings = session.settings_from(lake_url=lake, user_id=user_id, log_level="WARNING")
    with session.session(settings, memory=True, dry=dry_run) as opened:
        if via_api:
            done = stage.load_via_api(opened.run, source, record_type, via_api)
        else:
            ms = None if uploaded_at is None else int(uploaded_at.replace(tzinfo=UTC).timestamp() * 1000)
            done = stage.load(opened.run, source, record_type, ms)
    report.show(done, queue_report.loaded(done, dry=dry_run), as_json=as_json)


@queue_app.command(epilog=epilog("etlnarr queue setup"))
def setup(queue: QueueName = None, as_json: options.AsJson = False) -> None:
    """Make the exchange, the queues and the binding that are missing; what is there is used as it stands."""
    from etlnarr import broker
    from etlnarr.cli import report, session

    with broker.linked(session.settings_from(), queue) as link:
        made, bound = broker.set_up(link), broker.binding(link)
    lines = [f"made {name}" for name in made] or ["all is there"]
    sure = [] if bound in made else [f"bound {bound}, unless it was"]
    report.show({"made": made, "bound": bound}, [*lines, *sure], as_json=as_json)


@queue_app.command(epilog=epilog("etlnarr queue status --json"))
def status(queue: QueueName = None, as_json: options.AsJson = False) -> None:
    """Count the messages that wait in each queue; those in delay queues a few seconds late."""
    from etlnarr import broker, retries
    from etlnarr.cli import report, session

    settings = session.settings_from()
    with broker.linked(settings, queue) as link:
        found = broker.depths(link, retries.policy(settings).every())
    lines = [f"{name:<40} {'not there' if depth is None else depth}" for name, depth in found.items()]
    report.show(found, lines, as_json=as_json)


@queue_app.command(epilog=epilog("etlnarr queue peek --limit 5"))
def peek(
    source: From = "failed_queue",
    limit: Annotated[int, typer.Option(min=1, help="How many messages.")] = 20,
    as_json: options.AsJson = False,
) -> None:
    """Show the first dead letters with their reasons, and leave them where they are."""
    from etlnarr import broker
    from etlnarr.cli import queue_report, report, session

    with broker.linked(session.settings_from()) as link:
        found = broker.peek(link, source, limit)
    report.show(found, queue_report.letters(found), as_json=as_json)


@queue_app.command(epilog=epilog("etlnarr queue requeue --where reason=access_denied --yes"))
def requeue(
    source: From = "failed_queue",
    where: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Only those: reason, record_type, message_id, ...")
    ] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="NAME", help="Send all of them to this queue instead.")
    ] = None,
    yes: Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Send dead letters back to the queues they came from, as if they had never failed."""
    from etlnarr import broker
    from etlnarr.cli import queue_report, report, session

    wanted = queue_report.wanted(where or [])
    with broker.linked(session.settings_from(), queue) as link:
        sent = broker.requeue(link, source, wanted, queue, dry=not yes)
    done = {"requeued": sum(sent.values()), "to": sent, "done": yes}
    report.show(done, queue_report.requeued(sent, done=yes), as_json=as_json)


@queue_app.command(epilog=epilog("etlnarr queue purge --from failed_queue --yes"))
def purge(
    source: From = "failed_queue",
    yes: Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Throw away all that waits in a queue."""
    from etlnarr import broker
    from etlnarr.cli import report, session

    with broker.linked(session.settings_from()) as link:
        number = broker.purge(link, source) if yes else broker.depth(link, source)
    verb = "thrown away" if yes else "would be thrown away; add --yes"
    report.show({"purged": number, "done": yes}, [f"{number} messages {verb}"], as_json=as_json)
