"""Avro bytes to columns: the files of one writer schema in one read where it can be proven, one by one elsewhere."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from etlnarr import avro, avro_blocks
from etlnarr.avro import Limits, Opened, Writer
from etlnarr.batching import batches
from etlnarr.errors import UnreadableError

TOGETHER: Final = 1 << 26
"""So many bytes are read in one call; a single file may hold more."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One upload, decoded.

    Shapes: table as writer.columns; the rows of the upload stand in it from a place on.
    """

    writer: Writer
    codec: str
    table: pl.DataFrame
    at: int
    records: int

    @property
    def rows(self) -> pl.DataFrame:
        """The rows of the upload."""
        return self.table.slice(self.at, self.records)


def decode(files: Iterable[bytes], limits: Limits) -> list[Decoded | UnreadableError]:
    """Decode containers; one that cannot be decoded yields its fault.

    Shapes: one for each file, in order.
    """
    found: dict[int, Decoded | UnreadableError] = {}
    groups: dict[Writer, list[tuple[int, Opened]]] = defaultdict(list)
    for place, data in enumerate(files):
        try:
            opened = avro.opened(data, limits)
        except UnreadableError as fault:
            found[place] = fault
        else:
            groups[opened.writer].append((place, opened))
    for group in groups.values():
        for part in batches(group, len(group), TOGETHER, lambda one: one[1].size):
            read = _together([opened for _, opened in part], limits)
            found.update(zip((place for place, _ in part), read, strict=True))
    return [found[place] for place in sorted(found)]


def joined(files: Sequence[Decoded]) -> pl.DataFrame:
    """Return the rows of files of one writer, one behind the other; of those that stand so already, without a copy."""
    runs: list[tuple[pl.DataFrame, int, int]] = []
    for file in files:
        table, at, records = runs.pop() if runs else (file.table, file.at, 0)
        if table is not file.table or at + records != file.at:
            runs.append((table, at, records))
            table, at, records = file.table, file.at, 0
        runs.append((table, at, records + file.records))
    return pl.concat([table.slice(at, records) for table, at, records in runs]).rechunk()


def _together(files: Sequence[Opened], limits: Limits) -> Iterator[Decoded | UnreadableError]:
    """Yield the files as they were read in one call, or the halves of them when that cannot be proven."""
    writer = files[0].writer
    blocks = [block for file in files for block in file.blocks]
    rows = avro_blocks.read(writer.schema, writer.expanded, blocks, limits.items)
    if rows is not None:
        yield from _cut(rows.cast(writer.columns), files)
    elif len(files) > 1:
        half = len(files) // 2
        yield from _together(files[:half], limits)
        yield from _together(files[half:], limits)
    else:
        yield _judged(files[0], limits)


def _cut(rows: pl.DataFrame, files: Sequence[Opened]) -> Iterator[Decoded]:
    at = 0
    for file in files:
        yield Decoded(file.writer, file.codec, rows, at, file.records)
        at += file.records


def _judged(file: Opened, limits: Limits) -> Decoded | UnreadableError:
    try:
        rows = avro.frame(file.writer, avro.decode(file, limits))
    except UnreadableError as fault:
        return fault
    return Decoded(file.writer, file.codec, rows, 0, rows.height)
