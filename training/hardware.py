"""What machine this is: in words for the model card, and whether it computes in bf16."""

import os
import platform

import torch


def hardware() -> str:
    """The machine in words: processor, cores, and whether a GPU took part."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{platform.machine()}, {os.cpu_count()} CPU cores, {device}, torch {torch.__version__}"


def has_bf16() -> bool:
    """Whether bf16 is fast here: on such a processor it halves the time, elsewhere it is emulated."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
