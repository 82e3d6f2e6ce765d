"""The commands."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from etlnarr.cli import options
from etlnarr.errors import EtlnarrError, RejectedError, UsageError

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)

app = typer.Typer(
    name="etlnarr",
    help="Turns Android Health Connect exports into clinically true narratives and grounded training data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def epilog(text: str) -> str:
    """Return the last line of the help of a command."""
    return f"Example: {text}"


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from etlnarr import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command(epilog=epilog("etlnarr build uploads/ --month 2025-11"))
def build(
    source: options.Sources = None,
    month: options.Month = None,
    per: options.Per = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    user_id: options.UserId = None,
    tz: options.Zone = None,
    age: options.Age = None,
    sex: options.Sex = None,
    people: options.People = None,
    source_priority: options.SourcePriority = None,
    wait_lock: options.WaitLock = 0,
    strict: options.Strict = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Turn uploads into training files: ingest, validate, analyse, narrate, export."""
    from etlnarr.cli import report, session
    from etlnarr.stages import build as stage

    wanted = _month(month)
    settings = session.settings_from(
        lake_url=lake, catalog_path=catalog, user_id=user_id, tz=tz, age=age, sex=sex, people=people,
        source_priority=source_priority,
    )  # fmt: skip
    with session.session(settings, wait=wait_lock, dry=dry_run) as opened:
        done = stage.build(opened.con, opened.run, source or [], wanted, kinds_of(per))
        report.log_build(opened.log, done)
    report.show(done, report.build_summary(done, settings, dry=dry_run), as_json=as_json)
    _all_opened(done.ingest.denied)
    if strict and (rejected := done.validate.quarantined):
        raise RejectedError(f"{rejected} uploads were quarantined; see etlnarr status for the reasons")


@app.command(epilog=epilog("etlnarr ingest s3://health-data/raw/StepsRecord"))
def ingest(
    source: options.Sources = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    user_id: options.UserId = None,
    wait_lock: options.WaitLock = 0,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Read uploads into the catalog; known ones are not opened."""
    from etlnarr.cli import report, session
    from etlnarr.stages.ingest import ingest as stage

    settings = session.settings_from(lake_url=lake, catalog_path=catalog, user_id=user_id)
    done = report.run_stage(
        "ingest", settings, lambda opened: stage(opened.con, opened.run, source or []),
        wait=wait_lock, dry=dry_run, as_json=as_json,
    )  # fmt: skip
    _all_opened(done.denied)


@app.command(epilog=epilog("etlnarr validate --strict"))
def validate(
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    wait_lock: options.WaitLock = 0,
    strict: options.Strict = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Judge the uploads that wait; copy those that fail to quarantine/ with the reason."""
    from etlnarr.cli import report, session
    from etlnarr.stages.validate import validate as stage

    settings = session.settings_from(lake_url=lake, catalog_path=catalog)
    done = report.run_stage(
        "validate", settings, lambda opened: stage(opened.con, opened.run),
        wait=wait_lock, dry=dry_run, as_json=as_json,
    )  # fmt: skip
    if strict and done.quarantined:
        raise RejectedError(f"{done.quarantined} uploads were quarantined; see etlnarr status for the reasons")


@app.command(epilog=epilog("etlnarr analyse --month 2025-11 --people people.csv"))
def analyse(
    month: options.Month = None,
    per: options.Per = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    tz: options.Zone = None,
    age: options.Age = None,
    sex: options.Sex = None,
    people: options.People = None,
    source_priority: options.SourcePriority = None,
    wait_lock: options.WaitLock = 0,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Work out the insights of accepted uploads that are new or whose inputs changed."""
    from etlnarr.cli import report, session
    from etlnarr.stages.build import analyse_alone as stage

    wanted = _month(month)
    settings = session.settings_from(
        lake_url=lake, catalog_path=catalog, tz=tz, age=age, sex=sex, people=people, source_priority=source_priority
    )
    report.run_stage(
        "analyse", settings, lambda opened: stage(opened.con, opened.run, wanted, kinds_of(per)),
        wait=wait_lock, dry=dry_run, as_json=as_json,
    )  # fmt: skip


@app.command(epilog=epilog("etlnarr narrate --month 2025-11"))
def narrate(
    month: options.Month = None,
    per: options.Per = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    wait_lock: options.WaitLock = 0,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Tell the insights as examples, each printed number with its witness."""
    from etlnarr.cli import report, session
    from etlnarr.stages.build import narrate_alone as stage

    wanted = _month(month)
    settings = session.settings_from(lake_url=lake, catalog_path=catalog)
    report.run_stage(
        "narrate", settings, lambda opened: stage(opened.con, opened.run, wanted, kinds_of(per)),
        wait=wait_lock, dry=dry_run, as_json=as_json,
    )  # fmt: skip


@app.command(epilog=epilog("etlnarr export --month 2025-11"))
def export(
    month: options.Month = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    wait_lock: options.WaitLock = 0,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Write one JSONL file per category and month to training/."""
    from etlnarr.cli import report, session
    from etlnarr.stages.build import export_alone as stage

    wanted = _month(month)
    settings = session.settings_from(lake_url=lake, catalog_path=catalog)
    report.run_stage(
        "export", settings, lambda opened: stage(opened.con, opened.run, wanted),
        wait=wait_lock, dry=dry_run, as_json=as_json,
    )  # fmt: skip


@app.command(epilog=epilog("etlnarr inspect BloodGlucoseRecord_1758407139312.avro --json"))
def inspect(
    file: Annotated[str, typer.Argument(metavar="FILE", help="One upload, local or s3://.")],
    user_id: options.UserId = None,
    tz: options.Zone = None,
    age: options.Age = None,
    sex: options.Sex = None,
    people: options.People = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what one upload yields, on its own, without touching the catalog."""
    from etlnarr.cli import report, session
    from etlnarr.stages.inspect import inspect as stage

    settings = session.settings_from(
        user_id=user_id, tz=tz, age=age, sex=sex, people=people, enable_quarantine=False, log_level="WARNING"
    )
    with session.session(settings, wait=0, memory=True) as opened:
        done = stage(opened.con, opened.run, file)
    report.show(done, report.inspection(done), as_json=as_json)


@app.command(epilog=epilog("etlnarr explain 0b8c1c7e-6f0b-5a52-9d0c-5f1f6f1b7a3d"))
def explain(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="metadata.example_id of a row; or key, correlation id or content hash of an upload."
        ),
    ],
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    tz: options.Zone = None,
    age: options.Age = None,
    sex: options.Sex = None,
    people: options.People = None,
    source_priority: options.SourcePriority = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell how a row came to be: source, offset, each number, each silence; or what became of an upload."""
    from etlnarr.cli import explain_report, report, session
    from etlnarr.stages.account import answer as stage

    settings = session.settings_from(
        lake_url=lake, catalog_path=catalog, tz=tz, age=age, sex=sex, people=people, source_priority=source_priority
    )
    with session.session(settings, read=True) as opened:
        done = stage(opened.con, opened.run, asked)
    report.show(done, explain_report.answer(done), as_json=as_json)


@app.command(epilog=epilog("etlnarr status --json"))
def status(lake: options.Lake = None, catalog: options.CatalogPath = None, as_json: options.AsJson = False) -> None:
    """Count uploads by state and type, examples by month and category; works while a build runs."""
    from etlnarr import counts
    from etlnarr.cli import report, session

    settings = session.settings_from(lake_url=lake, catalog_path=catalog)
    found = counts.exact(settings.catalog) or session.counted(settings.catalog)
    report.show(found, report.status_summary(found), as_json=as_json)


@app.command(epilog=epilog("etlnarr metrics"))
def metrics(as_json: options.AsJson = False) -> None:
    """Print every metric with its unit, definition, least data and source."""
    from etlnarr.cli import report

    table = report.metric_table()
    report.show(table, report.metric_lines(table), as_json=as_json)


@app.command(epilog=epilog("etlnarr samples --out uploads/ --users 3 --days 30 --seed 1"))
def samples(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write the uploads.")],
    users: Annotated[int | None, typer.Option(min=1, help="How many people; without it, the standard set.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How many days of uploads each.")] = None,
    uploads: Annotated[int | None, typer.Option(min=1, help="How many uploads in all, for measurements.")] = None,
    records: Annotated[
        int | None, typer.Option(min=1, help="How many Avro records in each; of types that a life can fill.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Write plausible synthetic uploads; the default call makes the standard set of 26."""
    from etlnarr.cli import report
    from etlnarr.samples import write_samples

    planned = write_samples(out, users=users, days=days, seed=seed, uploads=uploads, records=records, dry=dry_run)
    try:
        written = sum(1 for _ in planned)
    except OSError as fault:
        raise EtlnarrError(f"{out}: cannot be written; check the disk and the rights of the folder") from fault
    verb = "would be written" if dry_run else "written"
    report.show({"out": str(out), "written": written}, [f"{written} uploads {verb} to {out}"], as_json=as_json)


def _all_opened(denied: int) -> None:
    if denied:
        raise EtlnarrError(f"{denied} files or folders could not be opened: access denied; the rest was done")


def kinds_of(per: Sequence[options.Subject] | None) -> list[str]:
    """Return what examples are to be about, each kind once."""
    return [str(kind) for kind in dict.fromkeys(per or [options.Subject.upload])]


def _month(month: str | None) -> str | None:
    if month is not None and not MONTH.fullmatch(month):
        raise UsageError(f"--month {month}: write the month as YYYY-MM, such as 2025-11")
    return month
