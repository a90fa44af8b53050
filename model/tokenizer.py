"""From a view's text to token ids: the third step, on the Rust ``tokenizers``.

A compact folder holds a ``tokenizer.json``. A PhoBERT folder holds fastBPE's ``vocab.txt`` and
``bpe.codes``, which are converted here: the same ids as transformers' PhobertTokenizer, without
transformers, and with offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import tokenizers
from tokenizers import models, pre_tokenizers

from data.errors import ModelFolderError
from model.view import ENTITY_TOKENS, ROLE_TOKENS, TURN_END

#: fastBPE's vocabulary starts after these four; the order is PhoBERT's.
_PHOBERT_SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids from ``<s>`` to ``</s>``, and each one's (start, end) in the text.

    ``truncated`` when tokens were left out; ``<s>`` and ``</s>`` have the offsets (0, 0).
    """

    ids: list[int]
    offsets: list[tuple[int, int]]
    truncated: bool


class Tokenizer:
    """A model folder's tokenizer."""

    def __init__(self, backend: tokenizers.Tokenizer, known: int | None = None) -> None:
        """``known``: ids from here on only help merging and mean ``<unk>``; all are known by default.

        Raises ``KeyError`` when ``<s>``, ``</s>``, ``<pad>`` or ``<unk>`` is not in the vocabulary.
        """
        vocabulary: dict[str, int] = backend.get_vocab()
        self._backend = backend
        self._known = len(vocabulary) if known is None else known
        self._start, self._end = vocabulary["<s>"], vocabulary[TURN_END]
        self.pad_id, self._unknown = vocabulary["<pad>"], vocabulary["<unk>"]
        self._roles = {vocabulary[token] for token in ROLE_TOKENS if token in vocabulary}
        self._entities = {vocabulary[token] for token in ENTITY_TOKENS if token in vocabulary}
        self._recipient = vocabulary.get("<recipient>")

    @classmethod
    def from_folder(cls, path: Path) -> "Tokenizer":
        """The tokenizer of a model folder; ``ModelFolderError`` when it has none that can be read."""
        try:
            if (path / "bpe.codes").exists():
                loaded = _from_fastbpe(path)
            else:
                backend = tokenizers.Tokenizer.from_str((path / "tokenizer.json").read_text("utf-8"))
                backend.no_truncation()
                backend.no_padding()
                loaded = cls(backend)
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelFolderError(
                f"{path}: its tokenizer is missing, damaged or lacks <s>, </s>, <pad> or <unk>; "
                "restore the folder"
            ) from error
        return loaded

    def encode(self, text: str, max_tokens: int) -> Encoding:
        """A text's encoding; see ``encode_batch``."""
        return self.encode_batch([text], max_tokens)[0]

    def encode_batch(self, texts: Sequence[str], max_tokens: int) -> list[Encoding]:
        """Each text's encoding, at most ``max_tokens`` ids with ``<s>`` and ``</s>``.

        A conversation too long keeps the turns that say most: the sender's with a link, number or
        amount first, then the newest (a vocabulary without tokens for those: the newest). A turn too
        long keeps its head and its tail, where messages greet, threaten and ask. Both say
        ``truncated=True``.
        """
        encoded = self._backend.encode_batch(list(texts), add_special_tokens=False)
        return [self._encoding(one.ids, one.offsets, max_tokens) for one in encoded]

    def _encoding(self, ids: list[int], offsets: list[tuple[int, int]], max_tokens: int) -> Encoding:
        kept = self._kept(ids, max_tokens - 2)
        inner = [ids[index] if ids[index] < self._known else self._unknown for index in kept]
        return Encoding(
            [self._start, *inner, self._end],
            [(0, 0), *(offsets[index] for index in kept), (0, 0)],
            truncated=len(kept) < len(ids),
        )

    def _kept(self, ids: list[int], room: int) -> list[int]:
        """Positions of the tokens that are kept, rising."""
        if len(ids) <= room:
            return list(range(len(ids)))
        starts = [index for index, token in enumerate(ids) if self._opens_turn(ids, index, token)]
        turns = list(pairwise(sorted({0, *starts, len(ids)})))
        kept: list[int] = []
        for start, end in sorted(turns, key=lambda turn: (not self._is_telling(ids, *turn), -turn[0])):
            left = room - len(kept)
            if end - start <= left:
                kept.extend(range(start, end))
            elif not kept or self._is_telling(ids, start, end):
                kept.extend(range(start, start + left // 2))
                kept.extend(range(end - (left - left // 2), end))
                break
        return sorted(kept)

    def _is_telling(self, ids: list[int], start: int, end: int) -> bool:
        """Whether a turn is the sender's and names something."""
        return ids[start] != self._recipient and not self._entities.isdisjoint(ids[start:end])

    def _opens_turn(self, ids: list[int], index: int, token: int) -> bool:
        return token in self._roles or (index > 0 and ids[index - 1] == self._end)


def _from_fastbpe(path: Path) -> Tokenizer:
    """A Rust BPE that gives PhobertTokenizer's ids.

    fastBPE's codes mark the end of a word by ``</w>``; its vocabulary marks what is not the end by
    ``@@``. A merge may pass through a piece that is in no vocabulary: such a piece gets an id past
    the vocabulary, and is ``<unk>`` when a word ends up in it.
    """
    vocabulary = dict(zip(_PHOBERT_SPECIALS, range(4), strict=True))
    for line in (path / "vocab.txt").read_text("utf-8").strip("\n").split("\n"):
        word = line.strip().rpartition(" ")[0]
        vocabulary.setdefault(word[:-2] if word.endswith("@@") else f"{word}</w>", len(vocabulary))
    known = len(vocabulary)
    merges: list[tuple[str, str]] = []
    for line in (path / "bpe.codes").read_text("utf-8").strip("\n").split("\n"):
        first, second, *_ = line.split()
        merges.append((first, second))
        for piece in (first, second, first + second):
            vocabulary.setdefault(piece, len(vocabulary))
    model = models.BPE(vocabulary, merges, unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False)
    backend = tokenizers.Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens(["<s>", "<pad>", TURN_END, "<unk>"])
    return Tokenizer(backend, known)
