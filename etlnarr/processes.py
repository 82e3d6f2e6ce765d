"""Processes that work for this one: on cores of their own, where threads would share one."""

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final, TypeAlias, TypeVar

from etlnarr.errors import EtlnarrError, TemporaryError

T = TypeVar("T")
R = TypeVar("R")
Pipe: TypeAlias = "Connection[Any, Any]"
FAULTS: Final = (EtlnarrError, MemoryError, OSError)
"""What is raised here as it was there."""


def elsewhere(work: Callable[[T], R], items: Iterable[T], many: int) -> Generator[tuple[T, R], None, None]:
    """Yield each item with what work makes of it, in order; so many processes are at work at once.

    Shapes: work and items can be pickled; the processes are ended when this is closed.
    Errors: as the work; TemporaryError when a process was killed.
    """
    processes: list[SpawnProcess] = []
    begun: deque[tuple[T, Pipe]] = deque()
    try:
        for item in items:
            done = []
            if len(processes) < many:
                process, pipe = _started()
                processes.append(process)
            else:
                earlier, pipe = begun.popleft()
                done.append((earlier, _answer(pipe)))
            _ask(pipe, (work, item))
            begun.append((item, pipe))
            yield from done
        yield from ((item, _answer(pipe)) for item, pipe in begun)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _started() -> tuple[SpawnProcess, Pipe]:
    """Start a process that has SIGINT and SIGTERM blocked from its birth: this one ends it when they come."""
    spawning = get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(theirs,))
    resource_tracker.ensure_running()  # the start does this too, and it unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()  # or the pipe would outlive the process
    return process, ours


def _ask(pipe: Pipe, asked: object) -> None:
    with _living():
        pipe.send(asked)


def _answer(pipe: Pipe) -> Any:
    with _living():
        pipe.poll(None)  # a signal ends this; a read it would not, as Polars handles signals
        answer = pipe.recv()
    if isinstance(answer, FAULTS):
        raise answer
    return answer


@contextmanager
def _living() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as fault:
        raise TemporaryError("a process of this run was killed, perhaps for want of memory; run again") from fault


def _serve(pipe: Pipe) -> None:
    """Work until nobody is at the other end of the pipe, however that came."""
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_worked(*pipe.recv()))


def _worked(work: Callable[[T], R], item: T) -> R | BaseException:
    try:
        return work(item)
    except FAULTS as fault:
        return fault
