"""What the Python client gives back, and what it raises.

A newer service may say more than is known here: that is passed over. The errors, in one tree::

    ClientError
    ├── Unavailable            no answer in time, or none that can be read
    └── RequestRefused         the service says what is wrong with the request; ``refused`` holds its words
        └── KeyRefused         the key is unknown, was revoked or lacks the scope (401, 403)

None holds the message text or the key, and none drags along an ``httpx`` error that does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, get_args

from data.errors import CanhGiacError
from data.taxonomy import LABELS, Label, Verdict

#: What a citizen is told of a message that could not be checked.
UNCHECKED_ADVICE = (
    "Chưa kiểm tra được tin nhắn này. Không bấm đường dẫn, không chuyển tiền, không đọc mã OTP "
    "khi chưa gọi hỏi theo số điện thoại chính thức của nơi gửi."
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Category:
    """A category of the taxonomy and its calibrated probability."""

    id: str
    name_vi: str
    name_en: str
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A part of message ``message`` that speaks for the verdict; offsets are code points, as in ``str``."""

    message: int
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A URL, phone number or bank account seen in message ``message``."""

    type: str
    value: str
    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, its reasons, and what to tell the citizen.

    ``score`` is the calibrated probability of a scam; ``truncated`` says that the model could not read
    all of the text. When the service could not be asked, ``available`` is false, ``reason`` says why,
    ``verdict`` is ``unsure``, and what only a model knows is None or empty.
    """

    verdict: Verdict
    advice: str
    label: Label | None = None
    score: float | None = None
    category: Category | None = None
    evidence: tuple[Evidence, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    model_version: str | None = None
    truncated: bool = False
    id: str | None = None
    available: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where in the request, and what."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What the service says of a request, or of one item of a batch, that it does not answer.

    ``type`` is a stable URN such as ``urn:canhgiac:problem:text-too-long``.
    """

    status: int
    type: str
    title: str
    detail: str
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        return f"{self.title}: {self.detail}"


class ClientError(CanhGiacError):
    """Anything the client raises about a call."""


class Unavailable(ClientError):
    """No answer in time, or none that can be read; the same request may succeed later."""


class RequestRefused(ClientError):
    """The service does not take the request as it is; sending it again changes nothing."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(str(refused))
        self.refused = refused

    def __reduce__(self) -> tuple[Any, ...]:  # an error may cross to another process
        return type(self), (self.refused,)


class KeyRefused(RequestRefused):
    """The key is unknown, was revoked, or lacks the scope."""


def unavailable_answer(reason: str) -> Answer:
    """The answer for a message that could not be checked: unsure, so that it is shown with a warning."""
    return Answer(verdict="unsure", advice=UNCHECKED_ADVICE, available=False, reason=reason)


def answer_from(record: Mapping[str, Any]) -> Answer:
    """The answer in the service's JSON; ``ValueError``, ``KeyError`` or ``TypeError`` when it holds none.

    A verdict unknown here is no answer: a caller could take it for the absence of a scam.
    """
    if record["verdict"] not in get_args(Verdict) or record["label"] not in LABELS:
        raise ValueError("an unknown verdict or label")
    return Answer(
        verdict=record["verdict"],
        advice=record["advice"],
        label=record["label"],
        score=float(record["score"]),
        category=_known(Category, record["category"]),
        evidence=tuple(_known(Evidence, part) for part in record["evidence"]),
        indicators=tuple(_known(Indicator, seen) for seen in record["indicators"]),
        model_version=record["model"]["version"],
        truncated=record["truncated"],
        id=record["id"],
    )


def refused_from(record: Mapping[str, Any]) -> Refused:
    """The refusal in a problem's JSON (RFC 9457); ``KeyError`` or ``TypeError`` when it holds none."""
    faults = tuple(_known(Fault, fault) for fault in record.get("errors") or ())
    return Refused(record["status"], record["type"], record["title"], record["detail"], faults)


def _known(kind: type[T], record: Mapping[str, Any]) -> T:
    """A ``kind`` from the fields it knows."""
    return kind(**{field.name: record[field.name] for field in fields(kind)})  # type: ignore[arg-type]
