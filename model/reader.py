"""What a model's network reads of a conversation: token ids for the encoder, n-grams for the linear half.

Training and serving read through here, so what was learnt from and what is served are the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.messages import Conversation
from model.entities import Parsed, parse
from model.ngrams import Vocabulary
from model.tokenizer import Tokenizer
from model.view import View, ViewKind, view_of

#: The inputs of the network, each of shape (1, a length of its own).
INPUTS = ("input_ids", "attention_mask", "ngram_ids", "ngram_counts")


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation as a model reads it: parsed once, for the verdict and its reasons.

    ``view`` is the encoder's; ``folded`` is what the n-grams are of, the same one for most models.
    """

    view: View
    folded: View

    @property
    def messages(self) -> tuple[Parsed, ...]:
        """The parsed messages."""
        return self.view.messages


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """One array for each of ``INPUTS``; ``truncated`` when the encoder reads only a part."""

    arrays: tuple[NDArray[Any], ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads conversations in one view; the n-grams are of the folded view, whatever the encoder reads."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    kind: ViewKind
    max_tokens: int

    def read(self, conversation: Conversation) -> Reading:
        """The conversation parsed and in its views."""
        messages = tuple(map(parse, conversation.messages))
        seen = view_of(messages, self.kind)
        return Reading(seen, seen if self.kind == "folded" else view_of(messages, "folded"))

    def inputs(self, text: str, folded: str) -> Inputs:
        """What the network takes for the texts of the two views."""
        encoding = self.tokenizer.encode(text, self.max_tokens)
        ids = np.array([encoding.ids], np.int64)
        ngram_ids, counts = self.vocabulary.encode(folded)
        return Inputs((ids, np.ones_like(ids), ngram_ids[None], counts[None]), encoding.truncated)

    def inputs_of(self, conversation: Conversation) -> Inputs:
        """What the network takes for a conversation."""
        reading = self.read(conversation)
        return self.inputs(reading.view.text, reading.folded.text)
