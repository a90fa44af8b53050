"""Fixtures for every floor: a tiny model folder that is real in all but its wisdom."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from data.taxonomy import taxonomy
from model.artifact import Gate, Manifest, write_manifest
from model.classifier import Classifier
from model.ngrams import Vocabulary
from model.verdict import Thresholds
from model.view import SPECIAL_TOKENS

#: What the tiny model has learnt: a word pushes a category.
LEARNT = {
    "otp": "otp",
    "viettel": "carrier",
    "chao": "personal",
    "<url_lookalike>": "bank_impersonation",
    "trung": "prize_scam",
    "<account>": "purchase_scam",
}
WIDTH = 8


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid model folder of a few kilobytes; always the same. Do not write into it: copy it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    make_tiny_model_folder(folder, version="tiny-1")
    return folder


@pytest.fixture(scope="session")
def tiny_classifier(tiny_model_folder: Path) -> Classifier:
    """The classifier of ``tiny_model_folder``."""
    return Classifier.from_pretrained(tiny_model_folder)


def make_tiny_model_folder(folder: Path, *, version: str, passed: bool = True) -> Manifest:
    """Fill ``folder``: a tokenizer, the mean of its tokens' embeddings through one matrix, a manifest."""
    (folder / "onnx").mkdir(parents=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text('{"model_type": "roberta"}\n', encoding="utf-8")
    onnx.save(_graph(tokenizer), folder / "onnx" / "model_int8.onnx")
    Vocabulary(np.arange(4, dtype=np.int64)).save(folder / "ngrams.npy")
    return write_manifest(folder, _manifest(version, passed=passed))


def _manifest(version: str, *, passed: bool) -> Manifest:
    return Manifest(
        version=version,
        created_at="2026-11-23T00:00:00+00:00",
        base="tiny",
        view="folded",
        max_tokens=64,
        categories=taxonomy().ids,
        temperature=1.0,
        thresholds=Thresholds(scam=0.8, unsure=0.5),
        data_fingerprint="0" * 64,
        gate=Gate(passed, () if passed else ("recall fell",)),
    )


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    words = [word for word in LEARNT if not word.startswith("<")]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(words)] * 10, trainer)
    specials = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=specials)
    return tokenizer


def _weights(tokenizer: Tokenizer) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embeddings and output matrix: noise, and one dimension for each word that was learnt."""
    random = np.random.default_rng(0)
    embeddings = random.normal(0, 0.01, (tokenizer.get_vocab_size(), WIDTH)).astype(np.float32)
    output = random.normal(0, 0.01, (WIDTH, len(taxonomy().ids))).astype(np.float32)
    for dimension, (word, category) in enumerate(LEARNT.items()):
        token = tokenizer.token_to_id(word if word.startswith("<") else f"Ġ{word}")
        embeddings[token, dimension] = 150
        output[dimension, taxonomy().ids.index(category)] = 4
    return embeddings, output


def _graph(tokenizer: Tokenizer) -> onnx.ModelProto:
    """logits = mean over attended tokens of embeddings, times a matrix, plus a bias."""
    embeddings, output = _weights(tokenizer)
    bias = np.zeros(len(taxonomy().ids), np.float32)
    bias[taxonomy().ids.index("other_legitimate")] = 4  # what it says when it has learnt nothing
    constants: dict[str, NDArray[Any]] = {
        "embeddings": embeddings,
        "output": output,
        "bias": bias,
        "axis": np.array([1], np.int64),
        "last": np.array([2], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["embeddings", "input_ids"], ["embedded"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["embedded", "mask3"], ["attended"]),
        helper.make_node("ReduceSum", ["attended", "axis"], ["summed"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "axis"], ["count"], keepdims=1),
        helper.make_node("Div", ["summed", "count"], ["mean"]),
        helper.make_node("MatMul", ["mean", "output"], ["pushed"]),
        helper.make_node("Add", ["pushed", "bias"], ["logits"]),
    ]
    shape = ["batch", "sequence"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name in ("input_ids", "attention_mask", "ngram_ids")
    ]
    inputs.append(helper.make_tensor_value_info("ngram_counts", TensorProto.FLOAT, shape))
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(taxonomy().ids)])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
