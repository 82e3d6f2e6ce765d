"""Times a whole build beside a bare decode of the same files; `just bench` runs it."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import fastavro

from tests.command import SAMPLES, environment

RUNS = 5
PEAK = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


class Measured(NamedTuple):
    """One whole process.

    Units: seconds, and MB of resident memory at its peak.
    """

    seconds: float
    peak: float


def measure(*arguments: str) -> Measured:
    """Run a module as a process of its own."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], env=environment(), capture_output=True, text=True, check=True
    )
    peak = int(done.stderr.rsplit("peak ", 1)[1]) / 1000
    return Measured(time.monotonic() - start, peak)


def decode(folder: str) -> None:
    """Decode every file of a folder with fastavro, and do nothing with the rows."""
    for file in sorted(Path(folder).rglob("*.avro")):
        with file.open("rb") as stream:
            for _ in fastavro.reader(stream):
                pass


def compare(folder: Path) -> str:
    """Alternate builds and bare decodes, and return the medians in one line."""
    builds, decodes = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as lake:
            builds.append(measure("etlnarr", "build", str(folder), "--lake", lake))
        decodes.append(measure("tests.bench", "--decode", str(folder)))
    build, bare = (
        Measured(*(statistics.median(column) for column in zip(*runs, strict=True))) for runs in (builds, decodes)
    )
    return (
        f"{folder.name}: build {build.seconds:.2f} s, {build.peak:.0f} MB; "
        f"bare decode {bare.seconds:.2f} s, {bare.peak:.0f} MB; ratio {build.seconds / bare.seconds:.1f}"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--decode", only]:
            decode(only)
        case folders:
            for folder in folders or [str(SAMPLES)]:
                print(compare(Path(folder)))
