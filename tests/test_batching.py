"""Parts of work, and work side by side."""

import threading

import pytest

from etlnarr.batching import ahead, batches, cores, side_by_side


def test_a_part_ends_with_its_group_or_when_it_is_full() -> None:
    words = ["ant", "ape", "asp", "bee", "cattle", "cow"]
    parts = batches(words, 2, 7, len, lambda word: word[0])
    assert list(parts) == [["ant", "ape"], ["asp"], ["bee"], ["cattle"], ["cow"]]


def test_results_come_in_the_order_of_the_items() -> None:
    behind = threading.Event()

    def work(number: int) -> int:
        if number == 0 and cores() > 1:
            assert behind.wait(10), "the second begins before the first is done"
        behind.set()
        return number * number

    assert list(side_by_side(work, range(7))) == [0, 1, 4, 9, 16, 25, 36]


def test_a_fault_reaches_the_caller_and_no_more_is_begun() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        return 1 // (number - 1)

    with pytest.raises(ZeroDivisionError):
        list(side_by_side(work, range(100)))
    assert len(begun) <= cores() + 1


def test_what_is_read_ahead_ends_with_the_first_fault() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        return 1 // (number - 1)

    results = ahead(work, range(100))
    assert next(results) == -1
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert begun == [0, 1]


def test_one_is_worked_on_while_the_one_before_it_is_looked_at() -> None:
    begun = [threading.Event() for _ in range(4)]

    def work(number: int) -> int:
        begun[number].set()
        return number

    seen = []
    for number in ahead(work, range(3)):
        assert number == 2 or begun[number + 1].wait(10)
        seen.append(number)
    assert seen == [0, 1, 2]
