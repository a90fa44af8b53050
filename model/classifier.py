"""From conversations to probabilities: a model folder, loaded.

>>> classifier = Classifier.from_pretrained("model/compact")                     # doctest: +SKIP
>>> classifier.predict([Conversation.from_text("Ma OTP cua ban la 482913")])     # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from data.errors import ModelFolderError
from data.messages import Conversation
from data.taxonomy import Label, Taxonomy, Verdict, taxonomy
from model.artifact import NGRAMS, ONNX, Manifest, ModelFolder, open_model_folder
from model.ngrams import Vocabulary
from model.tokenizer import Tokenizer
from model.verdict import best_category, decide, scam_score
from model.view import view

#: What a model's network reads of one conversation, each of shape (1, length of its own).
INPUTS = ("input_ids", "attention_mask", "ngram_ids", "ngram_counts")


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model said about one conversation.

    ``probabilities`` has shape (n_categories,), is calibrated and sums to 1; ``truncated`` when
    the model read only a part; ``version`` names the model. The rest follows from those and the
    model's thresholds: ``score`` is the probability of a scam, ``category`` the best one that
    agrees with the verdict, ``category_score`` its probability.
    """

    probabilities: NDArray[np.float32]
    truncated: bool
    version: str
    score: float
    verdict: Verdict
    category: str
    category_score: float

    @property
    def label(self) -> Label:
        """The label the model would give: ``scam`` for a scam verdict, else ``legitimate``."""
        return "scam" if self.verdict == "scam" else "legitimate"


class Classifier:
    """A model folder that answers. Safe to call from several threads at once."""

    def __init__(
        self, manifest: Manifest, tokenizer: Tokenizer, vocabulary: Vocabulary, session: Any
    ) -> None:
        self.manifest = manifest
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._session = session

    @classmethod
    def from_pretrained(cls, path: str | PathLike[str], *, threads: int = 1) -> "Classifier":
        """The classifier in a model folder, verified first; ``threads`` is per call.

        Raises ``ModelFolderError`` when the folder must not be served.
        """
        folder = open_model_folder(Path(path))
        return cls(
            folder.manifest,
            Tokenizer.from_folder(folder.path),
            Vocabulary.load(folder.path / NGRAMS),
            _session(folder, threads),
        )

    @property
    def taxonomy(self) -> Taxonomy:
        """The categories this model knows, in the order of its outputs."""
        return Taxonomy(tuple(taxonomy()[category] for category in self.manifest.categories))

    def predict_proba(self, conversations: Sequence[Conversation]) -> NDArray[np.float32]:
        """Probability of each category for each conversation.

        Parameters
        ----------
        conversations : sequence of Conversation, length n
            Within the limits of ``Conversation.checked``; may be empty.

        Returns
        -------
        ndarray of float32, shape (n, n_categories)
            Calibrated; each row sums to 1 within 1e-6; columns follow ``self.taxonomy``.

        Raises
        ------
        BadMessage, TextTooLong
            For the first conversation out of the limits; neither repeats the text.
        """
        return self._probabilities([self._read(conversation) for conversation in conversations])

    def predict(self, conversations: Sequence[Conversation]) -> list[Prediction]:
        """What the model says about each conversation, in order; see ``predict_proba``."""
        readings = [self._read(conversation) for conversation in conversations]
        return [
            _prediction(self.manifest, row, reading.truncated)
            for row, reading in zip(self._probabilities(readings), readings, strict=True)
        ]

    def _read(self, conversation: Conversation) -> "_Reading":
        """What the network is given; the n-grams are of the folded view, whatever the encoder reads."""
        text = view(conversation.checked(), self.manifest.view).text
        [encoding] = self._tokenizer.encode_batch([text], self.manifest.max_tokens)
        folded = text if self.manifest.view == "folded" else view(conversation, "folded").text
        ids = np.array([encoding.ids], np.int64)
        ngram_ids, counts = self._vocabulary.encode(folded)
        return _Reading((ids, np.ones_like(ids), ngram_ids[None], counts[None]), encoding.truncated)

    def _probabilities(self, readings: Sequence["_Reading"]) -> NDArray[np.float32]:
        """Softmax of the calibrated logits, shape (n, n_categories).

        One message at a time: int8 activations are scaled over a whole batch, so that in company a
        message would get other numbers, and now and then another verdict, than alone.
        """
        logits = np.zeros((len(readings), len(self.manifest.categories)), np.float64)
        for row, reading in enumerate(readings):
            logits[row] = self._session.run(["logits"], dict(zip(INPUTS, reading.arrays, strict=True)))[0][
                0
            ]
        if not np.isfinite(logits).all():
            raise ModelFolderError(
                f"model {self.manifest.version} gives no numbers; run `canhgiac rollback`"
            )
        return _softmax(logits / self.manifest.temperature)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A conversation as the network reads it: one array for each of ``INPUTS``."""

    arrays: tuple[NDArray[Any], ...]
    truncated: bool


def _prediction(manifest: Manifest, probabilities: NDArray[np.float32], truncated: bool) -> Prediction:
    score = scam_score(probabilities, manifest.categories)
    verdict = decide(score, manifest.thresholds)
    category, category_score = best_category(probabilities, manifest.categories, verdict)
    return Prediction(probabilities, truncated, manifest.version, score, verdict, category, category_score)


def _session(folder: ModelFolder, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            folder.path / ONNX, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors share no documented base
        raise ModelFolderError(f"{folder.path}: {ONNX} cannot be loaded; run `canhgiac train`") from error
    outputs = {output.name: output.shape for output in session.get_outputs()}
    if outputs.get("logits", [None])[-1] != len(folder.manifest.categories):
        raise ModelFolderError(
            f"{folder.path}: {ONNX} has no output logits with one column a category; run `canhgiac train`"
        )
    if {one.name for one in session.get_inputs()} != set(INPUTS):
        raise ModelFolderError(
            f"{folder.path}: {ONNX} has not the inputs {', '.join(INPUTS)}; run `canhgiac train`"
        )
    return session


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities.astype(np.float32)
