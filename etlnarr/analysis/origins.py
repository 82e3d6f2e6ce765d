"""Where the windows of people come from: the uploads whose versions of their records count."""

from collections import defaultdict

import polars as pl

from etlnarr import identity
from etlnarr.analysis.window_readings import Readings
from etlnarr.catalog.examples import upload_ref
from etlnarr.wire import Origin, Quality, UploadRef


def origins(whole: Readings) -> dict[int, Origin]:
    """Return the origin of each subject; its content hash is that of its records in the versions that count."""
    own = whole.inside.select("subject", "upload", record="position").unique()
    versions = whole.records.select("upload", "record", name=pl.format("{} {} {}", "identity", "modified", "version"))
    named = own.join(versions, on=["upload", "record"]).join(whole.uploads, on="upload")
    contents = named.sort("subject", "name").group_by("subject").agg(pl.col("name").str.join("\n"), n=pl.len())
    uploads, scores = _uploads(named)
    return {
        subject: Origin(
            content_hash=identity.digest(str(content)),
            correlation_id=None,
            records=int(records),
            quality_score=min(score.score for score in scores[subject]),
            warnings=sorted({warning for score in scores[subject] for warning in score.warnings}),
            uploads=uploads[subject],
        )
        for subject, content, records in contents.iter_rows()
    }


def _uploads(named: pl.DataFrame) -> tuple[dict[int, list[UploadRef]], dict[int, list[Quality]]]:
    """Return the uploads behind each subject by time, and what was thought of them."""
    columns = ["subject", "key", "bucket", "content_hash", "uploaded", "quality"]
    parts = named.group_by(columns).agg(records=pl.len()).sort("subject", "uploaded", "content_hash")
    uploads: dict[int, list[UploadRef]] = defaultdict(list)
    scores: dict[int, list[Quality]] = defaultdict(list)
    for subject, key, bucket, content_hash, uploaded, quality, records in parts.iter_rows():
        uploads[subject].append(upload_ref(key, bucket, content_hash, uploaded, records))
        scores[subject].append(Quality.model_validate_json(quality))
    return uploads, scores
