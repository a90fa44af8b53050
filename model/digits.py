"""Phone numbers, bank accounts and codes: digits that the words around them tell apart.

A ten-digit number after ``STK`` or a bank's name is an account, after ``LH`` a phone. The nearest
word before a number decides, and where there is none its shape: phones by Google's rules
(phonenumbers), accounts and codes never without a word.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import phonenumbers

from data.facts import organisations
from model.urls import Found

NumberType = Literal["phone", "account", "code"]

#: Digits of a Vietnamese phone number with its country code.
_LONGEST_PHONE = 12
#: How far before a number a word still speaks of it, in characters.
REACH = 40
_ACCOUNT = r"stk|so tk|so tai khoan|tk"
_BANK = r"tai khoan|chu tk|account|acc|ngan hang|banking"
_PHONE = (
    r"sdt|dien thoai|dt|hotline|tong dai|cskh|lien he|lh|zalo|goi|alo|call|tel|whatsapp|viber|telegram|momo"
)
_CODE = (
    r"otp|ma (?:xac (?:thuc|nhan|minh)|kich hoat|bao mat|dang nhap|pin|an toan|la|cua (?:ban|quy khach))"
    r"|mat khau|passcode|password|code"
)
#: A word a few characters after a number: ``907 114 la ma xac nhan``.
_AFTER_CODE = re.compile(rf" ?(?:la|is)? ?(?:your )?(?:ma|{_CODE}|verification)\b")
#: Right before a short number these speak of a code, in a text about signing in.
_BEFORE_CODE = re.compile(r"\b(?:la|ma(?: moi)?)\W{0,2}\Z")
_SIGNING_IN = re.compile(r"\b(?:otp|xac thuc|xac minh|dang nhap|mat khau|kich hoat)\b")
_HOTLINE = re.compile(r"(?<![\w.,])1[89]00(?:[ .-]?\d){4,6}(?!\d)")
_FOREIGN = re.compile(r"(?<![\w+])\+[1-9]\d{0,2}\)?(?:[ .-]?\d){6,13}(?!\d)")
#: Digits that belong together: no part of a time, a date, a masked account or a word.
_RUN = re.compile(
    r"(?:(?<![a-z\d:/*])|(?<=lh)|(?<=dt)|(?<=tk)|(?<=lo)|(?<=oi)|(?<=tel))(?<!\d[.,-])"
    r"\d(?:[ .-]?\d){3,18}(?![\d%]|[*x]|:\d)"
)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_WRITTEN_CODE = re.compile(r"(?<!\d)\d{4,8}(?!\d)|(?<!\d)\d{3}[ -]\d{3}(?!\d)")
#: A range that no operator holds: the corpus invents its numbers in it, and they must be treated
#: like any other phone number.
_INVENTED = re.compile(r"057\d{7}")


class Number(NamedTuple):
    """A number with its meaning; ``value`` is its digits."""

    type: NumberType
    value: str
    start: int
    end: int


def is_hotline(phone: str) -> bool:
    """Whether a phone's value is a hotline, 1800 (free) or 1900 (charged)."""
    return phone.startswith(("1800", "1900"))


def find_hotlines(folded: str) -> Iterator[Found]:
    """Hotlines, in order."""
    return (Found(_digits(match[0]), *match.span()) for match in _HOTLINE.finditer(folded))


def find_numbers(folded: str) -> Iterator[Number]:
    """Phones, accounts and codes of a folded text; overlapping ones are left to the caller.

    >>> for number in find_numbers("ck mb bank so 0987654321, lh 0912 345 678. otp la 482913"):
    ...     print(number.type, number.value)
    account 0987654321
    phone 0912345678
    code 482913
    """
    for match in _FOREIGN.finditer(folded):
        if _is_phone(match[0]):
            yield Number("phone", _phone(match[0]), *match.span())
    words = [(match.end(), match.lastgroup) for match in _words().finditer(folded)]
    about_codes = _SIGNING_IN.search(folded) is not None
    for match in _RUN.finditer(folded):
        number = _read(folded, *match.span(), _nearest(words, match.start()), about_codes=about_codes)
        if number is not None:
            yield number


def _read(
    folded: str, start: int, end: int, word: tuple[str | None, int], *, about_codes: bool
) -> Number | None:
    """The meaning of one run of digits, given the nearest word before it and how far that is."""
    written = folded[start:end]
    digits = _digits(written)
    meaning, distance = word
    beside = distance <= REACH // 2
    code = _WRITTEN_CODE.match(folded, start, end)
    if code is not None and (
        _AFTER_CODE.match(folded, code.end())
        or (meaning == "code" and (beside or len(digits) > 4))
        or (about_codes and meaning != "account" and _BEFORE_CODE.search(folded, max(0, start - 10), start))
    ):
        return Number("code", _digits(code[0]), *code.span())
    if _GROUPED.fullmatch(written):
        return None
    shortest = {"account": 6 if beside else 8, "bank": 8 if beside else 9}.get(meaning or "", 20)
    if shortest <= len(digits) <= 19:
        return Number("account", digits, start, end)
    if _is_phone(written):
        return Number("phone", _phone(written), start, end)
    if len(digits) >= 8 and _bank_follows().match(folded, end):
        return Number("account", digits, start, end)
    return _first_part(folded, start, end)


def _first_part(folded: str, start: int, end: int) -> Number | None:
    """A phone number at the head of a run: two numbers are often written side by side."""
    if folded[start] not in "08":
        return None
    for space in re.finditer(" ", folded[start:end]):
        written = folded[start : start + space.start()]
        if len(_digits(written)) > _LONGEST_PHONE:
            break
        if _is_phone(written):
            return Number("phone", _phone(written), start, start + space.start())
    return None


def _nearest(words: list[tuple[int, str | None]], start: int) -> tuple[str | None, int]:
    """The kind of the nearest word that ends at most ``REACH`` characters before, and how far."""
    index = bisect_right(words, start, key=lambda word: word[0]) - 1
    if index < 0 or start - words[index][0] > REACH:
        return None, REACH
    return words[index][1], start - words[index][0]


def _is_phone(written: str) -> bool:
    digits = _digits(written)
    if not 9 <= len(digits) <= 15 or not written.startswith(("0", "+", "84")):
        return False
    if _INVENTED.fullmatch(_phone(written)):
        return True
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(_phone(written), "VN"))
    except phonenumbers.NumberParseException:
        return False


def _phone(written: str) -> str:
    """Digits as dialled in Vietnam; a foreign number keeps its ``+``."""
    digits = _digits(written)
    if digits.startswith("84") and len(digits) in (11, 12):
        return "0" + digits[2:].removeprefix("0")
    return f"+{digits}" if written.startswith("+") else digits


def _digits(written: str) -> str:
    return re.sub(r"\D", "", written)


@cache
def _words() -> re.Pattern[str]:
    groups = {"account": _ACCOUNT, "bank": f"{_BANK}|{_banks()}", "phone": _PHONE, "code": _CODE}
    kinds = "|".join(f"(?P<{kind}>{words})" for kind, words in groups.items())
    return re.compile(rf"(?<![a-z])(?:{kinds})(?![a-z])")


@cache
def _bank_follows() -> re.Pattern[str]:
    return re.compile(rf"[ ,:;(-]{{0,3}}(?:ngan hang |nh )?(?:{_banks()})(?![a-z])")


def _banks() -> str:
    aliases = [
        alias for entry in organisations().values() if entry.kind == "bank" for alias in entry.aliases
    ]
    return "|".join(map(re.escape, sorted(aliases, key=len, reverse=True)))
