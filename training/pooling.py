"""The classifier's shape: RoBERTa, and one linear layer over the mean and the maximum of its tokens.

RoBERTa's own classification head reads only the first token, which its pretraining never used for
anything. With a few thousand messages to learn from, the mean (what the message is about) and the
maximum (the one phrase that gives it away) of all tokens are there from the first step.
"""

from typing import Any, cast

import torch
from transformers import RobertaConfig, RobertaModel, RobertaPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class PooledClassifier(RobertaPreTrainedModel):  # type: ignore[no-untyped-call]
    """Logits of shape (n, num_labels) from ``input_ids`` and ``attention_mask`` of shape (n, length)."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.dropout = torch.nn.Dropout(config.hidden_dropout_prob)
        self.classifier = torch.nn.Linear(2 * config.hidden_size, cast(int, config.num_labels))
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any
    ) -> SequenceClassifierOutput:
        """Padding counts neither in the mean nor in the maximum."""
        tokens = self.roberta(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[:, :, None].to(tokens.dtype)
        mean = (tokens * mask).sum(1) / mask.sum(1)
        maximum = (tokens - 1e4 * (1 - mask)).amax(1)
        pooled = self.dropout(torch.cat([mean, maximum], dim=-1))
        return SequenceClassifierOutput(logits=self.classifier(pooled))
