"""Links in a text: with or without a scheme, written ``hxxp``, or with their dots in brackets.

The hard part is what is no link. Vietnamese senders forget the space after a full stop
(``nhe.anh``), and many country codes are Vietnamese syllables (``.la``, ``.me``, ``.so``).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tldextract import TLDExtract

from data.facts import shorteners
from model.hosts import owner
from model.normalize import SYLLABLE, fold

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_SPACED = r" ?\.(?=(?:com|vn|net|top|xyz|vip|shop|cc|info|online|site|click)\b)"
_DOT = rf"(?:\.|\[\.\]|\(\.\)|{_SPACED})"
_HOST = rf"{_LABEL}(?:{_DOT}{_LABEL}){{1,9}}"
_URL = re.compile(
    rf"(?<![\w@-])(?<!\w\.)(?P<scheme>h(?:tt|xx)ps?:?// ?|www\.)?"
    rf"(?P<host>{_HOST})(?P<port>:\d{{2,5}}\b)?(?P<path>[/?#][^\s<>\"']*)?"
)
_ADDRESS = re.compile(rf"(?<![\w.+-])[\w.+-]{{1,64}}@{_HOST}")
_LAST_LABEL = re.compile(rf"{_DOT}[^.\[\](){{}}]*\Z")
_TRAILING = ".,;:!?)]}…"

#: Country codes that are met bare and are no Vietnamese syllable.
_BARE_COUNTRIES = frozenset(
    "vn cc io tk ml gq pw ws us ru cn jp kr sg uk eu tw hk cx gg ly fr de au nz".split(" ")  # noqa: SIM905
)
#: Generic domains that look like Vietnamese syllables but are met bare all the time.
_BARE_GENERICS = frozenset(["com", "net", "org", "top", "vip", "bet", "shop", "bank"])


class Found(NamedTuple):
    """One thing that was found: one spelling of it for everyone, and where it stands."""

    value: str
    start: int
    end: int


def find_addresses(folded: str) -> Iterator[tuple[int, int]]:
    """Where e-mail addresses stand: their domains are no links."""
    return (match.span() for match in _ADDRESS.finditer(folded))


def find_urls(text: str, folded: str) -> Iterator[Found]:
    """Every link of a normalized text, in order; ``folded`` is the same text folded.

    >>> text = "Vao vcb-digi[.]top/Login.Nhe.anh oi"
    >>> [url.value for url in find_urls(text, text.lower())]
    ['vcb-digi.top/Login.Nhe.anh']
    """
    for match in _URL.finditer(folded):
        start = match.start("host")
        end = start + _host_length(text[slice(*match.span("host"))], match)
        if end == start:
            continue
        host = _undotted(text[start:end].lower()).removeprefix("www.")
        if end < match.end("host"):
            yield Found(host, match.start(), end)
            continue
        rest = (match["port"] or "") + (match["path"] or "")
        last = match.end() - len(rest) + len(rest.rstrip(_TRAILING))
        yield Found(host + text[end:last].rstrip("/"), match.start(), last)


def host_of(value: str) -> str:
    """The host of a link's value: ``"vcb-digi.top"`` of ``"vcb-digi.top/login"``."""
    return re.split(r"[/?#:]", value, maxsplit=1)[0]


def _host_length(received: str, match: re.Match[str]) -> int:
    """How much of the matched host is one; 0 where nothing is.

    What follows a forgotten space (``vcb-digi.top.Vui``) is cut off, at most three labels.
    """
    length = len(received)
    for _ in range(4):
        sure = match["scheme"] is not None or (match["path"] is not None and length == len(received))
        if _is_host(_undotted(received[:length]), linked=match["scheme"] is not None, sure=sure):
            return length
        cut = _LAST_LABEL.search(received, 0, length)
        if cut is None:
            break
        length = cut.start()
    # under an ending that does not exist: a scammer's slip is no less a link
    slip = match["scheme"] is not None and re.search("[a-z]", fold(received)) is not None
    return len(received) if slip else 0


def _undotted(host: str) -> str:
    return re.sub(_DOT, ".", host)


def _is_host(host: str, *, linked: bool, sure: bool) -> bool:
    """Whether this is a host; a bare one must not read as two words without a space."""
    if linked and re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", host):
        return True
    extracted = _domains()(fold(host))
    name, suffix = extracted.domain, extracted.suffix
    if not (suffix and re.search("[a-z]", name)) or re.fullmatch(r"[\d.]*x[x.]*", host):
        return False
    if sure or "." in suffix or owner(host) or extracted.top_domain_under_public_suffix in shorteners():
        return True
    usual = suffix in _BARE_COUNTRIES or suffix in _BARE_GENERICS
    if not usual and host[-len(suffix)].isupper() and host[-len(suffix) - 2].islower():
        return False  # a sentence begins there
    if usual or (len(suffix) > 2 and not SYLLABLE.fullmatch(suffix)):
        return True
    return bool(re.search(r"[\d-]", name)) or (len(name) >= 5 and not SYLLABLE.fullmatch(name))


@cache
def _domains() -> TLDExtract:
    """The Public Suffix List as bundled: no network, and nothing written to disk."""
    return TLDExtract(suffix_list_urls=(), cache_dir=None)
