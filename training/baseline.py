"""The model that every other must beat: character and word n-grams and a logistic regression.

It trains in seconds, is retrained every time and stands in every report, so that nobody can forget
what the simplest thing reaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from data.messages import Conversation, Example
from model.view import view


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted baseline; lives in memory only, because scikit-learn saves as pickle."""

    pipeline: Pipeline

    def predict_proba(self, conversations: Sequence[Conversation]) -> NDArray[np.float64]:
        """Scam probability of each conversation, shape (n,), in [0, 1]."""
        if not conversations:
            return np.zeros(0)
        column = list(self.pipeline.classes_).index("scam")
        return np.asarray(self.pipeline.predict_proba(_texts(conversations))[:, column], dtype=np.float64)


def fit_baseline(examples: Sequence[Example]) -> Baseline:
    """A baseline fitted to examples of both labels: TF-IDF of characters 2-5 and words 1-2, C = 10."""
    features = make_union(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"<\w+>|\w+"),
    )
    # with the default tolerance it stops after a dozen steps, and every number jumps with the data
    regression = LogisticRegression(C=10, class_weight="balanced", tol=1e-6, max_iter=5_000)
    pipeline = make_pipeline(features, regression)
    pipeline.fit(_texts([example.conversation for example in examples]), [e.label for e in examples])
    return Baseline(pipeline)


def _texts(conversations: Sequence[Conversation]) -> list[str]:
    return [view(conversation, "folded").text for conversation in conversations]
