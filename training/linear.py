"""The linear half of a model: TF-IDF over n-grams and a logistic regression.

Unlike the baseline it also learns from attacked variants, and can be exported: vocabulary, idf and
weights are plain arrays, no pickle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

from data.messages import Conversation, Example
from model.ngrams import Vocabulary, ngram_keys
from model.view import view
from training.augment import augment
from training.config import Config
from training.metrics import Floats

Counts = list[tuple[NDArray[np.int64], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A fitted linear model; ``idf`` and ``weights`` follow the vocabulary, shape (n_ngrams,)."""

    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: float

    def log_odds(self, conversations: Sequence[Conversation]) -> Floats:
        """Log-odds of a scam for each conversation, shape (n,)."""
        counts = [self.vocabulary.encode(text) for text in _texts(conversations)]
        features = _weighted(_matrix(counts, len(self.vocabulary)), self.idf, self.vocabulary.characters)
        return np.asarray(features @ self.weights + self.bias, dtype=np.float64)

    def save(self, file: Path) -> None:
        """Write the arrays to a safetensors file."""
        arrays: dict[str, NDArray[Any]] = {"keys": self.vocabulary.keys, "idf": self.idf}
        save_file({**arrays, "weights": self.weights, "bias": np.array([self.bias], np.float32)}, file)

    @classmethod
    def load(cls, file: Path) -> "LinearModel":
        """What ``save`` wrote."""
        arrays = load_file(file)
        return cls(Vocabulary(arrays["keys"]), arrays["idf"], arrays["weights"], float(arrays["bias"][0]))


def fit_linear(examples: Sequence[Example], config: Config) -> LinearModel:
    """Fitted to the messages and their variants; the vocabulary is what at least two messages share."""
    random = Random(config.seed)
    conversations = [example.conversation for example in examples]
    varied = [augment(c, random) for _ in range(config.linear.variants) for c in conversations]
    raw = [ngram_keys(text) for text in _texts([*conversations, *varied])]
    written = np.concatenate([keys for keys, _ in raw[: len(conversations)]])
    keys, met = np.unique(written, return_counts=True)
    vocabulary, met = Vocabulary(keys[met > 1]), met[met > 1]
    # as scikit-learn's TfidfTransformer
    idf = (np.log((1 + len(conversations)) / (1 + met)) + 1).astype(np.float32)
    counts = [vocabulary.known(*one) for one in raw]
    features = _weighted(_matrix(counts, len(vocabulary)), idf, vocabulary.characters)
    scam = np.tile([example.label == "scam" for example in examples], 1 + config.linear.variants)
    regression = LogisticRegression(C=config.linear.c, class_weight="balanced", tol=1e-5, max_iter=2_000)
    regression.fit(features, scam)
    weights = regression.coef_[0].astype(np.float32)
    return LinearModel(vocabulary, idf, weights, float(regression.intercept_[0]))


def _texts(conversations: Sequence[Conversation]) -> list[str]:
    return [view(conversation, "folded").text for conversation in conversations]


def _matrix(rows: Counts, width: int) -> scipy.sparse.csr_matrix:
    ends = np.cumsum([0, *(len(ids) for ids, _ in rows)])
    data = np.concatenate([counts for _, counts in rows]).astype(np.float32)
    ids = np.concatenate([ids for ids, _ in rows])
    return scipy.sparse.csr_matrix((data, ids, ends), (len(rows), width))


def _weighted(
    counts: scipy.sparse.csr_matrix, idf: NDArray[np.float32], characters: int
) -> scipy.sparse.csr_matrix:
    """Sublinear TF-IDF; characters and words each scaled to length 1, so that both have a say."""
    weighted = counts.copy()
    weighted.data = np.log1p(counts.data) * idf[counts.indices]
    parts = (weighted[:, :characters], weighted[:, characters:])
    return scipy.sparse.hstack([_unit_rows(part) for part in parts]).tocsr()


def _unit_rows(part: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel())
    return scipy.sparse.diags(1 / np.maximum(lengths, 1e-6)) @ part
