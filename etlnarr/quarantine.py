"""The copies of rejected uploads in the lake, each with a note that says why.

What stands there follows from the catalog alone: the order in which uploads arrived, and were judged, leaves no trace.
"""

from collections import Counter
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath
from typing import Final

from pydantic import ValidationError

from etlnarr import envelope, identity, lake
from etlnarr.catalog import Catalog, quality, transaction
from etlnarr.catalog.quality import Rejected
from etlnarr.run import Run
from etlnarr.wire import Quality, QuarantineNote, dump

LONGEST_NAME: Final = 160
"""Bytes of a name that leave room for what is added to it; file systems allow 255."""

HASH_DIGITS: Final = 16
NOTE: Final = ".metadata.json"
UNKNOWN: Final = "UnknownRecord"


def settle(con: Catalog, run: Run) -> int:
    """Let the lake hold a copy and a note of each quarantined upload, and of no other.

    Shapes: returns how many copies could not be made because the bytes are gone from their source.
    Errors: LakeUnavailableError, EtlnarrError when the lake cannot be written.
    """
    uploads = quality.rejected(con)
    held = [upload for upload in uploads if upload.state == "quarantined"] if run.settings.enable_quarantine else []
    stems = _stems(run, held)
    wanted = {f"{stem}.avro" for stem in stems.values()}
    lost = 0
    for upload in uploads:
        stem = stems.get(upload.no)
        if stem is not None:
            lost += not _hold(con, run, upload, stem, wanted)
        elif upload.state != "quarantined" or run.settings.enable_quarantine:
            _change(con, run, upload, None, None, wanted)
    if run.together and run.settings.enable_quarantine:
        _clear(run, wanted)
    return lost


def _clear(run: Run, wanted: AbstractSet[str]) -> None:
    """Remove the copies, with their notes, that other workers made of uploads which are quarantined no more."""
    for key in lake.find(run.lake, run.settings.quarantine_prefix.strip("/")):
        if key.endswith(NOTE) and f"{key.removesuffix(NOTE)}.avro" not in wanted and _is_note(lake.read(run.lake, key)):
            lake.remove(run.lake, f"{key.removesuffix(NOTE)}.avro")
            lake.remove(run.lake, key)


def _is_note(body: bytes) -> bool:
    try:
        QuarantineNote.model_validate_json(body)
    except ValidationError:
        return False
    return True


def _stems(run: Run, uploads: list[Rejected]) -> dict[int, str]:
    """Return where each copy belongs; of several with one name each has a hash of its bytes and its user added."""
    plain = {upload.no: _stem(run, upload) for upload in uploads}
    shared = Counter(plain.values())
    return {
        upload.no: f"{plain[upload.no]}_{_hash(upload)}" if shared[plain[upload.no]] > 1 else plain[upload.no]
        for upload in uploads
    }


def _hash(upload: Rejected) -> str:
    return identity.digest(upload.user_id, upload.content_hash)[:HASH_DIGITS]


def _stem(run: Run, upload: Rejected) -> str:
    folder = f"{run.settings.quarantine_prefix.strip('/')}/{upload.record_type or UNKNOWN}"
    name = PurePosixPath(upload.key).stem
    if len(name.encode()) > LONGEST_NAME:
        short = name.encode()[:LONGEST_NAME].decode(errors="ignore")
        name = f"{short}_{_hash(upload)}"
    return f"{folder}/{envelope.day(upload.uploaded).replace('-', '/')}/{name}"


def _hold(con: Catalog, run: Run, upload: Rejected, stem: str, wanted: AbstractSet[str]) -> bool:
    """Return whether there is a copy, or will be; each step may be the last one before a kill."""
    key, note = f"{stem}.avro", _note(run, upload, stem)
    if run.dry or (upload.quarantine_key == key and upload.quarantine_note == note):
        return True
    kept = _copied(run, upload, key)
    lake.write(run.lake, f"{stem}{NOTE}", note.encode() + b"\n")
    _change(con, run, upload, key if kept else None, note, wanted)
    return kept


def _copied(run: Run, upload: Rejected, key: str) -> bool:
    """Copy the bytes to their place, from their source or from where they were kept so far."""
    if lake.holds(run.lake, key, upload.content_hash) or lake.copy(
        upload.url, upload.content_hash, run.lake, key, run.settings
    ):
        return True
    if upload.quarantine_key is None:
        return False
    old = f"{run.lake.url.rstrip('/')}/{upload.quarantine_key}"
    return lake.copy(old, upload.content_hash, run.lake, key, run.settings)


def _change(
    con: Catalog, run: Run, upload: Rejected, key: str | None, note: str | None, wanted: AbstractSet[str]
) -> None:
    """Remove what was kept elsewhere, unless it is another's by now; then remember what is kept."""
    if run.dry:
        return
    if upload.quarantine_key is not None and upload.quarantine_key not in {key, *wanted}:
        lake.remove(run.lake, upload.quarantine_key)
        lake.remove(run.lake, f"{upload.quarantine_key.removesuffix('.avro')}{NOTE}")
    with transaction(con):
        quality.keep(con, upload.no, key, note)


def _note(run: Run, upload: Rejected, stem: str) -> str:
    scores = Quality.model_validate_json(upload.quality)
    note = QuarantineNote(
        quarantine_reason=str(upload.reason),
        quality_score=scores.score,
        errors=scores.errors,
        warnings=scores.warnings,
        rules=scores.rules,
        source_key=upload.key,
        source_bucket=upload.bucket,
        content_hash=upload.content_hash,
        record_type=upload.record_type,
        quarantined_utc=_since(run, upload, stem),
    )
    return dump(note)


def _since(run: Run, upload: Rejected, stem: str) -> str:
    """Return when the upload was first quarantined, by this catalog or by another one that writes to the lake."""
    there = upload.quarantine_note
    if there is None and lake.size(run.lake, f"{stem}{NOTE}"):
        there = lake.read(run.lake, f"{stem}{NOTE}").decode(errors="replace")
    try:
        then = QuarantineNote.model_validate_json(there or "")
    except ValidationError:  # none yet, or not one of ours
        return envelope.utc(run.now)
    return then.quarantined_utc if then.content_hash == upload.content_hash else envelope.utc(run.now)
