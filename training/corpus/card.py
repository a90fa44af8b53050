"""The data card, ``data/README.md``: printed from the corpus, so that it cannot say anything else.

Headings follow the Hugging Face dataset card (after Gebru et al. 2021, *Datasheets for Datasets*).
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from string import Template

from data.corpus import SPLIT_OF_FILE
from data.errors import BadData
from data.messages import Example
from data.taxonomy import taxonomy
from data.tricks import held_out
from training.corpus.add import FILLS, file_of, line
from training.corpus.rules import by_policy
from training.corpus.shortcuts import SURFACE_LIMIT, Shortcut, surface_shortcuts, word_shortcuts
from training.corpus.stats import counts, is_marked, share
from training.tables import markdown

CARD = Path(__file__).parents[2] / "data" / "README.md"
TEMPLATE = Path(__file__).with_name("card.md")


def data_card(examples: Sequence[Example]) -> str:
    """The whole page; the same corpus always gives the same."""
    accepted = _instance(examples)
    rejected = dataclasses.replace(accepted, label="legitimate", category="balance")
    scams = sum(example.label == "scam" for example in examples)
    words = [word for word in word_shortcuts(examples) if len(word.name) > 1][:5]
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        size="10K<n<100K" if len(examples) > 10_000 else "1K<n<10K",
        messages=f"{len(examples):,}",
        scams=f"{scams:,}",
        legitimate=f"{len(examples) - scams:,}",
        conversations=f"{sum(len(e.conversation.messages) > 1 for e in examples):,}",
        tricks=len({e.trick for e in examples if e.label == "scam"}),
        categories=len(taxonomy().ids),
        marked=f"{share(examples, is_marked):.0%}",
        accepted=line(accepted),
        rejected=line(rejected),
        reason=next(by_policy(rejected)),
        splits=_splits(examples),
        unseen=", ".join(f"`{trick}`" for trick in sorted(held_out())),
        kinds=_table("category", counts(examples, lambda e: e.category)),
        registers=_table("register", counts(examples, lambda e: e.register)),
        fills=FILLS,
        surface_limit=SURFACE_LIMIT,
        surface=_strongest(surface_shortcuts(examples)[:4]),
        words=_strongest(words),
    )


def _instance(examples: Sequence[Example]) -> Example:
    """The first short fake bank message whose link imitates: what the policy is clearest about."""
    for example in examples:
        wrong = dataclasses.replace(example, label="legitimate", category="balance")
        short = len(line(example)) < 500
        if example.category == "bank_impersonation" and short and any(by_policy(wrong)):
            return example
    raise BadData("the card shows a fake bank message with a look-alike link; the corpus has none")


def _splits(examples: Sequence[Example]) -> str:
    rows = [["split", "messages", "scams", "conversations", "waves"]]
    for file in SPLIT_OF_FILE:
        part = [example for example in examples if file_of(example) == file]
        rows.append(
            [
                f"`{Path(file).stem}`",
                f"{len(part):,}",
                f"{sum(e.label == 'scam' for e in part):,}",
                f"{sum(len(e.conversation.messages) > 1 for e in part):,}",
                f"{len({e.wave for e in part}):,}",
            ]
        )
    return markdown(rows)


def _table(name: str, rows: Sequence[tuple[str, int, int]]) -> str:
    body = [[f"`{value}`", f"{scams:,}", f"{legitimate:,}"] for value, scams, legitimate in rows]
    return markdown([[name, "scam", "legitimate"], *body])


def _strongest(shortcuts: Sequence[Shortcut]) -> str:
    return ", ".join(f"{s.name} {s.auc:.2f} ({s.sign})" for s in shortcuts)
