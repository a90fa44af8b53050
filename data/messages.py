"""The records: one message, a conversation, and a conversation with its label.

A message is one SMS or chat turn. A conversation is an ordered list of them; a lone SMS is a
conversation of one. Everything that is classified, fed back, labelled or trained on is a
conversation.

>>> conversation = Conversation.from_text("Ma OTP cua quy khach la 482913")
>>> conversation.messages[0].role
'sender'
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

from data.errors import BadData, BadMessage, BadRecord, TextTooLong
from data.taxonomy import LABELS, Label, taxonomy
from data.tricks import tricks

Role = Literal["sender", "recipient"]
Channel = Literal["sms", "chat"]
SenderType = Literal["brandname", "shortcode", "phone", "account"]
Register = Literal["formal", "plain", "informal", "teencode", "obfuscated"]
Split = Literal["train", "validation", "test"]

ROLES: tuple[Role, ...] = get_args(Role)
CHANNELS: tuple[Channel, ...] = get_args(Channel)
SENDER_TYPES: tuple[SenderType, ...] = get_args(SenderType)
REGISTERS: tuple[Register, ...] = get_args(Register)
SPLITS: tuple[Split, ...] = get_args(Split)

T = TypeVar("T", bound=str)

#: What is written of an example after its id and conversation.
_OF_AN_EXAMPLE = (
    "label",
    "category",
    "trick",
    "sender_type",
    "register",
    "scam_turn",
    "source",
    "written_at",
    "wave",
)

#: The longest message accepted, in characters (code points). Four concatenated Unicode SMS are
#: 268; 2,000 is the longest chat message most people ever paste.
MAX_CHARACTERS = 2_000
#: The longest conversation accepted, in messages.
MAX_MESSAGES = 100
#: The longest conversation accepted, in characters: a hundred turns as people type them, or four of the
#: longest messages. What a longer one says is in its latest turns.
MAX_CONVERSATION_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS or chat turn: who wrote it and what."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in the order they were sent; never empty.

    ``sender`` is the brand name, short code or number shown by the phone, where known.
    """

    messages: tuple[Message, ...]
    sender: str | None = None
    channel: Channel | None = None

    @classmethod
    def from_text(
        cls, text: str, *, sender: str | None = None, channel: Channel | None = None
    ) -> "Conversation":
        """A conversation of one message, from the sender."""
        return cls((Message("sender", text),), sender, channel)

    @property
    def text(self) -> str:
        """All texts, one a line: for people and for grouping, not for offsets."""
        return "\n".join(message.text for message in self.messages)

    def checked(self) -> "Conversation":
        """Itself, if it is within the limits; ``BadMessage`` or ``TextTooLong`` otherwise."""
        if not self.messages:
            raise BadMessage("the conversation has no message; send at least one")
        if len(self.messages) > MAX_MESSAGES:
            raise BadMessage(
                f"the conversation has {len(self.messages)} messages; "
                f"the limit is {MAX_MESSAGES}: send the latest"
            )
        for position, message in enumerate(self.messages):
            if len(message.text) > MAX_CHARACTERS:
                raise TextTooLong(position, len(message.text), MAX_CHARACTERS)
        length = sum(len(message.text) for message in self.messages)
        if length > MAX_CONVERSATION_CHARACTERS:
            raise BadMessage(
                f"the conversation has {length} characters; "
                f"the limit is {MAX_CONVERSATION_CHARACTERS}: send the latest messages"
            )
        if not any(message.text.strip() for message in self.messages):
            raise BadMessage("the conversation has no text; send at least one character")
        return self


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation with the answer a person gave: what models learn from.

    ``wave`` groups near-duplicates of one campaign, which never part between splits;
    ``written_at`` is an ISO date where one is known. ``trick`` is what a scam plays, or what a
    legitimate message could be mistaken for; ``scam_turn`` is the position of the message from which
    a careful reader knows. ``split`` is where a frozen benchmark holds it, if one does.
    """

    id: str
    conversation: Conversation
    label: Label
    category: str
    wave: str
    source: str
    written_at: str | None = None
    sender_type: SenderType | None = None
    register: Register | None = None
    trick: str | None = None
    scam_turn: int | None = None
    split: Split | None = None


def parse_record(line: str, source: str, number: int) -> dict[str, Any]:
    """The object in one line of JSON Lines; ``BadRecord`` with file and line when it holds none."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadRecord(source, number, f"not JSON ({error.msg} at column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise BadRecord(source, number, "JSON with an endless number or without an end of depth") from error
    if not isinstance(record, dict):
        raise BadRecord(source, number, "not a JSON object")
    return record


def conversation_from(record: Mapping[str, Any]) -> Conversation:
    """The conversation in a record with ``text`` or ``messages``.

    Raises ``BadMessage`` with the reason when there is neither, both disagree in type, or a role
    is unknown. Limits are not checked here; see ``Conversation.checked``.
    """
    channel = _choice(record, "channel", CHANNELS)
    sender = _text(record, "sender")
    messages = record.get("messages")
    if messages is not None:
        return Conversation(tuple(_messages_from(messages)), sender, channel)
    text = record.get("text")
    if not isinstance(text, str):
        raise BadMessage("write the message in text (a string) or in messages (a list)")
    return Conversation.from_text(text, sender=sender, channel=channel)


def example_from(record: Mapping[str, Any]) -> Example:
    """The labelled example in a corpus record; ``BadMessage`` with the reason when it is not one."""
    label = record.get("label")
    if label not in LABELS:
        raise BadMessage("label must be scam or legitimate")
    category = record.get("category")
    known = taxonomy().categories_of(label)
    if not isinstance(category, str) or category not in {entry.id for entry in known}:
        raise BadMessage(f"category is not a {label} category of the taxonomy")
    conversation = conversation_from(record).checked()
    return Example(
        id=_required(record, "id"),
        conversation=conversation,
        label=label,
        category=category,
        wave=_required(record, "wave"),
        source=_required(record, "source"),
        written_at=_text(record, "written_at"),
        sender_type=_choice(record, "sender_type", SENDER_TYPES),
        register=_choice(record, "register", REGISTERS),
        trick=_trick(record, label),
        scam_turn=_scam_turn(record, label, conversation),
    )


def record_of(conversation: Conversation) -> dict[str, Any]:
    """The fields of a conversation as written to JSON: ``text`` for one message, else ``messages``."""
    if len(conversation.messages) == 1 and conversation.messages[0].role == "sender":
        record: dict[str, Any] = {"text": conversation.messages[0].text}
    else:
        record = {"messages": [{"role": m.role, "text": m.text} for m in conversation.messages]}
    if conversation.sender is not None:
        record["sender"] = conversation.sender
    if conversation.channel is not None:
        record["channel"] = conversation.channel
    return record


def example_record(example: Example) -> dict[str, Any]:
    """The fields of an example as written to JSON, in the corpus' order; ``split`` is its file's name."""
    record = {"id": example.id, **record_of(example.conversation)}
    for field in _OF_AN_EXAMPLE:
        if (value := getattr(example, field)) is not None:
            record[field] = value
    return record


def numbered_lines(file: Path) -> list[tuple[int, str]]:
    """Line numbers and lines of a JSON Lines file, empty ones passed over; ``BadData`` if unreadable."""
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{file}: cannot be read ({type(error).__name__}); give a JSON Lines file") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _messages_from(messages: Sequence[Any]) -> Iterator[Message]:
    if not isinstance(messages, list):
        raise BadMessage("messages must be a list of {role, text}")
    for position, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("text"), str):
            raise BadMessage(f"messages[{position}] must be an object with role and text")
        if message.get("role") not in ROLES:
            raise BadMessage(f"messages[{position}].role must be sender or recipient")
        yield Message(cast(Role, message["role"]), message["text"])


def _trick(record: Mapping[str, Any], label: Label) -> str | None:
    """A legitimate message may name any trick; a scam plays one of its own category."""
    trick = record.get("trick")
    if trick is None:
        return None
    if not isinstance(trick, str) or trick not in tricks():
        raise BadMessage("trick is not one of data/tricks.toml")
    if label == "scam" and tricks()[trick].category != record["category"]:
        raise BadMessage(f"trick belongs to {tricks()[trick].category}, another category")
    return trick


def _scam_turn(record: Mapping[str, Any], label: Label, conversation: Conversation) -> int | None:
    turn = record.get("scam_turn")
    if turn is None:
        return None
    if label != "scam" or type(turn) is not int or not 0 <= turn < len(conversation.messages):
        raise BadMessage("scam_turn is the position, from 0, of a message of a scam conversation")
    return turn


def _required(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise BadMessage(f"{key} is missing")
    return value


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise BadMessage(f"{key} must be a string")
    return value


def _choice(record: Mapping[str, Any], key: str, choices: Sequence[T]) -> T | None:
    value = record.get(key)
    if value is not None and value not in choices:
        raise BadMessage(f"{key} must be one of: {', '.join(choices)}")
    return value
