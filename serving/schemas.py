"""What comes in over HTTP, as pydantic models: strict and closed to unknown fields.

The words and limits of the records themselves are ``data.messages``'. What goes out is in
``serving.answers``.
"""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from data.messages import MAX_MESSAGES, Channel, Conversation, Message, Role
from data.taxonomy import Label, Verdict, taxonomy
from serving import examples

MAX_BATCH = 256


def rule(what: str) -> PydanticCustomError:
    """A broken rule of ours, in words that hold nothing of the request."""
    return PydanticCustomError("rule", what)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise rule("must not hold the character U+0000, which no message has and databases refuse")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Note = Annotated[Text, Field(max_length=2_000)]
#: What a client sends again with a retry, so that nothing is stored twice.
RetryKey = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class Request(BaseModel):
    """A request body: strict and closed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MessageIn(Request):
    """One SMS or chat turn."""

    role: Role = Field(description="Who wrote it: the sender, or the recipient who asks us.")
    text: Text = Field(description="As received, at most 2,000 characters.")


class ConversationIn(Request):
    """``text`` for one message, or ``messages`` for a conversation."""

    text: Text | None = Field(None, description="One message as received, at most 2,000 characters.")
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=MAX_MESSAGES)] | None = Field(
        None, description="A conversation in the order it was sent, at most 8,000 characters in all."
    )
    sender: Name | None = Field(None, description="Brand name, short code or number the phone shows.")
    channel: Channel | None = Field(None, description="Where it arrived.")

    @model_validator(mode="after")
    def _text_or_messages(self) -> Self:
        if (self.text is None) == (self.messages is None):
            raise rule("write either text (one message) or messages (a conversation)")
        return self

    def conversation(self) -> Conversation:
        """The conversation within its limits; ``BadMessage`` or ``TextTooLong`` otherwise."""
        if self.messages is None:
            found = Conversation.from_text(self.text or "", sender=self.sender, channel=self.channel)
        else:
            turns = tuple(Message(message.role, message.text) for message in self.messages)
            found = Conversation(turns, self.sender, self.channel)
        return found.checked()


class ClassifyRequest(ConversationIn):
    """A message, or a conversation, to classify. It is neither stored nor logged."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.CLASSIFY})


class BatchRequest(Request):
    """Up to 256 messages or conversations; each gets its own result or problem."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.BATCH})

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)] = Field(
        description="Each as the body of /v1/classify."
    )


class FeedbackRequest(ConversationIn):
    """What somebody says of a verdict. It is stored only with consent, after redaction."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.FEEDBACK})

    verdict: Verdict = Field(description="The verdict that was seen.")
    proposed_label: Label = Field(description="What the message is in the client's opinion.")
    category: str | None = Field(None, description="A category of the proposed label.")
    note: Note | None = Field(None, description="Why, in the client's words.")
    consent: bool = Field(description="Whether the message may be stored; must be true.")

    @model_validator(mode="after")
    def _category_of_label(self) -> Self:
        _check_category(self.category, self.proposed_label)
        return self


class LabelRequest(Request):
    """An annotator's answer, or a skip (``label`` null and ``skip`` true)."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.LABEL})

    id: Name = Field(description="The item's id, as /v1/review/next gave it.")
    label: Label | None = Field(description="The answer; null only for a skip.")
    category: str | None = Field(None, description="A category of the label; null only for a skip.")
    note: Note | None = Field(None, description="Why, where it is not plain.")
    skip: bool = Field(False, description="True to leave the message to somebody else.")

    @model_validator(mode="after")
    def _answer_or_skip(self) -> Self:
        if self.skip != (self.label is None):
            raise rule("write a label, or skip: true with label null")
        if self.label is None:
            if self.category is not None:
                raise rule("a skip has no category")
        elif self.category is None:
            raise rule("a label needs its category")
        else:
            _check_category(self.category, self.label)
        return self


def _check_category(category: str | None, label: Label) -> None:
    known = [entry.id for entry in taxonomy().categories_of(label)]
    if category is not None and category not in known:
        raise rule(f"category must be one of the {label} ones: {', '.join(known)}")
