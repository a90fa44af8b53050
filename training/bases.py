"""Find the base model that ``BASE=`` names, and say how it wants to be read.

One code path for every base: a base that knows our role tokens was pretrained on the folded view;
any other is PhoBERT-like and reads segmented words.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import snapshot_download

from data.errors import BaseModelNotFound
from model.view import MAX_TOKENS, ROLE_TOKENS, ViewKind

COMPACT = Path(__file__).with_name("base")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
#: The tokenizer files that a model folder takes over, in order of preference. PhoBERT's own come
#: first: what the Rust tokenizer reads must be what PhoBERT was trained on.
TOKENIZERS = (("vocab.txt", "bpe.codes"), ("tokenizer.json",))


@dataclass(frozen=True, slots=True)
class Base:
    """A base model on this disk."""

    name: str
    folder: Path
    view: ViewKind
    max_tokens: int
    tokenizer_files: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The name as part of a file name or version: ``vinai-phobert-base``."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", self.name).strip("-.") or "base"


def find_base(name: str, *, download: Callable[..., str] = snapshot_download) -> Base:
    """The base ``compact``, a local folder, or a model of the Hugging Face hub (downloaded once).

    Raises ``BaseModelNotFound`` when there is none or the hub cannot be reached.
    """
    if name == "compact":
        return _checked(name, COMPACT)
    if Path(name).is_dir():
        return _checked(Path(name).resolve().name, Path(name))
    wanted = ["config.json", *WEIGHTS, *(file for files in TOKENIZERS for file in files)]
    try:
        return _checked(name, Path(download(name, allow_patterns=wanted)))
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise BaseModelNotFound(
            f"{name} is no local folder and could not be fetched from the Hugging Face hub "
            f"({type(error).__name__}); set BASE= to compact, or to a local folder with the base model"
        ) from error


def base_digest(base: Base) -> str:
    """SHA-256 of the base's weights and tokenizer: another base under the same name is another run."""
    weights = next(weights for weights in WEIGHTS if (base.folder / weights).exists())
    digest = hashlib.sha256()
    for name in (weights, *base.tokenizer_files):
        with (base.folder / name).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def copy_tokenizer(base: Base, folder: Path) -> None:
    """Put the base's tokenizer files into a model folder."""
    for file in base.tokenizer_files:
        shutil.copyfile(base.folder / file, folder / file)


def _checked(name: str, folder: Path) -> Base:
    config = folder / "config.json"
    weights = any((folder / file).exists() for file in WEIGHTS)
    tokenizer = next((files for files in TOKENIZERS if all((folder / f).exists() for f in files)), None)
    if not config.exists() or not weights or tokenizer is None:
        raise BaseModelNotFound(
            f"{folder} holds no base model (config.json, model.safetensors, and tokenizer.json or "
            "vocab.txt with bpe.codes); set BASE= to compact, or to a local folder with all of them"
        )
    shape = json.loads(config.read_text("utf-8"))
    if shape.get("model_type") != "roberta":
        raise BaseModelNotFound(
            f"{folder} holds a {shape.get('model_type')} model; PhoBERT and the compact base are roberta: "
            "set BASE= to compact, or to a folder with one of that shape"
        )
    positions = int(shape["max_position_embeddings"])
    # RoBERTa counts positions from pad_token_id + 1 = 2
    return Base(name, folder, _view_of(folder, tokenizer), min(MAX_TOKENS, positions - 2), tokenizer)


def _view_of(folder: Path, tokenizer: tuple[str, ...]) -> ViewKind:
    if tokenizer != ("tokenizer.json",):
        return "segmented"
    added = json.loads((folder / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    return "folded" if {*ROLE_TOKENS} <= {token["content"] for token in added} else "segmented"
