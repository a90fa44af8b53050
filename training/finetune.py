"""Teach a base model the categories, with the Hugging Face Trainer.

The messages become token ids through the model floor's own view and tokenizer, so what is learnt
from and what is served are the same ids.
"""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch.nn.functional import binary_cross_entropy, cross_entropy
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments, set_seed

from data.errors import BaseModelNotFound
from data.messages import Conversation, Example
from data.taxonomy import taxonomy
from model.tokenizer import Tokenizer
from model.view import view
from training.augment import augment
from training.bases import Base, copy_tokenizer
from training.calibrate import are_scams
from training.config import Config, Finetune, Schedule
from training.hardware import has_bf16
from training.pooling import PooledClassifier

Ids = list[int]


def finetune(examples: Sequence[Example], base: Base, config: Config, *, run: Path) -> Path:
    """The folder ``run/finetuned`` with a classifier for the taxonomy's categories, in fp32.

    Interrupted, the next call goes on from the newest whole checkpoint under ``run/checkpoints``;
    uninterrupted, the same seed gives the same weights on the same machine.
    """
    set_seed(config.seed)
    output = run / "finetuned"
    output.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(base, output)
    tokenizer = Tokenizer.from_folder(output)
    schedule = config.compact if base.view == "folded" else config.large
    trainer = _Trainer(
        model=_classifier(base, config.finetune),
        args=_arguments(run / "checkpoints", config, schedule),
        train_dataset=_Messages(examples, base, tokenizer, config),
        data_collator=lambda items: collate(items, pad=int(tokenizer.pad_id or 0)),
    )
    trainer.learn_from(examples, config.finetune)
    newest = newest_checkpoint(run / "checkpoints")
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    trainer.save_model(str(output))
    (output / "training_args.bin").unlink(missing_ok=True)
    return output


def encode(conversations: Sequence[Conversation], base: Base, tokenizer: Tokenizer) -> list[Ids]:
    """Token ids of each conversation, exactly as the served classifier will read it."""
    texts = [view(conversation, base.view).text for conversation in conversations]
    return [list(encoding.ids) for encoding in tokenizer.encode_batch(texts, base.max_tokens)]


def newest_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint that was written to its end, if there is one.

    The Trainer writes ``trainer_state.json`` last; a checkpoint without it was interrupted.
    """
    whole = [state.parent for state in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def collate(items: Sequence[dict[str, Any]], *, pad: int) -> dict[str, torch.Tensor]:
    """One batch, padded on the right to its longest message."""
    longest = max(len(item["input_ids"]) for item in items)
    ids = [item["input_ids"] + [pad] * (longest - len(item["input_ids"])) for item in items]
    mask = [[1] * len(item["input_ids"]) + [0] * (longest - len(item["input_ids"])) for item in items]
    labels = [item["labels"] for item in items]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(labels),
    }


class _Messages(Dataset[dict[str, Any]]):
    """Each message as it is or as one of its variants, drawn anew every time it is read."""

    def __init__(
        self, examples: Sequence[Example], base: Base, tokenizer: Tokenizer, config: Config
    ) -> None:
        random = Random(config.seed)
        conversations = [example.conversation for example in examples]
        varied = [[augment(c, random) for c in conversations] for _ in range(config.finetune.variants)]
        self._readings = [encode(r, base, tokenizer) for r in [conversations, *varied]]
        ids = taxonomy().ids
        self._labels = [ids.index(example.category) for example in examples]

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        # torch's generator, because a checkpoint keeps its state
        reading = int(torch.randint(len(self._readings), ()))
        return {"input_ids": self._readings[reading][index], "labels": self._labels[index]}


class _Trainer(Trainer):
    """Learns the category, weighted against rare ones being forgotten, and the label beside it."""

    def learn_from(self, examples: Sequence[Example], settings: Finetune) -> None:
        self._scam = torch.from_numpy(are_scams(taxonomy().ids))
        self._weights = category_weights(examples, settings.category_weight_power)
        self._label_weight = settings.label_weight

    def compute_loss(  # type: ignore[no-untyped-def]
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        logits = outputs.logits.float()
        loss = cross_entropy(logits, labels, weight=self._weights.to(logits.device))
        # the served score is the sum over scam categories: that sum is learnt as well
        scam = self._scam.to(logits.device)
        score = logits.softmax(-1)[:, scam].sum(-1).clamp(1e-6, 1 - 1e-6)
        loss = loss + self._label_weight * binary_cross_entropy(score, scam[labels].float())
        return (loss, outputs) if return_outputs else loss


def category_weights(examples: Sequence[Example], power: float) -> torch.Tensor:
    """The weight of each category in the loss, 1 on average over the examples; rarer weighs more.

    A category without examples weighs nothing.
    """
    ids = taxonomy().ids
    counts = np.bincount([ids.index(example.category) for example in examples], minlength=len(ids))
    weights = np.where(counts > 0, np.maximum(counts, 1) ** -power, 0.0)
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)


def _classifier(base: Base, settings: Finetune) -> Any:
    names = dict(enumerate(taxonomy().ids))
    try:
        return PooledClassifier.from_pretrained(
            base.folder,
            num_labels=len(names),
            id2label=names,
            label2id={name: index for index, name in names.items()},
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            dtype=torch.float32,
            # on a CPU, faster than the fused kernels when there is dropout
            attn_implementation="eager",
            local_files_only=True,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BaseModelNotFound(
            f"{base.folder} could not be loaded as a base model ({type(error).__name__}); "
            "set BASE= to compact, or to a local folder with a RoBERTa model"
        ) from error


def _arguments(output: Path, config: Config, schedule: Schedule) -> TrainingArguments:
    settings = config.finetune
    return TrainingArguments(
        output_dir=str(output),
        num_train_epochs=schedule.epochs,
        learning_rate=schedule.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        lr_scheduler_type="cosine",
        # messages of one length together: a third less padding, and a third less time
        train_sampling_strategy="group_by_length",
        # half the time of fp32 on a CPU that computes in bf16
        bf16=has_bf16(),
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        save_steps=settings.checkpoint_every,
        save_total_limit=2,
        logging_steps=50,
        remove_unused_columns=False,
        report_to=[],
        seed=config.seed,
    )
