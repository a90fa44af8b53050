"""What a model's network reads of a conversation: token ids for the encoder, n-grams for the linear half.

Training and serving read through here, so what was learnt from and what is served are the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.messages import Conversation
from model.ngrams import Vocabulary
from model.tokenizer import Tokenizer
from model.view import ViewKind, view

#: The inputs of the network, each of shape (1, a length of its own).
INPUTS = ("input_ids", "attention_mask", "ngram_ids", "ngram_counts")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One array for each of ``INPUTS``; ``truncated`` when the encoder reads only a part."""

    arrays: tuple[NDArray[Any], ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads conversations in one view; the n-grams are of the folded view, whatever the encoder reads."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    view: ViewKind
    max_tokens: int

    def read(self, conversation: Conversation) -> Reading:
        """The conversation as the network reads it."""
        text = view(conversation, self.view).text
        [encoding] = self.tokenizer.encode_batch([text], self.max_tokens)
        folded = text if self.view == "folded" else view(conversation, "folded").text
        ids = np.array([encoding.ids], np.int64)
        ngram_ids, counts = self.vocabulary.encode(folded)
        return Reading((ids, np.ones_like(ids), ngram_ids[None], counts[None]), encoding.truncated)
