"""What a message names: links, phone numbers, bank accounts, amounts of money, codes and dates.

Found on normalized text, by maintained libraries where there are any (tldextract for domains,
phonenumbers for phone numbers) and by our own rules for how Vietnamese senders write. Each kind
has its file; here they are asked in the order of how sure they are, and nothing is found twice.

>>> for entity in find_entities("CK 500k vao STK 0004419027 hoac vao vcb-digi.top, LH 0574118276"):
...     print(entity.type, entity.value)
amount 500000 VND
account 0004419027
url vcb-digi.top
phone 0574118276
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from data.messages import Message
from model.amounts import find_amounts, find_dates
from model.digits import find_hotlines, find_numbers, is_hotline
from model.hosts import Link, links, url_kind
from model.normalize import Normalized, fold, normalize
from model.urls import find_addresses, find_urls, host_of

__all__ = [
    "Entity",
    "EntityType",
    "Parsed",
    "find_entities",
    "host_of",
    "is_hotline",
    "parse",
    "url_kind",
]

EntityType = Literal["url", "phone", "account", "amount", "code", "date"]


@dataclass(frozen=True, slots=True)
class Entity:
    """Something a text names: ``text[start:end]``, and one spelling of it for everyone.

    Values: a url has no scheme and a host in lower case; phones and accounts are digits (a foreign
    phone starts with ``+``); amounts read ``500000 VND``; dates ``2025-07-18`` or ``--07-18``.
    """

    type: EntityType
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message, its normalized text and what that names: found once, for the view and the reasons.

    ``links`` says of each host whose it is.
    """

    message: Message
    normalized: Normalized
    entities: tuple[Entity, ...]
    links: dict[str, Link]

    def link(self, url: Entity) -> Link:
        """Whose a link is."""
        return self.links[host_of(url.value)]


def parse(message: Message) -> Parsed:
    """The message with its normalized text and its entities."""
    normalized = normalize(message.text)
    entities = tuple(find_entities(normalized.text))
    hosts = [host_of(entity.value) for entity in entities if entity.type == "url"]
    return Parsed(message, normalized, entities, links(hosts, normalized.text) if hosts else {})


def find_entities(text: str) -> list[Entity]:
    """Every entity of a normalized text, in order, none overlapping another.

    Offsets are on ``text`` itself. Time grows linearly with its length.
    """
    folded = fold(text)
    taken = bytearray(len(text))
    for start, end in find_addresses(folded):
        taken[start:end] = b"\1" * (end - start)
    found = []
    for entity in _candidates(text, folded):
        if not any(taken[entity.start : entity.end]):
            taken[entity.start : entity.end] = b"\1" * (entity.end - entity.start)
            found.append(entity)
    return sorted(found, key=lambda entity: entity.start)


def _candidates(text: str, folded: str) -> Iterator[Entity]:
    """Entities that may overlap, the surest first."""
    for url in find_urls(text, folded):
        yield Entity("url", *url)
    for hotline in find_hotlines(folded):
        yield Entity("phone", *hotline)
    for amount in find_amounts(folded):
        yield Entity("amount", *amount)
    for date in find_dates(folded):
        yield Entity("date", *date)
    for number in find_numbers(folded):
        yield Entity(*number)
