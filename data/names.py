"""Names of people in greetings and introductions: where they stand in a text.

Only names that a cue announces are found; a scammer's own name and that of an account's holder,
which the sender gives, are kept as evidence.
"""

import re
from collections.abc import Callable, Iterator

from data.messages import Role

#: The commonest Vietnamese family names, folded: about 95 % of the population (2005 survey).
_SURNAMES = (
    "nguyen|tran|le|pham|hoang|huynh|phan|vu|vo|dang|bui|do|ho|ngo|duong|ly|dao|doan|vuong|trinh|truong|dinh"
    "|lam|phung|mai|to|ha|ta|luong|chu|cao|thai|quach|kieu|luu|tong|chau|la|lai|mac|trieu|nghiem|tu|thach"
)
_WORD = r"[^\W\d_]{1,8}"
_GREETING = r"(?:kinh (?:gui|chao)|xin chao|than gui|than chao|chao|gui|dear|hello|hi)"
_TITLE = r"(?:anh|chi|ong|ba|co|chu|bac|em|ban|a|c|quy khach(?: hang)?|khach hang|kh|qk)"
_TITLES = rf"{_TITLE}(?:/{_TITLE})?"
#: Words after "anh" or "chị" that begin a sentence and are no name.
_NO_NAME = (
    "anh|chi|em|ong|ba|toi|minh|ben|cong|shop|hien|ngan|vui|moi|xin|cam|da|co|khong|don|so|tai|the|la|va|oi"
    "|nhan|duoc|can|hay|chuc|kinh|than|chua|muon|thong|nay|hom"
)
_FULL_NAME = rf"(?P<name>(?:{_SURNAMES})(?: {_WORD}){{1,4}})"

_ANYONE = (
    re.compile(rf"(?<!\w){_GREETING}[ :,]{{1,2}}(?:{_TITLES}[ :.]{{1,2}})?{_FULL_NAME}"),
    re.compile(
        rf"(?<!\w)(?:khach hang|quy khach|kh|ong/ba|ong \(ba\)|ho (?:va )?ten|ten kh|benh nhan|hoc sinh|phu huynh)"
        rf"(?: la)? ?[:.]? ?(?:{_TITLES} )?{_FULL_NAME}"
    ),
    re.compile(
        rf"(?<!\w){_GREETING} {_TITLES} (?!(?:{_NO_NAME})\b)(?P<name>{_WORD}(?: (?!(?:{_NO_NAME})\b){_WORD}){{0,2}})"
    ),
)
_RECIPIENT = (
    re.compile(
        rf"(?<!\w)(?:(?:toi|em|minh|chau|con|anh|chi|t) (?:la|ten)|ten(?: (?:toi|em|minh))?)(?: la| ten)?[ :]{{1,2}}"
        rf"{_FULL_NAME}"
    ),
    re.compile(rf"(?<!\w){_FULL_NAME}"),
)


def find_names(text: str, is_capital: Callable[[int], bool], role: Role) -> Iterator[tuple[int, int]]:
    """Where names stand in a plain text, none overlapping; ``is_capital`` tells the received letter's case.

    Only capitalised words count. In the recipient's turns a full name of three words or more needs
    no cue.
    """
    taken = 0
    spans = sorted(_matches(text, is_capital, role))
    for start, end in spans:
        if start >= taken:
            yield start, end
            taken = end


def _matches(text: str, is_capital: Callable[[int], bool], role: Role) -> Iterator[tuple[int, int]]:
    for pattern in (*_ANYONE, *(_RECIPIENT if role == "recipient" else ())):
        for match in pattern.finditer(text):
            words = list(re.finditer(_WORD, text[: match.end("name")])) if False else []
            del words
            end = _capitalised_end(text, match.start("name"), match.end("name"), is_capital)
            count = text.count(" ", match.start("name"), end) + 1
            needed = 3 if pattern is _RECIPIENT[-1] else 2 if pattern is not _ANYONE[-1] else 1
            if end > match.start("name") and count >= needed:
                yield match.start("name"), end


def _capitalised_end(text: str, start: int, end: int, is_capital: Callable[[int], bool]) -> int:
    """Where the run of capitalised words that begins at ``start`` ends; ``start`` when there is none."""
    reached = start
    for word in re.compile(_WORD).finditer(text, start, end):
        if not is_capital(word.start()):
            break
        reached = word.end()
    return reached
