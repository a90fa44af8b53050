"""A model in service: from conversations to answers, with their reasons and advice."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from data.messages import Conversation
from data.taxonomy import taxonomy
from model.classifier import Classifier, Prediction
from model.entities import Parsed, parse
from model.evidence import Evidence, Range, clause_lengths, decisive, indicators, reasons
from model.reader import Reading
from model.verdict import advice
from serving.answers import Answer, CategoryOut, EvidenceOut, IndicatorOut, ModelOut
from serving.cache import Cache
from serving.ids import new_id

#: What a new model is asked before it may serve: a scam and an ordinary message.
SELF_TEST = (
    Conversation.from_text("Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top de mo lai"),
    Conversation.from_text("Tối nay con về ăn cơm, mẹ nấu canh chua nhé"),
)


class ServedModel(Protocol):
    """What the service needs of a model; safe to call from several threads at once."""

    @property
    def version(self) -> str:
        """The version of the model folder."""

    def read(self, conversation: Conversation) -> Callable[[], Answer]:
        """A function that gives the answer to a conversation, which has been read."""


class FolderModel:
    """A model folder that answers, what it has judged before from its cache."""

    def __init__(self, classifier: Classifier, cache: Cache[tuple[Prediction, list[Range]]]) -> None:
        self._classifier, self._cache = classifier, cache
        self.version = classifier.manifest.version

    @classmethod
    def from_folder(
        cls, path: Path, *, cached: int, on_asked: Callable[[bool], None] = lambda hit: None
    ) -> "FolderModel":
        """The model in a folder, verified; ``cached`` judgments are kept, see ``Cache``.

        Raises ``ModelFolderError`` when it must not be served.
        """
        return cls(Classifier.from_pretrained(path), Cache(cached, on_asked))

    def read(self, conversation: Conversation) -> Callable[[], Answer]:
        """A function that gives the answer to a conversation, which has been read."""
        return partial(self._answer, self._classifier.read(conversation))

    def _answer(self, reading: Reading) -> Answer:
        """What the model says, with its reasons."""
        prediction, ranges = self._judged(reading)
        return Answer(
            id=f"c_{new_id()}",
            label=prediction.label,
            score=prediction.score,
            verdict=prediction.verdict,
            category=_category(prediction),
            evidence=[_evidence(one) for one in reasons(reading, prediction, ranges)],
            indicators=_indicators(reading.messages),
            advice=advice(prediction.verdict, prediction.category),
            model=ModelOut(name=self._classifier.manifest.base, version=self.version),
            truncated=prediction.truncated,
        )

    def _judged(self, reading: Reading) -> tuple[Prediction, list[Range]]:
        """What follows from views and clauses: copies of a scam differ in numbers, which no view shows."""
        key = self._cache.key(reading.view.text, reading.folded.text, *clause_lengths(reading.messages))
        judged = self._cache.get(key)
        if judged is None:
            prediction = self._classifier.predict_reading(reading)
            judged = prediction, decisive(self._classifier, reading, prediction)
            self._cache.put(key, judged)
        return judged


def indicators_of(conversation: Conversation) -> list[IndicatorOut]:
    """The URLs, phone numbers and accounts in a conversation, as the API tells them."""
    return _indicators([parse(message) for message in conversation.messages])


def _indicators(messages: Sequence[Parsed]) -> list[IndicatorOut]:
    return [
        IndicatorOut(type=seen.type, value=seen.value, message=seen.message, start=seen.start, end=seen.end)
        for seen in indicators(messages)
    ]


def _evidence(one: Evidence) -> EvidenceOut:
    return EvidenceOut(message=one.message, start=one.start, end=one.end, reason=one.reason)


def _category(prediction: Prediction) -> CategoryOut:
    known = taxonomy()[prediction.category]
    score = min(1.0, prediction.category_score)
    return CategoryOut(id=known.id, name_vi=known.name_vi, name_en=known.name_en, score=score)
