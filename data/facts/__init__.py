"""Facts about organisations, links and letters, read from the files in this folder.

Nothing is read at import; each function reads its file once.

>>> confusables()["а"]  # CYRILLIC SMALL LETTER A
'a'
>>> organisations()["vietcombank"].domains
('vietcombank.com.vn',)
>>> "bit.ly" in shorteners(), "zalo.me" in platforms()
(True, True)
>>> bank_codes()["970436"]
'vietcombank'
"""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Organisation:
    """Somebody whom scammers impersonate, and what is really theirs.

    ``aliases`` are folded (lower case, no diacritics); ``domains`` include their sub-domains;
    ``sender_names`` are the brand names that its SMS come under; ``checked`` is a month.
    """

    id: str
    name: str
    kind: str
    aliases: tuple[str, ...]
    source: str
    checked: str
    domains: tuple[str, ...] = ()
    sender_names: tuple[str, ...] = ()
    short_codes: tuple[str, ...] = ()
    hotlines: tuple[str, ...] = ()


@cache
def organisations() -> dict[str, Organisation]:
    """Every known organisation by id, in the order of the file."""
    entries = tomllib.loads((FOLDER / "organisations.toml").read_text("utf-8"))["organisation"]
    return {entry["id"]: Organisation(**_frozen(entry)) for entry in entries}


@cache
def shorteners() -> frozenset[str]:
    """Domains that lead anywhere: genuine senders and scammers both use them."""
    return frozenset(row["domain"] for row in _rows("shorteners.csv"))


@cache
def platforms() -> frozenset[str]:
    """Domains on which anybody may open a page, a group or a form: an address there is nobody's own."""
    return frozenset(row["domain"] for row in _rows("platforms.csv"))


@cache
def bank_codes() -> dict[str, str]:
    """The bank behind a number in transfers and QR codes (BIN), and behind a short code (``VCB``)."""
    rows = _rows("banks.csv")
    return {row["bin"]: row["organisation"] for row in rows} | {
        row["code"]: row["organisation"] for row in rows
    }


@cache
def confusables() -> dict[str, str]:
    """Letters of other alphabets, and the Latin letter that each is mistaken for."""
    return {row["character"]: row["latin"] for row in _rows("confusables.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _frozen(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
