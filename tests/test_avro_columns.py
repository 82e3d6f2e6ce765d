"""The fast reader beside the judge: on damaged bytes it must find the same, or leave them to the judge."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from etlnarr import avro, avro_blocks, avro_columns, container
from etlnarr.avro import Limits
from etlnarr.avro_columns import Decoded
from etlnarr.container import Block
from etlnarr.errors import UnreadableError
from tests.command import SAMPLES, environment, fingerprint

LIMITS = Limits(records=10_000, seconds=30)
SYNC = bytes(range(16))
MUTATED = 2_000
TOGETHER = 8
UNION = ["null", "long"]
ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
LIST = {"type": "array", "items": "long"}
PART = {"type": "record", "name": "P", "fields": [{"name": "p", "type": "string"}, {"name": "q", "type": "double"}]}


def schema_of(kind: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": "x", "type": kind}, {"name": "y", "type": "long"}]}


WIDE: dict[str, Any] = {
    "type": "record",
    "name": "Wide",
    "fields": [
        {"name": f"f{i}", "type": kind}
        for i, kind in enumerate([
            "long", "int", "double", "float", "boolean", "string", ENUM, UNION, ["string", "null"], ["null", PART],
            {"type": "array", "items": "P"}, {"type": "array", "items": "E"}, {"type": "array", "items": "string"},
            ["null", LIST],
        ])
    ],
}  # fmt: skip


def wide_rows(chance: random.Random) -> list[dict[str, Any]]:
    part = {"p": "ä€", "q": -0.0}
    return [
        {
            "f0": chance.randrange(-(2**63), 2**63), "f1": chance.randrange(-(2**31), 2**31), "f2": chance.random(),
            "f3": 0.5, "f4": bool(n % 2), "f5": "x" * chance.randrange(200), "f6": "AB"[n % 2],
            "f7": n - 64 if n % 3 else None, "f8": None if n % 3 else "ü", "f9": part if n % 4 else None,
            "f10": [part] * (n % 5), "f11": ["A"] * (n * 9 % 140), "f12": ["b"] * (n % 3),
            "f13": [n] * 70 if n % 2 else None,
        }
        for n in range(20)
    ]  # fmt: skip


def sound() -> list[bytes]:
    chance = random.Random(1)
    files = [path.read_bytes() for path in sorted(SAMPLES.rglob("*.avro"))]
    small = [data for data in files if len(data) < 40_000]
    return small + [avro.encode(WIDE, wide_rows(chance), "null", SYNC) for _ in range(6)]


def file_of(writer_schema: bytes, blocks: Sequence[Block]) -> bytes:
    return container.reframed(writer_schema, SYNC, list(blocks))


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The file with some bytes changed, put in or taken out: anywhere, or in a block whose frame then fits again."""
    if chance.random() < 0.2:
        return mutated(data, chance)
    head = container.header(data)
    blocks = list(container.blocks(data, head, 10_000, 1 << 27))
    place = chance.randrange(len(blocks))
    count = blocks[place].records + (chance.choice((-1, 1)) if chance.random() < 0.1 else 0)
    blocks[place] = Block(max(count, 0), mutated(blocks[place].body, chance))
    return file_of(head.schema, blocks)


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(out))
        byte = chance.choice((0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, out[at] ^ 1 << chance.randrange(8)))
        match chance.randrange(5):
            case 0:
                out[at:at] = bytes([byte]) * chance.choice((1, 1, 3))
            case 1 if len(out) > 8:
                del out[at : at + chance.choice((1, 1, 4))]
            case _:
                out[at] = byte
    return bytes(out)


def judged(data: bytes) -> Decoded | UnreadableError:
    try:
        file = avro.opened(data, LIMITS)
        rows = avro.frame(file.writer, avro.decode(file, LIMITS))
    except UnreadableError as fault:
        return fault
    return Decoded(file.writer, file.codec, rows, 0, rows.height)


def differences(files: Sequence[bytes]) -> Iterator[tuple[bytes, object, object]]:
    for data, found in zip(files, avro_columns.decode(files, LIMITS), strict=True):
        match judged(data), found:
            case UnreadableError() as wanted, UnreadableError() as fault if str(wanted) == str(fault):
                continue
            case Decoded() as wanted, Decoded() as read if wanted.rows.equals(read.rows):
                continue
            case wanted, other:
                yield data, wanted, other


def test_sound_files_are_read_together_and_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sound()
    assert not list(differences(files))
    monkeypatch.delattr(avro, "decode")  # none of them needs the judge
    assert all(isinstance(found, Decoded) for found in avro_columns.decode(files, LIMITS))


def check_damaged(number: int, seed: int) -> tuple[int, int]:
    """Compare reader and judge on damaged files among sound ones; return how many the judge took and refused."""
    chance, files = random.Random(seed), sound()
    taken = 0
    for _ in range(number // TOGETHER):
        chosen = chance.choice(files)
        bad = [damaged(chosen, chance) for _ in range(TOGETHER)]
        assert not list(differences([chosen, *bad, chosen]))
        taken += sum(isinstance(judged(data), Decoded) for data in bad)
    return taken, number - taken


def test_no_damaged_file_passes_that_the_judge_refuses(capfd: pytest.CaptureFixture[str]) -> None:
    taken, refused = check_damaged(MUTATED, 7)
    assert taken > MUTATED / 20  # damage that still reads as something must read as the same
    assert refused > MUTATED / 3
    assert capfd.readouterr() == ("", "")


def found(kind: Any, *blocks: tuple[int, bytes], most_items: int = 100) -> list[Any] | None:
    """What the fast reader makes of blocks of x of this kind and y, where y is told apart."""
    text = json.dumps(schema_of(kind)).encode()
    rows = avro_blocks.read(text, avro.understand(text).expanded, [Block(*block) for block in blocks], most_items)
    return None if rows is None else rows["x"].to_list()


def long(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


Y = long(7)


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (UNION, long(1) + long(5) + Y + long(0) + Y, [5, None]),
        (["long", "null"], long(0) + long(5) + Y + long(1) + Y, [5, None]),
        (["null", PART], long(0) + Y + long(1) + long(1) + b"z" + bytes(8) + Y, [None, {"p": "z", "q": 0.0}]),
        ("long", long(-64) + Y + long(64) + Y, [-64, 64]),
        ("long", long(-(2**63)) + Y + long(2**63 - 1) + Y, [-(2**63), 2**63 - 1]),
        ("boolean", b"\x00" + Y + b"\x01" + Y, [False, True]),
        (ENUM, long(1) + Y + long(0) + Y, ["B", "A"]),
        (LIST, long(0) + Y + long(2) + long(1) + long(300) + long(0) + Y, [[], [1, 300]]),
        (["null", LIST], long(0) + Y + long(1) + long(1) + long(9) + long(0) + Y, [None, [9]]),
        ("string", long(0) + Y + long(2) + "ä".encode() + Y, ["", "ä"]),
    ],
)
def test_sound_values_are_proven(kind: Any, body: bytes, expected: list[Any]) -> None:
    assert found(kind, (2, body)) == expected
    assert found(kind, (2, body), (0, b""), (2, body)) == expected * 2


@pytest.mark.parametrize(
    ("kind", "blocks"),
    [
        pytest.param(UNION, [(1, long(2) + long(5) + Y)], id="branch 2 of 2"),
        pytest.param(UNION, [(1, long(-2) + Y)], id="branch -2, which is null"),
        pytest.param(["null", LIST], [(1, long(3) + long(0) + Y)], id="branch 3 before an array"),
        pytest.param(["null", PART], [(1, long(2) + long(0) + bytes(8) + Y)], id="branch 2 before a record"),
        pytest.param("long", [(1, long(1) + Y + b"\x00")], id="a byte behind the last record"),
        pytest.param("long", [(1, (long(1) + Y) * 2)], id="a record more than the block claims"),
        pytest.param("long", [(1, (long(1) + Y) * 2), (1, long(1) + Y)], id="the same before another block"),
        pytest.param("long", [(1, long(1)), (1, Y + long(3) + Y)], id="a record in two blocks"),
        pytest.param("long", [(2, long(1) + Y), (1, (long(1) + Y) * 2)], id="a record in the wrong block"),
        pytest.param("long", [(2, long(1) + Y)], id="a record missing"),
        pytest.param("long", [(1, b"\x82\x00" + Y)], id="a number longer than it need be"),
        pytest.param("string", [(1, b"\x80\x00" + Y)], id="a length longer than it need be"),
        pytest.param("string", [(1, long(-1) + b"abc" + Y)], id="a negative length"),
        pytest.param("string", [(2, long(1) + b"\xc3" + Y + long(1) + b"\xa4" + Y)], id="a letter in two strings"),
        pytest.param(ENUM, [(1, long(2) + Y)], id="a symbol that is not there"),
        pytest.param(ENUM, [(1, long(-1) + Y)], id="the last symbol, from behind"),
        pytest.param("int", [(1, long(2**31) + Y)], id="an int that is too long"),
        pytest.param(LIST, [(1, long(101) + long(1) * 101 + long(0) + Y)], id="more items than wanted"),
        pytest.param(LIST, [(1, long(2**40) + long(1) + Y)], id="a list that cannot be"),
        pytest.param("bytes", [(1, long(0) + Y)], id="bytes"),
        pytest.param(["null", "long", "string"], [(1, long(0) + Y)], id="a union of three"),
        pytest.param({"type": "array", "items": UNION}, [(1, long(0) + Y)], id="a union in an array"),
    ],
)
def test_what_is_not_proven_is_left_to_the_judge(kind: Any, blocks: list[tuple[int, bytes]]) -> None:
    assert found(kind, *blocks) is None


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 1), (1, 2), (2, 1, 0), (0, 2), (1, 1), (0, 3, 1), (3, 0, 1), (2,)])
def test_rows_of_files_are_laid_one_behind_the_other_in_any_order(order: Sequence[int]) -> None:
    writer = avro.opened(avro.encode(WIDE, wide_rows(random.Random(1)), "null", SYNC), LIMITS).writer
    table, other = (pl.DataFrame({"x": range(first, first + 6)}) for first in (0, 100))
    files = [Decoded(writer, "null", table, at, records) for at, records in ((0, 2), (2, 1), (3, 3))]
    files.append(Decoded(writer, "null", other, 2, 4))
    chosen = [files[place] for place in order]
    assert avro_columns.joined(chosen).equals(pl.concat([file.rows for file in chosen]))


WAYS = {
    "fast": "",
    "judge": "from etlnarr import avro_blocks; avro_blocks.read = lambda *_: None",
    "one core": "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})",
    "processes": (
        "from etlnarr import insights, prose; from etlnarr.stages import analyse, narrate;"
        "insights.evaluate = prose.load = analyse.ENOUGH = narrate.ENOUGH = 0"
    ),
}
if len(os.sched_getaffinity(0)) == 1:
    del WAYS["processes"]  # there the build works and tells by itself, which it is kept from


def test_the_lake_is_the_same_with_and_without_the_fast_reader_on_one_core_and_worked_out_by_other_processes(
    tmp_path: Path,
) -> None:
    found = []
    for way, before in WAYS.items():
        where = tmp_path / way
        where.mkdir()
        command = f"{before}\nfrom etlnarr.cli import main\nmain()"
        subprocess.run(
            [sys.executable, "-c", command, "build", str(SAMPLES), "--lake", "lake"],
            cwd=where, env=environment(), check=True, capture_output=True,
        )  # fmt: skip
        found.append(fingerprint(where / "lake"))
    assert found[0]
    assert found[1:] == found[:1] * (len(WAYS) - 1)
