"""Times a whole build beside a bare decode of the same files; `just bench` runs it.

Names of corpora: a number of synthetic uploads, such as 2600; with the records of each, as in 100x100000; or a folder.
A ratio worse than the accepted one by more than a fifth is a failure; --accept makes the measured ones the accepted.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import fastavro

from tests.command import ROOT, environment

RUNS: Final = 5
WORSE: Final = 1.2
STANDARD: Final = ("26", "2600")
CORPORA: Final = ROOT / ".bench"
ACCEPTED: Final = Path(__file__).with_name("bench.json")
LOOKED_AT_EACH: Final = 0.1
"""Seconds between two looks at the memory of what is measured."""

PAGE: Final = resource.getpagesize()


class Measured(NamedTuple):
    """One whole process.

    Units: seconds, and MB of resident memory at its peak: its own, and with that of the processes it began.
    """

    seconds: float
    peak: float
    together: float
    said: str


class Compared(NamedTuple):
    """Builds beside bare decodes of one corpus, in medians.

    Units: seconds, MB; the ratio is the median of those of each pair.
    """

    corpus: str
    files: int
    records: int
    build: float
    bare: float
    ratio: float
    peak: float
    together: float
    stages: dict[str, float]


def measure(*arguments: str) -> Measured:
    """Run a module as a process of its own."""
    start = time.monotonic()
    own, together = [0.0], [0.0]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            [sys.executable, "-m", *arguments], env=environment(), stdout=said, stderr=errors
        ) as process:
            while process.poll() is None:
                held = resident(process.pid)
                own.append(held[0])
                together.append(sum(held))
                time.sleep(LOOKED_AT_EACH)
        seconds = time.monotonic() - start
        for file in (said, errors):
            file.seek(0)
        if process.returncode:
            raise SystemExit(errors.read())
        return Measured(seconds, max(own), max(together), said.read())


def resident(process: int) -> list[float]:
    """Return the resident memory of a process and of those it began, in MB; what they share counts for each."""
    try:
        began = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:  # it has ended
        return [0.0]
    return [pages * PAGE / 1e6, *(mb for each in began for mb in resident(int(each)))]


def decode(folder: str) -> tuple[int, int]:
    """Decode every file of a folder with fastavro, do nothing with the rows, and count both."""
    files = records = 0
    for file in sorted(Path(folder).rglob("*.avro")):
        files += 1
        with file.open("rb") as stream:
            records += sum(1 for _ in fastavro.reader(stream))
    return files, records


def compare(corpus: str, runs: int) -> Compared:
    """Alternate builds and bare decodes."""
    folder = str(made(corpus))
    builds, decodes = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as lake:
            builds.append(measure("etlnarr", "build", folder, "--lake", lake, "--json"))
        decodes.append(measure("tests.bench", "--decode", folder))
    seconds = [json.loads(build.said)["seconds"] for build in builds]
    files, records = json.loads(decodes[0].said)
    return Compared(
        corpus,
        files,
        records,
        statistics.median(build.seconds for build in builds),
        statistics.median(bare.seconds for bare in decodes),
        statistics.median(build.seconds / bare.seconds for build, bare in zip(builds, decodes, strict=True)),
        max(build.peak for build in builds),
        max(build.together for build in builds),
        {stage: statistics.median(one[stage] for one in seconds) for stage in seconds[0]},
    )


def made(corpus: str) -> Path:
    """Return the folder of a corpus; synthetic uploads are made once, as the same seed gives the same bytes."""
    number, _, records = corpus.partition("x")
    if not number.isdigit():
        return Path(corpus)
    folder = CORPORA / corpus
    if not folder.exists():
        unfinished = CORPORA / f"{corpus}.unfinished"
        each = ["--records", records] if records else []
        measure("etlnarr", "samples", "--out", str(unfinished), "--uploads", number, *each)
        unfinished.rename(folder)
    return folder


def line(one: Compared) -> str:
    """What was measured, for people."""
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in one.stages.items())
    return (
        f"{one.corpus}: ratio {one.ratio:.2f}; build {one.build:.2f} s, bare decode {one.bare:.2f} s; "
        f"{one.files / one.build:.0f} files/s, {one.records / one.build:.0f} records/s, {one.peak:.0f} MB, "
        f"{one.together:.0f} MB with the processes it began\n"
        f"    {stages}"
    )


def worse(measured: list[Compared], accepted: dict[str, float]) -> list[str]:
    """Return what is slower than it may be."""
    return [
        f"{one.corpus}: ratio {one.ratio:.2f}, accepted was {accepted[one.corpus]:.2f}"
        for one in measured
        if one.ratio > WORSE * accepted.get(one.corpus, one.ratio)
    ]


def main() -> int:
    """Measure, print, and judge by the accepted ratios."""
    parser = argparse.ArgumentParser(prog="just bench", description=__doc__)
    parser.add_argument("corpora", nargs="*", default=STANDARD)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--decode", metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.decode:
        print(json.dumps(decode(asked.decode)))
        return 0
    accepted = json.loads(ACCEPTED.read_text(encoding="utf-8"))
    measured = []
    for corpus in asked.corpora:
        measured.append(compare(corpus, asked.runs))
        if not asked.json:
            print(line(measured[-1]), flush=True)
    if asked.json:
        print(json.dumps([one._asdict() for one in measured], indent=2))
    if asked.accept:
        ratios = accepted | {one.corpus: round(one.ratio, 2) for one in measured}
        ACCEPTED.write_text(json.dumps(ratios, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    found = worse(measured, accepted)
    print(*found, sep="\n", file=sys.stderr, end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
