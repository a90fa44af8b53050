"""What a model's predictions look like when all is as it was in training; the service compares with it.

The validation split is mixed for teaching. So here its legitimate messages weigh as on a phone
(``calibrate.phone_weights``); scams keep the share they have in the split, because nobody knows theirs
among the messages that citizens ask about.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from data.messages import Example
from data.taxonomy import taxonomy
from model.classifier import Classifier
from training.calibrate import are_scams, phone_weights
from training.metrics import BINS, Floats


class Reference(TypedDict):
    """Shares that sum to 1: of the scam score by tenths, and of the predicted categories by id."""

    scores: list[float]
    categories: dict[str, float]


def reference(
    classifier: Classifier, validation: Sequence[Example], phone: Mapping[str, float]
) -> Reference:
    """The shares of a model's predictions on the validation split, at least one message.

    ``phone`` is ``calibrate.phone`` of the configuration.
    """
    predictions = classifier.predict([example.conversation for example in validation])
    scores = np.array([prediction.score for prediction in predictions])
    weights = mixed([example.category for example in validation], phone)
    return shares(scores, [prediction.category for prediction in predictions], weights)


def mixed(categories: Sequence[str], phone: Mapping[str, float]) -> Floats:
    """The weight of each message by its true category; they sum to 1.

    >>> mixed(["otp", "otp", "spam", "job_scam"], {"otp": 30, "spam": 10}).tolist()
    [0.28125, 0.28125, 0.1875, 0.25]
    """
    scam = are_scams(categories)
    weights = np.full(len(categories), 1 / len(categories))
    legitimate = [category for category, is_scam in zip(categories, scam, strict=True) if not is_scam]
    weights[~scam] = phone_weights(legitimate, phone) * (~scam).mean()
    return weights


def shares(scores: Floats, categories: Sequence[str], weights: Floats) -> Reference:
    """How weights that sum to 1 are shared out over tenths of the score and over predicted categories.

    >>> scores, weights = np.array([0.05, 0.95, 1.0]), np.array([0.5, 0.25, 0.25])
    >>> told = shares(scores, ["otp", "job_scam", "job_scam"], weights)
    >>> told["scores"]
    [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]
    >>> told["categories"]["job_scam"], told["categories"]["spam"]
    (0.5, 0.0)
    """
    tenths = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    predicted = np.asarray(categories)
    return {
        "scores": np.bincount(tenths, weights, BINS).round(6).tolist(),
        "categories": {name: round(float(weights[predicted == name].sum()), 6) for name in taxonomy().ids},
    }
