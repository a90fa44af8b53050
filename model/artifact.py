"""The model folder: what must lie in it before it may be served.

A folder carries a ``manifest.json`` that says what the model is and the SHA-256 of each of its
files. One changed byte, one missing file or a folder made for another normalizer is refused, and
the model that serves stays. ``model/README.md`` describes the folder for people.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from data.errors import ModelFolderError
from data.taxonomy import taxonomy
from model.normalize import NORMALIZER_VERSION
from model.verdict import Thresholds
from model.view import VIEW_KINDS, ViewKind

FORMAT = 2
MANIFEST = "manifest.json"
ONNX = "onnx/model_int8.onnx"
NGRAMS = "ngrams.npy"
#: One of these tokenizers must be whole: our own, or PhoBERT's two files.
TOKENIZERS = (("tokenizer.json",), ("vocab.txt", "bpe.codes"))
#: Formats that run code when they are read; never loaded, so never accepted either.
PICKLES = frozenset({".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"})
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_RESTORE = "run `canhgiac train` for a new one, or restore the folder from where it came"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the challenger may be promoted, and what fell when it may not."""

    passed: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model is. ``files`` maps relative paths to SHA-256 and is filled by ``write_manifest``.

    ``created_at`` is ISO 8601; ``categories`` are taxonomy ids in the order of the outputs;
    ``temperature`` divides the logits; ``metrics`` is what the evaluation measured.
    """

    version: str
    created_at: str
    base: str
    view: ViewKind
    max_tokens: int
    categories: tuple[str, ...]
    temperature: float
    thresholds: Thresholds
    data_fingerprint: str
    gate: Gate
    metrics: dict[str, Any] = field(default_factory=dict)
    normalizer_version: int = NORMALIZER_VERSION
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that was verified, and its manifest."""

    path: Path
    manifest: Manifest


def open_model_folder(path: Path) -> ModelFolder:
    """The folder, verified: manifest, required files and every checksum.

    Raises ``ModelFolderError`` naming what is wrong and what to run. Reads each file once.
    """
    manifest = read_manifest(path)
    _refuse_pickles(path)
    _check_required(path, manifest)
    for name, expected in manifest.files.items():
        if _sha256(_inside(path, name)) != expected:
            raise ModelFolderError(f"{path}: {name} is not the file the manifest describes; {_RESTORE}")
    return ModelFolder(path, manifest)


def read_manifest(path: Path) -> Manifest:
    """The manifest of a folder, its values checked but not its files; cheap."""
    try:
        record = json.loads((path / MANIFEST).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelFolderError(f"{path}: no {MANIFEST} there; {_RESTORE}") from error
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path}: {MANIFEST} cannot be read; {_RESTORE}") from error
    try:
        manifest = _manifest_from(record)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFolderError(f"{path}: {MANIFEST} is not in format {FORMAT}; {_RESTORE}") from error
    reason = _fault(manifest)
    if reason:
        raise ModelFolderError(f"{path}: {reason}; {_RESTORE}")
    return manifest


def write_manifest(path: Path, manifest: Manifest) -> Manifest:
    """The manifest as written: hashes the files that are there, then writes it last and atomically.

    Raises ``ModelFolderError`` when the folder would be refused on opening.
    """
    _refuse_pickles(path)
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    files = {name: _sha256(path / name) for name in names if not name.startswith(MANIFEST)}
    manifest = replace(manifest, files=files)
    reason = _fault(manifest)
    if reason:
        raise ModelFolderError(f"{path}: {reason}; the manifest was not written")
    _check_required(path, manifest)
    replace_text(path / MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=2) + "\n")
    return manifest


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new one, whatever happens."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _manifest_from(record: Mapping[str, Any]) -> Manifest:
    if record["format"] != FORMAT or set(record) != {entry.name for entry in fields(Manifest)}:
        raise ValueError
    gate = Gate(passed=record["gate"]["passed"], reasons=tuple(record["gate"]["reasons"]))
    values = dict(record, categories=tuple(record["categories"]), gate=gate)
    values["thresholds"] = Thresholds(**{key: float(value) for key, value in record["thresholds"].items()})
    values["temperature"] = float(record["temperature"])
    values["max_tokens"] = int(record["max_tokens"])
    values["version"] = str(record["version"])
    values["files"] = {str(name): str(digest) for name, digest in record["files"].items()}
    return Manifest(**values)


def _fault(manifest: Manifest) -> str | None:
    """Why these values must not be served, or nothing."""
    thresholds, categories = manifest.thresholds, manifest.categories
    known = tuple(category for category in taxonomy().ids if category in categories)
    labels = {taxonomy()[category].label for category in known}
    checks = (
        (bool(_VERSION.fullmatch(manifest.version)), "its version is not letters, digits and . _ + - only"),
        (
            manifest.normalizer_version == NORMALIZER_VERSION,
            f"it needs normalizer version {manifest.normalizer_version}; this is {NORMALIZER_VERSION}",
        ),
        (manifest.view in VIEW_KINDS, f"its view is none of {', '.join(VIEW_KINDS)}"),
        (
            known == categories and len(labels) == 2,
            "its categories are not the taxonomy's, in its order, of both labels",
        ),
        (0 < thresholds.unsure <= thresholds.scam <= 1, "its thresholds are not 0 < unsure <= scam <= 1"),
        (0 < manifest.temperature < math.inf, "its temperature is not above 0"),
        (manifest.max_tokens >= 8, "its max_tokens is under 8"),
        (isinstance(manifest.gate.passed, bool), "its gate says neither true nor false"),
    )
    return next((reason for holds, reason in checks if not holds), None)


def _check_required(path: Path, manifest: Manifest) -> None:
    for needed in (ONNX, NGRAMS):
        if needed not in manifest.files:
            raise ModelFolderError(f"{path}: {needed} is missing; {_RESTORE}")
    if not any(set(names) <= set(manifest.files) for names in TOKENIZERS):
        raise ModelFolderError(
            f"{path}: tokenizer.json (or vocab.txt with bpe.codes) is missing; {_RESTORE}"
        )
    for name in manifest.files:
        if not _inside(path, name).is_file():
            raise ModelFolderError(f"{path}: {name} is missing; {_RESTORE}")


def _refuse_pickles(path: Path) -> None:
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in PICKLES:
            name = file.relative_to(path).as_posix()
            raise ModelFolderError(
                f"{path}: {name} may run code when it is read; delete it, keep safetensors"
            )


def _inside(path: Path, name: str) -> Path:
    """The file in the folder; a name or a link that leads out of it is refused."""
    relative = PurePosixPath(name)
    file = path / relative
    leaves = relative.is_absolute() or ".." in relative.parts or "\\" in name
    if leaves or not file.resolve().is_relative_to(path.resolve()):
        raise ModelFolderError(f"{path}: the manifest names a file outside the folder; {_RESTORE}")
    return file


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
