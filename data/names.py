"""Names of people in greetings and introductions: where they stand in a text.

Only names that a cue announces are found; a scammer's own name and that of an account's holder,
which the sender gives, are kept as evidence.
"""

import re
from collections.abc import Callable, Iterator

from data.messages import Role

#: Common Vietnamese family names, folded.
_SURNAMES = (
    "nguyen|tran|le|pham|hoang|huynh|phan|vu|vo|dang|bui|do|ho|ngo|duong|ly|dao|doan|vuong|trinh|truong|dinh"
    "|lam|phung|mai|to|ha|ta|luong|chu|cao|thai|quach|kieu|luu|tong|chau|la|lai|mac|trieu|nghiem|tu|thach"
)
_WORD = r"[^\W\d_]{1,8}(?![^\W_])"
_GREETING = r"(?:kinh (?:gui|chao)|xin chao|than gui|than chao|chao|gui|dear|hello|hi)"
_ELDER = r"(?:anh|chi|ong|ba|co|chu|bac|a|c)"
_TITLE = rf"(?:{_ELDER}|em|ban|quy khach(?: hang)?|khach hang|kh|qk)"
_NEXT = rf"(?: (?!(?:da|duoc|xin|so|dia|cccd|cmnd|stk|sdt|co|vui|thong)\b){_WORD})"
_FULL_NAME = rf"(?P<name>(?:{_SURNAMES}){_NEXT}{{1,3}})"
#: Words after "anh" or "chị" that begin a sentence and are no name.
_NO_NAME = (
    "anh|chi|em|ong|ba|toi|minh|ben|cong|shop|hien|ngan|vui|moi|xin|cam|da|co|khong|don|so|tai|the|la|va|oi"
    "|nhan|duoc|can|hay|chuc|kinh|than|chua|muon|thong|nay|hom"
)

_GREETED = re.compile(rf"(?<!\w){_GREETING}[ :,]{{1,2}}(?:{_TITLE}(?:/{_TITLE})?[ :.]{{1,2}})?{_FULL_NAME}")
_ANNOUNCED = re.compile(
    r"(?<!\w)(?:khach hang|quy khach|kh|ong/ba|ong \(ba\)|ho (?:va )?ten|ten kh|benh nhan"
    rf"|hoc sinh|phu huynh)(?: la)? ?[:.]? ?(?:{_TITLE} )?{_FULL_NAME}"
)
_GIVEN = re.compile(
    rf"(?<!\w){_GREETING} {_ELDER}(?:/{_ELDER})? (?P<name>(?!(?:{_NO_NAME})\b){_WORD}"
    rf"(?: (?!(?:{_NO_NAME})\b){_WORD}){{0,2}})"
)
_TOLD = re.compile(rf"(?<!\w)ten(?: (?:la|toi|em|minh)){{0,2}}[ :]{{1,2}}{_FULL_NAME}")
_TOLD_SMALL = re.compile(_TOLD.pattern.replace("{1,3}", "{1,2}"))
# A lookahead, as what looks like a name ("tờ khai ...") may hide the one that begins inside it.
_ALONE = re.compile(rf"(?<!\w)(?={_FULL_NAME})")


def find_names(text: str, is_capital: Callable[[int], bool], role: Role) -> list[tuple[int, int]]:
    """Where names stand in a plain text, in order, none overlapping.

    ``is_capital`` tells whether the letter at a position was received as a capital one. Names are
    runs of capitalised words; a recipient who writes "tên là" may leave the capitals out, and a
    recipient's full name of three words needs no cue.
    """
    found = [*_runs(text, is_capital, (_GREETED, _ANNOUNCED), 2), *_given(text, is_capital)]
    if role == "recipient":
        found += [*_runs(text, is_capital, (_TOLD,), 2), *_runs(text, is_capital, (_ALONE,), 3)]
        found += _runs(text, lambda at: not is_capital(at), (_TOLD_SMALL,), 2)
    names: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not names or start >= names[-1][1]:
            names.append((start, end))
    return names


def _runs(
    text: str, is_capital: Callable[[int], bool], patterns: tuple[re.Pattern[str], ...], words: int
) -> Iterator[tuple[int, int]]:
    """Names of at least so many capitalised words."""
    for pattern in patterns:
        for match in pattern.finditer(text):
            start, end = match.span("name")
            end = _end_of_run(text, start, end, is_capital)
            if text.count(" ", start, end) + 1 >= words:
                yield start, end


def _given(text: str, is_capital: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """Given names after a greeting; in a text all in capitals nothing tells them from other words."""
    for match in _GIVEN.finditer(text):
        start, end = match.span("name")
        end = _end_of_run(text, start, end, lambda at: is_capital(at) and not is_capital(at + 1))
        if end > start:
            yield start, end


def _end_of_run(text: str, start: int, end: int, is_capital: Callable[[int], bool]) -> int:
    """Where the run of capitalised words that begins at ``start`` ends; ``start`` when there is none."""
    reached = start
    for word in _LETTERS.finditer(text, start, end):
        if not is_capital(word.start()):
            break
        reached = word.end()
    return reached


_LETTERS = re.compile(r"[^\W\d_]+")
