"""Clauses of a text as received, and characters as people see them.

>>> text = "Chúc mừng! Bạn trúng iPhone, bấm vcb-digi.top"
>>> [text[start:end] for start, end in clauses(text)]
['Chúc mừng!', 'Bạn trúng iPhone,', 'bấm vcb-digi.top']
"""

import re
import unicodedata

#: A clause shorter than this joins the one after it.
SHORTEST = 8
#: Signs that part clauses where a space follows; a line break always does.
_CLAUSE = re.compile(r"\S(?:[^\n.!?;,:…]|[.!?;,:…](?!\s))*(?:[.!?;,:…]+(?=\s|\Z))?")


def clauses(text: str) -> list[tuple[int, int]]:
    """(start, end) of each clause, without the spaces around it; together they hold every word."""
    found: list[tuple[int, int]] = []
    for match in _CLAUSE.finditer(text):
        last = found[-1][1] if found else 0
        if match.end() <= last:  # inside a character that belongs to the one before
            continue
        start, end = widen(text, match.start(), match.start() + len(match[0].rstrip()), floor=last)
        if found and (start < last or found[-1][1] - found[-1][0] < SHORTEST):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def widen(text: str, start: int, end: int, *, floor: int = 0) -> tuple[int, int]:
    r"""The range, grown until it splits no character as people see it.

    A start that has passed ``floor`` goes no further back.

    A letter with its marks, a flag or a family of emoji is several code points (Unicode extended
    grapheme clusters, UAX 29). Where the rule needs tables that Python does not carry, this joins
    more than it must, never less.

    >>> widen("e\u0301m", 0, 1)
    (0, 2)
    """
    while floor <= start and 0 < start < len(text) and _joined(text, start):
        start -= 1
    while 0 < end < len(text) and _joined(text, end):
        end += 1
    return start, end


def _joined(text: str, index: int) -> bool:
    """Whether the code points before and after ``index`` may be one character."""
    before, after = text[index - 1], text[index]
    return (
        unicodedata.category(after) in ("Mn", "Mc", "Me", "Cn")  # Cn: newer than Python
        or after in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # tags of regional flags
        or (_is_regional(before) and _is_regional(after))
        or before == "\u200d"
        or (before == "\r" and after == "\n")
        or (_is_jamo(after) and (_is_jamo(before) or "\uac00" <= before <= "\ud7a3"))
        or (_is_jamo(before) and "\uac00" <= after <= "\ud7a3")
        or unicodedata.combining(before) == 9  # a virama joins what follows
        or _prepends(before)
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_jamo(character: str) -> bool:
    return any(
        low <= character <= high
        for low, high in (("\u1100", "\u11ff"), ("\ua960", "\ua97f"), ("\ud7b0", "\ud7ff"))
    )


def _prepends(character: str) -> bool:
    """Marks that belong to the next character: Arabic number signs and a few Indic letters."""
    code = ord(character)
    return (
        0x0600 <= code <= 0x0605
        or code in (0x06DD, 0x070F, 0x08E2, 0x0890, 0x0891, 0x0D4E, 0x110BD, 0x110CD, 0x111C2, 0x111C3)
        or code in (0x113D1, 0x1193F, 0x11941, 0x11A3A, 0x11D46, 0x11F02)
        or 0x11A84 <= code <= 0x11A89
    )
