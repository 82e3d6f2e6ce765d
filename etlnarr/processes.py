"""Processes that work for this one: on cores of their own, where threads would share one."""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
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

BY_DEFECT: Final = 1
"""Exit code of a process that raised something else."""

STDERR: Final = 2
ENDING_SECONDS: Final = 10
AHEAD: Final = 4
"""How many items for each process may be begun after one that is not done: their answers wait for its."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What was raised in place of an answer."""

    what: Exception


class Asked(NamedTuple):
    """Some work, what it is to be done with, and whether anybody waits for what comes of it."""

    work: Callable[[Any], object]
    item: object
    answered: bool = True


class Hand(NamedTuple):
    """A process, and this one's end of the pipe to it."""

    process: SpawnProcess
    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Crew:
    """Gives work to processes, each begun when it is first needed; a Spread.

    Shapes: work and items can be pickled; each process has one item at a time.
    Errors: as the work; TemporaryError when a process was killed.
    """

    many: int
    hands: list[Hand] = field(default_factory=list)

    def __call__(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield what work makes of each item, in order."""
        return _in_order(_as_they_come(self.hands, self.many, work, items))

    def prepare(self, work: Callable[[T], object], item: T) -> None:
        """Begin all processes with some work while this one goes on; a fault in it shows when it is asked for."""
        while len(self.hands) < self.many:
            self.hands.append(_started())
        for hand in self.hands:
            _ask(hand, Asked(work, item, answered=False))


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
def crew(many: int) -> Iterator[Crew]:
    """Give work to so many processes, which end with the context."""
    made = Crew(many)
    try:
        yield made
    finally:
        _dismiss(made.hands)


def prepare(spread: Spread, work: Callable[[T], object], item: T) -> None:
    """Let the processes behind a spread, where there are any, begin with some work, as Crew.prepare()."""
    if isinstance(spread, Crew):
        spread.prepare(work, item)


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
    busy: dict[Hand, int] = {}
    try:
        numbers = count()  # enumerate() would hold on to the item
        for item in items:
            number = next(numbers)
            while busy and (len(busy) == many or number - min(busy.values()) >= AHEAD * many):
                yield from _answers(busy)
            hand = _free(hands, busy)
            busy[hand] = number
            _ask(hand, Asked(work, item))
            del item  # it may be large, and the next one is made now
        while busy:
            yield from _answers(busy)
    finally:
        if busy:  # their answers would be taken for those to other questions
            _dismiss(hands)


def _free(hands: list[Hand], busy: Mapping[Hand, int]) -> Hand:
    for hand in hands:
        if hand not in busy:
            return hand
    hands.append(_started())
    return hands[-1]


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
    process = spawning.Process(target=_begin, args=(theirs,))
    resource_tracker.ensure_running()  # the start does this too, and it unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()  # or the pipe would outlive the process
    return Hand(process, ours)


def _ask(hand: Hand, asked: Asked) -> None:
    with _living(hand):
        hand.pipe.send(asked)


def _answers(busy: dict[Hand, int]) -> Iterator[tuple[int, Any]]:
    ready = wait([hand.pipe for hand in busy])  # a signal ends this; a read it would not, as Polars handles signals
    for hand in [hand for hand in busy if hand.pipe in ready]:
        with _living(hand):
            answer = hand.pipe.recv()
        yield busy.pop(hand), answer


def _whole(answer: R | Fault) -> R:
    if isinstance(answer, Fault):
        raise answer.what
    return answer


@contextmanager
def _living(hand: Hand) -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as fault:
        hand.process.join(ENDING_SECONDS)
        if hand.process.exitcode == BY_DEFECT:
            raise EtlnarrError(
                "a process of this run failed by a defect of the program; on one core (taskset -c 0) it tells where"
            ) from fault
        raise TemporaryError("a process of this run was killed, perhaps for want of memory; run again") from fault


def _begin(pipe: Pipe) -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"  # read when it is loaded: the other cores have processes of their own
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDERR)  # what is printed of a defect may quote readings
    _serve(pipe)


def _serve(pipe: Pipe) -> None:
    """Work until nobody is at the other end of the pipe, however that came."""
    with suppress(EOFError, OSError):
        while True:
            asked = pipe.recv()
            answer = _worked(asked)
            if asked.answered:
                pipe.send(answer)
            del asked, answer  # they may be large, and the next one is waited for


def _worked(asked: Asked) -> object:
    try:
        return asked.work(asked.item)
    except FAULTS as fault:
        return Fault(fault)
