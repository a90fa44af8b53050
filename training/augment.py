"""Rewrite a message as another sender would have typed it; the answer stays the same.

Amounts redrawn, people renamed, and one of the attacks that senders make on filters.
Short codes, hotlines, phone and account numbers and links stay, because who they belong to is part
of the evidence.
"""

import dataclasses
import re
from collections.abc import Callable
from random import Random

from data.messages import Conversation
from training.attacks import ATTACKS, STRENGTHS, attack

_AMOUNT = re.compile(
    r"(?<![\d.,])\d{1,3}(?:[.,]\d{3})+(?![\d.,]*\d)|\b\d{1,3}(?=\s?(?:k|tr|trieu|triệu|d|đ|vnd|vnđ)\b)",
    re.IGNORECASE,
)
#: A person addressed or spoken of: a title and a given name.
_PERSON = re.compile(r"\b(anh|chị|chi|bác|bac|ông|ong|cô|co|chú|chu) [A-ZĐ][a-zà-ỹ]{1,6}\b")
_NAMES = (
    "An", "Bình", "Dung", "Đạt", "Hà", "Hải", "Hiền", "Hương", "Khánh", "Lan", "Linh", "Long", "Mai",
    "Minh", "Nam", "Nga", "Phúc", "Quân", "Sơn", "Tâm", "Thảo", "Thu", "Trang", "Tú", "Vân", "Yến",
)  # fmt: skip

#: How often amounts are redrawn, people renamed, and an attack made.
AMOUNTS, PEOPLE, ATTACKED = 0.7, 0.5, 0.7
#: The attacks to learn from: what normalization undoes whole (diacritics, case, look-alikes, invisible
#: characters) teaches nothing. Slips are the commonest and the hardest, so they come twice.
LEARNT = ("leet", "separators", "spacing", "mashed", "teencode", "typos", "typos")


def augment(conversation: Conversation, random: Random) -> Conversation:
    """A variant of the conversation: same turns, same senders, same meaning, same label."""
    if random.random() < AMOUNTS:
        conversation = _in_each(conversation, _AMOUNT, lambda found: _other_digits(found, random))
    if random.random() < PEOPLE:
        conversation = _in_each(conversation, _PERSON, lambda found: _renamed(found, random))
    if random.random() < ATTACKED:
        rewrite = ATTACKS[random.choice(LEARNT)]
        conversation = attack(conversation, rewrite, random.choice(list(STRENGTHS.values())), random)
    return conversation


def _in_each(
    conversation: Conversation, pattern: re.Pattern[str], exchange: Callable[[str], str]
) -> Conversation:
    """Every message with each match exchanged."""
    messages = tuple(
        dataclasses.replace(message, text=pattern.sub(lambda match: exchange(match[0]), message.text))
        for message in conversation.messages
    )
    return dataclasses.replace(conversation, messages=messages)


def _other_digits(amount: str, random: Random) -> str:
    """Other digits, as many as before; a first digit is never zero."""
    drawn = [str(random.randint(1, 9)) if c in "123456789" else c for c in amount]
    return "".join(drawn)


def _renamed(person: str, random: Random) -> str:
    """The same title with another given name."""
    return f"{person.split(maxsplit=1)[0]} {random.choice(_NAMES)}"
