"""Which model serves: the one that ships, or the one promoted last.

Promoted models lie in ``models/<version>/`` under the state folder. ``models/current`` lists every
promotion and rollback, newest last, and is replaced as a whole: a reader sees the old state or the
new one, and what serves can always be told from what happened.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from data.errors import GateFailed, ModelFolderError
from model.artifact import MANIFEST, ModelFolder, open_model_folder, read_manifest, replace_text

#: The model folder that ships with the project.
SHIPPED = Path(__file__).with_name("compact")
#: What ``rollback`` answers when no promoted model is left.
SHIPPED_VERSION = "shipped"


@dataclass(frozen=True, slots=True)
class Change:
    """What served from when (ISO 8601, UTC), and how it came to."""

    version: str
    at: str
    action: Literal["promote", "rollback"]


def current(state_dir: Path, shipped: Path = SHIPPED) -> Path:
    """The model folder to serve; ``shipped`` until one is promoted. Not verified here."""
    changes = history(state_dir)
    if not changes or changes[-1].version == SHIPPED_VERSION:
        return shipped
    return state_dir / "models" / changes[-1].version


def promote(state_dir: Path, folder: Path, *, force: bool = False) -> str:
    """The version now serving: ``folder`` verified, copied into the state folder and pointed at.

    Promoting the version that serves already is no change, so that a rollback never answers it.

    Raises ``ModelFolderError`` when it may not be served, or when another model of that version is
    there already, and ``GateFailed`` when it did not pass the gate and ``force`` is not given.
    Nothing changes for the serving model unless everything succeeded.
    """
    verified = open_model_folder(folder)
    manifest = verified.manifest
    if not (manifest.gate.passed or force):
        reasons = "; ".join(manifest.gate.reasons) or "no reason was recorded"
        raise GateFailed(f"{manifest.version} did not pass the gate ({reasons}); the serving model stays")
    _copy(verified, state_dir / "models" / manifest.version)
    changes = history(state_dir)
    if not changes or changes[-1].version != manifest.version:
        _append(state_dir, manifest.version, "promote")
    return manifest.version


def rollback(state_dir: Path) -> str:
    """The version now serving: the one promoted before, or ``"shipped"`` when there was none.

    Raises ``ModelFolderError`` when nothing is promoted, or the earlier folder is broken.
    """
    promoted = _standing(state_dir)
    if not promoted:
        raise ModelFolderError("no promoted model serves, so there is nothing to roll back")
    earlier = promoted[-2] if len(promoted) > 1 else SHIPPED_VERSION
    if earlier != SHIPPED_VERSION:
        open_model_folder(state_dir / "models" / earlier)
    _append(state_dir, earlier, "rollback")
    return earlier


def history(state_dir: Path) -> list[Change]:
    """Every promotion and rollback, oldest first."""
    pointer = state_dir / "models" / "current"
    if not pointer.exists():
        return []
    try:
        return [Change(**change) for change in json.loads(pointer.read_text("utf-8"))]
    except (OSError, TypeError, ValueError) as error:
        raise ModelFolderError(
            f"{pointer} cannot be read; delete it to serve the shipped model, then promote again"
        ) from error


def _standing(state_dir: Path) -> list[str]:
    """Promoted versions that no rollback took back, oldest first."""
    versions: list[str] = []
    for change in history(state_dir):
        if change.action == "promote":
            versions.append(change.version)
        else:
            versions.pop()
    return versions


def _copy(source: ModelFolder, target: Path) -> None:
    """Copy what the manifest names and nothing else; the target appears whole or not at all."""
    if target.exists():
        if read_manifest(target) != source.manifest:
            raise ModelFolderError(
                f"{target} holds another model of that version; train again for a new version"
            )
        open_model_folder(target)
        return
    incoming = target.with_name(f".{target.name}.part")
    shutil.rmtree(incoming, ignore_errors=True)
    for name in (*source.manifest.files, MANIFEST):
        (incoming / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.path / name, incoming / name)
    incoming.rename(target)


def _append(state_dir: Path, version: str, action: Literal["promote", "rollback"]) -> None:
    change = Change(version, datetime.now(UTC).isoformat(timespec="seconds"), action)
    changes = [asdict(entry) for entry in (*history(state_dir), change)]
    replace_text(state_dir / "models" / "current", json.dumps(changes, indent=1) + "\n")
