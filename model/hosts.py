"""Whose a host is: an organisation's own, an imitation of one, or a shortener that hides it."""

import re
from typing import Literal

from data.facts import Organisation, organisations, shorteners
from model.normalize import fold

UrlKind = Literal["official", "lookalike", "shortener", "other"]

#: Digits written for letters in hosts that imitate: ``vietc0mbank``.
_LEET = str.maketrans("013457", "oieast")


def url_kind(host: str, text: str) -> UrlKind:
    """Whose a host is, as far as the facts tell, given the text it stands in.

    ``official``: a known organisation's, sub-domains included. ``shortener``: leads anywhere.
    ``lookalike``: bears an organisation's name and is not its own; see ``imitated``.

    >>> url_kind("portal.vietcombank.com.vn", ""), url_kind("vietcombank-login.top", "")
    ('official', 'lookalike')
    """
    if owner(host) is not None:
        return "official"
    if any(fold(host) == domain or fold(host).endswith(f".{domain}") for domain in shorteners()):
        return "shortener"
    return "lookalike" if imitated(host, text) is not None else "other"


def owner(host: str) -> Organisation | None:
    """The organisation a host is registered to, sub-domains included, if the facts know one.

    A host with letters beyond plain ASCII is nobody's: that is how ``vietcombạnk.com.vn`` is made.
    """
    labels = host.lower().split(".")
    above = {".".join(labels[index:]) for index in range(len(labels))}
    for organisation in organisations().values():
        if not above.isdisjoint(organisation.domains):
            return organisation
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
    if owner(host) is not None:
        return None
    folded = fold(host)
    spellings = {folded, folded.translate(_LEET), folded.replace("rn", "m").replace("vv", "w")}
    for organisation in organisations().values():
        if any(_bears(organisation, spelling, text) for spelling in sorted(spellings)):
            return organisation
    return None


def _bears(organisation: Organisation, host: str, text: str) -> bool:
    words = re.split(r"[.-]", host)[:-1]
    if organisation.kind == "state" and "gov" in words:
        return True
    for alias in organisation.aliases:
        name = re.sub(r"\W", "", alias)
        if name in words or (len(name) >= 5 and name in "".join(words)):
            return True
        if len(name) >= 3 and any(word.startswith(name) for word in words) and _speaks(text, organisation):
            return True
    return False


def _speaks(text: str, organisation: Organisation) -> bool:
    spoken = f" {re.sub(r'[^a-z0-9+]+', ' ', fold(text))} "
    return any(f" {alias} " in spoken for alias in organisation.aliases)
