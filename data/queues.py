"""Where the labelling script takes messages from and where the answers go: a server or a file.

A police station may have no network: a batch travels there as a file, and its answers come back
as one. Either way an answer is saved before the next message is shown.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from data.errors import BadData, BadMessage, BadRecord, LeaseExpired, ServerError, UnknownItem
from data.exchange import Answer, record_of_answer
from data.messages import Conversation, conversation_from, parse_record, record_of

#: Seconds to wait for the server before saying that nothing was saved.
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of one message to show marked: an indicator (URL, phone, bank account)."""

    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """One message (or conversation) to label, standing for its whole wave.

    ``guess`` is the verdict that the model gave and the label that its reporter proposed; the script
    shows it only after the annotator's answer.
    """

    id: str
    conversation: Conversation
    wave_size: int = 1
    marks: tuple[Mark, ...] = ()
    guess: Mapping[str, Any] = field(default_factory=dict)


class Queue(Protocol):
    """Messages to label, one at a time."""

    def next(self) -> Item | None:
        """The message to label now, or None when there is none left."""

    def save(self, answer: Answer) -> None:
        """Save an answer; returns only when it is safe, raises when it is not."""

    def progress(self) -> tuple[int, int | None]:
        """How many were answered, and of how many (None: unknown)."""

    def close(self) -> None:
        """Let go of what is open; nothing waits to be saved."""


class FileQueue:
    """A batch exported to a file; answers are appended to ``<batch>.answers.jsonl`` beside it."""

    def __init__(self, batch: Path) -> None:
        self.answers = batch.with_name(batch.name.removesuffix(".jsonl") + ".answers.jsonl")
        self._items = [_item(record) for record in _read(batch)]
        self._answered = {record["id"] for record in self._earlier_answers()}

    def next(self) -> Item | None:
        """The first message of the batch that has no answer yet."""
        return next((item for item in self._items if item.id not in self._answered), None)

    def save(self, answer: Answer) -> None:
        """Append one line and wait until the disk has it; a line that it refuses leaves no half."""
        line = (json.dumps(record_of_answer(answer), ensure_ascii=False) + "\n").encode("utf-8", "replace")
        with self.answers.open("ab", buffering=0) as file:
            length = file.tell()
            try:
                complete = file.write(line) == len(line)
                os.fsync(file.fileno())
            except OSError:
                complete = False
            if not complete:
                file.truncate(length)
                raise OSError("Đĩa không nhận câu trả lời (đầy hoặc bị khóa).")
        self._answered.add(answer.id)

    def progress(self) -> tuple[int, int | None]:
        """Answered and all messages of the batch."""
        answered = sum(item.id in self._answered for item in self._items)
        return answered, len(self._items)

    def close(self) -> None:
        """Nothing: each answer's line was closed when it was written."""

    def _earlier_answers(self) -> Iterator[dict[str, Any]]:
        """Answers of an earlier sitting; a last line that a power cut left half-written is cut off."""
        if not self.answers.exists():
            return
        content = self.answers.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            with self.answers.open("r+b") as file:
                file.truncate(len(whole))
        yield from _read(self.answers)


class ServerQueue:
    """The review queue of a server, with the annotator's key."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._answered: set[str] = set()

    @classmethod
    def connect(cls, server: str, key: str) -> "ServerQueue":
        """A queue at ``server`` (its base URL), as the annotator who owns ``key``."""
        headers = {"Authorization": f"Bearer {key}"}
        return cls(httpx.Client(base_url=server, headers=headers, timeout=TIMEOUT))

    def next(self) -> Item | None:
        """The message that the server leases to this annotator now."""
        items = self._send("GET", "/v1/review/next", params={"limit": 1})["items"]
        return _item(items[0]) if items else None

    def save(self, answer: Answer) -> None:
        """Send the answer; the server has it on disk when this returns."""
        body: dict[str, Any] = {"id": answer.id, "label": answer.label, "note": answer.note}
        if answer.label is None:
            body["skip"] = True
        else:
            body["category"] = answer.category
        self._send("POST", "/v1/review/labels", json=body)
        self._answered.add(answer.id)

    def progress(self) -> tuple[int, int | None]:
        """Answered in this sitting; how many wait is the server's affair."""
        return len(self._answered), None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _send(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ServerError(f"Không kết nối được máy chủ ({type(error).__name__}).") from error
        if response.is_success:
            body: dict[str, Any] = response.json()
            return body
        raise _refusal(response)


def write_batch(items: Iterable[Item], file: Path) -> int:
    """Write messages to label as a batch that ``FileQueue`` reads; returns how many."""
    records = [
        {
            "id": item.id,
            **record_of(item.conversation),
            "wave_size": item.wave_size,
            "indicators": [asdict(mark) for mark in item.marks],
            "guess": dict(item.guess),
        }
        for item in items
    ]
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    file.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def _refusal(response: httpx.Response) -> Exception:
    """What the annotator is told when the server says no."""
    if response.status_code in (401, 403):
        return ServerError("Máy chủ không nhận khóa này. Xin khóa có quyền «label».")
    if response.status_code == 404:
        return UnknownItem("Tin này không còn trong hàng chờ.")
    if response.status_code == 409:
        return LeaseExpired("Tin này đã chuyển cho người khác.")
    return ServerError(f"Máy chủ trả lời lỗi {response.status_code}.")


def _item(record: Mapping[str, Any]) -> Item:
    conversation = conversation_from(record)
    marks = tuple(
        Mark(mark.get("message", 0), mark["start"], mark["end"]) for mark in record.get("indicators") or ()
    )
    return Item(
        id=str(record["id"]),
        conversation=conversation,
        wave_size=record.get("wave_size", 1),
        marks=marks,
        guess=record.get("guess") or {},
    )


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSON Lines file; ``BadRecord`` at the first that has no id or no message."""
    try:
        lines = file.read_text("utf-8").split("\n")
    except OSError as error:
        raise BadData(f"{file}: không đọc được ({error.strerror})") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _record(line, file, number)


def _record(line: str, file: Path, number: int) -> dict[str, Any]:
    record = parse_record(line, file.name, number)
    if not isinstance(record.get("id"), str):
        raise BadRecord(file.name, number, "not an object with an id")
    try:
        conversation_from(record)
    except BadMessage as error:
        raise BadRecord(file.name, number, str(error)) from error
    return record
