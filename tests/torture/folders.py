"""Damaged, false and hostile model folders under a running service: none is ever loaded."""

import json
import os
import pickle
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data.errors import ModelFolderError
from model.artifact import MANIFEST, NGRAMS, ONNX, open_model_folder
from tests.torture.service import Running, running
from tests.torture.table import Row

#: Seconds in which the service must have noticed a change: it looks every two.
NOTICED = 10.0

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


def _swapped(name: str) -> Damage:
    """The file of another model of the same shape: here the same file with one more byte at its end."""

    def damage(folder: Path) -> None:
        with (folder / name).open("ab") as stream:
            stream.write(b"\0")

    return damage


#: Each must be refused; no manifest fits the files but the last two, which lie about themselves.
DAMAGES: dict[str, Damage] = {
    **{f"{name} is missing": lambda folder, name=name: (folder / name).unlink() for name in (ONNX, NGRAMS)},
    "tokenizer.json is missing": lambda folder: (folder / "tokenizer.json").unlink(),
    "manifest is missing": lambda folder: (folder / MANIFEST).unlink(),
    "weights cut in half": _truncated(ONNX),
    "manifest cut in half": _truncated(MANIFEST),
    "manifest is empty": lambda folder: (folder / MANIFEST).write_bytes(b""),
    "manifest nested deep": lambda folder: (folder / MANIFEST).write_bytes(b"[" * 100_000),
    "a pickle beside": _pickled("weights.pkl"),
    "a pickle in place of the weights": _pickled(ONNX),
    "a pickle in place of the n-grams": _pickled(NGRAMS),
    "another model's weights": _swapped(ONNX),
    "another model's n-grams": _swapped(NGRAMS),
    "another model's tokenizer": _swapped("tokenizer.json"),
    "unknown format": _manifest(format=99),
    "unknown normalizer": _manifest(normalizer_version=99),
    "no number for a temperature": _manifest(temperature=float("nan")),
    "thresholds the wrong way round": _manifest(thresholds={"scam": 0.1, "unsure": 0.9}),
    "categories of nobody": _manifest(categories=["otp"]),
    "a file outside": _names_a_file_outside,
    "a version that is a path": _manifest(version="../../etc"),
    "weights linked from outside": _links_out,
}


def flips_let_through(folder: Path, place: Path, times: int, seed: int = 0) -> list[str]:
    """Where one flipped bit was not noticed, of so many tried on copies in ``place``."""
    chance = random.Random(seed)
    through = []
    for number in range(times):
        copy = shutil.copytree(folder, place / f"flip-{number}")
        where = flip(copy, chance)
        try:
            open_model_folder(copy)
            through.append(where)
        except ModelFolderError:
            pass
        shutil.rmtree(copy)
    return through


def refused_while_serving(service: Running, folder: Path, damaged: Path, damage: Damage) -> str:
    """What went wrong when a damaged copy took the served folder's place; empty when nothing did.

    The folder is exchanged as a whole, by two renames, and restored afterwards.
    """
    before = service.ready()["model"]["version"]
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(folder, damaged)
    damage(damaged)
    manifest = damaged / MANIFEST
    if manifest.exists():
        os.utime(manifest)
    aside = folder.with_name("aside")
    folder.rename(aside)
    damaged.rename(folder)
    try:
        return _problem_of(service, before)
    finally:
        folder.rename(damaged)
        aside.rename(folder)
        os.utime(folder / MANIFEST)
        _until(lambda: service.ready()["model"]["problem"] is None)


def _problem_of(service: Running, before: str) -> str:
    statuses = set()

    def noticed() -> bool:
        statuses.add(service.ask()[0])
        return service.ready()["model"]["problem"] is not None

    if not _until(noticed):
        return "not noticed"
    model = service.ready()["model"]
    if statuses | {service.ask()[0]} != {200}:
        return f"answers {sorted(statuses)} meanwhile"
    if model["version"] != before or model["status"] != "ok":
        return "the old model no longer serves"
    return "" if model["problem"] in service.log else "the log does not say why"


def _until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + NOTICED
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def corrupted_in_place(service: Running, folder: Path) -> str:
    """What went wrong when the weights changed under the service and the manifest did not."""
    with (folder / ONNX).open("r+b") as stream:
        stream.seek(100)
        stream.write(b"\xff" * 100)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if service.ask()[0] != 200:
            return "answers failed"
        time.sleep(0.05)
    return "" if service.ready()["status"] == "ready" else "no longer ready"


def check(place: Path, folder: Path, *, flips: int = 100) -> Iterator[Row]:
    """The rows for a model folder, of which copies are made in ``place``."""
    through = flips_let_through(folder, place / "flips", flips)
    yield Row(f"{flips} bits flipped", "none loaded", f"{len(through)} loaded {through}", not through)
    served = shutil.copytree(folder, place / "served")
    with running(place / "service", model=served) as service:
        for name, damage in DAMAGES.items():
            wrong = refused_while_serving(service, served, place / "damaged", damage)
            must = "refused and said, old model answers"
            yield Row(f"model folder: {name}", must, wrong or "so it was", not wrong)
        wrong = corrupted_in_place(service, served)
        yield Row("weights changed in place", "the model in memory answers", wrong or "so it was", not wrong)
        code = service.stop()
        yield Row("the service ends", "exit code 0", str(code), code == 0)
    with running(place / "again", model=served) as service:
        status, model = service.ask()[0], service.ready()["model"]
        seen = f"{status}, {model['status']}: {'said why' if model['problem'] else 'said nothing'}"
        must = "503 and the reason"
        yield Row(
            "started on changed weights", must, seen, status == 503 and "describes" in str(model["problem"])
        )
    loaded = list(place.rglob("LOADED"))
    yield Row("pickles", "none was ever read", f"{len(loaded)} were", not loaded)
