"""A model folder of PhoBERT-base's shape, served by the same code: what a request costs with it.

The encoder has PhoBERT-base's size and random weights, which cost what trained ones cost, exported and
quantized as every model here. It reads one token for each syllable: PhoBERT's own tokens are a little
fewer, but its word segmentation, which costs more than that saves, is not counted either.

What random weights say is worth nothing, and evidence is looked for only where a verdict is not
legitimate. So everything behind the shipped model's encoder, its n-gram half included, is taken over,
and the verdicts are about those of the shipped model.
"""

import hashlib
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, compose, helper, numpy_helper
from onnx.utils import Extractor
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import RobertaConfig

from data import corpus
from model.artifact import MANIFEST, NGRAMS, ONNX, Gate, read_manifest, write_manifest
from model.classifier import Classifier
from model.view import SPECIAL_TOKENS, view
from tests.bench import plain
from tests.bench.messages import conversations
from training.bench import phobert_shape
from training.export import quantize, to_onnx
from training.pooling import PooledClassifier

#: What the encoder's logits count: 0 would let an optimizer leave the encoder out.
_WHISPER = 1e-6
#: Messages whose words get a token of their own.
_WORDS_OF = 1_000
_ENCODER_INPUTS = ("input_ids", "attention_mask")


def cached(shipped: Path, cache: Path) -> tuple[Path, Path]:
    """The folders of the int8 and of the plain network, made where there are none: a minute or two."""
    made_of = hashlib.sha256((shipped / MANIFEST).read_bytes()).hexdigest()
    folder = cache / f"phobert-{made_of[:12]}"
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        make(shipped, part / "int8", phobert_shape())
        plain.save_model(part / "plain", phobert_shape(), part / "int8" / "tokenizer.json")
        part.rename(folder)
    return folder / "int8", folder / "plain"


def make(shipped: Path, folder: Path, shape: RobertaConfig) -> None:
    """Fill a folder; ``shape`` is the encoder's."""
    (folder / "onnx").mkdir(parents=True)
    exact, small = folder / "exact.onnx", folder / "encoder.onnx"
    ids = torch.full((2, 16), 5)
    inputs = dict(zip(_ENCODER_INPUTS, (ids, torch.ones_like(ids)), strict=True))
    to_onnx(_Encoder(shape).eval(), inputs, exact, longest=shape.max_position_embeddings - 2)
    quantize(exact, small)
    onnx.save(_joined(onnx.load(small), onnx.load(shipped / ONNX)), folder / ONNX)
    for file in folder.glob("*.onnx"):
        file.unlink()
    shutil.copyfile(shipped / NGRAMS, folder / NGRAMS)
    word_tokenizer(shape.vocab_size).save(str(folder / "tokenizer.json"))
    manifest = replace(
        read_manifest(shipped),
        version="phobert-shaped",
        base="phobert-shaped",
        view="folded",
        max_tokens=shape.max_position_embeddings - 2,
        gate=Gate(passed=True),
        metrics={},
        files={},
    )
    write_manifest(folder, manifest)


class _Encoder(torch.nn.Module):
    """The network as ONNX wants it: tensors in, a tensor out."""

    def __init__(self, shape: RobertaConfig) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = PooledClassifier(shape)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(input_ids, attention_mask).logits
        return logits


def _joined(encoder: onnx.ModelProto, shipped: onnx.ModelProto) -> onnx.ModelProto:
    """The shipped network with another encoder, whose logits hardly count."""
    logits = _encoder_logits(shipped)
    width = shipped.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    seen = helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["batch", width])
    shipped.graph.value_info.append(seen)
    others = [one.name for one in shipped.graph.input if one.name not in _ENCODER_INPUTS]
    rest = Extractor(shipped).extract_model([logits, *others], ["logits"])
    encoder = compose.add_prefix(encoder, "phobert.")
    encoder.graph.initializer.append(
        numpy_helper.from_array(np.array(_WHISPER, np.float32), "phobert.whisper")
    )
    encoder.graph.node.append(
        helper.make_node("Mul", ["phobert.logits", "phobert.whisper"], ["phobert.quiet"])
    )
    encoder.graph.output[0].name = "phobert.quiet"
    joined = compose.merge_models(encoder, rest, io_map=[("phobert.quiet", logits)])
    for node in joined.graph.node:
        node.input[:] = [name.removeprefix("phobert.") if _is_input(name) else name for name in node.input]
    for one in joined.graph.input:
        one.name = one.name.removeprefix("phobert.")
    return joined


def _is_input(name: str) -> bool:
    return name.removeprefix("phobert.") in _ENCODER_INPUTS


def _encoder_logits(network: onnx.ModelProto) -> str:
    """The last tensor through which all goes that the encoder's inputs say to the logits.

    Found by leaving out one node after the other from the end: the first without which the encoder's
    inputs no longer reach the output, and whose own output no n-gram reaches.
    """
    nodes = list(network.graph.node)
    others = {one.name for one in network.graph.input} - set(_ENCODER_INPUTS)
    by_ngrams = _reached(nodes, others)
    for index in reversed(range(len(nodes))):
        output = nodes[index].output[0]
        without = nodes[:index] + nodes[index + 1 :]
        if output not in by_ngrams and "logits" not in _reached(without, set(_ENCODER_INPUTS)):
            return str(output)
    raise ValueError("the encoder's logits were not found in the shipped network")


def _reached(nodes: list[onnx.NodeProto], names: set[str]) -> set[str]:
    """Every tensor that depends on one of the names; nodes stand in the order of computation."""
    reached = set(names)
    for node in nodes:
        if not reached.isdisjoint(node.input):
            reached.update(node.output)
    return reached


def word_tokenizer(size: int) -> Tokenizer:
    """One token for each word between spaces; those it does not know cost the same."""
    words = {
        word: None
        for example in corpus.load()[:_WORDS_OF]
        for word in view(example.conversation, "folded").text.split()
    }
    known = list(dict.fromkeys([*SPECIAL_TOKENS, *words]))[:size]
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(known)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer


def agreement(shipped: Path, folder: Path, messages: int = 1_000) -> dict[str, float]:
    """Shares of messages on a phone: verdicts that are the same, and those not legitimate of either."""
    sample = list(islice(conversations("phone", seed=11), messages))
    ours, theirs = (
        [one.verdict for one in Classifier.from_pretrained(path).predict(sample)]
        for path in (shipped, folder)
    )
    return {
        "same": sum(a == b for a, b in zip(ours, theirs, strict=True)) / messages,
        "shipped_not_legitimate": sum(one != "legitimate" for one in ours) / messages,
        "phobert_not_legitimate": sum(one != "legitimate" for one in theirs) / messages,
    }
