"""The bounded queue and the threads that answer it."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from serving.problems import Problem
from serving.workers import MICRO_BATCH, Workers, cores


def _results(futures: Sequence[Future[int]]) -> list[int]:
    return [future.result(5) for future in futures]


class Held:
    """Work that begins at once and ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.seen: list[int] = []

    def __call__(self, item: int) -> Callable[[], int]:
        return partial(self._answer, item)

    def _answer(self, item: int) -> int:
        self.begun.release()
        self.let_go.wait(5)
        self.seen.append(item)
        return item


def _itself(item: int) -> Callable[[], int]:
    return lambda: item


def test_results_come_back_in_order() -> None:
    workers = Workers[int, int](lambda item: lambda: item * 10)
    assert _results(workers.submit(range(10))) == [item * 10 for item in range(10)]
    workers.close()


def test_as_many_are_worked_on_at_once_as_there_are_threads() -> None:
    held = Held()
    workers = Workers(held, threads=3)
    futures = workers.submit(range(3))
    assert all(held.begun.acquire(timeout=5) for _ in range(3))
    futures += workers.submit([3, 4])
    assert len(workers) == 2
    held.let_go.set()
    assert _results(futures) == list(range(5))
    workers.close()


def test_the_first_come_is_answered_first() -> None:
    held = Held()
    workers = Workers(held, threads=1)
    futures = [future for item in range(6) for future in workers.submit([item])]
    held.let_go.set()
    assert _results(futures) == held.seen == list(range(6))
    workers.close()


def test_a_full_queue_takes_all_or_nothing() -> None:
    held = Held()
    workers = Workers(held, threads=1, capacity=3)
    first = workers.submit([0])
    held.begun.acquire(timeout=5)
    waiting = workers.submit([1, 2])
    with pytest.raises(Problem, match="2 messages wait"):
        workers.submit([3, 4])
    assert len(workers) == 2
    held.let_go.set()
    assert _results([*first, *waiting]) == [0, 1, 2]
    workers.close()


def test_one_item_that_fails_leaves_the_others_their_results() -> None:
    def fail() -> int:
        raise ValueError

    def read(item: int) -> Callable[[], int]:
        if item == 2:
            raise ValueError
        return fail if item == 3 else lambda: item

    workers = Workers(read, threads=1)
    one, two, three, four = workers.submit([1, 2, 3, 4])
    assert _results([one, four]) == [1, 4]
    assert isinstance(two.exception(5), ValueError)
    assert isinstance(three.exception(5), ValueError)
    workers.close()


def test_what_waits_is_read_together_before_it_is_answered() -> None:
    held, done = Held(), []

    def read(item: int) -> Callable[[], int]:
        done.append(f"read {item}")
        return lambda: done.append(f"answered {item}") or held(item)()  # type: ignore[func-returns-value]

    workers = Workers(read, threads=1)
    first = workers.submit([0])
    held.begun.acquire(timeout=5)
    later = workers.submit(range(1, 12))
    held.let_go.set()
    assert _results([*first, *later]) == list(range(12))
    workers.close()
    together = [f"{what} {item}" for what in ("read", "answered") for item in range(1, 1 + MICRO_BATCH)]
    assert done[: 2 + 2 * MICRO_BATCH] == ["read 0", "answered 0", *together]


def test_closing_finishes_what_waits_and_refuses_what_comes() -> None:
    workers = Workers(_itself)
    futures = workers.submit(range(50))
    workers.close()
    workers.close()
    assert _results(futures) == list(range(50))
    with pytest.raises(Problem, match="stopping"):
        workers.submit([1])


def test_a_caller_who_left_costs_no_work() -> None:
    held = Held()
    workers = Workers(held, threads=1)
    first, left, last = workers.submit([1, 2, 3])
    left.cancel()
    held.let_go.set()
    assert _results([first, last]) == [1, 3]
    workers.close()
    assert held.seen == [1, 3]


def test_how_long_each_item_took_is_told() -> None:
    waited: list[float] = []
    worked: list[float] = []
    workers = Workers(_itself, on_taken=waited.append, on_done=worked.append)
    _results(workers.submit(range(3)))
    workers.close()
    assert len(waited) == len(worked) == 3
    assert all(seconds >= 0 for seconds in waited + worked)


def test_nothing_that_goes_wrong_ends_a_thread() -> None:
    class Panic(BaseException):
        """As a library in Rust raises it."""

    def read(item: int) -> Callable[[], int]:
        if item == 1:
            raise Panic
        return lambda: item

    workers = Workers(read, threads=1)
    first, second = workers.submit([1, 2])
    assert isinstance(first.exception(5), Panic)
    assert second.result(5) == 2
    workers.close()


@pytest.mark.parametrize(
    ("quota", "most"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None), ("", None)]
)
def test_a_containers_quota_bounds_the_threads(quota: str, most: int | None, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert cores(tmp_path / "cpu.max") == (most or cores(tmp_path / "no such file"))
