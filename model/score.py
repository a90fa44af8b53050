"""Score a file of messages: CSV, JSON Lines or Parquet in, the same columns and five more out.

Rows stream through in chunks, so a file may be larger than memory. A row that cannot be scored is
kept, with the reason in ``error``: what went in can always be counted against what came out.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from data.errors import BadMessage
from data.messages import Conversation, conversation_from
from model.classifier import Classifier, Prediction
from model.tables import Row, count_rows, read_rows, write_rows

#: Rows that go through the model together and are reported as done together.
CHUNK = 256
#: The columns that are added; an input column of that name survives as ``given_...``.
ADDED = ("id", "label", "score", "verdict", "category", "error")


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of the file: ``read`` = ``scored`` + ``bad``."""

    read: int
    scored: int
    bad: int


def score_file(
    classifier: Classifier,
    input: Path,  # noqa: A002
    output: Path,
    on_progress: Callable[[int, int | None], None],
) -> Counts:
    """How many rows were read, scored and bad; ``output`` is written and appears when it is whole.

    A row has ``text`` or ``messages``, optionally ``id`` (its number in the file otherwise),
    ``sender`` and ``channel``. ``label`` becomes ``scam`` for a scam verdict, else ``legitimate``.
    ``on_progress(done, total)`` is called after each chunk.

    Raises ``BadData`` when the file or its format cannot be read, ``MissingExtra`` for Parquet
    without pyarrow.
    """
    total = count_rows(input)
    done = bad = 0

    def scored() -> Iterator[Row]:
        nonlocal done, bad
        rows = enumerate(read_rows(input), 1)
        while chunk := list(islice(rows, CHUNK)):
            for row in _scored(classifier, chunk):
                bad += row["error"] is not None
                yield row
            done += len(chunk)
            on_progress(done, total)

    write_rows(output, scored(), _columns(read_rows(input), output))
    return Counts(done, done - bad, bad)


def _columns(rows: Iterable[Row | BadMessage], output: Path) -> list[str]:
    """Every column of the output, in order; JSON Lines has no header and needs none."""
    if output.suffix.lower() == ".jsonl":
        return []
    seen: dict[str, None] = {}
    for row in rows:
        if isinstance(row, Mapping):
            seen.update(dict.fromkeys(row))
    return [*_renamed(dict.fromkeys(seen)), *ADDED]


def _scored(classifier: Classifier, chunk: list[tuple[int, Row | BadMessage]]) -> Iterator[Row]:
    conversations = [_conversation(row) for _, row in chunk]
    good = [conversation for conversation in conversations if isinstance(conversation, Conversation)]
    predictions = iter(classifier.predict(good))
    for (number, row), conversation in zip(chunk, conversations, strict=True):
        kept = {} if isinstance(row, BadMessage) else row
        answer = (
            _answer(next(predictions))
            if isinstance(conversation, Conversation)
            else {
                "label": None,
                "score": None,
                "verdict": None,
                "category": None,
                "error": str(conversation),
            }
        )
        yield {**_renamed(kept), "id": _id(kept, number), **answer}


def _conversation(row: Row | BadMessage) -> Conversation | BadMessage:
    if isinstance(row, BadMessage):
        return row
    try:
        return conversation_from({**row, "messages": _messages(row.get("messages"))}).checked()
    except BadMessage as error:
        return error


def _messages(cell: Any) -> Any:
    """The list of messages, which a table can only hold as JSON."""
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell)
    except ValueError as error:
        raise BadMessage("messages is not JSON") from error


def _answer(prediction: Prediction) -> Row:
    return {
        "label": prediction.label,
        "score": round(prediction.score, 6),
        "verdict": prediction.verdict,
        "category": prediction.category,
        "error": None,
    }


def _renamed(row: Row) -> Row:
    """The input's columns, ``id`` left to the output and those of our names kept as ``given_...``."""
    return {f"given_{name}" if name in ADDED else name: row[name] for name in row if name != "id"}


def _id(row: Row, number: int) -> str:
    given = row.get("id")
    return str(number) if given is None or given == "" else str(given)
