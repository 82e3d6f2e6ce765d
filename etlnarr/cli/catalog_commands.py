"""The commands that work on the catalog itself."""

import contextlib

import typer

from etlnarr.cli import options
from etlnarr.cli.commands import app, epilog, kinds_of
from etlnarr.errors import UsageError

catalog_app = typer.Typer(help="Mend the catalog.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(catalog_app, name="catalog")


@catalog_app.command(epilog=epilog("etlnarr catalog rebuild --lake s3://health-data"))
def rebuild(
    per: options.Per = None,
    lake: options.Lake = None,
    catalog: options.CatalogPath = None,
    people: options.People = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a lost catalog anew from the parts that its workers published in the lake."""
    from etlnarr.cli import report, session
    from etlnarr.stages.build import rebuild as stage

    settings = session.settings_from(lake_url=lake, catalog_path=catalog, people=people)
    if settings.catalog.exists():
        raise UsageError(f"{settings.catalog}: is there; move it away first, or name another with --catalog")
    with contextlib.ExitStack() as undo:
        undo.callback(settings.catalog.unlink, missing_ok=True)  # one that is not whole would be in the way
        with session.session(settings) as opened:
            done = stage(opened.con, opened.run, kinds_of(per))
            report.log_build(opened.log, done)
        undo.pop_all()
    report.show(done, report.told_summary(done, settings, dry=False), as_json=as_json)
