"""The plain view of a text, in which patterns are looked for: no case, no diacritics, nothing invisible.

>>> view = plain("Mã OTP: 482913")
>>> view.text
'ma otp: 482913'
>>> view.span(0, 2)
(0, 2)
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from data.facts import confusables

#: A web address with its scheme, in a plain text.
FULL_URL = re.compile(r"(?:h(?:tt|xx)ps?://|(?<![\w@])www\.)\S+")

# Digits and a sentence that begins without a space ("482913.Khong") look like a domain: after
# digits alone, only an ending that is no Vietnamese syllable makes one.
_NUMBER_ENDINGS = (
    "com|net|org|vn|info|biz|top|xyz|club|vip|cc|site|shop|online|app|live|win|bet|fun|pro|tv|asia|link|icu"
)
#: A bare domain, with its path if there is one, in a plain text.
BARE_URL = re.compile(
    rf"(?<![\w@.-])(?!\d{{4,}}\.(?!(?:{_NUMBER_ENDINGS})\b))"
    r"(?:[\w-]+\.)+[a-z]{2,24}(?![\w-])(?::\d+)?(?:[/?#]\S*)?"
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain text; ``text[i]`` stands for the received text from ``starts[i]`` to ``starts[i + 1]``."""

    text: str
    starts: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open range of the received text behind ``text[start:end]``."""
        return self.starts[start], self.starts[end]


def plain(text: str) -> Plain:
    """The plain view of a text, with the way back; time grows linearly with the length."""
    characters = []
    starts = []
    for index, character in enumerate(text):
        if seen := _plain(character):
            characters.append(seen)
            starts.append(index)
    return Plain("".join(characters), (*starts, len(text)))


@cache
def _plain(character: str) -> str:
    """One small base letter, or nothing for a mark and what is invisible."""
    if character.isspace():
        return "\n" if character in "\n\r\u2028\u2029" else " "
    if unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return ""
    base = confusables().get(character) or unicodedata.normalize("NFKD", character)[0]
    base = confusables().get(base, base).lower().replace("đ", "d")
    return base if len(base) == 1 else character
