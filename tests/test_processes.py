"""Processes that work for another: in order, to the end of it, and no longer."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread

import pytest

from etlnarr.batching import cores, in_turn
from etlnarr.errors import EtlnarrError, GateError, TemporaryError
from etlnarr.processes import AHEAD, Asked, _serve, crew, prepare
from tests.command import ROOT, SAMPLES, environment, etlnarr

WORKER = """
from itertools import repeat
import polars  # it handles signals
from etlnarr.processes import crew
if __name__ == "__main__":
    asked = repeat("__import__('time').sleep(0.1) or __import__('os').getpid()")
    told = set()
    with crew(2) as elsewhere:
        for own in elsewhere(eval, asked):
            if own not in told:
                print(own, flush=True)
            told.add(own)
"""

KEPT: list[int] = []
NARRATE = "from etlnarr import prose; from etlnarr.stages import narrate"


def squared_by(number: int) -> tuple[int, int]:
    time.sleep(0.2 * (number == 0))
    return number * number, os.getpid()


def gate(number: int) -> int:
    if number > 2:
        raise GateError(f"steps.jinja line {number}: unfounded")
    return number


def keep(number: int) -> None:
    gate(number)
    KEPT.append(number)


def kept(_: int) -> tuple[tuple[int, ...], int]:
    time.sleep(0.1)
    return tuple(KEPT), os.getpid()


def fall(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_the_order_of_the_items_from_as_many_processes_as_asked() -> None:
    with crew(3) as elsewhere:
        done = list(elsewhere(squared_by, range(7)))
        again = list(elsewhere(squared_by, range(7)))
    assert [square for square, _ in done] == [square for square, _ in again] == [item * item for item in range(7)]
    own = {process for _, process in done}
    assert {process for _, process in again} == own, "they are there until the context ends"
    assert len(own) == 3
    assert os.getpid() not in own
    assert not any(map(alive, own))


def test_no_more_processes_are_begun_than_there_are_items() -> None:
    with crew(2) as elsewhere:
        assert list(elsewhere(squared_by, [])) == []
        assert len(list(elsewhere(squared_by, [1]))) == 1


def test_few_are_begun_after_one_that_takes_long() -> None:
    taken = []

    def asked() -> Iterator[float]:
        for item in range(100):
            taken.append(item)
            yield 0.5 * (item == 0)

    with crew(2) as elsewhere:
        next(iter(elsewhere(time.sleep, asked())))
    assert len(taken) <= 2 * AHEAD + 1


def test_a_fault_comes_as_it_was_raised_after_what_came_before_it() -> None:
    with crew(2) as elsewhere:
        results = elsewhere(gate, range(100))
        done = [next(results) for _ in range(3)]
        with pytest.raises(GateError, match=r"^steps\.jinja line 3: unfounded$"):
            next(results)
    assert done == [0, 1, 2]


def test_a_defect_is_no_passing_fault_and_nothing_is_printed_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    with crew(2) as elsewhere, pytest.raises(EtlnarrError, match="defect") as found:
        list(elsewhere(float, ["1", "98.6 mg/dL"]))
    assert not isinstance(found.value, TemporaryError)
    assert "98.6" not in str(found.value) + "".join(capfd.readouterr())


def test_an_idle_process_that_is_killed_is_a_passing_fault() -> None:
    with crew(2) as elsewhere:
        for process in {process for _, process in elsewhere(squared_by, range(4))}:
            os.kill(process, signal.SIGKILL)
        with pytest.raises(TemporaryError, match="run again"):
            list(elsewhere(gate, range(3)))
        assert list(elsewhere(gate, range(3))) == [0, 1, 2]


def test_what_was_sent_is_not_held_while_the_next_is_made() -> None:
    sent: list[weakref.ref[set[int]]] = []

    def made() -> Iterator[set[int]]:
        for _ in range(4):
            assert all(one() is None for one in sent)
            item = set(range(9))
            sent.append(weakref.ref(item))
            yield item
            del item

    with crew(2) as elsewhere:
        assert list(elsewhere(sum, made())) == [36] * 4


def test_a_process_that_is_killed_is_a_passing_fault_and_others_take_its_place() -> None:
    with crew(2) as elsewhere:
        with pytest.raises(TemporaryError, match="run again"):
            list(elsewhere(fall, range(100)))
        assert list(elsewhere(gate, range(3))) == [0, 1, 2]


def test_what_was_not_waited_for_is_no_answer_to_the_next_question() -> None:
    with crew(2) as elsewhere:
        for _ in elsewhere(squared_by, range(100)):
            break
        assert list(elsewhere(gate, range(3))) == [0, 1, 2]


def test_what_is_prepared_is_there_when_it_is_asked_for_and_is_no_answer_itself() -> None:
    with crew(2) as elsewhere:
        prepare(elsewhere, keep, 1)
        prepare(elsewhere, keep, 2)
        found = list(elsewhere(kept, range(6)))
    assert {what for what, _ in found} == {(1, 2)}
    assert len({process for _, process in found}) == 2
    assert KEPT == []


def test_a_fault_in_what_is_prepared_shows_when_it_is_asked_for_again() -> None:
    with crew(2) as elsewhere:
        prepare(elsewhere, keep, 7)
        assert [what for what, _ in elsewhere(kept, range(2))] == [(), ()]
        with pytest.raises(GateError, match="line 7"):
            list(elsewhere(keep, [7]))


def test_where_one_process_does_it_all_nothing_is_prepared() -> None:
    prepare(in_turn, keep, 1)
    assert KEPT == []


def test_a_process_serves_as_long_as_the_other_end_is_there() -> None:
    ours, theirs = Pipe()
    serving = Thread(target=_serve, args=(theirs,))
    serving.start()
    ours.send(Asked(gate, 1))
    assert ours.recv() == 1
    ours.send(Asked(gate, 3))
    assert isinstance(ours.recv().what, GateError)
    ours.close()
    serving.join(10)
    assert not serving.is_alive()


@pytest.mark.skipif(cores() == 1, reason="one core tells by itself")
def test_a_gate_that_does_not_hold_in_another_process_ends_a_build_as_it_does_in_this_one(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    edited = tmp_path / "templates" / "steps.jinja"
    edited.write_text(edited.read_text().replace("{% block output %}", "{% block output %} 7 of them "))
    env = environment(ETL_TEMPLATES_PATH=str(tmp_path / "templates"))
    here, there = (
        subprocess.run(
            [sys.executable, "-c", f"{before}\nfrom etlnarr.cli import main\nmain()", "build", SAMPLES, "--lake", lake],
            cwd=tmp_path, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )
        for lake, before in (
            ("here", ""),
            ("there", f"{NARRATE}; prose.load = narrate.ENOUGH = 0; narrate.PART = 1"),
        )
    )  # fmt: skip
    assert "steps.jinja" in here.stderr
    assert here.stderr.count("\n") == 1
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr) == (4, here.stderr)
    assert json.loads(etlnarr("status", "--lake", tmp_path / "there", "--json").stdout)["examples"] == {}
    assert not (tmp_path / "there/training").exists()


@pytest.mark.skipif(cores() == 1, reason="one core prepares nothing")
def test_what_keeps_processes_from_preparing_is_told_when_all_is_read(tmp_path: Path) -> None:
    command = "from etlnarr.stages import narrate; narrate.ENOUGH = 0\nfrom etlnarr.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", command, "build", SAMPLES, "--lake", "lake"], cwd=tmp_path, check=False,
        env=environment(ETL_TEMPLATES_PATH="gone", PYTHONPATH=str(ROOT)), capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "gone: no such folder of templates" in done.stderr
    assert len(json.loads(etlnarr("status", "--lake", tmp_path / "lake", "--json").stdout)["uploads"]) > 0


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_one_it_works_for(ended_by: signal.Signals, whole: bool, tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    with subprocess.Popen(
        [sys.executable, script], env=environment(PYTHONPATH=str(ROOT)), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        workers = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(alive, workers))
        (os.killpg if whole else os.kill)(process.pid, ended_by)
        _, errors = process.communicate(timeout=60)  # until nobody is left who could say something
    deadline = time.monotonic() + 10
    while any(map(alive, workers)):  # it closes its pipes a little before it is gone
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert errors.count("Traceback") == (ended_by == signal.SIGINT), "the processes say nothing"


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended may still be listed."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
