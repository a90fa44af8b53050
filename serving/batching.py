"""Off the event loop: a bounded queue, one worker thread, micro-batches.

A model answers sixteen short messages in little more time than four, and two at once only take
the processor from each other. So whatever waits goes through the model together. The queue is
bounded: when it is full the caller hears so at once and nobody waits for an answer that comes too
late.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from serving.problems import Problem

#: Items that go through the model together.
MICRO_BATCH = 16
#: Items that may wait: some seconds of work for one core; a batch of 256 fits.
CAPACITY = 512

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Gives items to ``work`` in micro-batches, on one thread of its own.

    ``work`` returns one result an item, in order. When it raises on several, each is tried alone:
    one item cannot spoil its neighbours. A ``Problem`` is told to all of them.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        *,
        capacity: int = CAPACITY,
        micro_batch: int = MICRO_BATCH,
        on_batch: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._work, self._on_batch = work, on_batch
        self._capacity, self._micro_batch = capacity, micro_batch
        self._waiting: deque[tuple[T, Future[R]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    def submit(self, items: Sequence[T]) -> list[Future[R]]:
        """A future for each item; all are queued, or none and ``Problem`` (503) is raised."""
        futures: list[Future[R]] = [Future() for _ in items]
        with self._changed:
            if self._closed:
                raise Problem("busy", "the service is stopping; ask again in a moment")
            if len(self._waiting) + len(items) > self._capacity:
                raise Problem("busy", f"{len(self._waiting)} messages wait already; ask again in a moment")
            self._waiting.extend(zip(items, futures, strict=True))
            self._changed.notify()
        return futures

    def close(self) -> None:
        """Finish what waits, refuse what comes, and return when the worker has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            wanted = [(item, future) for item, future in batch if future.set_running_or_notify_cancel()]
            if wanted:
                self._on_batch(len(wanted))
                self._answer(wanted)

    def _next(self) -> list[tuple[T, Future[R]]]:
        """What waits, up to a micro-batch; empty only when closed and done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            count = min(len(self._waiting), self._micro_batch)
            return [self._waiting.popleft() for _ in range(count)]

    def _answer(self, batch: Sequence[tuple[T, Future[R]]]) -> None:
        try:
            results = list(self._work([item for item, _ in batch]))
        except Exception as error:  # whatever it is, it is the caller's to hear
            if len(batch) == 1 or isinstance(error, Problem):
                for _, future in batch:
                    future.set_exception(error)
            else:
                for single in batch:
                    self._answer([single])
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
