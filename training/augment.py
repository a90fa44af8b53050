"""Rewrite a message as another sender would have typed it; the answer stays the same.

Small on purpose: amounts redrawn, spaces lost, diacritics lost. Short codes, hotlines, phone and
account numbers and links stay, because who they belong to is part of the evidence.
"""

import dataclasses
import re
from random import Random

from data.messages import Conversation
from model.normalize import fold

_AMOUNT = re.compile(
    r"\b\d{1,3}(?:[.,]\d{3})+(?![\d.,]*\d)|\b\d{1,3}(?=\s?(?:k|tr|trieu|triệu|d|đ|vnd|vnđ)\b)",
    re.IGNORECASE,
)
_SPACE = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")

#: How often each change is made, and how many of a message's spaces are lost when some are.
AMOUNTS, SPACES, DIACRITICS, LOST = 0.7, 0.3, 0.3, 0.08


def augment(conversation: Conversation, random: Random) -> Conversation:
    """A variant of the conversation: same turns, same senders, same meaning, same label."""
    changes = [
        change
        for change, chance in ((_redraw, AMOUNTS), (_lose_spaces, SPACES), (_lose_diacritics, DIACRITICS))
        if random.random() < chance
    ]
    messages = []
    for message in conversation.messages:
        text = message.text
        for change in changes:
            text = change(text, random)
        messages.append(dataclasses.replace(message, text=text))
    return dataclasses.replace(conversation, messages=tuple(messages))


def _redraw(text: str, random: Random) -> str:
    """Other digits in each amount, as many as before; a first digit is never zero."""
    return _AMOUNT.sub(lambda match: _other_digits(match[0], random), text)


def _other_digits(amount: str, random: Random) -> str:
    drawn = [str(random.randint(1, 9)) if c in "123456789" else c for c in amount]
    return "".join(drawn)


def _lose_spaces(text: str, random: Random) -> str:
    return _SPACE.sub(lambda match: "" if random.random() < LOST else match[0], text)


def _lose_diacritics(text: str, random: Random) -> str:
    """Without diacritics but with its capitals."""
    bare = fold(text)
    return "".join(b.upper() if c.isupper() else b for c, b in zip(text, bare, strict=True))
