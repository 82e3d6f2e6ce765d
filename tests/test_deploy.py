import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from etlnarr import __version__
from etlnarr.settings import Settings
from tests.brokers import rabbit
from tests.command import ROOT, SAMPLES, environment, etlnarr

DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(DEPLOY.iterdir()) if path.name != ".env"}
SERVICES: dict[str, Any] = YAML(typ="safe").load(TEXTS["compose.yaml"])["services"]
OWN = f"etlnarr:{__version__}"
START_SECONDS = 60

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")


def passes(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def uncommented(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*$", "", text)


def command_lines() -> set[str]:
    """Every command line of ours in deploy/, less the program."""
    started = "".join(uncommented(text) for name, text in TEXTS.items() if name != "Dockerfile")
    written = re.findall(r"\betlnarr ([a-z-]+(?: [a-z-]+| \d+\b(?!>))*)", started)
    whole = [shlex.join(one["command"]) for one in SERVICES.values() if "entrypoint" not in one and one["image"] == OWN]
    return {*written, *whole}


def test_the_image_is_built_as_the_linter_would_have_it() -> None:
    passes(PROGRAMS / "hadolint", "--failure-threshold", "style", DEPLOY / "Dockerfile")


def test_the_image_is_built_with_the_uv_that_the_readme_names() -> None:
    named = re.findall(r"uv==[\d.]+", (ROOT / "README.md").read_text(encoding="utf-8") + TEXTS["Dockerfile"])
    assert len(named) >= 3
    assert len(set(named)) == 1


def test_the_services_follow_the_schema_of_compose() -> None:
    passes(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_every_image_is_pinned() -> None:
    images = [one["image"] for one in SERVICES.values()] + re.findall(r"(?m)^FROM (\S+)", TEXTS["Dockerfile"])
    assert [image for image in images if not re.search(r":\D*\d+[.-]\d+[.-]\d+", image)] == []
    assert OWN in images


def test_every_variable_that_compose_wants_is_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", TEXTS["compose.yaml"]))
    assert len(wanted) >= 5
    assert wanted - set(re.findall(r"(?m)^(\w+)=", TEXTS[".env.example"])) == set()


@pytest.mark.parametrize("name", [".env.example", "etlnarr.env.example"])
def test_an_example_holds_no_secret(name: str) -> None:
    given = dict(re.findall(r"(?m)^(\w+)=(.*)$", TEXTS[name]))
    assert [key for key, value in given.items() if re.search("PASSWORD|KEY|TOKEN", key) and value] == []


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"\bETL_[A-Z0-9_]+", "".join(TEXTS.values())))
    assert len(named) >= 8
    assert named - {f"ETL_{name.upper()}" for name in Settings.model_fields} == set()


def test_every_command_line_is_one_that_the_command_takes() -> None:
    lines = command_lines()
    assert lines == {"queue setup", "drain-queue --max-seconds 240 --wait-lock 0"}
    for line in lines:
        etlnarr(*shlex.split(line), "--help")


def test_the_image_gets_nothing_but_what_it_is_made_of() -> None:
    first, *kept = uncommented((ROOT / ".dockerignore").read_text(encoding="utf-8")).split()
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", TEXTS["Dockerfile"])
    assert first == "*"
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == {
        name.split("/")[0] for names in copied for name in names.split()
    }


@needs_systemd
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in ("etlnarr-drain.service", "etlnarr-drain.timer"):
        (tmp_path / name).write_text(TEXTS[name].replace("/opt/etlnarr/bin", str(PROGRAMS)), encoding="utf-8")
    said = passes("systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir()))
    assert "etlnarr-drain" not in said  # what it does not know it passes over, with a word


@needs_systemd
def test_the_unit_is_exposed_little() -> None:
    passes("systemd-analyze", "security", "--offline=true", "--threshold=20", DEPLOY / "etlnarr-drain.service")


def test_the_loop_goes_on_after_a_fault_and_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    mark, log = tmp_path / "drained", tmp_path / "log"
    loop = SERVICES["drain"]["command"][0].replace("$$", "$")
    loop = loop.replace("/tmp/drained", str(mark)).replace("sleep 60", "sleep 1")
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    (tmp_path / "broker").mkdir()
    with rabbit(tmp_path / "broker") as broker, log.open("w") as stream:
        env = environment(PATH=path, ETL_LAKE_URL=str(tmp_path / "lake"), **broker.environment)
        etlnarr("load", SAMPLES / "BloodGlucoseRecord_1762035912000.avro", cwd=tmp_path, env=env)
        process = subprocess.Popen(
            ["/bin/sh", "-c", loop], cwd=tmp_path, env=env, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            until(mark.exists)
            assert list((tmp_path / "lake/training").rglob("*.jsonl"))
            broker.kill()
            until(lambda: failures(log))
            mark.unlink()
            seen = failures(log)
            until(lambda: failures(log) > seen + 1)
            assert not mark.exists()
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            with pytest.raises(ProcessLookupError):
                os.killpg(process.pid, 0)  # nothing is left behind
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def failures(log: Path) -> int:
    return log.read_text(encoding="utf-8").count("etlnarr: ")


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
