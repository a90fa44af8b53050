"""From conversations to probabilities: a model folder, loaded.

>>> classifier = Classifier.from_pretrained("model/compact")                     # doctest: +SKIP
>>> classifier.predict([Conversation.from_text("Ma OTP cua ban la 482913")])     # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
from model.reader import INPUTS, Inputs, Reader, Reading
from model.tokenizer import Tokenizer
from model.verdict import best_category, decide, scam_score

#: Tokens that the encoder reads of a part: more than a clause has. Eight parts are then at most one and a
#: half times the longest message.
PART_TOKENS = 48
#: On a CPU the fused operator takes five times as long as the two it replaces (81 : 14 microseconds a
#: layer of 60 tokens), a fifth of the whole network.
_SLOW_FUSION = "SkipLayerNormFusion"


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model said about one conversation.

    ``probabilities`` has shape (n_categories,), is calibrated and sums to 1; ``truncated`` when
    the model read only a part; ``version`` names the model. The rest follows from those and the
    model's thresholds: ``score`` is the probability of a scam, ``category`` the best one that
    agrees with the verdict, ``category_score`` its probability, ``trick`` the best scam category.
    """

    probabilities: NDArray[np.float32]
    truncated: bool
    version: str
    score: float
    verdict: Verdict
    category: str
    category_score: float
    trick: str

    @property
    def label(self) -> Label:
        """The label the model would give: ``scam`` for a scam verdict, else ``legitimate``."""
        return "scam" if self.verdict == "scam" else "legitimate"


class Classifier:
    """A model folder that answers. Safe to call from several threads at once."""

    def __init__(self, manifest: Manifest, reader: Reader, session: Any) -> None:
        self.manifest = manifest
        self._reader = reader
        self._session = session

    @classmethod
    def from_pretrained(cls, path: str | PathLike[str], *, threads: int = 1) -> "Classifier":
        """The classifier in a model folder, verified first; ``threads`` is per call.

        Raises ``ModelFolderError`` when the folder must not be served.
        """
        folder = open_model_folder(Path(path))
        tokenizer, vocabulary = Tokenizer.from_folder(folder.path), Vocabulary.load(folder.path / NGRAMS)
        reader = Reader(tokenizer, vocabulary, folder.manifest.view, folder.manifest.max_tokens)
        return cls(folder.manifest, reader, _session(folder, threads))

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
        rows = [prediction.probabilities for prediction in self.predict(conversations)]
        return np.array(rows, np.float32).reshape(len(rows), len(self.manifest.categories))

    def predict(self, conversations: Sequence[Conversation]) -> list[Prediction]:
        """What the model says about each conversation, in order; see ``predict_proba``."""
        return [self.predict_reading(self.read(conversation)) for conversation in conversations]

    def read(self, conversation: Conversation) -> Reading:
        """The conversation as the model reads it; ``BadMessage`` or ``TextTooLong`` out of the limits."""
        return self._reader.read(conversation.checked())

    def predict_reading(self, reading: Reading) -> Prediction:
        """What the model says about one conversation that it has read."""
        inputs = self._reader.inputs(reading.view.text, reading.folded.text)
        probabilities = self._probabilities(inputs)
        score = self.scam_score(probabilities)
        verdict = decide(score, self.manifest.thresholds)
        category, category_score = best_category(probabilities, self.manifest.categories, verdict)
        return Prediction(
            probabilities,
            inputs.truncated,
            self.manifest.version,
            score,
            verdict,
            category,
            category_score,
            trick=best_category(probabilities, self.manifest.categories, "scam")[0],
        )

    def score_part(self, text: str, folded: str) -> float:
        """The score of a part of what a sender wrote, given as the texts of the two views."""
        opening = "<sender>" if self.manifest.view == "folded" else ""
        read = replace(self._reader, max_tokens=min(PART_TOKENS, self._reader.max_tokens))
        return self.scam_score(self._probabilities(read.inputs(f"{opening} {text}", f"<sender> {folded}")))

    @cached_property
    def empty_score(self) -> float:
        """The score of a message without a word."""
        return self.score_part("", "")

    def scam_score(self, probabilities: NDArray[np.float32]) -> float:
        """The probability that a message is a scam; see ``model.verdict.scam_score``."""
        return scam_score(probabilities, self.manifest.categories)

    def _probabilities(self, inputs: Inputs) -> NDArray[np.float32]:
        """Softmax of the calibrated logits, shape (n_categories,).

        One message at a time: int8 activations are scaled over a whole batch, so that in company a
        message would get other numbers, and now and then another verdict, than alone.
        """
        feeds = dict(zip(INPUTS, inputs.arrays, strict=True))
        logits = self._session.run(["logits"], feeds)[0][0].astype(np.float64)
        if not np.isfinite(logits).all():
            raise ModelFolderError(
                f"model {self.manifest.version} gives no numbers; run `canhgiac rollback`"
            )
        return _softmax(logits / self.manifest.temperature)


def _session(folder: ModelFolder, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            folder.path / ONNX,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=[_SLOW_FUSION],
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
    exponentials = np.exp(logits - logits.max())
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum()
    return probabilities.astype(np.float32)
