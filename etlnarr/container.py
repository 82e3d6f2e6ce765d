"""The frame of an Avro object container: header, blocks, sync markers, codecs.

Walked before anything is decoded: what a file claims must fit into what it holds, so that a hostile file costs no more
than its size.

Source: Apache Avro 1.12 specification, "Object Container Files".
"""

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import cramjam

from etlnarr.errors import UnreadableError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC: Final = b"Obj\x01"
SYNC_SIZE: Final = 16
CRC_SIZE: Final = 4
MAX_VARINT_BYTES: Final = 10


@dataclass(frozen=True, slots=True)
class Header:
    """What the container says of itself before its first block."""

    schema: bytes
    codec: str
    sync: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block, inflated."""

    records: int
    body: bytes


def header(data: bytes) -> Header:
    """Read the header of a container.

    Errors: UnreadableError when the bytes are no container or name no schema.
    """
    if not data:
        raise UnreadableError("empty_file", "the file has no bytes")
    if not data.startswith(MAGIC):
        raise UnreadableError("not_avro", "the file does not start as an Avro container")
    entries, at = _metadata(data, len(MAGIC))
    if "avro.schema" not in entries:
        raise UnreadableError("schema_missing", "the container names no schema")
    sync = _take(data, at, SYNC_SIZE)
    codec = entries.get("avro.codec", b"null").decode("ascii", "replace")
    return Header(entries["avro.schema"], codec, sync, at + SYNC_SIZE)


def blocks(data: bytes, head: Header, max_records: int, max_bytes: int) -> Iterator[Block]:
    """Yield the blocks, inflated, each proven to end in the sync marker.

    Errors: UnreadableError when the file ends early, a count or size is impossible, or a block does not inflate.
    """
    at, records, inflated = head.size, 0, 0
    while at < len(data):
        count, at = _varint(data, at)
        size, at = _varint(data, at)
        if count < 0 or size < 0:
            raise UnreadableError("corrupt_block", "a block claims a negative count or size")
        records += count
        if records > max_records:
            raise UnreadableError("too_many_records", f"the file claims more than {max_records} records")
        body = _inflate(_take(data, at, size), head.codec, max_bytes - inflated)
        at += size
        if _take(data, at, SYNC_SIZE) != head.sync:
            raise UnreadableError("corrupt_block", "a block does not end in the sync marker of the file")
        at += SYNC_SIZE
        inflated += len(body)
        yield Block(count, body)


def reframed(schema: bytes, sync: bytes, parts: list[Block]) -> bytes:
    """Return the blocks as one uncompressed container.

    Shapes: the schema and the order of the records stay as they were.
    """
    entries = _varint_bytes(1) + _text(b"avro.schema") + _text(schema) + _varint_bytes(0)
    framed = ((_varint_bytes(p.records), _varint_bytes(len(p.body)), p.body, sync) for p in parts)
    return b"".join([MAGIC, entries, sync, *chain.from_iterable(framed)])  # bodies are large, and copied once


def _metadata(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    entries: dict[str, bytes] = {}
    while True:
        count, at = _varint(data, at)
        if count == 0:
            return entries, at
        if count < 0:
            count = -count
            _, at = _varint(data, at)
        for _ in range(count):
            key, at = _string(data, at)
            entries[key.decode("utf-8", "replace")], at = _string(data, at)


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _varint(data, at)
    if size < 0:
        raise UnreadableError("corrupt_header", "a string of the header has a negative length")
    return _take(data, at, size), at + size


def _take(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise UnreadableError("truncated", f"the file ends at byte {len(data)}, in the middle of a block or header")
    return data[at : at + size]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(MAX_VARINT_BYTES):
        byte = _take(data, at + step, 1)[0]
        value |= (byte & 0x7F) << (7 * step)
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that more bytes follow
            return (value >> 1) ^ -(value & 1), at + step + 1
    raise UnreadableError("corrupt_block", "a number of the container is longer than an Avro long")


def _varint_bytes(value: int) -> bytes:
    value <<= 1
    parts = bytearray()
    while value >= 0x80:  # noqa: PLR2004 - as in _varint
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _text(body: bytes) -> bytes:
    return _varint_bytes(len(body)) + body


def _inflate(body: bytes, codec: str, room: int) -> bytes:
    match codec:
        case "null":
            return body
        case "deflate":
            return _bounded(zlib.decompressobj(-zlib.MAX_WBITS), body, room)
        case "zstandard":
            return _bounded(zstd.ZstdDecompressor(), body, room)
        case "snappy":
            return _snappy(body, room)
    raise UnreadableError("unsupported_codec", "the codec is none of null, deflate, snappy, zstandard")


def _bounded(inflater: "zlib._Decompress | zstd.ZstdDecompressor", body: bytes, room: int) -> bytes:
    try:
        inflated = inflater.decompress(body, room + 1)
    except (zlib.error, zstd.ZstdError) as fault:
        raise UnreadableError("corrupt_block", "a block does not inflate") from fault
    if len(inflated) > room:
        raise UnreadableError("too_large", "the file inflates to more than an upload may hold")
    if not inflater.eof:
        raise UnreadableError("corrupt_block", "a block ends before its compressed stream does")
    return inflated


def _snappy(body: bytes, room: int) -> bytes:
    packed, crc = body[:-CRC_SIZE], body[-CRC_SIZE:]
    try:
        if cramjam.snappy.decompress_raw_len(packed) > room:
            raise UnreadableError("too_large", "the file inflates to more than an upload may hold")
        inflated = bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError as fault:
        raise UnreadableError("corrupt_block", "a block does not inflate") from fault
    if zlib.crc32(inflated).to_bytes(CRC_SIZE, "big") != crc:
        raise UnreadableError("corrupt_block", "the checksum of a block does not match")
    return inflated
