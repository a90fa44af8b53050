"""Whose a host is: an organisation's own, an imitation of one, or a shortener that hides it."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

from data.facts import Organisation, organisations, platforms, shorteners
from model.normalize import fold

UrlKind = Literal["official", "lookalike", "shortener", "foreign", "other"]

#: Words in which a sender says who it is: (TB) Ngan hang ABC.
OPENING = 4
#: Kinds of organisations that send customers to their own domains.
_SPEAKERS = frozenset(
    ("bank", "wallet", "state", "power", "water", "insurance", "delivery", "finance", "shop")
)
#: Digits written for letters in hosts that imitate: ``vietc0mbank``.
_LEET = str.maketrans("013457", "oieast")


def url_kind(host: str, text: str) -> UrlKind:
    """Whose a host is, as far as the facts tell, given the text it stands in.

    ``official``: a known organisation's, sub-domains included. ``shortener``: leads anywhere, or to a
    page that anybody may open (zalo.me): genuine senders and scammers both use it.
    ``lookalike``: bears an organisation's name and is not its own; see ``imitated``. ``foreign``: bears
    nobody's, in a text whose first words name an organisation that has domains of its own.

    >>> url_kind("portal.vietcombank.com.vn", ""), url_kind("vietcombank-login.top", "")
    ('official', 'lookalike')
    >>> url_kind("qkz8.top", "Vietcombank: dang nhap"), url_kind("qkz8.top", "Quan Ba Sau moi ghe")
    ('foreign', 'other')
    """
    if owner(host) is not None:
        return "official"
    if _leads_anywhere(host):
        return "shortener"
    if imitated(host, text) is not None:
        return "lookalike"
    return "foreign" if speaker(text) is not None else "other"


def owner(host: str) -> Organisation | None:
    """The organisation a host is registered to, sub-domains included, if the facts know one.

    A host with letters beyond plain ASCII is nobody's: that is how ``vietcombạnk.com.vn`` is made.
    Nor is one on a platform, where anybody may open a page, unless it is an organisation's own corner.

    >>> owner("myvt.page.link").id, owner("khuyenmai.page.link"), owner("zalo.me")
    ('viettel', None, None)
    """
    for domain in _parents(host.lower()):
        if domain in _open_domains():
            return None
        if domain in _domains():
            return _domains()[domain]
    return None


def imitated(host: str, text: str) -> Organisation | None:
    """The organisation whose name a host bears without being its own, if there is one.

    Names of five letters or more count anywhere in the host; shorter ones only as a whole word of
    it, or at a word's start when the text speaks of that organisation.

    >>> imitated("vcbdigi-huy.top", "Vietcombank: dang nhap tai").id
    'vietcombank'
    >>> imitated("vcbdigi-huy.top", "Xem lich thi dau") is None
    True
    """
    if owner(host) is not None or _leads_anywhere(host):
        return None
    folded = fold(host)
    for spelling in {folded: None, folded.translate(_LEET): None, folded.replace("rn", "m"): None}:
        words = re.split(r"[.-]", spelling)[:-1]
        joined = "".join(words)
        for organisation, name in _names():
            if name in words or (len(name) >= 5 and name in joined):
                return organisation
            starts = len(name) >= 3 and any(word.startswith(name) for word in words)
            if starts and _speaks(text, organisation):
                return organisation
    return None


def speaker(text: str) -> Organisation | None:
    """The organisation that the first words of a text name, if it has domains of its own.

    >>> speaker("(VCB) Tai khoan cua ban ...").id, speaker("Em vua o ngan hang VCB ve")
    ('vietcombank', None)
    """
    words = re.findall(r"[a-z0-9+]+", fold(text[:100]))[:OPENING]
    found = _spoken().search(f" {' '.join(words)} ")
    return _speakers()[found[1]] if found else None


def _leads_anywhere(host: str) -> bool:
    return not _open_domains().isdisjoint(_parents(host.lower()))


@cache
def _open_domains() -> frozenset[str]:
    return shorteners() | platforms()


def _parents(host: str) -> Iterator[str]:
    """The host itself and every domain above it, the longest first."""
    labels = host.split(".")
    return (".".join(labels[index:]) for index in range(len(labels)))


def _speaks(text: str, organisation: Organisation) -> bool:
    spoken = f" {re.sub(r'[^a-z0-9+]+', ' ', fold(text))} "
    return any(f" {alias} " in spoken for alias in organisation.aliases)


@cache
def _speakers() -> dict[str, Organisation]:
    return {
        alias: entry
        for entry in organisations().values()
        if entry.kind in _SPEAKERS and entry.domains
        for alias in entry.aliases
        if len(alias) > 2  # 500 MB is no bank
    }


@cache
def _spoken() -> re.Pattern[str]:
    return re.compile(rf" ({'|'.join(map(re.escape, _speakers()))}) ")


@cache
def _domains() -> dict[str, Organisation]:
    return {domain: entry for entry in organisations().values() for domain in entry.domains}


@cache
def _names() -> tuple[tuple[Organisation, str], ...]:
    """Each organisation under each of its names, as a host spells it; the state also as ``gov``."""
    return tuple(
        (entry, re.sub(r"\W", "", alias))
        for entry in organisations().values()
        for alias in (*entry.aliases, *(("gov",) if entry.kind == "state" else ()))
    )
