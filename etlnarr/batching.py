"""Work in bounded parts: what one of them holds is what memory has to hold."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

MOST_CORES: Final = 8
T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Spreads work over cores: yields what it makes of each item, in order."""

    def __call__(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Begin several at once, and no more of them than are held easily."""
        ...


def batches(
    items: Iterable[T],
    most_items: int,
    most_weight: int | None = None,
    weight_of: Callable[[T], int] = lambda _: 0,
    group_of: Callable[[T], object] = lambda _: None,
) -> Iterator[list[T]]:
    """Yield items in order, in parts of one group each.

    Shapes: a part holds at most so many items, of at most so much weight together unless a single one weighs more.
    """
    batch: list[T] = []
    weight = 0
    for item in items:
        more = weight + weight_of(item)
        full = len(batch) == most_items or (most_weight is not None and more > most_weight)
        if batch and (full or group_of(item) != group_of(batch[0])):
            yield batch
            batch, more = [], weight_of(item)
        batch.append(item)
        weight = more
    if batch:
        yield batch


def cores() -> int:
    """Return how many cores this process may use, and uses: more would need more memory than is bounded here."""
    return min(len(os.sched_getaffinity(0)), MOST_CORES)


def in_turn(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield what work makes of each item, one after another: map() as a Spread."""
    return map(work, items)


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield what work makes of each item, in order; as many are at work at once as cores()."""
    many = cores()
    begun: deque[Future[R]] = deque()
    with ThreadPoolExecutor(many) as pool:
        for item in items:
            if len(begun) == many:
                yield begun.popleft().result()
            begun.append(pool.submit(work, item))
        while begun:
            yield begun.popleft().result()


def ahead(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield what work makes of each item, in order; it is at the next one while this one is looked at."""
    begun: Future[R] | None = None
    with ThreadPoolExecutor(1) as pool:
        for item in items:
            if begun is None:
                begun = pool.submit(work, item)
                continue
            done = begun.result()  # a fault comes before more is begun
            begun = pool.submit(work, item)
            yield done
            del done  # it may be large, and the next one is waited for now
        if begun is not None:
            yield begun.result()
