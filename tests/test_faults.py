"""kill -9, damaged files, a second writer, a full disk: nothing is lost and nothing is half-written."""

import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.command import ROOT, SAMPLES, built, environment, etlnarr, fingerprint, rows

DAMAGED = 2_000


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """What a build of the samples that was left alone writes, and how long it takes."""
    lake = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    built(lake, SAMPLES)
    return fingerprint(lake), time.monotonic() - start


@pytest.mark.parametrize("seed", range(10))
def test_a_killed_build_run_again_writes_the_same_bytes(
    seed: int, undisturbed: tuple[dict[str, str], float], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    chance = random.Random(seed)
    for _ in range(3):
        command = [
            sys.executable,
            "-m",
            "etlnarr",
            "build",
            str(SAMPLES),
            "--month",
            "2025-11",
            "--lake",
            str(tmp_path),
        ]
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL) as process:
            time.sleep(seconds * (0.3 + 0.7 * chance.random()))
            process.send_signal(signal.SIGKILL)
    built(tmp_path, SAMPLES)
    assert fingerprint(tmp_path) == expected


def damaged(chance: random.Random, good: list[bytes]) -> bytes:
    """Cut, flip, duplicate, splice or invent bytes."""
    body = bytearray(chance.choice(good))
    match chance.randrange(6):
        case 0:
            return bytes(body[: chance.randrange(len(body))])
        case 1:
            for _ in range(chance.choice((1, 1, 2, 8, 64))):
                body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        case 2:
            at, size = chance.randrange(len(body)), chance.randrange(1, 64)
            body[at:at] = bytes(chance.randrange(256) for _ in range(size))
        case 3:
            at = chance.randrange(len(body))
            del body[at : at + chance.randrange(1, 64)]
        case 4:
            other = chance.choice(good)
            body[chance.randrange(len(body)) :] = other[chance.randrange(len(other)) :]
        case _:
            at = chance.randrange(len(body))
            body[at : at + 16] = b"\xff" * 16
    return bytes(body)


def test_two_thousand_damaged_uploads_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    chance = random.Random(20251115)
    good = [file.read_bytes() for file in sorted(SAMPLES.glob("*.avro")) if file.stat().st_size < 60_000]
    folder = tmp_path / "damaged"
    folder.mkdir()
    for number in range(DAMAGED):
        (folder / f"u{number}_17632{number:05d}_x.avro").write_bytes(damaged(chance, good))
    lake = tmp_path / "lake"
    report = built(lake, folder, SAMPLES)
    found = report["ingest"]
    assert found["found"] == DAMAGED + 26
    assert found["new"] + found["unreadable"] + found["duplicate"] == DAMAGED + 26
    states = [n for kinds in report["status"]["uploads"].values() for n in kinds.values()]
    assert sum(states) + report["status"]["duplicates"] == DAMAGED + 26
    assert sum(report["status"]["quarantined"].values()) > DAMAGED / 2
    notes = list(lake.glob("quarantine/**/*.metadata.json"))
    assert len(notes) == sum(report["status"]["quarantined"].values())
    assert all(json.loads(note.read_text())["quarantine_reason"] for note in notes)
    own = [row for row in rows(lake) if row["metadata"]["user_id"] == "sample_data_user"]
    assert {row["metadata"]["content_hash"] for row in own} == expected_hashes(tmp_path)


def expected_hashes(tmp_path: Path) -> set[str]:
    lake = tmp_path / "alone"
    built(lake, SAMPLES)
    return {row["metadata"]["content_hash"] for row in rows(lake)}


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the catalog until its input ends."""
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path / "catalog.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_holds_the_catalog(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    done = etlnarr("build", SAMPLES, "--lake", tmp_path, expect=75)
    assert f"process {holder.pid}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_second_writer_waits_as_long_as_it_was_told(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    start = time.monotonic()
    etlnarr("validate", "--lake", tmp_path, "--wait-lock", "1", expect=75)
    assert time.monotonic() - start >= 1
    command = [sys.executable, "-m", "etlnarr", "validate", "--lake", str(tmp_path), "--wait-lock", "60"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL) as waiting:
        time.sleep(1)
        assert waiting.poll() is None
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(timeout=30)
        assert waiting.wait(timeout=60) == 0


def test_status_works_while_another_process_writes(tmp_path: Path) -> None:
    built(tmp_path, SAMPLES)
    before = json.loads(etlnarr("status", "--lake", tmp_path, "--json").stdout)
    con = duckdb.connect(str(tmp_path / "catalog.duckdb"))
    con.execute("CREATE TABLE unsettled (number INT)")
    during = json.loads(etlnarr("status", "--lake", tmp_path, "--json").stdout)
    con.close()
    assert during["as_of"] is not None
    assert {**during, "as_of": None} == before


def test_the_counts_beside_a_catalog_are_told_only_while_they_are_its_own(tmp_path: Path) -> None:
    some = sorted(SAMPLES.rglob("*.avro"))
    built(tmp_path, *some[:3])
    copy = tmp_path / "catalog.duckdb.status.json"
    old = copy.read_bytes()
    copy.write_bytes(old.replace(b'"records":', b'"records":1'))
    marked = json.loads(etlnarr("status", "--lake", tmp_path, "--json").stdout)
    assert str(marked["records"]).startswith("1"), "the catalog was not opened"
    grown = built(tmp_path, *some[:6])["status"]
    assert json.loads(etlnarr("status", "--lake", tmp_path, "--json").stdout) == grown
    for stale in (old, b"{}"):
        copy.write_bytes(stale)
        assert json.loads(etlnarr("status", "--lake", tmp_path, "--json").stdout) == grown


def test_counts_that_cannot_be_kept_leave_nothing_behind(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    built(lake, SAMPLES)
    copy = lake / "catalog.duckdb.status.json"
    copy.unlink()
    copy.mkdir()
    done = etlnarr("narrate", "--lake", lake, expect=1)
    assert done.stderr.splitlines()[-1].endswith("check the disk and the rights of its folder")
    assert [path.name for path in lake.iterdir() if path.name.startswith(".")] == []


def test_a_disk_that_fills_leaves_nothing_half_written(tmp_path: Path) -> None:
    built(tmp_path / "whole", SAMPLES)
    unmeasured = {name: value for name, value in environment().items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-m", "etlnarr", "export", "--lake", str(tmp_path / "whole"), "--catalog",
         str(tmp_path / "whole/catalog.duckdb")],
        cwd=ROOT,
        env={**unmeasured, "ETL_TRAINING_DATA_PREFIX": "again/"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    expected = {name.removeprefix("training/"): content for name, content in fingerprint(tmp_path / "whole").items()}
    written = fingerprint(tmp_path / "whole", "again")
    assert {name.removeprefix("again/") for name in written} < set(expected)
    assert all(expected[name.removeprefix("again/")] == content for name, content in written.items())
