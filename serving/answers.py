"""What goes out over HTTP, as pydantic models. Offsets are code points of the text as received."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from data.messages import Channel
from data.taxonomy import Label, Verdict
from model.evidence import IndicatorType
from serving import examples
from serving.schemas import MessageIn


class CategoryOut(BaseModel):
    """A category of the taxonomy and its calibrated probability."""

    id: str
    name_vi: str
    name_en: str
    score: float = Field(ge=0, le=1)


class EvidenceOut(BaseModel):
    """A part of the text that speaks for the verdict."""

    message: int = Field(description="Position of the message in the conversation, from 0.")
    start: int = Field(description="In code points of the text as received.")
    end: int
    reason: str = Field(description="In Vietnamese.")


class IndicatorOut(BaseModel):
    """A URL, phone number or bank account seen in the text."""

    type: IndicatorType
    value: str
    message: int
    start: int
    end: int


class ModelOut(BaseModel):
    """The model that answered."""

    name: str
    version: str


class Answer(BaseModel):
    """A verdict, its reasons, and what to tell the citizen."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANSWER]})

    id: str
    label: Label
    score: float = Field(ge=0, le=1, description="Calibrated probability of a scam.")
    verdict: Verdict
    category: CategoryOut
    evidence: list[EvidenceOut]
    indicators: list[IndicatorOut]
    advice: str = Field(description="For the citizen, in Vietnamese.")
    model: ModelOut
    truncated: bool = Field(description="Whether the model could not read all of the text.")


class FaultOut(BaseModel):
    """One thing that is wrong with the request."""

    where: str
    what: str


class ProblemOut(BaseModel):
    """An error (RFC 9457); it never repeats what was sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultOut] | None = None


class BatchItem(BaseModel):
    """One item's answer or its problem; the other is null."""

    result: Answer | None = None
    problem: ProblemOut | None = None


class BatchAnswer(BaseModel):
    """Answers in the order of the items."""

    items: list[BatchItem]


class FeedbackAnswer(BaseModel):
    """The feedback is stored and waits for an annotator."""

    id: str
    status: Literal["queued"] = "queued"


class GuessOut(BaseModel):
    """What the model and the client thought; shown to the annotator only after the first answer."""

    label: Label
    category: str | None
    score: float | None
    verdict: Verdict


class ReviewItemOut(BaseModel):
    """A message to label, standing for its wave, leased to whoever asked."""

    id: str
    messages: list[MessageIn]
    sender: str | None
    channel: Channel | None
    wave_size: int
    lease_expires_at: datetime
    reasons: list[str]
    indicators: list[IndicatorOut]
    guess: GuessOut | None


class ReviewAnswer(BaseModel):
    """Messages to label now, the most urgent first."""

    items: list[ReviewItemOut]


class LabelAnswer(BaseModel):
    """The label event that is now on disk."""

    id: int
    message_id: str
    label: Label | None
    category: str | None
    at: datetime
