"""Masked-language-model pretraining of the compact base model.

The compact encoder is RoBERTa's architecture at a fortieth of PhoBERT's size. It reads one folded
view (lower case, no diacritics), so half its vocabulary is not spent on spelling a syllable twice,
and a message means the same to it however it was typed. Pretraining gives it Vietnamese; the
corpus alone is far too small for that.

Method: Liu et al. 2019, *RoBERTa* (dynamic masking of 15 % of tokens, no next-sentence task).
"""

import json
import lzma
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    Trainer,
    TrainingArguments,
)

from data.errors import BadData
from model.normalize import fold
from model.view import MAX_TOKENS, SPECIAL_TOKENS
from training.finetune import newest_checkpoint

#: Chosen so that every folded syllable is one token and the int8 export stays under 10 MB.
VOCABULARY_SIZE = 8_192
#: Shorter lines are headings and list items of an encyclopaedia; nobody writes them in a message.
SHORTEST_LINE = 60
#: Tokens in one training block; most messages are shorter.
BLOCK = 128


def pretrain(text: Path, output: Path, *, tokens: int, batch_size: int = 16, seed: int = 0) -> None:
    """Train tokenizer and encoder on a text file (one paragraph a line, ``.xz`` or plain) and save both.

    ``tokens`` is the budget: how many tokens the encoder reads in all. Resumes from the newest
    checkpoint in ``output/checkpoints``; progress and loss are logged to ``output/pretraining.json``.
    """
    torch.manual_seed(seed)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(text, output)
    blocks = _blocks(text, tokenizer, output)
    encoder = RobertaForMaskedLM(_architecture(tokenizer))
    _set_positions(encoder)
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    trainer = _SparseLossTrainer(
        model=encoder,
        args=_arguments(output, tokens // (batch_size * BLOCK), batch_size, seed),
        train_dataset=blocks,
        data_collator=collator,
    )
    newest = newest_checkpoint(output / "checkpoints")
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    encoder.roberta.half().save_pretrained(output)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(output)
    log = json.dumps(trainer.state.log_history, indent=1)
    (output / "pretraining.json").write_text(log, encoding="utf-8")


class _SparseLossTrainer(Trainer):
    """Computes the vocabulary layer only where a token was masked: a third less work a step."""

    def compute_loss(  # type: ignore[no-untyped-def]
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        labels = inputs.pop("labels")
        hidden = model.roberta(**inputs).last_hidden_state
        masked = labels != -100
        loss = torch.nn.functional.cross_entropy(model.lm_head(hidden[masked]).float(), labels[masked])
        return (loss, hidden) if return_outputs else loss


def _set_positions(encoder: RobertaForMaskedLM) -> None:
    """Start the learned positions as sinusoids (Vaswani et al. 2017): neighbours are easy to find."""
    positions = encoder.roberta.embeddings.position_embeddings.weight.data
    count, width = positions.shape
    rates = torch.exp(torch.arange(0, width, 2) * (-np.log(10_000) / width))
    angles = torch.arange(count)[:, None] * rates
    waves = torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(count, width)
    positions.copy_(waves * encoder.config.initializer_range * 2**0.5)


def _architecture(tokenizer: PreTrainedTokenizerFast) -> RobertaConfig:
    return RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
        max_position_embeddings=MAX_TOKENS + 2,
        type_vocab_size=1,
        # BERT's 0.02 is for 768 dimensions; at 256 it leaves the attention flat for thousands of steps.
        initializer_range=0.05,
        # The text is read less than once: there is nothing to overfit.
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def _arguments(output: Path, steps: int, batch_size: int, seed: int) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=steps,
        per_device_train_batch_size=batch_size,
        learning_rate=1e-3,
        warmup_steps=steps // 20,
        weight_decay=0.01,
        adam_beta2=0.98,
        lr_scheduler_type="linear",
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        save_steps=1000,
        save_total_limit=2,
        logging_steps=50,
        report_to=[],
        seed=seed,
        remove_unused_columns=False,
    )


def _tokenizer(text: Path, output: Path) -> PreTrainedTokenizerFast:
    """The tokenizer saved in ``output``, or a byte-level BPE learnt from the text."""
    if (output / "tokenizer.json").exists():
        return cast(PreTrainedTokenizerFast, PreTrainedTokenizerFast.from_pretrained(output))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        _paragraphs(text),
        trainers.BpeTrainer(
            vocab_size=VOCABULARY_SIZE,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    bpe.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[(token, bpe.token_to_id(token)) for token in ("<s>", "</s>")],
    )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        mask_token="<mask>",
        unk_token="<unk>",
        model_max_length=MAX_TOKENS,
    )
    tokenizer.save_pretrained(output)
    return tokenizer


def _blocks(text: Path, tokenizer: PreTrainedTokenizerFast, output: Path) -> Dataset:
    """Consecutive paragraphs, end to end, cut into blocks of ``BLOCK``; cached in ``output``."""
    cache = output / "checkpoints" / "tokens.npy"
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        ids: list[NDArray[np.uint16]] = []
        batch: list[str] = []
        for paragraph in _paragraphs(text):
            batch.append(paragraph)
            if len(batch) == 10_000:
                ids.append(_ids(tokenizer, batch))
                batch = []
        ids.append(_ids(tokenizer, batch))
        np.save(cache, np.concatenate(ids))
    tokens = np.load(cache)
    inner = BLOCK - 2
    rows = tokens[: len(tokens) // inner * inner].reshape(-1, inner)
    ends = np.full((len(rows), 1), tokenizer.eos_token_id, rows.dtype)
    starts = np.full((len(rows), 1), tokenizer.bos_token_id, rows.dtype)
    return Dataset.from_dict({"input_ids": np.hstack([starts, rows, ends])}).with_format("torch")


def _ids(tokenizer: PreTrainedTokenizerFast, paragraphs: list[str]) -> NDArray[np.uint16]:
    encodings = tokenizer.backend_tokenizer.encode_batch_fast(paragraphs, add_special_tokens=False)
    return np.concatenate(
        [np.asarray([*e.ids, tokenizer.eos_token_id], np.uint16) for e in encodings]
        or [np.zeros(0, np.uint16)]
    )


def _paragraphs(text: Path) -> Iterator[str]:
    """Each distinct paragraph, folded; near-identical stubs (the same but for digits) once."""
    opener = lzma.open if text.suffix == ".xz" else open
    seen: set[int] = set()
    try:
        with opener(text, "rt", encoding="utf-8") as lines:
            for line in lines:
                paragraph = fold(unicodedata.normalize("NFKC", line.strip()))
                key = hash("".join(c for c in paragraph if not c.isdigit())[-80:])
                if len(paragraph) >= SHORTEST_LINE and key not in seen:
                    seen.add(key)
                    yield paragraph
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise BadData(
            f"{text}: cannot be read as text ({type(error).__name__}); give a .txt or .txt.xz file"
        ) from error
