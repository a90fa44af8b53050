"""Waves: messages of one campaign, which differ only in what its sender varies.

>>> first = wave_key(Conversation.from_text("Mã quà 8812, nhận tại http://qua-1.top"))
>>> first == wave_key(Conversation.from_text("ma qua 97: nhan tai  bit.ly/9x".replace(":", ",")))
True
"""

import hashlib
import re

from data.messages import Conversation
from data.plain import BARE_URL, FULL_URL, plain

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SPACE = re.compile(r"\s+")


def wave_key(conversation: Conversation) -> str:
    """The wave of a conversation: 32 hex digits, the same in every process.

    Equal for texts that differ only in digits, URLs, spacing, case, diacritics, look-alike letters and
    invisible characters. The key is stored: a change here parts old waves from new ones.
    """
    masked = "".join(_masked(message.text) for message in conversation.messages)
    return hashlib.sha256(masked.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _masked(text: str) -> str:
    masked = plain(text).text
    for pattern, mask in ((FULL_URL, "<u>"), (BARE_URL, "<u>"), (_NUMBER, "0"), (_SPACE, "")):
        masked = pattern.sub(mask, masked)
    return masked
