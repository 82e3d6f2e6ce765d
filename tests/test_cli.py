import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests import docs
from tests.command import ROOT, SAMPLES, environment, etlnarr

COMMANDS = sorted(docs.leaves())
WRITERS = {"build", "ingest", "validate", "analyse", "narrate", "export", "samples", "drain-queue", "load"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    text = etlnarr(*name.split(), "--help").stdout
    assert f"Example: etlnarr {name}" in " ".join(text.split())
    assert "--json" in text
    assert ("--dry-run" in text) == (name in WRITERS)


def test_the_readme_is_as_generated() -> None:
    text = docs.README.read_text(encoding="utf-8")
    assert docs.written(text) == text
    assert len(text.splitlines()) < 150


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "nowhere"), "nowhere"),
        (("build", "no*where"), "nothing matches"),
        (("build",), "raw"),
        (("build", SAMPLES, "--month", "November"), "YYYY-MM"),
        (("build", SAMPLES, "--people", "nobody.csv"), "nobody.csv"),
        (("build", SAMPLES, "--lake", "gopher://x"), "not a folder"),
        (("build", "--no-such-option"), "--no-such-option"),
        (("status",), "no catalog here"),
        (("status", "--catalog", "."), "not a catalog"),
        (("inspect", "nowhere.avro"), "nowhere.avro"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_to_mend(
    arguments: tuple[object, ...], said: str, tmp_path: Path
) -> None:
    done = etlnarr(*arguments, cwd=tmp_path, expect=2)
    assert said in done.stderr


def test_a_catalog_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.duckdb").write_text("this is a letter")
    done = etlnarr("build", SAMPLES, "--lake", tmp_path, expect=2)
    assert "not a catalog" in done.stderr
    assert (tmp_path / "catalog.duckdb").read_text() == "this is a letter"


@pytest.mark.parametrize("table", ["layout (hash VARCHAR)", "letters (text VARCHAR)"])
def test_a_catalog_of_another_version_is_refused(table: str, tmp_path: Path) -> None:
    script = f"import duckdb; duckdb.connect({str(tmp_path / 'catalog.duckdb')!r}).execute('CREATE TABLE {table}')"
    subprocess.run([sys.executable, "-c", script], check=True)
    for command in (("build", SAMPLES), ("status",), ("build", SAMPLES, "--dry-run")):
        assert "another version" in etlnarr(*command, "--lake", tmp_path, expect=2).stderr


def test_strict_ends_with_3_when_an_upload_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "bad.avro").write_bytes(b"no Avro")
    lake = ("--lake", tmp_path / "lake")
    assert "1 uploads were quarantined" in etlnarr("build", tmp_path / "bad.avro", *lake, "--strict", expect=3).stderr
    etlnarr("build", tmp_path / "bad.avro", *lake, "--strict")  # known by now, nothing is quarantined


def test_a_bar_is_drawn_on_a_terminal_only(tmp_path: Path) -> None:
    assert "ingest" not in etlnarr("ingest", SAMPLES, "--lake", tmp_path / "piped").stderr
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    command = [sys.executable, "-m", "etlnarr", "ingest", str(SAMPLES), "--lake", str(tmp_path / "seen")]
    subprocess.run(command, cwd=ROOT, env=environment(), stderr=follower, stdout=subprocess.DEVNULL, check=True)
    assert b"ingest" in os.read(leader, 100_000)
    os.close(follower)
    os.close(leader)


def test_a_reader_that_leaves_is_no_fault() -> None:
    command = f"{sys.executable} -m etlnarr metrics | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_logs_are_lines_of_json_without_users_or_readings(tmp_path: Path) -> None:
    done = etlnarr("build", SAMPLES, "--month", "2025-11", "--lake", tmp_path, env={"ETL_LOG_LEVEL": "INFO"})
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["stage"] for line in lines] == ["ingest", "validate", "analyse", "narrate", "export"]
    assert len({line["run_id"] for line in lines}) == 1
    assert "sample_data_user" not in done.stderr
    text = etlnarr("build", SAMPLES, "--lake", tmp_path, env={"ETL_LOG_LEVEL": "INFO", "ETL_LOG_FORMAT": "text"}).stderr
    assert "stage=ingest" in text.replace(" ", "")


def test_the_version_is_printed() -> None:
    assert etlnarr("--version").stdout.strip() == "0.1.0"
