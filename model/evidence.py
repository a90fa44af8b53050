"""What in the text speaks for a verdict, on the text as received.

Two sources. Facts: a link that bears an organisation's name without being its own, a bank account
beside a request for money. And the model itself: each clause is left out in turn, and those
without which the score falls most are shown (occlusion, Zeiler and Fergus 2014).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.facts import Organisation
from data.messages import Conversation, Message
from data.taxonomy import taxonomy
from model.classifier import Classifier, Prediction
from model.clauses import clauses, widen
from model.entities import Entity, EntityType, find_entities, host_of, imitated, speaker, url_kind
from model.normalize import Normalized, fold, normalize
from model.verdict import best_category, scam_score

#: Clauses left out in the one extra pass; more are merged with their neighbours.
MAX_CLAUSES = 12
#: Clauses shown at most.
MAX_SHOWN = 3
#: Clauses are left out of these newest characters, so that the pass stays short.
RECENT_CHARACTERS = 4_000
#: The smallest fall of the score's log-odds that is worth showing.
SMALLEST_FALL = 0.1
_TRANSFER = (
    "chuyen khoan", "chuyen tien", "chuyen vao", "chuyen ngay", "chuyen truoc", "chuyen cho", "chuyen giup",
    " ck ", "ck vao", "dat coc", "coc truoc", "nap tien", "nap vao", "nop phi", "nop tien", "dong phi",
    "thanh toan vao", "bank vao", "gui tien", " phi ",
)  # fmt: skip
_SHOWN: frozenset[EntityType] = frozenset(("url", "phone", "account"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """A part of message number ``message`` (from 0) and why it counts, in Vietnamese."""

    message: int
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A link, phone number or bank account in message number ``message`` (from 0)."""

    type: EntityType
    value: str
    message: int
    start: int
    end: int


def evidence(classifier: Classifier, conversation: Conversation, prediction: Prediction) -> list[Evidence]:
    """The parts that speak for a scam, in reading order; none for a legitimate verdict.

    Offsets are code points of each message as received and never split a character as people see
    it. At most one more batch of up to ``MAX_CLAUSES`` goes through the model.
    """
    if prediction.verdict == "legitimate":
        return []
    facts = _facts(conversation)
    learnt = [one for one in _occluded(classifier, conversation, prediction) if not _holds(one, facts)]
    return sorted(facts + learnt, key=lambda one: (one.message, one.start, one.end))


def indicators(conversation: Conversation) -> list[Indicator]:
    """The links, phone numbers and bank accounts of a conversation, in reading order."""
    return [
        Indicator(entity.type, entity.value, position, *_received(message, normalized, entity))
        for position, message in enumerate(conversation.messages)
        for normalized in (normalize(message.text),)
        for entity in find_entities(normalized.text)
        if entity.type in _SHOWN
    ]


def _holds(clause: Evidence, facts: list[Evidence]) -> bool:
    """Whether a clause holds a fact, which says more than the clause does."""
    return any(
        clause.message == fact.message and clause.start < fact.end and fact.start < clause.end
        for fact in facts
    )


def _received(message: Message, normalized: Normalized, entity: Entity) -> tuple[int, int]:
    return widen(message.text, *normalized.span(entity.start, entity.end))


def _facts(conversation: Conversation) -> list[Evidence]:
    found = []
    for position, message in enumerate(conversation.messages):
        if message.role == "recipient":
            continue
        normalized = normalize(message.text)
        asks = _asks_for_money(normalized.text)
        for entity in find_entities(normalized.text):
            reason = _reason(entity, normalized.text, asks=asks)
            if reason is not None:
                found.append(Evidence(position, *_received(message, normalized, entity), reason))
    return found


def _asks_for_money(text: str) -> bool:
    folded = f" {fold(text)} "
    return any(phrase in folded for phrase in _TRANSFER)


def _reason(entity: Entity, text: str, *, asks: bool) -> str | None:
    if entity.type == "account" and asks:
        return "Số tài khoản kèm yêu cầu chuyển tiền"
    if entity.type != "url":
        return None
    host = host_of(entity.value)
    organisation = imitated(host, text)
    if organisation is not None:
        return (
            f"Đường dẫn mang tên {organisation.name} nhưng không phải trang chính thức{_own(organisation)}"
        )
    organisation = speaker(text) if url_kind(host, text) == "foreign" else None
    if organisation is None:
        return None
    return (
        f"Tin nêu tên {organisation.name} nhưng đường dẫn không thuộc trang chính thức{_own(organisation)}"
    )


def _own(organisation: Organisation) -> str:
    return f" ({', '.join(organisation.domains[:2])})" if organisation.domains else ""


def _occluded(classifier: Classifier, conversation: Conversation, prediction: Prediction) -> list[Evidence]:
    """The clauses without which the score falls most."""
    places = _places(conversation)
    if not places:
        return []
    recent = replace(conversation, messages=_recent(conversation.messages))
    variants = [_without(conversation, *place) for place in places]
    categories = classifier.manifest.categories
    whole, *without = (
        _log_odds(scam_score(row, categories)) for row in classifier.predict_proba([recent, *variants])
    )
    falls = [whole - odds for odds in without]
    enough = max(SMALLEST_FALL, max(falls) / 2)
    best = sorted(range(len(places)), key=lambda index: -falls[index])[:MAX_SHOWN]
    reason = _trick(prediction.probabilities, categories)
    return [Evidence(*places[index], reason) for index in best if falls[index] >= enough]


def _places(conversation: Conversation) -> list[tuple[int, int, int]]:
    """(message, start, end) of the sender's newest clauses, at most ``MAX_CLAUSES``."""
    places: list[tuple[int, int, int]] = []
    room = RECENT_CHARACTERS
    for position, message in reversed(list(enumerate(conversation.messages))):
        if message.role == "sender":
            places[:0] = [(position, start, end) for start, end in clauses(message.text)]
        room -= len(message.text)
        if room <= 0:
            break
    while len(places) > MAX_CLAUSES:
        places = _merged(places)
    return places


def _merged(places: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Every other clause joined to the one before; where none can be joined, the oldest are dropped."""
    merged: list[tuple[int, int, int]] = []
    joined = False
    for message, start, end in places:
        if merged and merged[-1][0] == message and not joined:
            merged[-1] = (message, merged[-1][1], end)
            joined = True
        else:
            merged.append((message, start, end))
            joined = False
    return merged if len(merged) < len(places) else list(places[-MAX_CLAUSES:])


def _without(conversation: Conversation, position: int, start: int, end: int) -> Conversation:
    """The recent conversation without one clause; a dot stands for a message that had no other."""
    messages = list(conversation.messages)
    text = messages[position].text
    left = f"{text[:start]} {text[end:]}"
    messages[position] = replace(messages[position], text=left[: len(text)] if left.strip() else ".")
    return replace(conversation, messages=_recent(messages))


def _recent(messages: Sequence[Message]) -> tuple[Message, ...]:
    room = RECENT_CHARACTERS
    first = len(messages)
    while first > 0 and room > 0:
        first -= 1
        room -= len(messages[first].text)
    return tuple(messages[first:])


def _log_odds(score: float) -> float:
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def _trick(probabilities: NDArray[np.float32], categories: Sequence[str]) -> str:
    category, _ = best_category(probabilities, categories, "scam")
    return f"Đoạn này giống thủ đoạn: {taxonomy()[category].name_vi}"
