"""How fast a model scores a file, beside a network of PhoBERT-base's shape on the same messages.

The network has PhoBERT-base's size and random weights, which cost what trained ones cost, exported and
quantized as every model here. It is given one token for each syllable: PhoBERT's own tokens are a
little fewer, its word segmentation and tokenizer are not counted, so it is not wronged by much.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from transformers import RobertaConfig

from data.messages import Conversation
from data.taxonomy import taxonomy
from model.classifier import Classifier
from model.score import score_file
from training.evaluate import read_rows
from training.export import quantize, to_onnx
from training.pooling import PooledClassifier

#: Messages the large network is timed on; it would need minutes for thousands.
SAMPLE = 96
#: Its messages go through in batches of like length, the fastest way for it.
BATCH = 8
#: How often both are timed.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speeds:
    """Messages a second, of ``canhgiac score`` and of the PhoBERT-shaped network."""

    model: float
    phobert: float

    @property
    def ratio(self) -> float:
        """How many times faster the model is."""
        return self.model / self.phobert


def speeds(file: Path, model_folder: Path, *, threads: int, shape: RobertaConfig | None = None) -> Speeds:
    """Both on the messages of a file, each with ``threads`` threads, one after the other, in this process.

    ``shape`` is PhoBERT-base's unless given. Loading is not counted. The fastest of three rounds counts:
    the rest is what else the machine does.
    """
    conversations = [row.conversation for row in read_rows(file)]
    with tempfile.TemporaryDirectory() as folder:
        network = _network(shape or phobert_shape(), Path(folder), threads)
        batches = _batches(conversations)
        classifier = Classifier.from_pretrained(model_folder)
        output = Path(folder) / "scored.jsonl"
        rounds = [
            (
                _seconds(lambda: score_file(classifier, file, output, _nothing, threads=threads)),
                _seconds(lambda: [network.run(["logits"], feeds) for feeds in batches]),
            )
            for _ in range(ROUNDS)
        ]
    ours, theirs = (min(times) for times in zip(*rounds, strict=True))
    return Speeds(len(conversations) / ours, sum(len(b["input_ids"]) for b in batches) / theirs)


class _Logits(torch.nn.Module):
    """The network as ONNX wants it: tensors in, a tensor out."""

    def __init__(self, network: PooledClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(input_ids, attention_mask).logits
        return logits


def _network(shape: RobertaConfig, folder: Path, threads: int) -> onnxruntime.InferenceSession:
    network = _Logits(PooledClassifier(shape).eval())  # type: ignore[no-untyped-call]
    ids = torch.full((2, 16), 5)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    exported = to_onnx(network, inputs, folder / "phobert.onnx", longest=256)
    quantize(exported, folder / "phobert_int8.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(folder / "phobert_int8.onnx", options)


def phobert_shape() -> RobertaConfig:
    """Nguyen and Nguyen 2020, *PhoBERT: Pre-trained language models for Vietnamese*: the base model."""
    shape = RobertaConfig(
        vocab_size=64_001,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3_072,
        max_position_embeddings=258,
        type_vocab_size=1,
        id2label=dict(enumerate(taxonomy().ids)),
    )
    shape._attn_implementation = "eager"
    return shape


def _batches(conversations: Sequence[Conversation]) -> list[dict[str, NDArray[np.int64]]]:
    """A sample spread over all lengths, padded to the longest of each batch."""
    by_length = sorted(min(256, 2 + len(one.text.split())) for one in conversations)
    sample = by_length[:: -(-len(by_length) // SAMPLE)]
    batches = []
    for start in range(0, len(sample), BATCH):
        lengths = sample[start : start + BATCH]
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
        batches.append({"input_ids": 1 + 4 * mask, "attention_mask": mask})
    return batches


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _nothing(done: int, total: int | None) -> None:
    """Progress is nobody's business while the clock runs."""
