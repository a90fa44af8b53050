"""One call of the Python client without its I/O: what is sent, and what its answer means."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NotRequired, TypedDict, TypeVar
from uuid import uuid4

from data.messages import Channel, Role
from data.taxonomy import Label, Verdict
from serving.client_answers import (
    Answer,
    KeyRefused,
    Refused,
    RequestRefused,
    Unavailable,
    answer_from,
    refused_from,
    unavailable_answer,
)
from serving.client_retries import RETRIED, NoReply, Outcome, Patience, Reply

logger = logging.getLogger("canhgiac.client")

#: Statuses that blame the request even in a proxy's words; any other is blamed on it only in ours.
_REQUEST_IS_WRONG = frozenset({401, 403, 413, 415, 422})
#: What reading an answer raises when it is not the service's.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)

#: Said of an answer whose own words are not the service's, and so are not repeated.
_BEFORE_US = "from a server before the service; check the URL and what stands between"

T = TypeVar("T")


class Message(TypedDict):
    """One SMS or chat turn."""

    role: Role
    text: str


class Item(TypedDict, total=False):
    """What to classify: ``text`` (one message) or ``messages`` (a conversation)."""

    text: str | None
    messages: Sequence[Message] | None
    sender: str | None
    channel: Channel | None


class Feedback(Item):
    """What somebody says of a verdict; the service stores it only with ``consent``."""

    verdict: Verdict
    proposed_label: Label
    consent: bool
    category: NotRequired[str | None]
    note: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. ``read`` makes a result of the answer's JSON, ``instead`` of why there is none."""

    path: str
    body: Mapping[str, Any] | None = field(repr=False)  # holds the text
    patience: Patience
    read: Callable[[Any], T]
    instead: Callable[[str], T] | None = None
    idempotency_key: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What an httpx client is asked to send: a POST with a body, or a GET.

        Half an emoji, where a phone cut the text, goes as ``?``: offsets stay true.
        """
        if self.body is None:
            return {"method": "GET", "url": self.path}
        headers = {"Content-Type": "application/json"}
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        content = json.dumps(self.body, ensure_ascii=False).encode(errors="replace")
        return {"method": "POST", "url": self.path, "headers": headers, "content": content}

    def result(self, outcome: Outcome) -> T:
        """What the last outcome means: a result, or the ``ClientError`` that says why there is none."""
        if isinstance(outcome, NoReply):
            return self._without(outcome.reason)
        if not 200 <= outcome.status < 300:
            return self._without(_reason_unless_refused(outcome))
        try:
            return self.read(json.loads(outcome.body))
        except _UNREADABLE:
            pass  # raised below without these errors, which may hold the answer
        return self._without("the answer is not Cảnh Giác's; check the URL")

    def _without(self, reason: str) -> T:
        if self.instead is None:
            raise Unavailable(reason)
        logger.warning("%s: %s", self.path, reason)
        return self.instead(reason)


def classify(item: Item, patience: Patience, *, fail_open: bool) -> Call[Answer]:
    """Classify one message or conversation."""
    return Call("/v1/classify", item, patience, answer_from, unavailable_answer if fail_open else None)


def classify_batch(
    items: Sequence[Item], patience: Patience, *, fail_open: bool
) -> Call[list[Answer | Refused]]:
    """Classify many; each has its answer or its refusal, in order."""

    def read(answer: Any) -> list[Answer | Refused]:
        pairs = zip(items, answer["items"], strict=True)
        return [_answer_or_refused(outcome, fail_open=fail_open) for _, outcome in pairs]

    def instead(reason: str) -> list[Answer | Refused]:
        return [unavailable_answer(reason) for _ in items]

    body = {"items": list(items)}
    return Call("/v1/classify/batch", body, patience, read, instead if fail_open else None)


def feedback(said: Feedback, patience: Patience) -> Call[str]:
    """Say what somebody thinks of a verdict; stored once, however often it is sent."""
    return Call("/v1/feedback", said, patience, _id_of, idempotency_key=uuid4().hex)


def ready(patience: Patience) -> Call[bool]:
    """Ask, once, whether a model serves and the store answers."""
    once = replace(patience, retries=0)
    return Call("/readyz", None, once, lambda answer: answer["status"] == "ready", lambda reason: False)


def _id_of(answer: Any) -> str:
    return str(answer["id"])


def _answer_or_refused(outcome: Mapping[str, Any], *, fail_open: bool) -> Answer | Refused:
    """One item's; where the service failed (5xx) and not the item, it is as with a call of its own."""
    if outcome.get("result") is not None:
        return answer_from(outcome["result"])
    refused = refused_from(outcome["problem"])
    if fail_open and refused.status >= 500:
        return unavailable_answer(f"HTTP {refused.status}: {refused}")
    return refused


def _reason_unless_refused(reply: Reply) -> str:
    """Why the service did not answer; ``RequestRefused`` when the request is what is wrong."""
    refused = _refused(reply)
    blames_request = range(400, 500) if refused else _REQUEST_IS_WRONG
    if reply.status in blames_request and reply.status not in RETRIED:
        told = refused or Refused(reply.status, "about:blank", f"HTTP {reply.status}", _BEFORE_US)
        raise (KeyRefused if reply.status in (401, 403) else RequestRefused)(told)
    return f"HTTP {reply.status}: {refused or _BEFORE_US}"


def _refused(reply: Reply) -> Refused | None:
    """The problem that the service told, or None when the words are another server's."""
    if not reply.headers.get("Content-Type", "").startswith("application/problem+json"):
        return None
    try:
        return refused_from(json.loads(reply.body))
    except _UNREADABLE:
        return None
