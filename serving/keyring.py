"""The keys in memory: a request is authenticated without the store.

One task reads the table of keys every second; requests only look into what it read. So a revoked key
ends and a new one begins within about a second. An unknown token has the table read again at once, so
that a new key usually works at once, but only a few times a second: nobody can hammer the store with
guesses. While the store does not answer, known keys go on for a minute (to classify needs no store).
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Mapping

from data.keys import Key, digest_of
from serving.buckets import Buckets
from serving.problems import place_of, store_not_ready

logger = logging.getLogger("canhgiac.serving")

#: Seconds between two readings of the table of keys.
READ_SECONDS = 1.0
#: Seconds for which keys count that could not be read again.
TRUSTED_SECONDS = 60.0
#: Seconds that a caller with an unknown token waits for a reading at most.
PATIENCE_SECONDS = 2.0
#: How often a minute, and how often at once, unknown tokens have the table read again.
READS_PER_MINUTE, READS_AT_ONCE = 300, 20


class Keyring:
    """The keys in use; ``read`` gives them by digest and may block. For one event loop."""

    def __init__(
        self,
        read: Callable[[], Mapping[str, Key]],
        *,
        seconds: float = READ_SECONDS,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._seconds, self._patience, self._clock = read, seconds, patience, clock
        self._keys: Mapping[str, tuple[str, Key]] = {}
        self._read_at = float("-inf")  # when the reading began that the keys are from
        self._begun = self._ended = 0  # readings, well or not
        self._is_failing = False
        self._rereads = Buckets(READS_PER_MINUTE, READS_AT_ONCE, clock=clock)
        self._wanted, self._changed = asyncio.Event(), asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the keys, and go on every second; returns when they were read, or cannot be for now."""
        self._task = asyncio.create_task(self._keep_reading(), name="keyring")
        await self._read_again()

    async def close(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def known(self, token: str) -> Key | None:
        """The key with this secret in what was read last; ``Problem`` (503) when that is too old.

        A token is found by its SHA-256: whoever times answers learns about digests of their own
        guesses, and 256 random bits leave nothing to guess. The comparison that decides takes the
        same time wherever digests differ.
        """
        digest = digest_of(token)
        found = self._keys.get(digest)
        if found is None or not hmac.compare_digest(found[0], digest):
            return None
        if self._clock() - self._read_at > TRUSTED_SECONDS:
            raise store_not_ready()
        return found[1]

    async def found(self, token: str) -> Key | None:
        """The key with this secret, in a newer reading than ``known`` looked at where one can be had.

        Raises ``Problem`` (503) for an unknown one while the store does not answer.
        """
        is_allowed = self._rereads.take("table").wait == 0
        is_certain = await self._read_again() if is_allowed else not self._is_failing
        key = self.known(token)
        if key is None and not is_certain:
            raise store_not_ready()
        return key

    async def _read_again(self) -> bool:
        """Whether a reading that began after this call went well; waits as long as patience lasts."""
        asked = self._begun
        try:
            async with asyncio.timeout(self._patience), self._changed:
                self._wanted.set()
                await self._changed.wait_for(lambda: self._ended > asked)
        except TimeoutError:
            self._tell_failure(f"no answer within {self._patience} s")
        return not self._is_failing

    async def _keep_reading(self) -> None:
        while True:
            self._wanted.clear()
            self._begun += 1
            began = self._clock()
            try:
                keys = await asyncio.to_thread(self._read)
            except Exception as error:  # whatever it is, the keys that are known go on
                self._tell_failure(place_of(error))
            else:
                self._keys = {digest: (digest, key) for digest, key in keys.items()}
                self._read_at, self._is_failing = began, False
            self._ended = self._begun
            async with self._changed:
                self._changed.notify_all()
            await self._until_wanted()

    def _tell_failure(self, what: str) -> None:
        """Log the first of several failures: one a second would bury the other lines."""
        if not self._is_failing:
            logger.error("the keys were not read: %s", what)
        self._is_failing = True

    async def _until_wanted(self) -> None:
        """Return after the seconds between two readings, or earlier when somebody wants one."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
