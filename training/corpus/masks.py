"""What stays of a conversation when everything is masked that one filled-in message differs by.

>>> from data.messages import Conversation
>>> first = Conversation.from_text("Chào chị Nguyễn Thị Hoa, phí 12.000đ: http://bill-7.top")
>>> other = Conversation.from_text("Chao chi Tran Thu Ha, phi 950.000d: ph-88.icu/x")
>>> masked(first) == masked(other)
True
"""

import re

from data.messages import Conversation, Message
from data.names import find_names
from data.plain import BARE_URL, FULL_URL, plain

_DIGITS = re.compile(r"\d[\d.,]*")
_REST = re.compile(r"[^a-z<>]+")


def masked(conversation: Conversation) -> str:
    """Letters alone: no diacritics, names, links, digits, spaces or marks; empty where there are none."""
    return "\n".join(_masked(message) for message in conversation.messages).strip()


def _masked(message: Message) -> str:
    view = plain(message.text)
    text = view.text

    def is_capital(at: int) -> bool:
        return message.text[view.starts[at] :][:1].isupper()

    # "recipient" finds the most names: full names without a cue too
    for start, end in reversed(find_names(text, is_capital, "recipient")):
        text = f"{text[:start]}<n>{text[end:]}"
    for pattern, mask in ((FULL_URL, "<u>"), (BARE_URL, "<u>"), (_DIGITS, ""), (_REST, "")):
        text = pattern.sub(mask, text)
    return text
