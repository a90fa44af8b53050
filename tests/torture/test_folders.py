"""A damaged or hostile model folder is never loaded, and the old model goes on."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from serving.served import FolderModel
from serving.swap import ModelSlot
from tests.torture.damages import DAMAGES
from tests.torture.folders import corrupted_in_place, flips_let_through, refused_while_serving
from tests.torture.service import running


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_folder_leaves_the_old_model_serving(
    name: str, tiny_model_folder: Path, tmp_path: Path
) -> None:
    damaged = shutil.copytree(tiny_model_folder, tmp_path / "damaged")
    DAMAGES[name](damaged)
    folders = iter([tiny_model_folder, damaged])
    slot = ModelSlot(lambda: next(folders), partial(FolderModel.from_folder, cached=0))
    assert slot.refresh()
    assert not slot.refresh()
    assert slot.version == "tiny-1"
    assert slot.problem
    assert not (tmp_path / "LOADED").exists()


def test_no_flipped_bit_is_overlooked(tiny_model_folder: Path, tmp_path: Path) -> None:
    assert flips_let_through(tiny_model_folder, tmp_path, 100) == []


def test_the_running_service_notices_says_why_and_answers_on(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    served = shutil.copytree(tiny_model_folder, tmp_path / "served")
    damage = DAMAGES["a pickle in place of the weights"]
    with running(tmp_path / "service", model=served) as service:
        assert refused_while_serving(service, served, tmp_path / "damaged", damage) == ""
        assert corrupted_in_place(service, served) == ""
    with running(tmp_path / "again", model=served) as service:
        assert service.ask()[0] == 503
        assert "describes" in service.ready()["model"]["problem"]
