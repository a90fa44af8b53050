import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import RobertaConfig, RobertaModel

from data.corpus import load
from data.messages import Example, record_of
from model.view import SPECIAL_TOKENS, view
from training.config import Config, read_config

EVERY = 36

CHANGES = {
    "epochs = 6": "epochs = 1",
    "variants = 3": "variants = 1",
    "variants = 2": "variants = 0",
    "checkpoint_every = 100": "checkpoint_every = 2",
    "resamples = 500": "resamples = 20",
    "recall = 0.50": "recall = 0.0",
    "roc_auc = 0.95": "roc_auc = 0.0",
    "false_alarms = 0.10": "false_alarms = 1.0",
}


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The shipped configuration, made small, with floors that any model reaches."""
    file = tmp_path_factory.mktemp("config") / "config.toml"
    text = read_config().text
    for shipped, small in CHANGES.items():
        assert shipped in text
        text = text.replace(shipped, small)
    file.write_text(text, encoding="utf-8")
    return read_config(file)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every 36th message of the corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [json.dumps(as_record(example), ensure_ascii=False) for example in load()[::EVERY]]
    (folder / "some.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def compact_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of the compact shape and a thousandth of its size."""
    folder = tmp_path_factory.mktemp("compact")
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    bpe.decoder = decoders.ByteLevel()
    texts = [view(example.conversation, "folded").text for example in load()[::EVERY]]
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=400,
            show_progress=False,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    bpe.save(str(folder / "tokenizer.json"))
    save_encoder(folder, vocabulary=bpe.get_vocab_size())
    return folder


@pytest.fixture(scope="session")
def phobert_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of PhoBERT's shape: fastBPE's two files, no tokenizer.json."""
    folder = tmp_path_factory.mktemp("phobert")
    pieces = ["chuyển", "tiền", "tài_khoản", "mã@@", "OTP", "bạn", "c@@", "á@@", "a", "n@@", "h"]
    (folder / "vocab.txt").write_text("".join(f"{p} {99 - n}\n" for n, p in enumerate(pieces)), "utf-8")
    (folder / "bpe.codes").write_text("b ạ 9\nbạ n</w> 8\n", encoding="utf-8")
    save_encoder(folder, vocabulary=len(pieces) + 4)
    return folder


def save_encoder(folder: Path, *, vocabulary: int) -> None:
    torch.manual_seed(0)
    shape = RobertaConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=258,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    RobertaModel(shape).save_pretrained(folder)


def as_record(example: Example) -> dict[str, object]:
    keys = ("id", "label", "category", "wave", "source")
    return {**{key: getattr(example, key) for key in keys}, **record_of(example.conversation)}
