"""What in the text speaks for a verdict, on the text as received.

Two sources. Facts: a link that bears an organisation's name without being its own, a bank account
beside a request for money. And the model itself: each clause is read alone, and those that look most
like a scam by themselves are shown (sufficiency; DeYoung et al. 2020, *ERASER*). Beside leaving each
out in turn, that found the turn which gives a scam away more often (92 of 100 conversations of the
test split instead of 86), and the text is read once more instead of once for every clause.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from data.facts import Organisation
from data.taxonomy import taxonomy
from model.classifier import Classifier, Prediction
from model.clauses import clauses, widen
from model.entities import Entity, Parsed
from model.normalize import fold
from model.reader import Reading
from model.view import View

#: Clauses read alone; more are merged with their neighbours.
MAX_CLAUSES = 8
#: Clauses shown at most.
MAX_SHOWN = 3
#: Only clauses of these newest characters are read.
RECENT_CHARACTERS = 4_000
#: The smallest rise of the log-odds over those of an empty message that is worth showing, and the share
#: of the largest rise that the others need.
SMALLEST_RISE, LARGE_SHARE = 0.1, 2 / 3
_TRANSFER = (
    "chuyen khoan", "chuyen tien", "chuyen vao", "chuyen ngay", "chuyen truoc", "chuyen cho", "chuyen giup",
    " ck ", "ck vao", "dat coc", "coc truoc", "nap tien", "nap vao", "nop phi", "nop tien", "dong phi",
    "thanh toan vao", "bank vao", "gui tien", " phi ",
)  # fmt: skip
#: The entities that lead to a scammer.
IndicatorType = Literal["url", "phone", "account"]


#: A half-open range of a view's text.
Range = tuple[int, int]


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

    type: IndicatorType
    value: str
    message: int
    start: int
    end: int


def evidence(classifier: Classifier, reading: Reading, prediction: Prediction) -> list[Evidence]:
    """The parts that speak for a scam, in reading order; none for a legitimate verdict.

    Offsets are code points of each message as received and never split a character as people see
    it. The model is asked about at most ``MAX_CLAUSES`` parts of the text.
    """
    return reasons(reading, prediction, decisive(classifier, reading, prediction))


def decisive(classifier: Classifier, reading: Reading, prediction: Prediction) -> list[Range]:
    """The ranges of the reading's view that look most like a scam alone; none for a legitimate verdict.

    They follow from the views and ``clause_lengths``: a message in which both are the same has the same.
    """
    if prediction.verdict == "legitimate":
        return []
    places = _places(reading.messages, _recent(reading.messages))
    both = [(_range(reading.view, place), _range(reading.folded, place)) for place in places]
    shown = [(inside, same) for inside, same in both if inside[0] < inside[1]]
    nothing = _log_odds(classifier.empty_score)
    rises = [
        _log_odds(classifier.score_part(_part(reading.view, inside), _part(reading.folded, same))) - nothing
        for inside, same in shown
    ]
    enough = max(SMALLEST_RISE, LARGE_SHARE * max(rises, default=0.0))
    best = sorted(range(len(shown)), key=lambda index: -rises[index])[:MAX_SHOWN]
    return [shown[index][0] for index in best if rises[index] >= enough]


def clause_lengths(messages: Sequence[Parsed]) -> list[str]:
    r"""For each message the words of each of its clauses, counted: line breaks, which no view shows.

    >>> from data.messages import Message
    >>> from model.entities import parse
    >>> clause_lengths([parse(Message("sender", "Xin chao ban\nBan trung thuong. Goi 0912345678"))])
    ['3 3 2']
    """
    return [
        " ".join(str(len(text[start:end].split())) for start, end in clauses(text))
        for text in (parsed.message.text for parsed in messages)
    ]


def reasons(reading: Reading, prediction: Prediction, ranges: Sequence[Range]) -> list[Evidence]:
    """The evidence of a conversation whose ``decisive`` ranges are known; see ``evidence``."""
    if prediction.verdict == "legitimate":
        return []
    facts = _facts(reading)
    trick = f"Đoạn này giống thủ đoạn: {taxonomy()[prediction.trick].name_vi}"
    learnt = [Evidence(*_as_received(reading, place), trick) for place in ranges]
    learnt = [one for one in learnt if not _holds(one, facts)]
    return sorted(facts + learnt, key=lambda one: (one.message, one.start, one.end))


def indicators(messages: Sequence[Parsed]) -> list[Indicator]:
    """The links, phone numbers and bank accounts of parsed messages, in reading order."""
    return [
        Indicator(entity.type, entity.value, position, *_received(parsed, entity))
        for position, parsed in enumerate(messages)
        for entity in parsed.entities
        if entity.type in ("url", "phone", "account")
    ]


def _holds(clause: Evidence, facts: list[Evidence]) -> bool:
    """Whether a clause holds a fact, which says more than the clause does."""
    return any(
        clause.message == fact.message and clause.start < fact.end and fact.start < clause.end
        for fact in facts
    )


def _received(parsed: Parsed, entity: Entity) -> tuple[int, int]:
    return widen(parsed.message.text, *parsed.normalized.span(entity.start, entity.end))


def _as_received(reading: Reading, place: Range) -> tuple[int, int, int]:
    """(message, start, end) behind a range of the view that holds a clause."""
    origin = reading.view.origin(*place)
    assert origin is not None  # noqa: S101  # a clause has at least a letter
    message, start, end = origin
    return message, *widen(reading.messages[message].message.text, start, end)


def _facts(reading: Reading) -> list[Evidence]:
    found = []
    for position, parsed in enumerate(reading.messages):
        if parsed.message.role == "recipient":
            continue
        asks = _asks_for_money(parsed.normalized.text)
        for entity in parsed.entities:
            reason = _reason(entity, parsed, asks=asks)
            if reason is not None:
                found.append(Evidence(position, *_received(parsed, entity), reason))
    return found


def _asks_for_money(text: str) -> bool:
    folded = f" {fold(text)} "
    return any(phrase in folded for phrase in _TRANSFER)


def _reason(entity: Entity, parsed: Parsed, *, asks: bool) -> str | None:
    if entity.type == "account" and asks:
        return "Số tài khoản kèm yêu cầu chuyển tiền"
    link = parsed.link(entity) if entity.type == "url" else None
    if link is None or link.organisation is None:
        return None
    if link.kind == "lookalike":
        what = f"Đường dẫn mang tên {link.organisation.name} nhưng không phải trang chính thức"
    else:
        what = f"Tin nêu tên {link.organisation.name} nhưng đường dẫn không thuộc trang chính thức"
    return what + _own(link.organisation)


def _own(organisation: Organisation) -> str:
    return f" ({', '.join(organisation.domains[:2])})" if organisation.domains else ""


def _places(messages: Sequence[Parsed], since: int) -> list[tuple[int, int, int]]:
    """(message, start, end) of the sender's clauses from message ``since`` on, at most ``MAX_CLAUSES``."""
    places = [
        (position, start, end)
        for position, parsed in enumerate(messages)
        if position >= since and parsed.message.role == "sender"
        for start, end in clauses(parsed.message.text)
    ]
    while len(places) > MAX_CLAUSES:
        places = _merged(places)
    return places


def _recent(messages: Sequence[Parsed]) -> int:
    """The first of the newest messages that hold ``RECENT_CHARACTERS``."""
    room, first = RECENT_CHARACTERS, len(messages)
    while first > 0 and room > 0:
        first -= 1
        room -= len(messages[first].message.text)
    return first


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


def _range(view: View, place: tuple[int, int, int]) -> Range:
    """Where a part of a message stands in a view; empty where the view shows nothing of it."""
    message, start, end = place
    first = view.starts[message]
    last = view.starts[message + 1] if message + 1 < len(view.starts) else len(view.text)
    inside = [
        first + index
        for index, origin in enumerate(view.origins[first:last])
        if origin is not None and start <= origin[1] < end
    ]
    return (inside[0], inside[-1] + 1) if inside else (first, first)


def _part(view: View, inside: Range) -> str:
    start, end = inside
    return view.text[start:end]


def _log_odds(score: float) -> float:
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
