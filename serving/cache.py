"""Judgments kept for messages that come again: the waves of a scam are copies.

The key is a keyed hash (BLAKE2b) of what the model read, under a key that is random in each process: no
text is kept, and nobody who sees the memory of one process can look for a text in another's.

>>> cache = Cache[str](2)
>>> for word in ("a", "b", "c"):
...     cache.put(cache.key(word), word.upper())
>>> cache.get(cache.key("a")), cache.get(cache.key("c"))
(None, 'C')
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """The ``size`` judgments that were asked for last. Safe to use from several threads at once."""

    def __init__(self, size: int, on_asked: Callable[[bool], None] = lambda hit: None) -> None:
        """``on_asked`` hears of each question whether the answer was there; size 0 keeps nothing."""
        self._size, self._on_asked = size, on_asked
        self._salt = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def key(self, *texts: str) -> bytes:
        """What stands for the texts here; others never have the same (but for a chance of 2^-128)."""
        digest = blake2b(key=self._salt, digest_size=32)
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8))
            digest.update(encoded)
        return digest.digest()

    def get(self, key: bytes) -> T | None:
        """What was put under the key, if it is still there."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        self._on_asked(found is not None)
        return found

    def put(self, key: bytes, judged: T) -> None:
        """Keep a judgment; the one not asked for the longest goes."""
        with self._lock:
            self._kept[key] = judged
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
