"""What the encoder reads of a conversation, and the way back to the text as received.

``folded`` is the compact model's view: a role token before each turn, everything in lower case
without diacritics, and numbers and links as tokens, because a phone number's digits say less than
that there is one. ``segmented`` is PhoBERT's: case and diacritics kept, words joined by ``_``.

>>> folded = view(Conversation.from_text("Chuyển 500k vào STK 19034567890"), "folded")
>>> folded.text
'<sender> chuyen<amount> vao stk<account>'
>>> folded.origin(15, 23)  # <amount>: in message 0, "500k"
(0, 7, 11)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from data.messages import Conversation
from model.entities import Entity, find_entities, host_of, is_hotline, url_kind
from model.normalize import Normalized, fold, normalize
from model.segment import segment

MAX_TOKENS = 256
ENTITY_TOKENS = (
    "<url_official>",
    "<url_lookalike>",
    "<url_shortener>",
    "<url_other>",
    "<phone>",
    "<hotline>",
    "<account>",
    "<amount>",
    "<code>",
    "<date>",
    "<url_foreign>",
)
ROLE_TOKENS = ("<sender>", "<recipient>")
SPECIAL_TOKENS = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "<mask>",
    *ROLE_TOKENS,
    *ENTITY_TOKENS,
    *(f"<spare_{i}>" for i in range(1, 8)),
)
#: Parts the turns of a segmented view; PhoBERT's vocabulary has no role tokens.
TURN_END = "</s>"

ViewKind = Literal["folded", "segmented"]
VIEW_KINDS: tuple[ViewKind, ...] = get_args(ViewKind)

#: Somebody may write a token into a message; its bracket is exchanged, so it stays text.
_WRITTEN_TOKEN = re.compile("<(?=" + "|".join(re.escape(token[1:]) for token in SPECIAL_TOKENS) + ")", re.I)


@dataclass(frozen=True, slots=True)
class View:
    """Text for the tokenizer; ``origins[i]`` is where character ``i`` came from.

    An origin is (message index, start, end) in code points of that message as received; what the
    view added itself (role tokens, gaps) has none.
    """

    text: str
    origins: tuple[tuple[int, int, int] | None, ...]

    def origin(self, start: int, end: int) -> tuple[int, int, int] | None:
        """(message index, start, end) as received behind ``text[start:end]``, or None where nothing is.

        A range over several messages answers with the first of them.
        """
        found = [origin for origin in self.origins[start:end] if origin is not None]
        if not found:
            return None
        message = found[0][0]
        inside = [origin for origin in found if origin[0] == message]
        return message, min(origin[1] for origin in inside), max(origin[2] for origin in inside)


#: A stretch of a view: its text, and for each character the range of normalized text behind it.
_Piece = tuple[str, list[tuple[int, int] | None]]


def view(conversation: Conversation, kind: ViewKind) -> View:
    """The view of a conversation; the same conversation always gives the same view.

    Raises ``MissingExtra`` for ``segmented`` where underthesea is not installed.
    """
    texts: list[str] = []
    origins: list[tuple[int, int, int] | None] = []
    for index, message in enumerate(conversation.messages):
        normalized = normalize(message.text)
        opening = f"<{message.role}>" if kind == "folded" else (TURN_END if index else "")
        texts.append(opening)
        origins.extend([None] * len(opening))
        for text, spans in _folded(normalized) if kind == "folded" else _segmented(normalized):
            texts.append(text)
            origins.extend(span and (index, *normalized.span(*span)) for span in spans)
    return View("".join(texts), tuple(origins))


def _folded(normalized: Normalized) -> Iterator[_Piece]:
    folded = _defused(fold(normalized.text))
    end = 0
    for entity in find_entities(normalized.text):
        yield _plain(folded, end, entity.start)
        for word in _words(entity, normalized.text):
            yield word, [(entity.start, entity.end)] * len(word)
        end = entity.end
    yield _plain(folded, end, len(folded))


def _plain(text: str, start: int, end: int) -> _Piece:
    """Text between entities, with one space before it and none after: tokens carry their own."""
    part = text[start:end]
    left = start + len(part) - len(part.lstrip())
    right = left + len(part.strip())
    if left == right:
        return "", []
    return " " + text[left:right], [None, *((index, index + 1) for index in range(left, right))]


def _words(entity: Entity, text: str) -> list[str]:
    """The token for an entity; a link's is followed by the words of its host."""
    if entity.type == "phone":
        return ["<hotline>" if is_hotline(entity.value) else "<phone>"]
    if entity.type != "url":
        return [f"<{entity.type}>"]
    host = host_of(entity.value)
    words = _defused(fold(re.sub(r"[.-]+", " ", host)).strip())
    return [f"<url_{url_kind(host, text)}>", f" {words}"]


def _segmented(normalized: Normalized) -> Iterator[_Piece]:
    """The segmented words, aligned: segmenting only exchanges spaces and ``_`` and adds spaces."""
    source = _defused(normalized.text)
    segmented = segment(source)
    spans: list[tuple[int, int] | None] = []
    at = 0
    for character in segmented:
        while at < len(source) and source[at] == " " and character not in " _":
            at += 1
        here = source[at] if at < len(source) else ""
        if here and (character == here or (character == "_" and here == " ")):
            spans.append((at, at + 1))
            at += 1
        else:
            spans.append(None)
    yield f" {segmented} ", [None, *spans, None]


def _defused(text: str) -> str:
    return _WRITTEN_TOKEN.sub("(", text)
