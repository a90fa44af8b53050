"""What can be wrong with a model folder, by accident or by somebody's hand."""

import json
import os
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model.artifact import MANIFEST, NGRAMS, ONNX

Damage = Callable[[Path], object]


def files_of(folder: Path) -> list[Path]:
    """Every file of a folder, in order."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def flip(folder: Path, chance: random.Random) -> str:
    """One bit of one file turned over, each file as likely as another; where."""
    file = chance.choice(files_of(folder))
    size = file.stat().st_size
    place = chance.randrange(size)
    with file.open("r+b") as stream:
        stream.seek(place)
        [byte] = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte ^ 1 << chance.randrange(8)]))
    return f"{file.relative_to(folder)} at {place}"


def _manifest(**values: Any) -> Damage:
    """A damage that writes these values into the manifest."""

    def damage(folder: Path) -> None:
        record = json.loads((folder / MANIFEST).read_text("utf-8"))
        record.update(values)
        (folder / MANIFEST).write_text(json.dumps(record), "utf-8")

    return damage


def _names_a_file_outside(folder: Path) -> None:
    (folder.parent / "outside.bin").write_bytes(b"outside")
    files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    _manifest(files={**files, "../outside.bin": "0" * 64})(folder)


def _links_out(folder: Path) -> None:
    """The weights are those that the manifest describes, but they lie elsewhere."""
    elsewhere = folder.parent / "elsewhere.onnx"
    shutil.move(folder / ONNX, elsewhere)
    (folder / ONNX).symlink_to(elsewhere)


def _truncated(name: str) -> Damage:
    def damage(folder: Path) -> None:
        os.truncate(folder / name, (folder / name).stat().st_size // 2)

    return damage


class Marks:
    """What would happen if a pickle were loaded: a file appears."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def _pickled(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(pickle.dumps(Marks(folder.parent / "LOADED")))

    return damage


def _without(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()

    return damage


def _longer(name: str) -> Damage:
    """A byte more at the end, which most readers pass over."""

    def damage(folder: Path) -> None:
        with (folder / name).open("ab") as stream:
            stream.write(b"\0")

    return damage


def _exchanged(folder: Path) -> None:
    first, second = folder / NGRAMS, folder / "tokenizer.json"
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


#: Each must be refused.
DAMAGES: dict[str, Damage] = {
    **{f"{name} is missing": _without(name) for name in (ONNX, NGRAMS, "tokenizer.json")},
    "manifest is missing": lambda folder: (folder / MANIFEST).unlink(),
    "weights cut in half": _truncated(ONNX),
    "manifest cut in half": _truncated(MANIFEST),
    "manifest is empty": lambda folder: (folder / MANIFEST).write_bytes(b""),
    "manifest nested deep": lambda folder: (folder / MANIFEST).write_bytes(b"[" * 100_000),
    "a pickle beside": _pickled("weights.pkl"),
    "a pickle in place of the weights": _pickled(ONNX),
    "a pickle in place of the n-grams": _pickled(NGRAMS),
    "weights with a byte more": _longer(ONNX),
    "n-grams with a byte more": _longer(NGRAMS),
    "tokenizer with a byte more": _longer("tokenizer.json"),
    "two files exchanged": _exchanged,
    "unknown format": _manifest(format=99),
    "unknown normalizer": _manifest(normalizer_version=99),
    "no number for a temperature": _manifest(temperature=float("nan")),
    "thresholds the wrong way round": _manifest(thresholds={"scam": 0.1, "unsure": 0.9}),
    "categories of nobody": _manifest(categories=["otp"]),
    "a file outside": _names_a_file_outside,
    "a version that is a path": _manifest(version="../../etc"),
    "weights linked from outside": _links_out,
}
