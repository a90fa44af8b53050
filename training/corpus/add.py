"""Add written messages to the corpus: each gets its id, its wave and its split.

The input is JSON Lines as the corpus itself, without ``id``, ``source`` and ``wave``, which are given
here. What the corpus may not hold is refused with its reason, and the rest is added.
"""

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.corpus import FOLDER, SPLIT_OF_FILE, UNSEEN, load
from data.errors import BadData, BadMessage, BadRecord
from data.messages import Example, example_from, example_record, numbered_lines, parse_record
from data.splits import part_of
from data.tricks import held_out
from training.config import Waves
from training.corpus.masks import masked
from training.corpus.rules import RULES
from training.dataset import merge_waves

#: Places the corpus' own waves; it is part of the benchmark, so it never changes.
SPLIT_SEED = 2026
#: How many fills of one written message the corpus holds at most.
FILLS = 3


@dataclass(frozen=True, slots=True)
class Added:
    """How many messages were added, and what was refused: ``file:line: reason``."""

    count: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is no part of the corpus yet, and where it was read."""

    where: str
    example: Example


def add(file: Path, *, waves: Waves, folder: Path = FOLDER) -> Added:
    """Append the messages of a file to the splits of the corpus in ``folder``.

    Raises ``BadData`` when the file cannot be read or the folder is no corpus in splits; a line that is
    bad or that the corpus may not hold is refused alone. Each split is written whole and renamed.
    """
    corpus = _corpus(folder)
    refused: list[str] = []
    drafts = _new(list(_drafts(file, refused)), corpus, refused)
    placed = _placed(corpus, drafts, waves, refused)
    for name in SPLIT_OF_FILE:
        _append(folder / name, [line(example) for example, place in placed if place == name])
    return Added(len(placed), tuple(refused))


def line(example: Example) -> str:
    """An example as its line in the corpus."""
    return json.dumps(example_record(example), ensure_ascii=False)


def _corpus(folder: Path) -> list[Example]:
    if not folder.is_dir():
        raise BadData(f"{folder}: no such folder; make it, or name the one of the corpus")
    corpus = load(folder) if any(folder.glob("*.jsonl")) else []
    if any(example.split is None for example in corpus):
        raise BadData(f"{folder}: holds files that are no split; known are {', '.join(SPLIT_OF_FILE)}")
    return corpus


def _append(file: Path, lines: Sequence[str]) -> None:
    if not lines:
        return
    there = file.read_text("utf-8") if file.exists() else ""
    if there and not there.endswith("\n"):
        there += "\n"
    beside = file.with_name(f"{file.name}.partial")
    beside.write_text(there + "".join(f"{text}\n" for text in lines), encoding="utf-8")
    beside.replace(file)


def _drafts(file: Path, refused: list[str]) -> Iterator[Draft]:
    today = datetime.now(UTC).date().isoformat()
    for number, text in numbered_lines(file):
        where = f"{file.name}:{number}"
        try:
            record = {"written_at": today, **parse_record(text, file.name, number)}
            record |= {"id": "new", "wave": "new", "source": "written"}
            example = _named(example_from(record))
        except (BadMessage, BadRecord) as error:
            refused.append(str(error) if isinstance(error, BadRecord) else f"{where}: {error}")
            continue
        wrong = [reason for rule in (_whole, *RULES) for reason in rule(example)]
        refused += [f"{where}: {reason}" for reason in wrong]
        if not wrong:
            yield Draft(where, example)


def _whole(example: Example) -> Iterator[str]:
    try:
        line(example).encode()
    except UnicodeEncodeError:
        yield "holds half a character (a lone surrogate); write it whole"


def _named(example: Example) -> Example:
    """With an id from its text, so that the same message always has the same."""
    roles = "".join(message.role[0] for message in example.conversation.messages)
    named = f"{roles}\n{example.conversation.text}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(named).hexdigest()
    return dataclasses.replace(example, id=f"cg-{digest[:10]}", wave=f"w-{digest[:10]}")


def _new(drafts: Sequence[Draft], corpus: Sequence[Example], refused: list[str]) -> list[Draft]:
    """The drafts that are not in the corpus, word for word or in as many fills as it may hold.

    A fill of a message that is there joins its wave.
    """
    texts = {example.conversation.text for example in corpus}
    ids = {example.id for example in corpus}
    fills = defaultdict[str, list[str]](list)
    for example in corpus:
        fills[masked(example.conversation)].append(example.wave)
    new = []
    for draft in drafts:
        text, wave = draft.example.conversation.text, draft.example.wave
        # without letters there is nothing to be a fill of
        others = fills[mask] if (mask := masked(draft.example.conversation)) else []
        if text in texts or draft.example.id in ids:
            refused.append(f"{draft.where}: is in the corpus word for word")
        elif len(others) >= FILLS:
            refused.append(f"{draft.where}: the corpus has {FILLS} fills of it; write another message")
        else:
            texts.add(text)
            ids.add(draft.example.id)
            others.append(others[0] if others else wave)
            new.append(Draft(draft.where, dataclasses.replace(draft.example, wave=others[0])))
    return new


def _placed(
    corpus: Sequence[Example], drafts: Sequence[Draft], waves: Waves, refused: list[str]
) -> list[tuple[Example, str]]:
    """Each draft under the name of its wave, with the file it belongs to.

    A draft joins the wave and the file of what it is a near-duplicate of. One that would join two
    waves, or the unseen tricks with the others, is refused: the benchmark's splits stay apart.
    """
    merged = merge_waves([*corpus, *(draft.example for draft in drafts)], waves)
    homes = defaultdict[str, set[tuple[str, str]]](set)
    for example, now in zip(corpus, merged, strict=False):
        homes[now.wave].add((example.wave, file_of(example)))
    placed = []
    for draft, now in zip(drafts, merged[len(corpus) :], strict=True):
        unseen = now.trick in held_out()
        hashed = UNSEEN if unseen else f"{part_of(now.wave, seed=SPLIT_SEED)}.jsonl"
        [(wave, place), *others] = homes[now.wave] or {(now.wave, hashed)}
        if others:
            refused.append(f"{draft.where}: near-duplicate of messages of two waves; write another message")
        elif unseen != (place == UNSEEN):
            refused.append(f"{draft.where}: near-duplicate of a message in {place}; write another message")
        else:
            homes[now.wave] = {(wave, place)}
            placed.append((dataclasses.replace(now, wave=wave), place))
    return placed


def file_of(example: Example) -> str:
    """The file of the corpus in which an example belongs."""
    return UNSEEN if example.trick in held_out() else f"{example.split}.jsonl"
