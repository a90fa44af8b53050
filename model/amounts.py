"""Amounts of money and dates, as Vietnamese senders write them.

``500k`` ``1tr5`` ``2 trieu`` ``1.500.000d`` ``4,6 ty dong`` ``300.000 VND`` ``$50``; ``18/07/2025``,
``18-07-2025``, ``2025-07-18``, ``18/7`` and ``ngay 18 thang 7``.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from model.urls import Found

_GROUPED = r"[1-9]\d{0,2}(?:[.,]\d{3})+"
_PLAIN = r"\d{1,12}(?:[.,]\d{1,2})?"
_UNITS = {
    "k": 1_000, "nghin": 1_000, "ngan": 1_000,
    "tr": 1_000_000, "trieu": 1_000_000, "cu": 1_000_000,
    "ty": 1_000_000_000, "ti": 1_000_000_000,
    "d": 1, "dong": 1, "vnd": 1,
}  # fmt: skip
#: Units that may stand apart; ``5 k``, ``1 ti`` and ``3 d`` are usually something else.
_APART = "nghin|ngan|trieu|tr|ty|dong|vnd"
_SCALE = r"k|nghin|ngan|trieu|tr|cu|ty|ti"
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?:"
    rf"(?:\$|usd ?)(?P<dollars>{_GROUPED}|{_PLAIN})"
    rf"|(?P<dollars2>{_GROUPED}|{_PLAIN}) ?(?:\$|usdt?\b|dola\b)"
    rf"|vnd ?(?P<vnd>{_GROUPED}|\d{{4,12}})(?![.,]?\d)"
    rf"|(?P<grouped>{_GROUPED})(?![.,]?\d)(?: ?(?P<unit>k|d|dong|vnd|trieu|tr|ty)\b)?"
    rf"|(?P<number>{_PLAIN})"
    rf"(?:(?P<scale>{_SCALE})(?P<rest>\d{{1,3}})?|d|(?: (?P<apart>{_APART}))|dong|vnd)\b"
    rf")(?: ?(?:vnd|dong|d)\b)?"
)
_DATE = re.compile(
    r"(?<![\w/.,-])(?:"
    r"(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)"
    r"|(?P<day2>\d{1,2})(?P<by>[/.-])(?P<month2>\d{1,2})(?P=by)(?P<year2>(?:19|20)\d\d|\d\d)"
    r"|(?P<day3>\d{1,2})/(?P<month3>\d{1,2})"
    r"|(?:ngay )(?P<day4>\d{1,2}) thang (?P<month4>\d{1,2})(?: nam (?P<year4>20\d\d))?"
    r")(?![\d/]|[.,]\d)(?!-\d)"
)


def find_amounts(folded: str) -> Iterator[Found]:
    """Amounts of money, in order: ``500000 VND`` or ``50 USD``.

    >>> text = "coc 1tr5, con 2.300.000d, hoa hong 4,6 ty dong, thuong $50"
    >>> [amount.value for amount in find_amounts(text)]
    ['1500000 VND', '2300000 VND', '4600000000 VND', '50 USD']
    """
    for match in _AMOUNT.finditer(folded):
        if match["grouped"] and not match["unit"] and match["grouped"].count(match["grouped"][-4]) < 2:
            continue  # 20.000 of anything
        yield Found(_value(match), *match.span())


def find_dates(folded: str) -> Iterator[Found]:
    """Dates, in order: ``2025-07-18``, or ``--07-18`` where no year is given (ISO 8601).

    >>> [date.value for date in find_dates("den 23h59 ngay 18/7/2025, ho tro 24/7, giao 20/10")]
    ['2025-07-18', '--10-20']
    """
    for match in _DATE.finditer(folded):
        day, month, year = (
            next((match[name + mark] for mark in ("", "2", "3", "4") if _has(match, name + mark)), None)
            for name in ("day", "month", "year")
        )
        if day is None or month is None or not (1 <= int(day) <= 31 and 1 <= int(month) <= 12):
            continue
        if match[0] == "24/7":
            continue
        century = "" if year is None or len(year) == 4 else "20"
        yield Found(f"{century}{year or '-'}-{int(month):02}-{int(day):02}", *match.span())


def _has(match: re.Match[str], name: str) -> bool:
    return name in match.re.groupindex and match[name] is not None


def _value(match: re.Match[str]) -> str:
    dollars = match["dollars"] or match["dollars2"]
    if dollars:
        return f"{_number(dollars)} USD"
    whole = match["vnd"] or match["grouped"]
    if whole:
        return f"{_number(whole) * _UNITS[match['unit'] or 'd']:f} VND"
    unit = _UNITS[match["scale"] or match["apart"] or "d"]
    amount = _number(match["number"]) * unit
    if match["rest"]:  # 1tr5 is one and a half million, 1tr250 is 1.250.000
        amount += Decimal(f"0.{match['rest']}") * unit
    return f"{int(amount)} VND"


def _number(written: str) -> Decimal:
    """``1.500.000`` and ``1,500,000`` are grouped; ``4,6`` and ``4.6`` are fractions."""
    if re.fullmatch(_GROUPED, written):
        return Decimal(re.sub(r"\D", "", written))
    return Decimal(written.replace(",", "."))
