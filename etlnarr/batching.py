"""Work in bounded parts: what one of them holds is what memory has to hold."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


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
