"""Messages to measure with: mixed as on a phone or as in the corpus, always the same, no two alike.

A service that keeps answers would look fast if a message came twice. So when the corpus is used up,
its messages come again with other digits and another signature, which no two have in common.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import count
from random import Random
from typing import Literal

from data import corpus
from data.messages import Conversation, Example, record_of
from training.config import read_config

Mix = Literal["phone", "corpus"]

#: Scams among 100 messages on a phone. An assumption, as the mix of the legitimate ones is.
PHONE_SCAMS = 5
_GIVEN_NAMES = (
    "An Binh Chi Cuong Dung Duc Giang Ha Hai Hanh Hoa Hung Huong Khanh Lan Linh Long Mai Minh Nam Nga "
    "Nhung Phong Phuc Quan Son Tam Thao Trang Tuan Uyen Van Vinh Yen"
)
_NAMES = _GIVEN_NAMES.split()
#: The last digits of a long number that is neither a hotline nor a year.
_DIGITS = re.compile(r"(?<![\w.,/-])(?!1[89]00|20\d\d\b)(\d{2,})(\d{3})(?!\w)")


def bodies(mix: Mix, *, seed: int = 7) -> Iterator[bytes]:
    """Bodies of ``/v1/classify`` without end, as JSON in UTF-8; the same for the same seed."""
    for conversation in conversations(mix, seed=seed):
        yield json.dumps(record_of(conversation), ensure_ascii=False).encode()


def conversations(mix: Mix, *, seed: int = 7) -> Iterator[Conversation]:
    """Conversations without end, no two of which have the same text."""
    random = Random(seed)
    examples = list(_examples())
    random.shuffle(examples)
    piles = {"": examples} if mix == "corpus" else _by_category(examples)
    weights = [1.0] if mix == "corpus" else _phone_weights(piles)
    taken = dict.fromkeys(piles, 0)
    numbers = count()
    for [category] in iter(lambda: random.choices(list(piles), weights), None):
        again, position = divmod(taken[category], len(piles[category]))
        taken[category] += 1
        found = piles[category][position].conversation
        yield _varied(found, next(numbers), random) if again else found


@cache
def _examples() -> list[Example]:
    return corpus.load()


def _by_category(examples: list[Example]) -> dict[str, list[Example]]:
    piles: dict[str, list[Example]] = {}
    for example in examples:
        piles.setdefault(example.category, []).append(example)
    return piles


def _phone_weights(piles: dict[str, list[Example]]) -> list[float]:
    """Legitimate categories as on a phone; the scams share theirs as they were written."""
    phone = read_config().calibrate.phone
    scams = sum(len(pile) for category, pile in piles.items() if category not in phone)
    legitimate = (100 - PHONE_SCAMS) / sum(phone.values())
    return [
        phone[category] * legitimate if category in phone else PHONE_SCAMS * len(pile) / scams
        for category, pile in piles.items()
    ]


def _varied(conversation: Conversation, number: int, random: Random) -> Conversation:
    """The conversation with other digits, its last message signed with names that are used once."""
    *before, last = conversation.messages
    digits = _DIGITS.sub(lambda match: f"{match[1]}{random.randrange(1000):03}", last.text)
    text = f"{digits[:1900]} {_signature(number)}"
    return replace(conversation, messages=(*before, replace(last, text=text)))


def _signature(number: int) -> str:
    """Four names that no other number has, up to a million of them.

    >>> _signature(0), _signature(1)
    ('An An An An', 'An An An Binh')
    """
    names: list[str] = []
    for _ in range(4):
        number, at = divmod(number, len(_NAMES))
        names.insert(0, _NAMES[at])
    return " ".join(names)
