"""Score a file of messages: CSV, JSON Lines or Parquet in, the same columns and five more out.

Rows stream through in chunks, so a file may be larger than memory. A row that cannot be scored is
kept, with the reason in ``error``, and a line that is no row at all in ``given_line``: what went in
can always be counted against what came out.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from data.errors import BadData, BadMessage
from data.messages import Conversation, conversation_from
from model.classifier import Classifier, Prediction
from model.tables import Row, Unparsed, count_rows, read_rows, write_rows

#: A row and its number in the file.
Numbered = tuple[int, Row | Unparsed]

#: Rows that go through the model together and are reported as done together.
CHUNK = 64
#: The columns that are added; an input column of that name survives as ``given_...``.
ADDED = ("id", "label", "score", "verdict", "category", "error")
#: What could not be parsed into columns, as it was given; the column is there only where needed.
GIVEN_LINE = "given_line"


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
    *,
    threads: int = 1,
) -> Counts:
    """How many rows were read, scored and bad; ``output`` is written and appears when it is whole.

    A row has ``text`` or ``messages``, optionally ``id`` (its number in the file otherwise),
    ``sender`` and ``channel``. ``label`` becomes ``scam`` for a scam verdict, else ``legitimate``.
    ``on_progress(done, total)`` is called after each chunk; ``threads`` chunks are scored at a time.

    Raises ``BadData`` when the file or its format cannot be read or it holds no row, and
    ``MissingExtra`` for Parquet without pyarrow.
    """
    total = count_rows(input)
    done = bad = 0

    def scored() -> Iterator[Row]:
        nonlocal done, bad
        rows = enumerate(read_rows(input), 1)
        chunks = iter(lambda: list(islice(rows, CHUNK)), [])
        for chunk in _ahead(lambda some: list(_scored(classifier, some)), chunks, threads):
            bad += sum(row["error"] is not None for row in chunk)
            yield from chunk
            done += len(chunk)
            on_progress(done, total)
        if not done:
            raise BadData(f"{input}: holds no row; give a file with a message in each row")

    write_rows(output, scored(), _columns(read_rows(input), output))
    return Counts(done, done - bad, bad)


def _ahead(
    work: Callable[[list[Numbered]], list[Row]], chunks: Iterator[list[Numbered]], threads: int
) -> Iterator[list[Row]]:
    """The work on each chunk, in order; as many are begun as there are threads, and one more waits."""
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[list[Row]]] = deque()
        for chunk in chunks:
            begun.append(pool.submit(work, chunk))
            if len(begun) > threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _columns(rows: Iterable[Row | Unparsed], output: Path) -> list[str]:
    """Every column of the output, in order; JSON Lines has no header and needs none."""
    if output.suffix.lower() == ".jsonl":
        return []
    seen: dict[str, None] = {}
    for row in rows:
        seen.update(dict.fromkeys(_kept(row)))
    return [*_renamed(dict.fromkeys(seen)), *ADDED]


def _scored(classifier: Classifier, chunk: list[Numbered]) -> Iterator[Row]:
    conversations = [_conversation(row) for _, row in chunk]
    good = [conversation for conversation in conversations if isinstance(conversation, Conversation)]
    predictions = iter(classifier.predict(good))
    for (number, row), conversation in zip(chunk, conversations, strict=True):
        kept = _kept(row)
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


def _kept(row: Row | Unparsed) -> Row:
    return {GIVEN_LINE: row.line} if isinstance(row, Unparsed) else row


def _conversation(row: Row | Unparsed) -> Conversation | BadMessage:
    if isinstance(row, Unparsed):
        return BadMessage(row.reason)
    try:
        fields = {"sender": _sender(row.get("sender")), "messages": _messages(row.get("messages"))}
        conversation = conversation_from({**row, **fields}).checked()
        conversation.text.encode()
    except BadMessage as error:
        return error
    except UnicodeEncodeError:
        return BadMessage("the text holds half a character (a lone surrogate); write the message again")
    return conversation


def _sender(cell: Any) -> Any:
    """The sender as text, also where a typed table holds phone numbers and short codes as numbers."""
    return str(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else cell


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
