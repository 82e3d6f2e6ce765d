"""Runs the command as a user would, and reads what it left in the lake."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample-avro-files"
EPOCH = "1764547200"  # 2025-12-01
KEPT = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which nothing of the machine's own settings is left."""
    own = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**own, "SOURCE_DATE_EPOCH": EPOCH, "ETL_LOG_LEVEL": "ERROR", **more}


def etlnarr(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, expect: int | None = 0
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end; expect is its exit code, None for any."""
    done = subprocess.run(
        [sys.executable, "-m", "etlnarr", *map(str, arguments)],
        cwd=cwd or ROOT,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert expect in (None, done.returncode), f"{done.returncode}: {done.stdout}{done.stderr}"
    return done


def built(lake: Path, *sources: object, month: str | None = "2025-11", **env: str) -> dict[str, Any]:
    """Build, and return the report."""
    months = ["--month", month] if month else []
    return dict(json.loads(etlnarr("build", *sources, *months, "--lake", lake, "--json", env=env).stdout))


def rows(lake: Path) -> list[dict[str, Any]]:
    """Return every training row of the lake."""
    files = sorted(lake.glob("training/**/*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def fingerprint(lake: Path, *folders: str) -> dict[str, str]:
    """Return the hash of each file below training/ and quarantine/, hidden ones too."""
    return {
        str(file.relative_to(lake)): hashlib.sha256(file.read_bytes()).hexdigest()
        for folder in folders or ("training", "quarantine")
        for file in sorted((lake / folder).rglob("*"))
        if file.is_file()
    }
