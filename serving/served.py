"""A model in service: from conversations to answers, with their reasons and advice."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from data.errors import ModelFolderError
from data.messages import Conversation
from data.taxonomy import taxonomy
from model.classifier import Classifier, Prediction
from model.evidence import evidence, indicators
from model.verdict import advice
from serving.answers import Answer, CategoryOut, EvidenceOut, IndicatorOut, ModelOut

#: What a new model is asked before it may serve: a scam and an ordinary message.
SELF_TEST = (
    Conversation.from_text("Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top de mo lai"),
    Conversation.from_text("Tối nay con về ăn cơm, mẹ nấu canh chua nhé"),
)


class ServedModel(Protocol):
    """What the service needs of a model; safe to call from one thread at a time."""

    @property
    def version(self) -> str:
        """The version of the model folder."""

    def answer(self, conversations: Sequence[Conversation]) -> list[Answer]:
        """One answer a conversation, in order."""


class FolderModel:
    """A model folder that answers."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.version = classifier.manifest.version

    @classmethod
    def from_folder(cls, path: Path) -> "FolderModel":
        """The model in a folder, verified; ``ModelFolderError`` when it must not be served."""
        return cls(Classifier.from_pretrained(path))

    def answer(self, conversations: Sequence[Conversation]) -> list[Answer]:
        """One answer a conversation, in order, their evidence included."""
        predictions = self._classifier.predict(conversations)
        return [
            self._answer(conversation, prediction)
            for conversation, prediction in zip(conversations, predictions, strict=True)
        ]

    def _answer(self, conversation: Conversation, prediction: Prediction) -> Answer:
        manifest = self._classifier.manifest
        if not math.isfinite(prediction.score):
            raise ModelFolderError(f"model {manifest.version} gives no numbers; run `canhgiac rollback`")
        found = evidence(self._classifier, conversation, prediction)
        return Answer(
            id=f"c_{uuid4().hex}",
            label=prediction.label,
            score=prediction.score,
            verdict=prediction.verdict,
            category=_category(prediction),
            evidence=[
                EvidenceOut(message=e.message, start=e.start, end=e.end, reason=e.reason) for e in found
            ],
            indicators=indicators_of(conversation),
            advice=advice(prediction.verdict, prediction.category),
            model=ModelOut(name=manifest.base, version=manifest.version),
            truncated=prediction.truncated,
        )


def indicators_of(conversation: Conversation) -> list[IndicatorOut]:
    """The URLs, phone numbers and accounts in a conversation, as the API tells them."""
    return [
        IndicatorOut(type=seen.type, value=seen.value, message=seen.message, start=seen.start, end=seen.end)
        for seen in indicators(conversation)
    ]


def _category(prediction: Prediction) -> CategoryOut:
    known = taxonomy()[prediction.category]
    score = min(1.0, prediction.category_score)
    return CategoryOut(id=known.id, name_vi=known.name_vi, name_en=known.name_en, score=score)
