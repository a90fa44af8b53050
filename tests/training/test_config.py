from pathlib import Path

import pytest

from data.errors import BadData
from training.config import read_config


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_configuration_is_read_and_kept_verbatim() -> None:
    config = read_config()
    assert config.calibrate.false_alarms == 0.005
    assert config.gate.heavy[0] == "otp"
    assert config.text.startswith("# How to train")


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    text = read_config().text.replace("[evaluate]", "[evaluate]\ncolour = 1")
    with pytest.raises(BadData, match=r"evaluate\.colour is unknown"):
        read_config(written(tmp_path, text))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    text = read_config().text.replace("dropout = 0.1", "")
    with pytest.raises(BadData, match=r"finetune\.dropout is missing"):
        read_config(written(tmp_path, text))


def test_a_key_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    text = read_config().text.replace("seed = 2", 'seed = "two"')
    with pytest.raises(BadData, match="seed may not be a str"):
        read_config(written(tmp_path, text))


def test_what_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot be read as TOML"):
        read_config(written(tmp_path, "seed ="))


@pytest.mark.parametrize(("shipped", "wrong"), [("otp = 12", "opt = 12"), ("spam = 4", "spam = 0")])
def test_a_phone_holds_each_legitimate_category(shipped: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(read_config().text.replace(shipped, wrong), encoding="utf-8")
    with pytest.raises(BadData, match=r"calibrate\.phone needs a share above 0 for each of"):
        read_config(file)
