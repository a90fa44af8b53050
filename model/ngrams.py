"""Character and word n-grams of a folded view: what the linear half of a model reads.

N-grams see what an encoder's tokens hide, and never need to have met a whole word. A vocabulary keeps
a checksum of each of its n-grams instead of the n-gram: 8 bytes, whatever its length.

>>> vocabulary = Vocabulary(ngram_keys("xin chao")[0])
>>> ids, counts = vocabulary.encode("xin chao ban")
>>> len(ids) == len(vocabulary), float(counts.max())
(True, 2.0)
"""

import re
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from data.errors import ModelFolderError
from model.view import ENTITY_TOKENS, ROLE_TOKENS

#: Lengths of the n-grams of characters; they run across words, since senders move the spaces.
LENGTHS = range(1, 6)
#: From here on a key is of words, below of characters.
WORDS = 1 << 32

#: A token counts as one character; these bytes stand in no folded text.
_CHARACTERS = {
    token.encode(): bytes([code]) for code, token in enumerate((*ROLE_TOKENS, *ENTITY_TOKENS), 1)
}
_TOKEN = re.compile(b"|".join(map(re.escape, _CHARACTERS)))
_WORD = re.compile(rb"[\x01-\x1f]|[^\W_]+")


def ngram_keys(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The key of each n-gram of a folded view, rising, and how often it is met.

    Of characters 1 to 5 in a row, of words 1 and 2. Beyond ASCII a character counts as its UTF-8 bytes,
    and parts words.
    """
    line = _TOKEN.sub(lambda match: _CHARACTERS[match[0]], text.encode("utf-8", "replace"))
    words = _WORD.findall(line)
    of_words = [crc32(word) | WORDS for word in words]
    of_words += [crc32(b" ".join(pair)) | WORDS for pair in pairwise(words)]
    keys = np.concatenate([*_checksums(line), np.array(of_words, np.int64)])
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[first], np.diff(first, append=len(keys)).astype(np.float32)


def _checksums(line: bytes) -> list[NDArray[np.int64]]:
    """CRC-32 of every n-gram of characters, an array for each length.

    All n-grams at once, byte by byte, with the table that CRC-32 is defined by: ten times as fast as
    asking ``zlib`` for each.

    >>> int(_checksums(b"chao")[3][0]) == crc32(b"chao")
    True
    """
    characters = np.frombuffer(line, np.uint8)
    state = np.full(len(line), 0xFFFFFFFF, np.uint32)
    found = []
    for length in LENGTHS[: len(line)]:
        count = len(line) - length + 1
        state = state[:count]
        state = _TABLE[(state.astype(np.uint8)) ^ characters[length - 1 :]] ^ (state >> 8)
        found.append((~state).astype(np.int64))
    return found


def _crc_table() -> NDArray[np.uint32]:
    """One step of CRC-32 for each byte (ISO 3309, the polynomial 0xEDB88320)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1)
    return table


_TABLE = _crc_table()


class Vocabulary:
    """The n-grams that a model knows."""

    def __init__(self, keys: NDArray[np.int64]) -> None:
        """``keys`` rise and are at least one."""
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def characters(self) -> int:
        """How many of the n-grams are of characters; they come first."""
        return int(np.searchsorted(self.keys, WORDS))

    @classmethod
    def load(cls, file: Path) -> "Vocabulary":
        """The vocabulary in a ``.npy`` file; ``ModelFolderError`` when there is none that can be read."""
        try:
            keys = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ModelFolderError(f"{file}: cannot be read; restore the folder") from error
        if keys.dtype != np.int64 or keys.ndim != 1 or not len(keys) or (np.diff(keys) <= 0).any():
            raise ModelFolderError(f"{file}: is no list of rising keys; restore the folder")
        return cls(keys)

    def save(self, file: Path) -> None:
        """Write the vocabulary to a ``.npy`` file."""
        np.save(file, self.keys, allow_pickle=False)

    def encode(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions in the vocabulary, rising, and counts, of the n-grams that are known.

        One position of count 0 where none is.
        """
        ids, counts = self.known(*ngram_keys(text))
        return (ids, counts) if len(ids) else (np.zeros(1, np.int64), np.zeros(1, np.float32))

    def known(
        self, keys: NDArray[np.int64], counts: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions in the vocabulary, rising, and counts, of those keys that are known."""
        ids = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        inside = self.keys[ids] == keys
        return ids[inside], counts[inside]
