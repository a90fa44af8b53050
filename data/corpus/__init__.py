"""The written dataset: every message in the ``.jsonl`` files of this folder, with its label.

A file is a split: ``train``, ``validation``, ``test``, and ``unseen``, the test messages whose tricks
no other split plays.

>>> examples = load()
>>> len({example.id for example in examples}) == len(examples)
True
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from data.errors import BadData, BadMessage, BadRecord
from data.messages import SPLITS, Example, Split, example_from, parse_record

FOLDER = Path(__file__).parent

#: The frozen splits. In ``unseen.jsonl`` are the messages of the tricks that are held out.
UNSEEN = "unseen.jsonl"
SPLIT_OF_FILE: dict[str, Split] = {**{f"{split}.jsonl": split for split in SPLITS}, UNSEEN: "test"}


def load(folder: Path = FOLDER) -> list[Example]:
    """Every example of every ``.jsonl`` file in the folder, files in name order; see ``locate``."""
    return [example for _, _, example in locate(folder)]


def locate(folder: Path = FOLDER) -> Iterator[tuple[str, int, Example]]:
    """File name, line number and example of everything in the folder, files in name order.

    Raises ``BadRecord`` with file, line and reason at the first line that is not valid JSON, not a
    valid example or repeats an id, and ``BadData`` when the folder holds no file.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise BadData(f"{folder}: no .jsonl file there; give the folder of the corpus")
    seen: dict[str, str] = {}
    for file in files:
        split = SPLIT_OF_FILE.get(file.name)
        for line, example in read(file):
            if example.id in seen:
                raise BadRecord(file.name, line, f"id {example.id} is also at {seen[example.id]}")
            seen[example.id] = f"{file.name}:{line}"
            yield file.name, line, dataclasses.replace(example, split=split)


def read(file: Path) -> Iterator[tuple[int, Example]]:
    """Line numbers and examples of one file; empty lines are passed over."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            record = parse_record(line, file.name, number)
            try:
                yield number, example_from(record)
            except BadMessage as error:
                raise BadRecord(file.name, number, str(error)) from error
