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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, repeat
from typing import Literal, NamedTuple, get_args

from data.messages import Conversation
from model.entities import Entity, Parsed, host_of, is_hotline, parse
from model.normalize import Normalized, fold
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


class Piece(NamedTuple):
    """A stretch of a view, and ``start:end`` of the normalized text behind it; empty where nothing is.

    ``letters``: each character stands for its own one; else each stands for all of it.
    """

    text: str
    start: int = 0
    end: int = 0
    letters: bool = False


@dataclass(frozen=True)
class View:
    """Text for the tokenizer, and where its characters came from.

    ``pieces`` are those of each message; ``starts`` is where each message begins in ``text``.
    """

    text: str
    starts: tuple[int, ...]
    messages: tuple[Parsed, ...]
    pieces: tuple[tuple[Piece, ...], ...]

    @cached_property
    def origins(self) -> list[tuple[int, int, int] | None]:
        """For each character (message index, start, end) in code points of that message as received.

        None for what the view added itself (role tokens, gaps). Made when first asked for: most
        messages are legitimate and are never asked.
        """
        return [
            origin
            for index, (parsed, pieces) in enumerate(zip(self.messages, self.pieces, strict=True))
            for piece in pieces
            for origin in _origins(index, parsed.normalized, piece)
        ]

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


def view(conversation: Conversation, kind: ViewKind) -> View:
    """The view of a conversation; the same conversation always gives the same view.

    Raises ``MissingExtra`` for ``segmented`` where underthesea is not installed.
    """
    return view_of(tuple(map(parse, conversation.messages)), kind)


def view_of(messages: tuple[Parsed, ...], kind: ViewKind) -> View:
    """The view of parsed messages; see ``view``."""
    pieces = tuple(
        tuple((_folded if kind == "folded" else _segmented)(index, parsed))
        for index, parsed in enumerate(messages)
    )
    texts = ["".join([piece.text for piece in of_one]) for of_one in pieces]
    starts = tuple(accumulate(map(len, texts[:-1]), initial=0))
    return View("".join(texts), starts, messages, pieces)


def _origins(message: int, normalized: Normalized, piece: Piece) -> Iterable[tuple[int, int, int] | None]:
    if piece.letters:
        starts, ends = normalized.starts[piece.start : piece.end], normalized.ends[piece.start : piece.end]
        return zip(repeat(message), starts, ends)  # repeat has no end
    behind = (message, *normalized.span(piece.start, piece.end)) if piece.end > piece.start else None
    return repeat(behind, len(piece.text))


def _folded(index: int, parsed: Parsed) -> Iterator[Piece]:
    yield Piece(f"<{parsed.message.role}>")
    folded = _defused(fold(parsed.normalized.text))
    end = 0
    for entity in parsed.entities:
        yield from _plain(folded, end, entity.start)
        for word in _words(entity, parsed):
            yield Piece(word, entity.start, entity.end)
        end = entity.end
    yield from _plain(folded, end, len(folded))


def _plain(text: str, start: int, end: int) -> Iterator[Piece]:
    """Text between entities, with one space before it and none after: tokens carry their own."""
    part = text[start:end]
    left = start + len(part) - len(part.lstrip())
    right = left + len(part.strip())
    if left < right:
        yield Piece(" ")
        yield Piece(text[left:right], left, right, letters=True)


def _words(entity: Entity, parsed: Parsed) -> list[str]:
    """The token for an entity; a link's is followed by the words of its host."""
    if entity.type == "phone":
        return ["<hotline>" if is_hotline(entity.value) else "<phone>"]
    if entity.type != "url":
        return [f"<{entity.type}>"]
    words = _defused(fold(re.sub(r"[.-]+", " ", host_of(entity.value))).strip())
    return [f"<url_{parsed.link(entity).kind}>", f" {words}"]


def _segmented(index: int, parsed: Parsed) -> Iterator[Piece]:
    """The segmented words, aligned: segmenting only exchanges spaces and ``_`` and adds spaces."""
    source = _defused(parsed.normalized.text)
    yield Piece(f"{TURN_END if index else ''} ")
    at = 0
    for character in segment(source):
        while at < len(source) and source[at] == " " and character not in " _":
            at += 1
        here = source[at] if at < len(source) else ""
        if here and (character == here or (character == "_" and here == " ")):
            yield Piece(character, at, at + 1)
            at += 1
        else:
            yield Piece(character)
    yield Piece(" ")


def _defused(text: str) -> str:
    return _WRITTEN_TOKEN.sub("(", text) if "<" in text else text
