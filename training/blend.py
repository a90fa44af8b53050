"""Encoder and linear model as one network with one probability.

The encoder reads meaning, the n-grams read spelling; each is sure where the other is not. What a scam
is, both say, weighed as the validation split asks (stacking, Wolpert 1992); which category, the encoder.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from data.taxonomy import taxonomy
from model.reader import Inputs
from training.calibrate import are_scams
from training.linear import LinearModel
from training.metrics import Bools, Floats
from training.pooling import PooledClassifier

#: Weights of a blend never overfit: there are three of them. This only keeps them finite.
_C = 100.0


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of a scam = encoder x encoder's + linear x linear's + bias."""

    encoder: float
    linear: float
    bias: float

    def save(self, file: Path) -> None:
        """Write them as JSON."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> "Weights":
        """What ``save`` wrote."""
        return cls(**json.loads(file.read_text("utf-8")))


class Blend(torch.nn.Module):
    """Logits of shape (n, n_categories); within a label the categories stand as the encoder has them."""

    idf: torch.Tensor
    coefficients: torch.Tensor
    scam: torch.Tensor

    def __init__(self, encoder: PooledClassifier, linear: LinearModel, weights: Weights) -> None:
        super().__init__()
        self.encoder = encoder
        self.weights, self.bias = weights, linear.bias
        self.characters = linear.vocabulary.characters
        self.register_buffer("idf", torch.from_numpy(linear.idf).half())
        self.register_buffer("coefficients", torch.from_numpy(linear.weights).half())
        self.register_buffer("scam", torch.from_numpy(are_scams(taxonomy().ids)))

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        ngram_ids: torch.Tensor,
        ngram_counts: torch.Tensor,
    ) -> torch.Tensor:
        """``ngram_ids`` and ``ngram_counts`` have shape (n, n_ngrams); padding counts 0."""
        logits = self.encoder(input_ids=input_ids, attention_mask=attention_mask).logits.float()
        never = torch.finfo(torch.float32).min
        scam = logits.masked_fill(~self.scam, never).logsumexp(-1, keepdim=True)
        legitimate = logits.masked_fill(self.scam, never).logsumexp(-1, keepdim=True)
        odds = self.weights.encoder * (scam - legitimate) + self.weights.bias
        odds = odds + self.weights.linear * self._linear(ngram_ids, ngram_counts)[:, None]
        return torch.where(self.scam, logits - scam + odds, logits - legitimate)

    def _linear(self, ids: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """The linear model's log-odds, as ``LinearModel.log_odds`` computes them."""
        weighted = counts.log1p() * self.idf[ids].float()
        voted = weighted * self.coefficients[ids].float()
        is_word = (ids >= self.characters).float()
        total = torch.full_like(voted[:, 0], self.bias)
        for part in (1 - is_word, is_word):
            length = (part * weighted.square()).sum(-1).sqrt().clamp_min(1e-6)
            total = total + (part * voted).sum(-1) / length
        return total


def fit_weights(encoder: Floats, linear: Floats, scam: Bools) -> Weights:
    """The weights under which both log-odds, shape (n,) each, fit the answers best (log loss).

    >>> odds = np.array([-4.0, -3.0, 1.0, -1.0, 3.0, 4.0])
    >>> found = fit_weights(odds, np.zeros(6), odds > 0)
    >>> found.encoder > 1, found.linear
    (True, 0.0)
    """
    regression = LogisticRegression(C=_C, max_iter=1_000)
    regression.fit(np.column_stack([encoder, linear]), scam)
    first, second = (round(float(value), 4) for value in regression.coef_[0])
    return Weights(first, second, round(float(regression.intercept_[0]), 4))


def encoder_log_odds(encoder: PooledClassifier, inputs: Sequence[Inputs]) -> Floats:
    """The encoder's own log-odds of a scam for each conversation, shape (n,)."""
    scam = torch.from_numpy(are_scams(taxonomy().ids))
    rows = []
    with torch.inference_mode():
        for ids, mask, *_ in map(_tensors, inputs):
            logits = encoder(input_ids=ids, attention_mask=mask).logits[0].float()
            rows.append(float(logits[scam].logsumexp(-1) - logits[~scam].logsumexp(-1)))
    return np.array(rows)


def blended_logits(blend: Blend, inputs: Sequence[Inputs]) -> Floats:
    """Logits in fp32, one message at a time, shape (n, n_categories)."""
    with torch.inference_mode():
        rows = [blend(*_tensors(one))[0].numpy() for one in inputs]
    return np.array(rows, dtype=np.float64)


def _tensors(inputs: Inputs) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in inputs.arrays)
