"""A snapshot of everything there is to learn from: divided, fingerprinted and kept on disk.

The corpus and the officers' labels become one list without repetitions; near-duplicates become one
wave; waves go to train, validation or test. Two snapshots with the same fingerprint are the same.
"""

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasketch import MinHash, MinHashLSH

from data.corpus import read
from data.errors import BadData
from data.messages import SPLITS, Example, Split, example_record
from data.splits import Splits, split_by_wave
from model.view import view
from training.config import Waves

#: What a campaign varies from one message to the next.
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a snapshot lies, what it holds and the SHA-256 over all of it."""

    folder: Path
    fingerprint: str
    splits: Splits


def snapshot(
    corpus: Iterable[Example], labels: Iterable[Example], *, waves: Waves, seed: int, state_dir: Path
) -> Snapshot:
    """The examples divided, saved under ``state_dir/snapshots`` and read back if already there.

    A label replaces the corpus entry of the same text. Raises ``BadData`` when a part has no scam or
    no legitimate message, because then nothing can be learnt or measured.
    """
    # repetitions go last: a corpus entry holds its wave in place even when a label replaces it
    divided = split_by_wave(merge_waves([*corpus, *labels], waves), seed=seed)
    splits = Splits(*(_in_split(_without_repetitions(getattr(divided, name)), name) for name in SPLITS))
    for name in SPLITS:
        answers = {example.label for example in getattr(splits, name)}
        if len(answers) < 2:
            raise BadData(f"the {name} split needs both labels; add scam and legitimate examples")
    lines = {name: [_line(example) for example in getattr(splits, name)] for name in SPLITS}
    digest = hashlib.sha256("\n".join(f"{name} {line}" for name in SPLITS for line in lines[name]).encode())
    fingerprint = digest.hexdigest()
    folder = state_dir / "snapshots" / fingerprint[:12]
    if not folder.exists():
        _save(folder, lines)
    return Snapshot(folder, fingerprint, splits)


def read_snapshot(folder: Path) -> Splits:
    """The splits saved in a snapshot folder."""
    parts = {name: [example for _, example in read(folder / f"{name}.jsonl")] for name in SPLITS}
    return Splits(*(_in_split(parts[name], name) for name in SPLITS))


def merge_waves(examples: Sequence[Example], waves: Waves) -> list[Example]:
    """The examples, in order, with near-duplicates and members of the same wave under one wave name.

    Near-duplicates by MinHash LSH (Broder 1997) over word shingles of the folded view, in which
    amounts, codes and links are already masked, as other digits are here. A merged wave bears its
    smallest member's name, a corpus wave's before a label's, so that a label joins its corpus wave's
    split. One that joins two corpus waves still moves one of them.
    """
    written = {example.wave for example in examples if example.source != "label"}
    leader: dict[str, str] = {}

    def find(wave: str) -> str:
        while leader.setdefault(wave, wave) != wave:
            wave = leader[wave]
        return wave

    index = MinHashLSH(threshold=waves.near_duplicate, num_perm=waves.permutations)
    hashes: dict[int, MinHash] = {}
    for position, example in enumerate(examples):
        hashes[position] = _min_hash(example, waves)
        for other in index.query(hashes[position]):
            if hashes[position].jaccard(hashes[other]) >= waves.near_duplicate:
                met = (find(example.wave), find(examples[other].wave))
                first, second = sorted(met, key=lambda wave: (wave not in written, wave))
                leader[second] = first
        index.insert(position, hashes[position])
    return [dataclasses.replace(example, wave=find(example.wave)) for example in examples]


def _min_hash(example: Example, waves: Waves) -> MinHash:
    words = _DIGITS.sub("0", view(example.conversation, "folded").text).split()
    last = max(1, len(words) - waves.shingle + 1)
    shingles = {" ".join(words[start : start + waves.shingle]) for start in range(last)}
    result = MinHash(num_perm=waves.permutations, seed=1)
    result.update_batch([shingle.encode() for shingle in sorted(shingles)])
    return result


def _in_split(examples: Iterable[Example], split: Split) -> tuple[Example, ...]:
    return tuple(dataclasses.replace(example, split=split) for example in examples)


def _without_repetitions(examples: Iterable[Example]) -> tuple[Example, ...]:
    """One example a conversation, by id: the latest given, so that a label outlives the corpus entry."""
    latest = {example.conversation.messages: example for example in examples}
    return tuple(sorted(latest.values(), key=lambda example: example.id))


def _line(example: Example) -> str:
    return json.dumps(example_record(example), ensure_ascii=False, sort_keys=True)


def _save(folder: Path, lines: Mapping[Split, list[str]]) -> None:
    """All files or none: written beside and renamed."""
    beside = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, texts in lines.items():
        (beside / f"{name}.jsonl").write_text("\n".join(texts) + "\n", encoding="utf-8")
    beside.rename(folder)
