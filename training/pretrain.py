"""Masked-language-model pretraining of the compact base model.

The compact encoder is RoBERTa's architecture at a fortieth of PhoBERT's size. It reads one folded
view (lower case, no diacritics), so half its vocabulary is not spent on spelling a syllable twice,
and a message means the same to it however it was typed. Pretraining gives it Vietnamese; the
corpus alone is far too small for that.

Method: Liu et al. 2019, *RoBERTa* (dynamic masking, no next-sentence task).
"""

import hashlib
import json
import lzma
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from random import Random
from time import monotonic
from typing import cast

import matplotlib.pyplot as plt
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
    TrainerCallback,
    TrainingArguments,
)

from data.corpus import FOLDER as CORPUS
from data.corpus import load
from data.errors import BadData
from model.normalize import fold
from model.view import MAX_TOKENS, SPECIAL_TOKENS, view
from training.attacks import ATTACKS, STRENGTHS
from training.augment import augment
from training.finetune import newest_checkpoint
from training.hardware import has_bf16

#: Chosen so that every folded syllable is one token and the int8 export stays under 10 MB.
VOCABULARY_SIZE = 8_192
#: Shorter lines are headings and list items of an encyclopaedia; nobody writes them in a message.
SHORTEST_LINE = 60
#: Tokens in one training block; most messages are shorter.
BLOCK = 128
#: Share of the tokens that are masked (Wettig et al. 2023 find 15 % too few for most sizes).
MASKED = 0.2
#: Share of the paragraphs that are read with noise.
NOISY = 0.1
#: How often each message of the corpus is read beside one reading of the text, each time varied anew.
CORPUS_READINGS = 4


def pretrain(  # noqa: PLR0913
    text: Path,
    output: Path,
    *,
    tokens: int,
    start: Path | None = None,
    corpus: Path = CORPUS,
    batch_size: int = 16,
    seed: int = 0,
) -> None:
    """Train the encoder on a text file (one paragraph a line, ``.xz`` or plain) and the corpus.

    ``tokens`` is the budget: how many tokens the encoder reads in all. ``start`` is a base of this
    shape to go on from, with its tokenizer; without one both are made from nothing. ``output`` then
    holds the base (fp16), ``pretraining.json`` (loss and speed) and ``pretraining.png`` (the same, drawn).
    Resumes from the newest checkpoint in ``output/checkpoints``.

    Raises ``BadData`` when the text cannot be read.
    """
    torch.manual_seed(seed)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(text, output, start)
    encoder = _encoder(tokenizer, start)
    trainer = _SparseLossTrainer(
        model=encoder,
        args=_arguments(output, tokens // (batch_size * BLOCK), batch_size, seed),
        train_dataset=_blocks(text, corpus, tokenizer, output, seed),
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED),
        callbacks=[_Speed()],
    )
    newest = newest_checkpoint(output / "checkpoints")
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    encoder.roberta.half().save_pretrained(output)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(output)
    _report(trainer.state.log_history, output)


class _Speed(TrainerCallback):
    """Adds tokens a second to what is logged."""

    def on_log(  # type: ignore[no-untyped-def]
        self, args, state, control, logs=None, **_
    ):
        now, step = monotonic(), state.global_step
        earlier, self._last = getattr(self, "_last", None), (now, step)
        if earlier and step > earlier[1]:
            read = (step - earlier[1]) * args.per_device_train_batch_size * BLOCK
            state.log_history[-1]["tokens_per_second"] = round(read / (now - earlier[0]))


def _report(log: list[dict[str, float]], output: Path) -> None:
    """The log as JSON and as a picture."""
    (output / "pretraining.json").write_text(json.dumps(log, indent=1), encoding="utf-8")
    logged = [entry for entry in log if "loss" in entry]
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
    above.plot([e["step"] for e in logged], [e["loss"] for e in logged])
    above.set_ylabel("masked-token loss (nats)")
    timed = [entry for entry in logged if "tokens_per_second" in entry]
    below.plot([e["step"] for e in timed], [e["tokens_per_second"] for e in timed])
    below.set(xlabel="step", ylabel="tokens a second", ylim=(0, None))
    figure.savefig(output / "pretraining.png", dpi=100)
    plt.close(figure)


class _SparseLossTrainer(Trainer):
    """Computes the vocabulary layer only where a token was masked: a third less work a step."""

    def compute_loss(  # type: ignore[no-untyped-def]
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        labels = inputs.pop("labels")
        masked = labels != -100
        # the Trainer's own autocast wraps the whole model, which is not what is called here
        with torch.autocast(labels.device.type, torch.bfloat16, enabled=self.args.bf16):
            hidden = model.roberta(**inputs).last_hidden_state
            logits = model.lm_head(hidden[masked])
        loss = torch.nn.functional.cross_entropy(logits.float(), labels[masked])
        return (loss, hidden) if return_outputs else loss


def _set_positions(encoder: RobertaForMaskedLM) -> None:
    """Start the learned positions as sinusoids (Vaswani et al. 2017): neighbours are easy to find."""
    positions = encoder.roberta.embeddings.position_embeddings.weight.data
    count, width = positions.shape
    rates = torch.exp(torch.arange(0, width, 2) * (-np.log(10_000) / width))
    angles = torch.arange(count)[:, None] * rates
    waves = torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(count, width)
    positions.copy_(waves * encoder.config.initializer_range * 2**0.5)


def _encoder(tokenizer: PreTrainedTokenizerFast, start: Path | None) -> RobertaForMaskedLM:
    if start is None:
        encoder = RobertaForMaskedLM(_architecture(tokenizer))
        _set_positions(encoder)
        return encoder
    # the head is not kept with a base: its vocabulary layer is the embedding, the rest is learnt anew
    return RobertaForMaskedLM.from_pretrained(start, dtype=torch.float32, local_files_only=True)


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
        bf16=has_bf16(),
        use_cpu=not torch.cuda.is_available(),
        save_steps=1000,
        save_total_limit=2,
        logging_steps=50,
        report_to=[],
        seed=seed,
        remove_unused_columns=False,
    )


def _tokenizer(text: Path, output: Path, start: Path | None) -> PreTrainedTokenizerFast:
    """The tokenizer of the base to start from or saved in ``output``, or one learnt from the text."""
    for folder in (output, *filter(None, [start])):
        if (folder / "tokenizer.json").exists():
            return cast(PreTrainedTokenizerFast, PreTrainedTokenizerFast.from_pretrained(folder))
    tokenizer = _learnt_tokenizer(text)
    tokenizer.save_pretrained(output)
    return tokenizer


def _learnt_tokenizer(text: Path) -> PreTrainedTokenizerFast:
    """A byte-level BPE."""
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
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        mask_token="<mask>",
        unk_token="<unk>",
        model_max_length=MAX_TOKENS,
    )


def _blocks(
    text: Path, corpus: Path, tokenizer: PreTrainedTokenizerFast, output: Path, seed: int
) -> Dataset:
    """Consecutive paragraphs and messages, end to end, cut into ``BLOCK``s; cached in ``output``."""
    folder = output / "checkpoints"
    cache = folder / f"tokens-{_digest(text, corpus, seed)}.npy"
    if not cache.exists():
        folder.mkdir(parents=True, exist_ok=True)
        random = Random(seed)
        texts = chain(_noisy(_paragraphs(text), random), _messages(corpus, random))
        part = folder / "partial.npy"
        np.save(part, np.concatenate([_ids(tokenizer, batch) for batch in _batches(texts)]))
        part.rename(cache)
    tokens = np.load(cache)
    inner = BLOCK - 2
    rows = tokens[: len(tokens) // inner * inner].reshape(-1, inner)
    ends = np.full((len(rows), 1), tokenizer.eos_token_id, rows.dtype)
    starts = np.full((len(rows), 1), tokenizer.bos_token_id, rows.dtype)
    return Dataset.from_dict({"input_ids": np.hstack([starts, rows, ends])}).with_format("torch")


def _digest(text: Path, corpus: Path, seed: int) -> str:
    """Names what the tokens are made of: another text, corpus or seed is read anew."""
    files = [text, *sorted(corpus.glob("*.jsonl"))]
    seen = [(str(file.resolve()), file.stat().st_size) for file in files if file.exists()]
    return hashlib.sha256(f"{seen} {seed}".encode()).hexdigest()[:12]


def _noisy(paragraphs: Iterator[str], random: Random) -> Iterator[str]:
    """Some of the paragraphs as they would be typed on a phone: slips, short forms, lost spaces."""
    rewrites = [ATTACKS[name] for name in ("typos", "teencode", "spacing")]
    for paragraph in paragraphs:
        noisy = random.random() < NOISY
        yield random.choice(rewrites)(paragraph, STRENGTHS["medium"], random) if noisy else paragraph


def _messages(corpus: Path, random: Random) -> Iterator[str]:
    """The training messages as the classifier reads them, in random order, each as senders vary it."""
    examples = [example for example in load(corpus) if example.split == "train"] * CORPUS_READINGS
    random.shuffle(examples)
    return (view(augment(example.conversation, random), "folded").text for example in examples)


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(texts, 10_000)):
        yield batch


def _ids(tokenizer: PreTrainedTokenizerFast, paragraphs: Sequence[str]) -> NDArray[np.uint16]:
    encodings = tokenizer.backend_tokenizer.encode_batch_fast(list(paragraphs), add_special_tokens=False)
    return np.concatenate([np.asarray([*e.ids, tokenizer.eos_token_id], np.uint16) for e in encodings])


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
