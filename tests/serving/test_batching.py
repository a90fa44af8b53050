"""The bounded queue and its worker."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from serving.batching import Batcher
from serving.problems import Problem


def _results(futures: Sequence[Future[int]]) -> list[int]:
    return [future.result(5) for future in futures]


def test_results_come_back_in_order() -> None:
    batcher = Batcher[int, int](lambda items: [item * 10 for item in items], micro_batch=4)
    assert _results(batcher.submit(range(10))) == [item * 10 for item in range(10)]
    batcher.close()


def test_what_waits_is_worked_on_together() -> None:
    gate, started = threading.Event(), threading.Event()
    sizes: list[int] = []

    def work(items: Sequence[int]) -> Sequence[int]:
        started.set()
        gate.wait(5)
        return items

    batcher = Batcher(work, micro_batch=4, on_batch=sizes.append)
    first = batcher.submit([0])
    started.wait(5)
    later = [future for item in range(6) for future in batcher.submit([item])]
    gate.set()
    assert _results(first) + _results(later) == [0, *range(6)]
    assert sizes == [1, 4, 2]
    batcher.close()


def test_a_full_queue_takes_all_or_nothing() -> None:
    gate, started = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        started.set()
        gate.wait(5)
        return items

    batcher = Batcher(work, capacity=3)
    first = batcher.submit([0])
    started.wait(5)
    waiting = batcher.submit([1, 2])
    with pytest.raises(Problem, match="2 messages wait"):
        batcher.submit([3, 4])
    assert len(batcher) == 2
    gate.set()
    assert _results([*first, *waiting]) == [0, 1, 2]
    batcher.close()


def test_one_item_that_fails_leaves_the_others_their_results() -> None:
    def work(items: Sequence[int]) -> Sequence[int]:
        if 2 in items:
            raise ValueError("two")
        return items

    batcher = Batcher(work)
    one, two, three = batcher.submit([1, 2, 3])
    assert _results([one, three]) == [1, 3]
    assert isinstance(two.exception(5), ValueError)
    batcher.close()


def test_closing_finishes_what_waits_and_refuses_what_comes() -> None:
    batcher = Batcher[int, int](lambda items: items)
    futures = batcher.submit(range(50))
    batcher.close()
    assert _results(futures) == list(range(50))
    with pytest.raises(Problem, match="stopping"):
        batcher.submit([1])


def test_a_caller_who_left_costs_no_work() -> None:
    gate = threading.Event()
    seen: list[int] = []

    def work(items: Sequence[int]) -> Sequence[int]:
        gate.wait(5)
        seen.extend(items)
        return items

    batcher = Batcher(work, micro_batch=1)
    first, left, last = batcher.submit([1, 2, 3])
    left.cancel()
    gate.set()
    assert _results([first, last]) == [1, 3]
    assert seen == [1, 3]
    batcher.close()
