"""Everything that must hold of the corpus, and where it does not: ``canhgiac corpus check``."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.corpus import FOLDER, SPLIT_OF_FILE, UNSEEN, locate
from data.messages import Example
from data.tricks import held_out
from training.config import Waves
from training.corpus.add import FILLS
from training.corpus.card import CARD, data_card
from training.corpus.masks import masked
from training.corpus.rules import RULES
from training.corpus.shortcuts import (
    EXPLAINED,
    SURFACE_LIMIT,
    TRIGGER_SHARE,
    WORD_LIMIT,
    surface_shortcuts,
    triggers,
    word_shortcuts,
)
from training.corpus.stats import targets
from training.dataset import merge_waves


@dataclass(frozen=True, slots=True)
class Line:
    """An example and where it stands."""

    file: str
    number: int
    example: Example

    def __str__(self) -> str:
        return f"{self.file}:{self.number} ({self.example.id})"


def check(folder: Path = FOLDER, *, waves: Waves) -> list[str]:
    """Every finding, one sentence each; empty when the corpus is as it must be.

    Raises ``BadRecord`` at the first line that is no example at all.
    """
    lines = [Line(*located) for located in locate(folder)]
    examples = [line.example for line in lines]
    found = [f"{line}: {reason}" for line in lines for rule in RULES for reason in rule(line.example)]
    return [
        *found,
        *_repeated(lines),
        *_misplaced(lines),
        *_parted_waves(lines, waves),
        *_shortcuts(examples),
        *(f"stats: {target}" for target in targets(examples) if not target.met),
        *_stale_card(folder, examples),
    ]


def _stale_card(folder: Path, examples: Sequence[Example]) -> Iterator[str]:
    """The card of the shipped corpus, which must be what the data say now."""
    if folder == FOLDER and CARD.read_text("utf-8") != data_card(examples):
        yield f"{CARD.name}: not what the data say; run: canhgiac corpus card"


def _repeated(lines: Sequence[Line]) -> Iterator[str]:
    for group in _groups(lines, lambda line: line.example.conversation.text):
        for line in group[1:]:
            yield f"{line}: the same text as {group[0]}; remove one"
    # without letters there is nothing to be a fill of: such a message is a group of its own
    for group in _groups(lines, lambda line: masked(line.example.conversation) or line.example.id):
        for line in group[FILLS:]:
            yield f"{line}: fill {FILLS + 1} or more of the message at {group[0]}; write another"
        yield from _of_another_wave(group)


def _misplaced(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if line.file not in SPLIT_OF_FILE:
            yield f"{line}: no split of that name; the files are {', '.join(SPLIT_OF_FILE)}"
        elif (line.example.trick in held_out()) != (line.file == UNSEEN):
            yield f"{line}: messages of held-out tricks, and only they, belong into {UNSEEN}"
    for group in _groups(lines, lambda line: line.example.wave):
        if len({line.file for line in group}) > 1:
            yield f"{group[0]}: its wave is in {group[-1].file} too; keep it in one split"


def _parted_waves(lines: Sequence[Line], waves: Waves) -> Iterator[str]:
    """Near-duplicates that bear different waves; a model would be tested on what it had read."""
    merged = merge_waves([line.example for line in lines], waves)
    now = {id(line): example.wave for line, example in zip(lines, merged, strict=True)}
    for group in _groups(lines, lambda line: now[id(line)]):
        yield from _of_another_wave(group)


def _of_another_wave(group: Sequence[Line]) -> Iterator[str]:
    for line in group[1:]:
        if line.example.wave != group[0].example.wave:
            yield f"{line}: near-duplicate of {group[0]}; give it wave {group[0].example.wave}"


def _shortcuts(examples: Sequence[Example]) -> Iterator[str]:
    if len({example.label for example in examples}) < 2:
        yield "shortcut: only one label is there, so anything tells it; add the other"
        return
    for feature in surface_shortcuts(examples):
        if feature.auc > SURFACE_LIMIT:
            yield f"shortcut: {feature.name} alone has ROC-AUC {feature.auc:.3f}; at most {SURFACE_LIMIT}"
    for word in word_shortcuts(examples):
        if word.auc > WORD_LIMIT and word.name not in EXPLAINED:
            yield f"shortcut: «{word.name}» alone has ROC-AUC {word.auc:.3f}; explain it or balance it"
    for trigger in triggers(examples):
        if trigger.share < TRIGGER_SHARE:
            yield (
                f"trigger word: «{trigger.word}» is in {trigger.scams} scams and {trigger.legitimate} "
                "legitimate messages; write the other kind"
            )


def _groups(lines: Sequence[Line], key: Callable[[Line], str]) -> Iterator[list[Line]]:
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return (group for group in groups.values() if len(group) > 1)
