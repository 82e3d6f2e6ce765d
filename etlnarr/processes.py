"""Processes that work for this one: on cores of their own, where threads would share one."""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from etlnarr.batching import Spread, cores, side_by_side
from etlnarr.errors import EtlnarrError, TemporaryError

T = TypeVar("T")
R = TypeVar("R")
Pipe: TypeAlias = "Connection[Any, Any]"
FAULTS: Final = (EtlnarrError, MemoryError, OSError)
"""What is raised here as it was there."""

AHEAD: Final = 4
"""How many items for each process may be begun after one that is not done: their answers wait for its."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What was raised in place of an answer."""

    what: Exception


class Hand(NamedTuple):
    """A process, and this one's end of the pipe to it."""

    process: SpawnProcess
    pipe: Pipe


@contextmanager
def spreading() -> Iterator[Spread]:
    """Spread work over processes, as many as cores(); on one core this process does it.

    Errors: as crew().
    """
    if cores() == 1:
        yield side_by_side
    else:
        with crew(cores()) as elsewhere:
            yield elsewhere


@contextmanager
def crew(many: int) -> Iterator[Spread]:
    """Give work to so many processes, each begun when it is first needed and ended with the context.

    Shapes: work and items can be pickled; each process has one item at a time.
    Errors: as the work; TemporaryError when a process was killed.
    """
    hands: list[Hand] = []

    def elsewhere(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        return _in_order(_as_they_come(hands, many, work, items))

    try:
        yield elsewhere
    finally:
        _dismiss(hands)


def _in_order(answers: Generator[tuple[int, R | Fault]]) -> Generator[R]:
    early: dict[int, R | Fault] = {}
    told = 0
    with closing(answers):
        for number, answer in answers:
            early[number] = answer
            while told in early:
                yield _whole(early.pop(told))
                told += 1


def _as_they_come(
    hands: list[Hand], many: int, work: Callable[[T], R], items: Iterable[T]
) -> Generator[tuple[int, R | Fault]]:
    busy: dict[Pipe, int] = {}
    try:
        for number, item in enumerate(items):
            while busy and (len(busy) == many or number - min(busy.values()) >= AHEAD * many):
                yield from _answers(busy)
            pipe = _free(hands, busy)
            busy[pipe] = number
            _ask(pipe, (work, item))
            del item  # it may be large, and the next one is made now
        while busy:
            yield from _answers(busy)
    finally:
        if busy:  # their answers would be taken for those to other questions
            _dismiss(hands)


def _free(hands: list[Hand], busy: Mapping[Pipe, int]) -> Pipe:
    for hand in hands:
        if hand.pipe not in busy:
            return hand.pipe
    hands.append(_started())
    return hands[-1].pipe


def _dismiss(hands: list[Hand]) -> None:
    while hands:
        hand = hands.pop()
        hand.process.kill()
        hand.process.join()
        hand.pipe.close()


def _started() -> Hand:
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
    return Hand(process, ours)


def _ask(pipe: Pipe, asked: object) -> None:
    with _living():
        pipe.send(asked)


def _answers(busy: dict[Pipe, int]) -> Iterator[tuple[int, Any]]:
    ready = wait(list(busy))  # a signal ends this; a read it would not, as Polars handles signals
    for pipe in [pipe for pipe in busy if pipe in ready]:
        with _living():
            answer = pipe.recv()
        yield busy.pop(pipe), answer


def _whole(answer: R | Fault) -> R:
    if isinstance(answer, Fault):
        raise answer.what
    return answer


@contextmanager
def _living() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as fault:
        raise TemporaryError("a process of this run was killed, perhaps for want of memory; run again") from fault


def _serve(pipe: Pipe) -> None:
    """Work until nobody is at the other end of the pipe, however that came."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # read when it is loaded: the other cores have processes of their own
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_worked(*pipe.recv()))


def _worked(work: Callable[[T], R], item: T) -> R | Fault:
    try:
        return work(item)
    except FAULTS as fault:
        return Fault(fault)
