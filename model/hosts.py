"""Whose a host is: an organisation's own, an imitation of one, or a shortener that hides it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Link:
    """Whose a link's host is, as far as the facts tell.

    ``official``: a known organisation's, sub-domains included. ``shortener``: leads anywhere, or to a
    page that anybody may open (zalo.me): genuine senders and scammers both use it.
    ``lookalike``: bears an organisation's name and is not its own; see ``imitated``. ``foreign``: bears
    nobody's, in a text whose first words name an organisation that has domains of its own.
    ``organisation`` is the one that is imitated or named.
    """

    kind: UrlKind
    organisation: Organisation | None = None


def links(hosts: Iterable[str], text: str) -> dict[str, Link]:
    """Each host's link, given the text that they stand in. Time grows linearly with both.

    >>> found = links(["portal.vietcombank.com.vn", "vietcombank-login.top", "qkz8.top"], "ACB: dang nhap")
    >>> [(link.kind, link.organisation and link.organisation.id) for link in found.values()]
    [('official', None), ('lookalike', 'vietcombank'), ('foreign', 'acb')]
    """
    found = {host: _known(host) for host in hosts}
    is_read = None in found.values()  # only of a host that is nobody's does the text say more
    words, named = (spoken(text), speaker(text)) if is_read else ("", None)
    return {host: link or _unknown(host, words, named) for host, link in found.items()}


def _known(host: str) -> Link | None:
    if owner(host) is not None:
        return Link("official")
    return Link("shortener") if _leads_anywhere(host) else None


def _unknown(host: str, words: str, named: Organisation | None) -> Link:
    organisation = imitated(host, words)
    if organisation is not None:
        return Link("lookalike", organisation)
    return Link("foreign", named) if named is not None else Link("other")


def url_kind(host: str, text: str) -> UrlKind:
    """The kind of one host's link; see ``Link``.

    >>> url_kind("qkz8.top", "Vietcombank: dang nhap"), url_kind("qkz8.top", "Quan Ba Sau moi ghe")
    ('foreign', 'other')
    """
    return links([host], text)[host].kind


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


def imitated(host: str, words: str) -> Organisation | None:
    """The organisation whose name a host bears without being its own, if there is one.

    Names of five letters or more count anywhere in the host; shorter ones only as a whole word of
    it, or at a word's start when the text, whose ``words`` these are, speaks of that organisation.

    >>> imitated("vcbdigi-huy.top", spoken("Vietcombank: dang nhap tai")).id
    'vietcombank'
    >>> imitated("vcbdigi-huy.top", spoken("Xem lich thi dau")) is None
    True
    """
    if _known(host) is not None:
        return None
    folded = fold(host)
    for spelling in {folded: None, folded.translate(_LEET): None, folded.replace("rn", "m"): None}:
        borne = [
            place
            for place, is_sure in _borne(re.split(r"[.-]", spelling)[:-1])
            if is_sure or _speaks(words, _names()[place][0])
        ]
        if borne:
            return _names()[min(borne)][0]
    return None


def spoken(text: str) -> str:
    """The words of a text, folded, with one space around each: where ``imitated`` looks for names."""
    return f" {re.sub(r'[^a-z0-9+]+', ' ', fold(text)).strip()} "


def _borne(labels: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """Places of the names that a host's words bear, and whether each counts whatever the text says."""
    for word in labels:
        for name in _parts(word, starts=range(1), least=1):
            for place in _places().get(name, ()):
                if name == word or len(name) >= 3:
                    yield place, name == word
    joined = "".join(labels)
    for name in _parts(joined, starts=range(len(joined)), least=5):
        for place in _places().get(name, ()):
            yield place, True


def _parts(word: str, *, starts: range, least: int) -> Iterator[str]:
    """Every part of a word that may be a name, from each of the places where it may start."""
    for start in starts:
        for end in range(start + least, min(len(word), start + _longest()) + 1):
            yield word[start:end]


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


def _speaks(words: str, organisation: Organisation) -> bool:
    return any(f" {alias} " in words for alias in organisation.aliases)


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


@cache
def _places() -> dict[str, tuple[int, ...]]:
    """Where each name stands in ``_names``: an organisation further up goes before."""
    found: dict[str, tuple[int, ...]] = {}
    for place, (_, name) in enumerate(_names()):
        found[name] = (*found.get(name, ()), place)
    return found


@cache
def _longest() -> int:
    return max(map(len, _places()))
