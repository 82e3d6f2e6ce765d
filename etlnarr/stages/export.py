"""Examples to one JSONL file per category and month, each rebuilt whole."""

import json
from dataclasses import dataclass

from etlnarr import lake
from etlnarr.catalog import Catalog, examples, quality, transaction
from etlnarr.catalog.examples import Month
from etlnarr.run import Run
from etlnarr.settings import Settings
from etlnarr.wire import dump


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; unchanged files are left alone, and a file whose rows are all gone is removed."""

    rows: int = 0
    written: tuple[str, ...] = ()
    unchanged: int = 0
    removed: int = 0


def export(con: Catalog, run: Run, month: str | None) -> Exported:
    """Write the files of a month, or of all, that differ from what the lake holds.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written.
    """
    with transaction(con):
        quality.refresh_novelty(con)  # an ingest that nothing followed leaves it open
    prefix = run.settings.training_data_prefix.strip("/")
    before = {key: known for key, known in examples.exported(con, run.lake.url).items() if key.startswith(f"{prefix}/")}
    months = {_key(run.settings, m): m for m in examples.months(con, month, _flavour(run.settings))}
    written = []
    for key, wanted in run.progress(months.items(), "export", len(months)):
        if before.get(key) == (wanted.month, wanted.signature) and lake.exists(run.lake, key):
            continue
        written.append(key)
        if not run.dry:
            _write(con, run, key, wanted)
    gone = [key for key, (exported, _) in before.items() if key not in months and month in (None, exported)]
    for key in gone if not run.dry else ():
        lake.remove(run.lake, key)
        with transaction(con):
            examples.forget_export(con, run.lake.url, key)
    rows = sum(wanted.rows for wanted in months.values())
    return Exported(rows, tuple(written), len(months) - len(written), len(gone))


def _write(con: Catalog, run: Run, key: str, wanted: Month) -> None:
    with lake.writing(run.lake, key) as target:
        for line in examples.lines(con, wanted.category, wanted.month):
            target.write(_shaped(line, run.settings).encode() + b"\n")
    with transaction(con):
        examples.mark_exported(con, run.lake.url, key, wanted)


def _shaped(line: str, settings: Settings) -> str:
    """Leave out what the settings leave out."""
    if settings.include_metadata and settings.enable_clinical_insights:
        return line
    row = json.loads(line)
    if not settings.include_metadata:
        del row["metadata"]
    else:
        del row["metadata"]["clinical_insights"]
    return dump(row)


def _flavour(settings: Settings) -> str:
    return f"{settings.include_metadata},{settings.enable_clinical_insights},"


def _key(settings: Settings, month: Month) -> str:
    year, number = month.month.split("-")
    prefix = settings.training_data_prefix.strip("/")
    return f"{prefix}/{month.category}/{year}/{number}/health_journal_{year}_{number}.jsonl"
