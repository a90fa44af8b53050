import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import GateFailed, ModelFolderError
from model.artifact import Gate, open_model_folder, write_manifest
from model.registry import SHIPPED, SHIPPED_VERSION, current, history, promote, rollback


def challenger(tiny: Path, folder: Path, version: str, *, passed: bool = True, base: str = "tiny") -> Path:
    shutil.copytree(tiny, folder)
    gate = Gate(passed, () if passed else ("recall fell from 0.90 to 0.70",))
    write_manifest(folder, replace(open_model_folder(tiny).manifest, version=version, gate=gate, base=base))
    return folder


def test_the_shipped_model_serves_until_one_is_promoted(tmp_path: Path) -> None:
    assert current(tmp_path) == SHIPPED
    assert history(tmp_path) == []


def test_a_promoted_model_serves_from_the_state_folder(tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = challenger(tiny_model_folder, tmp_path / "run", "v1")
    assert promote(tmp_path / "var", folder) == "v1"
    shutil.rmtree(folder)
    served = current(tmp_path / "var")
    assert served == tmp_path / "var" / "models" / "v1"
    assert open_model_folder(served).manifest.version == "v1"


def test_rollback_walks_back_to_the_shipped_model(tiny_model_folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "var"
    for version in ("v1", "v2"):
        promote(state, challenger(tiny_model_folder, tmp_path / version, version))
    assert rollback(state) == "v1"
    assert current(state).name == "v1"
    assert rollback(state) == SHIPPED_VERSION
    assert current(state) == SHIPPED
    with pytest.raises(ModelFolderError, match="nothing to roll back"):
        rollback(state)
    assert [change.action for change in history(state)] == ["promote", "promote", "rollback", "rollback"]


def test_a_model_that_was_rolled_back_can_be_promoted_again(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    folder = challenger(tiny_model_folder, tmp_path / "run", "v1")
    promote(tmp_path, folder)
    rollback(tmp_path)
    promote(tmp_path, folder)
    assert current(tmp_path).name == "v1"


def test_promoting_what_already_serves_changes_nothing(tiny_model_folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "var"
    first = challenger(tiny_model_folder, tmp_path / "one", "v1")
    second = challenger(tiny_model_folder, tmp_path / "two", "v2")
    for folder in (first, second, second):
        promote(state, folder)
    assert len(history(state)) == 2
    assert rollback(state) == "v1"
    assert promote(state, first) == "v1"
    assert rollback(state) == SHIPPED_VERSION


def test_a_failed_gate_leaves_the_serving_model_untouched(tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = challenger(tiny_model_folder, tmp_path / "run", "v1", passed=False)
    with pytest.raises(GateFailed, match=r"recall fell from 0\.90 to 0\.70"):
        promote(tmp_path / "var", folder)
    assert current(tmp_path / "var") == SHIPPED
    assert promote(tmp_path / "var", folder, force=True) == "v1"


def test_a_changed_folder_is_not_promoted(tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = challenger(tiny_model_folder, tmp_path / "run", "v1")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelFolderError, match=r"tokenizer\.json"):
        promote(tmp_path / "var", folder)
    assert history(tmp_path / "var") == []


def test_a_version_never_means_two_models(tiny_model_folder: Path, tmp_path: Path) -> None:
    promote(tmp_path / "var", challenger(tiny_model_folder, tmp_path / "one", "v1"))
    other = challenger(tiny_model_folder, tmp_path / "two", "v1", base="other")
    with pytest.raises(ModelFolderError, match="another model of that version"):
        promote(tmp_path / "var", other)


def test_a_copy_that_was_interrupted_is_made_anew(tiny_model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "var" / "models" / ".v1.part").mkdir(parents=True)
    (tmp_path / "var" / "models" / ".v1.part" / "tokenizer.json").write_text("half", encoding="utf-8")
    promote(tmp_path / "var", challenger(tiny_model_folder, tmp_path / "run", "v1"))
    assert open_model_folder(current(tmp_path / "var"))


def test_an_unreadable_pointer_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "current").write_text("v1", encoding="utf-8")
    with pytest.raises(ModelFolderError, match="delete it"):
        current(tmp_path)
