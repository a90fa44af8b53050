import json
from pathlib import Path

import pytest

from data.errors import BadData
from model.view import SPECIAL_TOKENS
from training.bases import find_base
from training.pretrain import BLOCK, pretrain

STEP = 16 * BLOCK


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("text") / "text.txt"
    sentence = "Hà Nội là thủ đô của nước Việt Nam nằm bên bờ sông Hồng và có nhiều hồ đẹp"
    words = sentence.split()
    lines = [
        " ".join(words[n % 17 :] + words[: n % 17]) + f" {'xyz'[n % 3] * (n % 40)}" for n in range(900)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def base(text: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of the real shape that has read next to nothing."""
    output = tmp_path_factory.mktemp("base")
    pretrain(text, output, tokens=2 * STEP, corpus=corpus)
    return output


def test_what_comes_out_is_a_base_that_reads_the_folded_view(base: Path) -> None:
    assert find_base(str(base)).view == "folded"
    tokens = json.loads((base / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    assert [token["content"] for token in tokens] == list(SPECIAL_TOKENS)
    assert (base / "pretraining.json").exists()
    assert (base / "pretraining.png").exists()


def test_a_base_is_gone_on_from_with_its_own_tokenizer(
    base: Path, text: Path, corpus: Path, tmp_path: Path
) -> None:
    pretrain(text, tmp_path / "next", tokens=STEP, start=base, corpus=corpus)
    tokenizers = [json.loads((f / "tokenizer.json").read_text("utf-8")) for f in (base, tmp_path / "next")]
    assert tokenizers[0]["model"] == tokenizers[1]["model"]


def test_a_text_that_cannot_be_read_is_named(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "bad.txt.xz").write_bytes(b"no archive")
    with pytest.raises(BadData, match="cannot be read as text"):
        pretrain(tmp_path / "bad.txt.xz", tmp_path / "out", tokens=STEP, corpus=corpus)
