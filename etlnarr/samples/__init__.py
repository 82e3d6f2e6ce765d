"""Synthetic uploads: people who do not exist, told by devices with the habits of real ones."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from etlnarr.samples.inventory import default_uploads
from etlnarr.samples.plans import daily_uploads, sized_uploads
from etlnarr.samples.uploads import content, key, loose_name, rows

DEFAULT_SEED: Final = 1
DEFAULT_DAYS: Final = 30


def write_samples(
    out: Path,
    *,
    users: int | None = None,
    days: int | None = None,
    seed: int = DEFAULT_SEED,
    uploads: int | None = None,
    records: int | None = None,
    dry: bool = False,
) -> Iterator[Path]:
    """Write synthetic uploads, yielding each file as it is there; a dry run yields them and writes nothing.

    Shapes: without numbers the 26 loose files of one person; with users or days, the daily uploads of so many people
    under raw/; with uploads or records, so many uploads under raw/ of so many records each. A heart rate record and
    a sleep session are one record, whatever they hold.
    Errors: OSError when a file cannot be written; UsageError for more records than anybody has.
    """
    if uploads is not None or records is not None:
        planned = sized_uploads(uploads or 1, records, users, seed)
    elif users is not None or days is not None:
        planned = daily_uploads(users or 1, days or DEFAULT_DAYS, seed)
    else:
        planned = default_uploads(seed)
    loose = users is None and days is None and uploads is None and records is None
    for _, group in groupby(planned, lambda upload: (upload.person, upload.kind)):
        for upload, found in rows(group):
            if found:  # an app that reads nothing uploads nothing
                data = content(upload, found)
                path = out / (loose_name(upload) if loose else key(upload, data))
                yield path if dry else _put(path, data)


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(data)
    return aside.replace(path)
