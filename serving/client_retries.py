"""When the Python client tries again, and for how long: decided here for both clients, without I/O."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Answers after which the same request may succeed. No call does harm when it is sent twice.
RETRIED = frozenset({408, 429, 502, 503, 504})
#: Seconds before the second attempt; doubled for each later one, and spread by half either way so
#: that clients that failed together do not come back together.
BACKOFF = 0.25
#: Seconds without which another attempt is not worth making.
LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; ``headers`` are found in any case of letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoReply:
    """That no answer came, and why."""

    reason: str


Outcome = Reply | NoReply


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take: seconds an attempt, attempts after the first, seconds in all."""

    timeout: float
    retries: int
    deadline: float

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.deadline <= 0 or self.retries < 0:
            raise ValueError("timeout and deadline must be positive, and retries not negative")


class Attempts:
    """The attempts of one call that begins now."""

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._patience, self._clock = patience, clock
        self._end, self._retried = clock() + patience.deadline, 0

    def seconds(self) -> float:
        """How long the next attempt may take."""
        return max(min(self._patience.timeout, self._end - self._clock()), LEAST)

    def pause(self, outcome: Outcome) -> float | None:
        """Seconds to wait before another attempt; None when this outcome is the last."""
        may_pass = isinstance(outcome, NoReply) or outcome.status in RETRIED
        if not may_pass or self._retried == self._patience.retries:
            return None
        pause = retry_after(outcome)
        if pause is None:
            pause = BACKOFF * 2**self._retried * random.uniform(0.5, 1.5)
        self._retried += 1
        return pause if self._clock() + pause + LEAST <= self._end else None


def retry_after(outcome: Outcome) -> float | None:
    """The seconds of ``Retry-After``, or None without them (a date is not one: clocks differ).

    >>> retry_after(Reply(503, {"Retry-After": "2"}, b"")), retry_after(NoReply("refused"))
    (2.0, None)
    """
    said = "" if isinstance(outcome, NoReply) else outcome.headers.get("Retry-After", "")
    return float(said) if re.fullmatch(r"[0-9]{1,9}", said) else None
