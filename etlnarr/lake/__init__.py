"""The lake: list, read and write whole objects, local or s3://; the only importer of fsspec and s3fs."""

from etlnarr.lake.listing import Listed, Source, named, raw, sources
from etlnarr.lake.objects import content_hash, copy, holds, reach, read_many, remove, size, write, writing
from etlnarr.lake.roots import Root, root

__all__ = [
    "Listed",
    "Root",
    "Source",
    "content_hash",
    "copy",
    "holds",
    "named",
    "raw",
    "reach",
    "read_many",
    "remove",
    "root",
    "size",
    "sources",
    "write",
    "writing",
]
