"""What a single message of the corpus must be: complete, invented, and labelled by the policy.

Each rule yields a sentence for what is wrong and what to do; none repeats the message.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from data.messages import Example
from model.entities import Entity, find_entities, host_of, url_kind
from model.normalize import normalize

#: Characters of one message, and turns of a conversation at most.
LENGTHS = range(1, 1501)
TURNS = 20

#: Real numbers that stand in the corpus as their owners' own.
PUBLIC_NUMBERS = frozenset({"0922789789"})
_MOBILE = re.compile(r"(?<![\w*])(?<!\w,)(?<![A-Za-z]-)(?:\+?84[ .-]?|0)[35789]\d(?:[ .-]?\d){7}(?!\w)")
_LANDLINE = re.compile(r"(?<![\w.,/*-])\(?(?:\+?84[ .-]?|0)2\d{1,2}\)?(?:[ .-]?\d){7,8}(?!\w)")
_LONG = re.compile(r"(?<![\w.,/*-])\d{9,19}(?!\w)")
#: Also hotlines, and the landlines that have their own rule.
_INVENTED = re.compile(r"000|057|02|1[89]00\d{4,6}$")
_PLATE = re.compile(r"(?<!\w)\d{2}[A-Z][A-Z\d]?[- ]\d{3}[.]?\d{2}(?!\d)")
_EMAIL = re.compile(r"(?<![\w.*+-])[\w.+-]+@(?P<host>[\w-]+(?:\.[\w-]+)+)")
#: Mailboxes at these may be a real person's.
_MAIL_PROVIDERS = frozenset(
    {"gmail.com", "yahoo.com", "yahoo.com.vn", "outlook.com", "hotmail.com", "icloud.com"}
)


def complete(example: Example) -> Iterator[str]:
    """Every field that the corpus promises."""
    if example.source != "written":
        yield "source must be written; messages from elsewhere have no licence for this corpus"
    for field in ("written_at", "sender_type", "register"):
        if getattr(example, field) is None:
            yield f"{field} is missing"
    if example.written_at and not re.fullmatch(r"20\d\d-[01]\d(-[0-3]\d)?", example.written_at):
        yield "written_at is no day (2026-11-24) or month (2026-11)"
    if example.conversation.channel is None:
        yield "channel is missing"
    if example.label == "scam" and example.trick is None:
        yield "a scam needs its trick; see data/tricks.toml"


def bounded(example: Example) -> Iterator[str]:
    """Lengths as on phones, and the turn from which a reader knows."""
    turns = len(example.conversation.messages)
    if turns > 1 and example.label == "scam" and example.scam_turn is None:
        yield "a scam conversation needs scam_turn, from which a careful reader knows"
    if turns > TURNS:
        yield f"{turns} turns; at most {TURNS}"
    for position, message in enumerate(example.conversation.messages):
        if len(message.text) not in LENGTHS:
            yield f"message {position} has {len(message.text)} characters; 1 to {LENGTHS[-1]}"


def invented(example: Example) -> Iterator[str]:
    """Numbers from the ranges that belong to nobody, so that no real person's is in the corpus."""
    for message in example.conversation.messages:
        for number in _digits(_MOBILE, message.text):
            if not number.startswith("057") and number not in PUBLIC_NUMBERS:
                yield "a mobile number outside the invented range; begin it with 057"
        for number in _digits(_LANDLINE, message.text):
            area = 3 if number.startswith(("024", "028")) else 4
            if number[area] != "0":
                yield "a landline outside the invented range; put a 0 after its area code"
        for number in (*_digits(_LONG, message.text), *_accounts(message.text)):
            if not _INVENTED.match(number) and number not in PUBLIC_NUMBERS:
                yield "a number of an account, card or person outside the invented range; begin it with 000"
        if any("W" not in plate for plate in _PLATE.findall(message.text)):
            yield "a licence plate outside the invented range; use the series W"
        if any(host.lower() in _MAIL_PROVIDERS for host in _EMAIL.findall(message.text)):
            yield "an e-mail address that may be somebody's; mask it, as in l***@gmail.com"


def by_policy(example: Example) -> Iterator[str]:
    """The label against the labelling policy, as far as links tell."""
    kinds = set(_link_kinds(example))
    if example.label == "legitimate" and example.category != "warning" and "lookalike" in kinds:
        yield "a legitimate message with a look-alike link: is it a scam, or is the domain missing?"
    if example.category == "bank_impersonation" and kinds == {"official"}:
        yield "a fake bank whose only link is the true bank's: is it legitimate, or is it a warning?"


RULES: tuple[Callable[[Example], Iterator[str]], ...] = (complete, bounded, invented, by_policy)


def _digits(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        yield f"0{digits[2:]}" if digits.startswith("84") else digits


def _accounts(text: str) -> Iterator[str]:
    """Account numbers that are written in groups."""
    for entity in _entities(text)[1]:
        if entity.type == "account" and len(entity.value) >= 9:
            yield entity.value


def _link_kinds(example: Example) -> Iterator[str]:
    for message in example.conversation.messages:
        text, entities = _entities(message.text)
        for entity in entities:
            if entity.type == "url":
                yield url_kind(host_of(entity.value), text)


@lru_cache(maxsize=32)  # the rules ask one after the other about the same message
def _entities(text: str) -> tuple[str, list[Entity]]:
    """A text normalized, and what it names."""
    normalized = normalize(text).text
    return normalized, find_entities(normalized)
