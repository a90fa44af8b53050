"""Labels in and out: JSON Lines, CSV, Label Studio JSON and doccano JSON Lines.

Every format holds the same records, so a batch can be labelled in another tool and come back.
The format follows the file's name: ``.jsonl``, ``.csv``, ``.labelstudio.json``, ``.doccano.jsonl``.

>>> format_of(Path("week-47.doccano.jsonl"))
'doccano'
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from data.errors import BadData, BadMessage, BadRecord
from data.messages import Conversation, Example, conversation_from, parse_record, record_of
from data.taxonomy import LABELS, Label, taxonomy

Format = Literal["jsonl", "csv", "labelstudio", "doccano"]

#: Longest suffix first: ``.doccano.jsonl`` also ends in ``.jsonl``.
SUFFIXES: dict[str, Format] = {
    ".labelstudio.json": "labelstudio",
    ".doccano.jsonl": "doccano",
    ".jsonl": "jsonl",
    ".csv": "csv",
}
COLUMNS = ("id", "text", "messages", "sender", "channel", "label", "category", "note", "at")
#: A spreadsheet runs a cell that begins with one of these as a formula (OWASP, *CSV Injection*); where
#: people write full-width signs, those too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer about one conversation; ``label`` None is a skip.

    ``id`` is the message's id in the store, or any name for one that the store does not know.
    """

    id: str
    conversation: Conversation
    label: Label | None
    category: str | None
    note: str | None = None
    at: datetime | None = None


def format_of(file: Path) -> Format:
    """The format that a file's name says; ``BadData`` lists the known ones."""
    for suffix, format_ in SUFFIXES.items():
        if file.name.endswith(suffix):
            return format_
    raise BadData(f"{file.name}: unknown format; name it with one of {', '.join(SUFFIXES)}")


def write_answers(answers: Iterable[Answer], file: Path) -> int:
    """Write answers in the format that the file's name says; returns how many."""
    records = [record_of_answer(answer) for answer in answers]
    format_ = format_of(file)
    with file.open("w", encoding="utf-8", newline="") as out:
        if format_ == "csv":
            writer = csv.DictWriter(out, COLUMNS)
            writer.writeheader()
            writer.writerows(_row(record) for record in records)
        elif format_ == "labelstudio":
            json.dump([_task(record) for record in records], out, ensure_ascii=False, indent=1)
        else:
            shape = _doccano if format_ == "doccano" else dict
            out.writelines(json.dumps(shape(record), ensure_ascii=False) + "\n" for record in records)
    return len(records)


def read_answers(file: Path) -> Iterator[Answer]:
    """Answers of a file, in order; ``BadRecord`` names the line (or position) and reason of a bad one.

    Label Studio and doccano know no skip: what has no annotation there has no answer and is left out.
    """
    format_ = format_of(file)
    for number, raw in _records(file, format_):
        try:
            record = _READERS[format_](raw)
            if record is not None:
                yield _answer(record, f"{file.name}-{number}")
        except (BadMessage, BadData) as error:
            raise BadRecord(file.name, number, str(error)) from error


def answer_of(example: Example) -> Answer:
    """The answer that a labelled example stands for."""
    at = datetime.fromisoformat(example.written_at) if example.written_at else None
    return Answer(example.id, example.conversation, example.label, example.category, at=at)


def record_of_answer(answer: Answer) -> dict[str, Any]:
    """The plain record of an answer: a line of an answers file."""
    record = {"id": answer.id, **record_of(answer.conversation)}
    record |= {"label": answer.label, "category": answer.category, "note": answer.note}
    return record | {"at": answer.at.isoformat() if answer.at else None}


def _answer(record: Mapping[str, Any], default_id: str) -> Answer:
    if "label" not in record:
        raise BadMessage("label is missing; is this a batch that nobody has labelled yet?")
    label = record["label"] or None
    category = record.get("category") or None
    if label is not None and label not in LABELS:
        raise BadMessage("label must be scam or legitimate (or empty for a skip)")
    if category is not None and (label is None or taxonomy()[category].label != label):
        raise BadMessage("category is not one of the label's; compare with data/taxonomy.toml")
    at = record.get("at")
    return Answer(
        id=str(record.get("id") or default_id),
        conversation=conversation_from(record).checked(),
        label=cast(Label | None, label),
        category=category,
        note=record.get("note") or None,
        at=_time(at) if at else None,
    )


def _time(value: Any) -> datetime:
    """A time; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(value)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise BadMessage("at must be an ISO 8601 time, such as 2026-11-23T08:00:00+07:00") from None


def _records(file: Path, format_: Format) -> Iterator[tuple[int, Any]]:
    """What the file holds, record by record, as its format writes it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")  # read_text would make every line break \n
    except OSError as error:
        raise BadData(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file}: not UTF-8; save it as UTF-8") from error
    if format_ == "csv":
        yield from enumerate(csv.DictReader(io.StringIO(text, newline="")), 2)
    elif format_ == "labelstudio":
        yield from enumerate(_tasks(text, file), 1)
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, parse_record(line, file.name, number)


def _row(record: Mapping[str, Any]) -> dict[str, str]:
    row = {key: value for key, value in record.items() if value is not None}
    if "messages" in row:
        row["messages"] = json.dumps(row["messages"], ensure_ascii=False)
    return {key: _inert(str(value)) for key, value in row.items()}


def _unrow(row: Mapping[str, str | None]) -> dict[str, Any]:
    record: dict[str, Any] = {key: _ert(value) for key, value in row.items() if key in COLUMNS and value}
    if "label" in row:
        record.setdefault("label", None)
    if "messages" in record:
        try:
            record["messages"] = json.loads(record["messages"])
        except json.JSONDecodeError:
            record["messages"] = None
    return record


def _inert(cell: str) -> str:
    """A cell that a spreadsheet shows and does not run."""
    return f"'{cell}" if cell.startswith((*FORMULA_STARTS, "'")) else cell


def _ert(cell: str) -> str:
    """The cell before ``_inert``."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*FORMULA_STARTS, "'")) else cell


def _doccano(record: Mapping[str, Any]) -> dict[str, Any]:
    """The text classification shape of doccano: ``text``, and label and category as its list of labels."""
    text = record.get("text") or _transcript(record["messages"])
    labels = [value for value in (record["label"], record["category"]) if value]
    return {**record, "text": text, "label": labels}


def _undoccano(record: Mapping[str, Any]) -> dict[str, Any] | None:
    labels = record.get("label") or record.get("labels") or []
    label = next((value for value in labels if value in LABELS), None)
    category = next((value for value in labels if value in taxonomy()), None)
    if label is None and category is not None:
        label = taxonomy()[category].label
    return {**record, "label": label, "category": category} if label else None


def _task(record: Mapping[str, Any]) -> dict[str, Any]:
    """A Label Studio task with its annotation (labelling interface: two ``Choices`` on ``text``)."""
    text = record.get("text") or _transcript(record["messages"])
    chosen = [
        {
            "from_name": name,
            "to_name": "text",
            "type": "choices",
            "value": {"choices": [record[name]]},
        }
        for name in ("label", "category")
        if record[name]
    ]
    data = {
        key: value
        for key, value in record.items()
        if key not in ("label", "category") and value is not None
    }
    return {"data": {**data, "text": text}, "annotations": [{"result": chosen}] if chosen else []}


def _tasks(content: str, file: Path) -> list[Any]:
    try:
        tasks = json.loads(content)
    except json.JSONDecodeError as error:
        raise BadRecord(file.name, error.lineno, f"not JSON ({error.msg})") from error
    if not isinstance(tasks, list):
        raise BadData(f"{file.name}: not a list of Label Studio tasks; export it there as JSON")
    return tasks


def _untask(task: Any) -> dict[str, Any] | None:
    try:
        results = [
            result for annotation in task.get("annotations") or [] for result in annotation["result"]
        ]
        chosen = {result["from_name"]: result["value"]["choices"][0] for result in results}
        record = dict(task["data"])
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise BadMessage("not a Label Studio task (data, and annotations with choices)") from error
    if "label" not in chosen:
        return None
    return {**record, "label": chosen["label"], "category": chosen.get("category")}


def _transcript(messages: Iterable[Mapping[str, str]]) -> str:
    """A conversation as one text, for tools that show only text; the messages travel beside it."""
    return "\n".join(f"{message['role']}: {message['text']}" for message in messages)


_READERS: dict[Format, Callable[[Any], Mapping[str, Any] | None]] = {
    "jsonl": dict,
    "csv": _unrow,
    "labelstudio": _untask,
    "doccano": _undoccano,
}
