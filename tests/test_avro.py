import json
import zlib
from typing import Any

import pytest

from etlnarr import avro, container
from etlnarr.avro import Limits
from etlnarr.errors import UnreadableError

LIMITS = Limits(records=1_000, seconds=30)
SYNC = bytes(range(16))
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "org.example.AvroStepsRecord",
    "fields": [
        {"name": "count", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "raw", "type": "bytes"},
        {"name": "when", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "parts", "type": {"type": "array", "items": {"type": "record", "name": "Part", "fields": [
            {"name": "bpm", "type": "double"},
            {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["A", "B"]}},
        ]}}},
    ],
}  # fmt: skip
ROWS = [
    {
        "count": n,
        "note": None if n % 2 else "ä",
        "raw": b"x",
        "when": 1_758_407_139_312 + n,
        "parts": [{"bpm": 60.5, "kind": "B"}] * n,
    }
    for n in range(5)
]


def upload(codec: str = "null", schema: dict[str, Any] = SCHEMA) -> bytes:
    return avro.encode(schema, ROWS, codec, SYNC)


def reason(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(UnreadableError) as caught:
        avro.decode(avro.opened(data, limits), limits)
    return caught.value.reason


def head(schema: object = SCHEMA, codec: bytes = b"null") -> bytes:
    text = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    return b"Obj\x01" + long(2) + blob(b"avro.schema") + blob(text) + blob(b"avro.codec") + blob(codec) + b"\x00" + SYNC


def long(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def blob(body: bytes) -> bytes:
    return long(len(body)) + body


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_every_codec_gives_the_same_rows(codec: str) -> None:
    opened = avro.opened(upload(codec), LIMITS)
    assert opened.codec == codec
    assert opened.writer.name == "AvroStepsRecord"
    rows = avro.decode(opened, LIMITS)
    assert rows == ROWS
    columns = avro.frame(opened.writer, rows)
    assert columns.columns == ["count", "note", "when", "parts"]  # bytes are of no use to any type
    assert columns["parts"].list.len().to_list() == [0, 1, 2, 3, 4]


def test_the_bytes_depend_on_the_arguments_alone() -> None:
    assert upload() == upload()


def test_fingerprint_is_of_the_shape_not_of_the_text() -> None:
    documented = {**SCHEMA, "doc": "steps"}
    other = {**SCHEMA, "fields": SCHEMA["fields"][:3]}
    fingerprints = [avro.understand(json.dumps(schema).encode()).fingerprint for schema in (SCHEMA, documented, other)]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty_file"),
        (b"PK\x03\x04 zip", "not_avro"),
        (b"Obj\x01", "truncated"),
        (b"Obj\x01\x02\x01", "corrupt_header"),
        (b"Obj\x01\x00" + SYNC, "schema_missing"),
        (head(b"{not json"), "schema_unreadable"),
        (head({"type": "array", "items": "long"}), "schema_unreadable"),
        (head({"type": "record", "name": "R", "fields": []}), "schema_unreadable"),
        (head({"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}]}),
         "schema_unreadable"),
        (head(b"[" * 100_000), "schema_unreadable"),
        (head(codec=b"lzma"), "no_records"),
        (head(codec=b"lzma") + long(1) + blob(b"x") + SYNC, "unsupported_codec"),
        (head(), "no_records"),
        (head() + long(2**40) + blob(b"x" * 40) + SYNC, "too_many_records"),
        (head() + long(500) + blob(b"x" * 40) + SYNC, "corrupt_block"),
        (head() + long(-1) + blob(b"") + SYNC, "corrupt_block"),
        (head() + b"\xff" * 11, "corrupt_block"),
        (head() + long(1) + blob(b"\x00" * 12) + b"y" * 16, "corrupt_block"),
        (head() + long(1) + long(1000) + b"\x00" * 12, "truncated"),
        (head(codec=b"deflate") + long(1) + blob(b"\xff\xff") + SYNC, "corrupt_block"),
        (head(codec=b"snappy") + long(1) + blob(b"\xff\xff\xff\xff\xff\xff") + SYNC, "corrupt_block"),
        (head(codec=b"zstandard") + long(1) + blob(b"\xff\xff") + SYNC, "corrupt_block"),
    ],
)  # fmt: skip
def test_hostile_and_damaged_bytes_are_refused_by_name(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_a_metadata_block_may_carry_its_size() -> None:
    text = json.dumps(SCHEMA).encode()
    body = blob(b"avro.schema") + blob(text)
    data = b"Obj\x01" + long(-1) + long(len(body)) + body + b"\x00" + SYNC
    assert container.header(data).schema == text


def test_a_deflated_bomb_is_not_inflated() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(1_000_000)) + packer.flush()
    bounded = Limits(records=1_000, seconds=30, inflated=10_000)
    assert reason(head(codec=b"deflate") + long(1) + blob(bomb) + SYNC, bounded) == "too_large"


def test_a_snappy_bomb_is_not_inflated() -> None:
    claims_4_gb = b"\xff\xff\xff\xff\x0f" + b"\x00" * 8
    assert reason(head(codec=b"snappy") + long(1) + blob(claims_4_gb) + SYNC) == "too_large"


def test_a_compressed_stream_cut_short_is_refused() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    whole = packer.compress(bytes(range(256)) * 20) + packer.flush()
    assert reason(head(codec=b"deflate") + long(1) + blob(whole[: len(whole) // 2]) + SYNC) == "corrupt_block"


def test_a_snappy_block_with_a_wrong_checksum_is_refused() -> None:
    data = upload("snappy")
    assert reason(data[:-17] + bytes([data[-17] ^ 1]) + data[-16:]) == "corrupt_block"


def test_bytes_left_over_in_a_block_are_refused() -> None:
    body = avro.encode(
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}, [{"a": 1}], "null", SYNC
    )
    start = body.index(SYNC) + 16
    assert reason(body[:start] + long(1) + blob(b"\x02\x02") + SYNC) == "corrupt_block"


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_file_cut_anywhere_is_refused(at: int) -> None:
    data = upload()
    assert reason(data[: min(at, len(data) - 1)])


def test_time_and_records_are_limited() -> None:
    assert reason(upload(), Limits(records=4, seconds=30)) == "too_many_records"
    assert reason(upload(), Limits(records=1_000, seconds=0)) == "timed_out"
