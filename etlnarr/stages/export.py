"""Examples to one JSONL file per category and month, each rebuilt whole."""

import json
import os
import re
from dataclasses import dataclass
from typing import Final

from etlnarr import lake
from etlnarr.catalog import Catalog, examples, quality, transaction
from etlnarr.catalog.examples import Kept, Month
from etlnarr.errors import UsageError
from etlnarr.run import Run
from etlnarr.settings import Settings
from etlnarr.wire import dump

EXPORTED: Final = re.compile(r"/[a-z_]+/\d{4}/\d{2}/health_journal_\d{4}_\d{2}\.jsonl$", re.ASCII)
"""The names of our files, by which those that another worker left are known."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; unchanged files are left alone, and a file whose rows are all gone is removed."""

    rows: int = 0
    written: tuple[str, ...] = ()
    unchanged: int = 0
    removed: int = 0


def export(con: Catalog, run: Run, month: str | None) -> Exported:
    """Write the files of a month, or of all, that differ from what the lake holds.

    An upload that came late may have taken a row from another month: the files of that are written too.

    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written; UsageError when a run that was killed
    left part of what it told.
    """
    half = examples.half_stored(con)
    if half and month in (None, *half):
        raise UsageError(
            f"a run was killed while it stored what it told of {month or ', '.join(half)}; "
            "run etlnarr narrate for it, or build, before export"
        )
    quality.refresh_novelty(con)
    place = _place(run)
    prefix = run.settings.training_data_prefix.strip("/")
    before = {key: known for key, known in examples.exported(con, place).items() if key.startswith(f"{prefix}/")}
    months = {_key(run.settings, m): m for m in examples.months(con)}
    flavour = f"{run.settings.include_metadata},{run.settings.enable_clinical_insights}"
    wanted = {key: m for key, m in months.items() if month in (None, m.month)}
    changed = {key: m for key, m in months.items() if key in before and before[key].signature != m.signature}
    robbed = {key: m for key, m in changed.items() if m.month not in half}
    written = []
    for key, one in run.progress((wanted | robbed).items(), "export", len(wanted | robbed)):
        if before.get(key) != Kept(one.signature, flavour, lake.size(run.lake, key) or 0):
            written.append(key)
            _write(con, run, place, key, one, flavour)
    written_by_all = lake.find(run.lake, prefix) if run.together else []
    there = {*before, *(key for key in written_by_all if EXPORTED.search(key))}
    gone = sorted(key for key in there if key not in months)
    for key in gone if not run.dry else ():
        lake.remove(run.lake, key)
        with transaction(con):
            examples.forget_export(con, place, key)
    rows = sum(one.rows for one in wanted.values())
    return Exported(rows, tuple(written), len(wanted | robbed) - len(written), len(gone))


def _place(run: Run) -> str:
    """Name the lake as its catalog knows it: by the way to it, so that both may be moved together."""
    if run.lake.remote:
        return run.lake.url.rstrip("/")
    return os.path.relpath(run.lake.path, run.settings.catalog.absolute().parent)


def _write(con: Catalog, run: Run, place: str, key: str, month: Month, flavour: str) -> None:
    if run.dry:
        return
    size = 0
    with lake.writing(run.lake, key) as target:
        for line in examples.lines(con, month.category, month.month):
            size += target.write(_shaped(line, run.settings).encode() + b"\n")
    with transaction(con):
        examples.mark_exported(con, place, key, month, Kept(month.signature, flavour, size))


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


def _key(settings: Settings, month: Month) -> str:
    year, number = month.month.split("-")
    prefix = settings.training_data_prefix.strip("/")
    return f"{prefix}/{month.category}/{year}/{number}/health_journal_{year}_{number}.jsonl"
