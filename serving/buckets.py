"""Token buckets: how much may be taken at once, and how fast it comes back.

A bucket is one number, the moment at which it will be full again. A full one needs no memory, so what
is remembered of outsiders is bounded: of too many, those longest unseen count as full again.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

#: The most buckets remembered, 2 MB of them.
REMEMBERED = 10_000
#: Seconds that sums of floats may be off.
_ROUNDING = 1e-6


class Taken(NamedTuple):
    """What became of an attempt to take: ``wait`` is 0 when it succeeded."""

    #: Seconds, rounded up, after which the same attempt succeeds if nobody takes anything until then.
    wait: int
    #: How much could be taken now.
    left: int
    #: Seconds, rounded up, until the bucket is full.
    full_in: int


class Buckets:
    """One bucket a name, ``per_minute`` flowing in, at most ``burst`` in it. For one thread alone.

    >>> now = 0.0
    >>> buckets = Buckets(per_minute=60, burst=10, clock=lambda: now)
    >>> buckets.take("phone", 8)
    Taken(wait=0, left=2, full_in=8)
    >>> buckets.take("phone", 8)
    Taken(wait=6, left=2, full_in=8)
    >>> now = 6.0
    >>> buckets.take("phone", 8)
    Taken(wait=0, left=0, full_in=10)
    """

    def __init__(
        self,
        per_minute: float,
        burst: int,
        *,
        remembered: int = REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.burst = burst
        self._seconds_each = 60 / per_minute
        self._remembered, self._clock = remembered, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()  # those longest unseen first

    def __len__(self) -> int:
        """How many buckets are remembered."""
        return len(self._full_at)

    def take(self, name: str, cost: int = 1, *, spent: int = 0) -> Taken:
        """Take ``cost`` from a bucket, all of it or nothing; more than ``burst`` never succeeds.

        ``spent`` is what the same attempt took before: ``wait`` is until both can be taken again.
        """
        now = self._clock()
        empty_for = max(0.0, self._full_at.get(name, now) - now)
        wanted = cost * self._seconds_each
        over = empty_for + wanted - self.burst * self._seconds_each
        refused = over > _ROUNDING
        if not refused:
            empty_for += wanted
        if empty_for:  # also when refused: whoever keeps asking is not forgotten
            self._remember(name, now + empty_for)
        left = int(self.burst - empty_for / self._seconds_each + _ROUNDING)
        wait = max(1, ceil(over + spent * self._seconds_each - _ROUNDING)) if refused else 0
        return Taken(wait, max(0, left), ceil(empty_for - _ROUNDING))

    def _remember(self, name: str, full_at: float) -> None:
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._remembered:
            self._full_at.popitem(last=False)
