"""What the corpus holds, beside what it must hold: ``canhgiac corpus stats``.

The real figures are those of 1,860 distinct SMS received in Vietnam between 2020 and 2025.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from data.messages import Example
from data.taxonomy import LABELS, taxonomy
from data.tricks import tricks
from training.corpus.masks import masked
from training.corpus.shortcuts import has_diacritics, has_url

DISTINCT = 8_000
CONVERSATIONS = 800
#: Of each trick at least so many scams, and legitimate messages that it could be mistaken for.
SCAMS, TWINS = 10, 3
TURNS = range(4, 21)

#: How many messages a category holds at least: scams 150 and 350, legitimate kinds 250 and 500.
COMMON_SCAMS = frozenset(
    {
        "bank_impersonation",
        "public_service_impersonation",
        "police_impersonation",
        "job_scam",
        "investment_scam",
        "prize_scam",
        "loan_scam",
        "delivery_scam",
        "account_takeover",
        "illicit_service",
    }
)
HEAVY_KINDS = frozenset(
    {"carrier", "otp", "balance", "order", "bill", "advertising", "public_notice", "warning", "personal"}
)


@dataclass(frozen=True, slots=True)
class Target:
    """A number of the corpus and the range it must lie in."""

    name: str
    value: float
    least: float
    most: float = float("inf")

    @property
    def met(self) -> bool:
        """Whether the number lies in its range, both ends included."""
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        return f"{self.name} is {_number(self.value)}; must be {self.wanted}"

    @property
    def wanted(self) -> str:
        """The range in words."""
        return (
            f"at least {_number(self.least)}"
            if self.most == float("inf")
            else (f"{_number(self.least)} to {_number(self.most)}")
        )


def targets(examples: Sequence[Example]) -> list[Target]:
    """Every number that the corpus must reach, with its range."""
    return [*_amounts(examples), *_registers(examples)]


def _amounts(examples: Sequence[Example]) -> Iterator[Target]:
    yield Target("distinct after masking", len({masked(e.conversation) for e in examples}), DISTINCT)
    count = Counter(example.category for example in examples)
    for category in taxonomy().categories:
        yield Target(category.id, count[category.id], least_of(category.id))
    played = Counter((example.trick, example.label) for example in examples)
    yield Target("scams of the rarest trick", min(played[trick, "scam"] for trick in tricks()), SCAMS)
    yield Target("twins of the rarest trick", min(played[trick, "legitimate"] for trick in tricks()), TWINS)
    turns = [e for e in examples if len(e.conversation.messages) in TURNS]
    yield Target("conversations of 4 to 20 turns", len(turns), CONVERSATIONS)
    yield Target("legitimate share of them", share(turns, lambda e: e.label == "legitimate"), 0.4, 0.6)
    marked = [e for e in turns if e.label == "scam"]
    yield Target("scam conversations with their turn", share(marked, lambda e: e.scam_turn is not None), 1)


def _registers(examples: Sequence[Example]) -> Iterator[Target]:
    """Within 10 points of what real phones receive, by class."""
    sms = {
        label: [e for e in examples if e.label == label and e.conversation.channel == "sms"]
        for label in LABELS
    }
    for label in LABELS:
        yield Target(f"{label}: SMS with diacritics", share(sms[label], is_marked), 0.36, 0.56)
    yield Target("scam: SMS with a URL", share(sms["scam"], _linked), 0.50, 0.70)
    yield Target("legitimate: SMS with a URL", share(sms["legitimate"], _linked), 0.39, 0.59)
    branded = share(sms["scam"], lambda e: e.sender_type == "brandname")
    yield Target("scam: SMS under a brand name", branded, 0.27, 0.47)
    lengths = [len(e.conversation.text) for both in sms.values() for e in both]
    yield Target("median length of SMS", median(lengths) if lengths else 0, 150, 250)


def print_stats(examples: Sequence[Example], console: Console) -> None:
    """Print the targets, what was found, and how the fields divide between the classes."""
    table = Table("number", "found", "wanted", "", title=f"{len(examples):,} messages", box=SIMPLE_HEAD)
    for target in targets(examples):
        mark = "[green]yes[/]" if target.met else "[red]no[/]"
        table.add_row(target.name, _number(target.value), target.wanted, mark)
    console.print(table)
    fields: dict[str, Callable[[Example], str | None]] = {
        "split": lambda e: e.split,
        "channel": lambda e: e.conversation.channel,
        "sender type": lambda e: e.sender_type,
        "register": lambda e: e.register,
        "trick": lambda e: e.trick,
    }
    for name, key in fields.items():
        table = Table(name, "scam", "legitimate", box=SIMPLE_HEAD)
        for value, scams, legitimate in counts(examples, key):
            table.add_row(value, f"{scams:,}", f"{legitimate:,}")
        console.print(table)


def least_of(category_id: str) -> int:
    """How many messages the corpus must hold of a category."""
    if taxonomy()[category_id].label == "scam":
        return 350 if category_id in COMMON_SCAMS else 150
    return 500 if category_id in HEAVY_KINDS else 250


def counts(examples: Sequence[Example], key: Callable[[Example], str | None]) -> list[tuple[str, int, int]]:
    """(value, scams, legitimate) for each value of a field, the most frequent first."""
    found = Counter((key(example) or "–", example.label) for example in examples)
    values = Counter(key(example) or "–" for example in examples)
    return [(value, found[value, "scam"], found[value, "legitimate"]) for value, _ in values.most_common()]


def share(examples: Sequence[Example], holds: Callable[[Example], bool]) -> float:
    """The share of the examples of which something holds; 0 where there are none."""
    return sum(map(holds, examples)) / len(examples) if examples else 0.0


def is_marked(example: Example) -> bool:
    """Whether a conversation bears any Vietnamese diacritics."""
    return has_diacritics(example.conversation.text)


def _linked(example: Example) -> bool:
    return has_url(example.conversation.text)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:.2f}"
