"""The lake: list, read and write whole objects, local or s3://; the only importer of fsspec and s3fs."""

from etlnarr.lake.conditional import Seen, file_lock, honours_conditions, put_if, see, try_lock
from etlnarr.lake.listing import Listed, Source, named, raw, sources
from etlnarr.lake.objects import (
    content_hash,
    copy,
    find,
    holds,
    names,
    reach,
    read,
    read_many,
    refuse_missing,
    remove,
    size,
    write,
    writing,
)
from etlnarr.lake.roots import Root, root

__all__ = [
    "Listed",
    "Root",
    "Seen",
    "Source",
    "content_hash",
    "copy",
    "file_lock",
    "find",
    "holds",
    "honours_conditions",
    "named",
    "names",
    "put_if",
    "raw",
    "reach",
    "read",
    "read_many",
    "refuse_missing",
    "remove",
    "root",
    "see",
    "size",
    "sources",
    "try_lock",
    "write",
    "writing",
]
