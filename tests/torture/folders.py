"""Damaged, false and hostile model folders under a running service: none is ever loaded."""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from data.errors import ModelFolderError
from model.artifact import MANIFEST, ONNX, open_model_folder
from tests.torture.damages import DAMAGES, Damage, flip
from tests.torture.service import Running, running
from tests.torture.table import Row

#: Seconds in which the service must have noticed a change: it looks every two.
NOTICED = 10.0


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
        yield Row(
            "weights changed in place", "the model in memory answers", wrong or "so it was", not wrong
        )
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
