"""Off the event loop: a bounded queue, and a thread for each core that answers what waits.

The network runs outside Python's lock, so two threads keep two cores busy. What waits is taken in
micro-batches: all of them are read first, then each is answered, which keeps a core's caches warm (a
fifth less time a message at 8). Each still goes through the network alone: eight of like length together
take 94 % of the time, and would give a message other numbers in company than alone, because int8
activations are scaled over a batch.

The queue is bounded: when it is full the caller hears so at once and nobody waits for an answer that
comes too late.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Generic, TypeVar

from serving.problems import Problem

#: Items that may wait: about a second of work for two cores; a batch of 256 fits.
CAPACITY = 512

#: Items that a thread takes together, when so many wait for each thread.
MICRO_BATCH = 8

T = TypeVar("T")
R = TypeVar("R")


#: Where a container's quota stands: microseconds of processor time in a period, and the period.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores(quota: Path = _QUOTA) -> int:
    """How many processor cores this process may use, its container's quota counted in (cgroup v2)."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = map(int, quota.read_text("ascii").split())
    except (OSError, ValueError):  # no container, or "max": no quota
        return own
    return max(1, min(own, -(-allowed // period)))


class Workers(Generic[T, R]):
    """Answers items on ``threads`` threads of its own, the first come first.

    ``read`` takes an item in and returns what answers it: the second is called as soon as those taken
    together have been read. One that fails spoils no other.

    ``on_taken`` hears how many seconds an item has waited, ``on_done`` how many it was worked on.
    """

    def __init__(
        self,
        read: Callable[[T], Callable[[], R]],
        *,
        threads: int | None = None,
        capacity: int = CAPACITY,
        on_taken: Callable[[float], None] = lambda waited: None,
        on_done: Callable[[float], None] = lambda worked: None,
    ) -> None:
        self._read, self._capacity = read, capacity
        self._on_taken, self._on_done = on_taken, on_done
        self._waiting: SimpleQueue[tuple[T, Future[R], float] | None] = SimpleQueue()
        self._submitting = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"worker-{number}", daemon=True)
            for number in range(threads or cores())
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """How many items wait."""
        return self._waiting.qsize()

    def submit(self, items: Sequence[T]) -> list[Future[R]]:
        """A future for each item; all are queued, or none and ``Problem`` (503) is raised."""
        futures: list[Future[R]] = [Future() for _ in items]
        with self._submitting:
            if self._closed:
                raise Problem("busy", "the service is stopping; ask again in a moment")
            if len(self) + len(items) > self._capacity:
                raise Problem("busy", f"{len(self)} messages wait already; ask again in a moment")
            since = perf_counter()
            for item, future in zip(items, futures, strict=True):
                self._waiting.put((item, future, since))
        return futures

    def close(self) -> None:
        """Finish what waits, refuse what comes, and return when the threads have ended."""
        with self._submitting:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while batch := self._next():
            answers = [(future, self._begun(item, future, since)) for item, future, since in batch]
            for future, answer in answers:
                if answer is not None:
                    begun = perf_counter()
                    _settle(future, answer)
                    self._on_done(perf_counter() - begun)

    def _next(self) -> list[tuple[T, Future[R], float]]:
        """A fair share of what waits, up to a micro-batch; empty only when closed and done."""
        taken = self._waiting.get()
        if taken is None:
            return []
        batch = [taken]
        share = min(MICRO_BATCH, 1 + len(self) // len(self._threads))
        while len(batch) < share:
            try:
                taken = self._waiting.get_nowait()
            except Empty:  # another thread was quicker
                break
            if taken is None:
                self._waiting.put(None)  # the end: for the next turn
                break
            batch.append(taken)
        return batch

    def _begun(self, item: T, future: Future[R], since: float) -> Callable[[], R] | None:
        """What answers an item; None where nobody waits any more, or it could not be read."""
        if not future.set_running_or_notify_cancel():
            return None
        self._on_taken(perf_counter() - since)
        try:
            return self._read(item)
        except BaseException as error:  # whatever it is, it is the caller's to hear and ends no thread
            future.set_exception(error)
            return None


def _settle(future: Future[R], answer: Callable[[], R]) -> None:
    try:
        result = answer()
    except BaseException as error:  # as above
        future.set_exception(error)
    else:
        future.set_result(result)
