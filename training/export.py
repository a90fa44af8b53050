"""From what was learnt to the folder that serves: one ONNX network in int8, and the encoder in fp16.

Dynamic int8 quantization keeps activations in fp32 and rounds weights, per channel where the
operator allows; the embedding too, which is half of a small model. How far int8 is from fp32 is
measured on real messages, not assumed.
"""

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from model.artifact import NGRAMS, ONNX, TOKENIZERS
from model.reader import INPUTS
from training.blend import Blend, Weights
from training.linear import LinearModel
from training.metrics import Bools, Floats
from training.pooling import PooledClassifier

#: What the stages leave in a run's folder.
FINETUNED, LINEAR, WEIGHTS = "finetuned", "linear.safetensors", "blend.json"


def export(run: Path, folder: Path) -> None:
    """Fill ``folder`` with everything a model folder holds but the manifest and the card."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    blend = load_blend(run)
    exact = to_onnx(blend, _examples(), run / "onnx" / "model.onnx", longest=model_length(blend.encoder))
    quantize(exact, folder / ONNX)
    blend.encoder.half().save_pretrained(folder)  # type: ignore[no-untyped-call]
    LinearModel.load(run / LINEAR).vocabulary.save(folder / NGRAMS)
    for file in {name for names in TOKENIZERS for name in names}:
        if (run / FINETUNED / file).exists():
            shutil.copyfile(run / FINETUNED / file, folder / file)


def load_encoder(run: Path) -> PooledClassifier:
    """The fine-tuned encoder in fp32, ready to be asked."""
    model = PooledClassifier.from_pretrained(
        run / FINETUNED, dtype=torch.float32, local_files_only=True, attn_implementation="eager"
    )
    return cast(PooledClassifier, model.eval())  # type: ignore[no-untyped-call]


def load_blend(run: Path) -> Blend:
    """The whole network in fp32, from what the stages left in the run's folder."""
    blend = Blend(load_encoder(run), LinearModel.load(run / LINEAR), Weights.load(run / WEIGHTS))
    return blend.eval()


def agreement(exact: Floats, served: Floats, scam: Bools, threshold: float) -> dict[str, float]:
    """How the scores of int8 follow those of fp32, and what that costs.

    Share of equal verdicts at the threshold, mean and largest difference of the scores, and how many
    points of recall int8 loses (negative: gains).

    >>> agreement(np.array([0.1, 0.9]), np.array([0.2, 0.9]), np.array([False, True]), 0.5)
    {'same_verdict': 1.0, 'mean_difference': 0.05, 'largest_difference': 0.1, 'recall_lost': 0.0}
    """
    difference = np.abs(exact - served)
    before, after = exact >= threshold, served >= threshold
    lost = float(before[scam].mean() - after[scam].mean()) if scam.any() else 0.0
    return {
        "same_verdict": round(float((before == after).mean()), 4),
        "mean_difference": round(float(difference.mean()), 4),
        "largest_difference": round(float(difference.max()), 4),
        "recall_lost": round(lost, 4),
    }


def to_onnx(network: torch.nn.Module, inputs: dict[str, torch.Tensor], file: Path, *, longest: int) -> Path:
    """fp32 ONNX with the output ``logits``, of any batch size and length.

    ``inputs`` are examples of shape (batch, length); inputs of one length keep a common one, and the
    tokens' (the first's) goes up to ``longest``.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    batch = torch.export.Dim("batch")
    first, *others = dict.fromkeys(example.shape[1] for example in inputs.values())
    sizes = {first: torch.export.Dim("length", max=longest)}
    sizes |= {size: torch.export.Dim(f"count_{size}") for size in others}
    with _quiet():
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            file,
            input_names=list(inputs),
            output_names=["logits"],
            dynamic_shapes=tuple({0: batch, 1: sizes[example.shape[1]]} for example in inputs.values()),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return file


def _examples() -> dict[str, torch.Tensor]:
    ids, ngrams = torch.full((2, 16), 5), torch.zeros((2, 32), dtype=torch.int64)
    return dict(zip(INPUTS, (ids, torch.ones_like(ids), ngrams, torch.ones(ngrams.shape)), strict=True))


def model_length(model: Any) -> int:
    """The most tokens a RoBERTa model reads: its positions count from ``pad_token_id + 1``."""
    return int(model.config.max_position_embeddings) - int(model.config.pad_token_id) - 1


def quantize(file: Path, target: Path) -> None:
    """Write the int8 network of an fp32 one."""
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
