"""From a fine-tuned torch model to the folder that serves: ONNX, int8, and the weights in fp16.

Dynamic int8 quantization keeps activations in fp32 and rounds weights, per channel where the
operator allows; the embedding too, which is half of a small model. How far int8 is from fp32 is
measured on real messages, not assumed.
"""

import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from data.taxonomy import taxonomy
from model.artifact import ONNX, TOKENIZERS
from training.metrics import Floats
from training.pooling import PooledClassifier

Ids = list[int]


def export(finetuned: Path, folder: Path) -> None:
    """Fill ``folder`` with everything a model folder holds but the manifest and the card."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    model = _load(finetuned)
    _quantize(_to_onnx(model, finetuned / "onnx"), folder / ONNX)
    model.to(torch.float16).save_pretrained(folder)
    for file in {name for names in TOKENIZERS for name in names}:
        if (finetuned / file).exists():
            shutil.copyfile(finetuned / file, folder / file)


def torch_scores(finetuned: Path, encodings: Sequence[Ids]) -> Floats:
    """Scam score of each encoding before quantization and temperature, one message at a time."""
    model = _load(finetuned)
    scam = torch.tensor([category.label == "scam" for category in taxonomy().categories])
    rows = []
    with torch.inference_mode():
        for encoding in encodings:
            ids = torch.tensor([encoding])
            rows.append(float(model(ids, torch.ones_like(ids)).logits.softmax(-1)[0, scam].sum()))
    return np.array(rows)


def agreement(exact: Floats, served: Floats) -> dict[str, float]:
    """How int8 scores follow fp32 scores: mean and largest difference, and how often on one side of 0.5.

    >>> agreement(np.array([0.1, 0.9]), np.array([0.2, 0.9]))
    {'same_side': 1.0, 'mean_difference': 0.05, 'largest_difference': 0.1}
    """
    difference = np.abs(exact - served)
    return {
        "same_side": round(float(((exact >= 0.5) == (served >= 0.5)).mean()), 4),
        "mean_difference": round(float(difference.mean()), 4),
        "largest_difference": round(float(difference.max()), 4),
    }


def _load(finetuned: Path) -> Any:
    model: torch.nn.Module = PooledClassifier.from_pretrained(
        finetuned, dtype=torch.float32, local_files_only=True, attn_implementation="eager"
    )
    return model.eval()


def _to_onnx(model: Any, folder: Path) -> Path:
    """fp32 ONNX with two int64 inputs of any batch size and length."""
    folder.mkdir(exist_ok=True)
    file = folder / "model.onnx"
    example = torch.full((2, 16), 5, dtype=torch.int64)
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=model_length(model))
    with _quiet():
        torch.onnx.export(
            _Logits(model),
            (example, torch.ones_like(example)),
            file,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return file


def model_length(model: Any) -> int:
    """The most tokens a RoBERTa model reads: its positions count from ``pad_token_id + 1``."""
    return int(model.config.max_position_embeddings) - int(model.config.pad_token_id) - 1


class _Logits(torch.nn.Module):
    """A classifier that takes tensors and gives a tensor, as ONNX wants it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def _quantize(file: Path, target: Path) -> None:
    prepared = file.with_name("prepared.onnx")
    with _quiet():
        quant_pre_process(file, prepared, skip_symbolic_shape=True)
        quantize_dynamic(
            onnx.load(prepared),
            target,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters warn about their own insides; nothing in it is for who trains."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
