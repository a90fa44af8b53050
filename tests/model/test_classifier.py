import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from data.errors import ModelFolderError, TextTooLong
from data.messages import Conversation, Message
from data.taxonomy import taxonomy
from model.artifact import NGRAMS, open_model_folder, write_manifest
from model.classifier import Classifier
from model.ngrams import Vocabulary
from model.reader import Reader
from model.tokenizer import Tokenizer

TEXTS = ["Ma OTP la 482913", "chao em", "Trung thuong", "a" * 300, "x", "Viettel tang data"]


def conversations(texts: list[str]) -> list[Conversation]:
    return [Conversation.from_text(text) for text in texts]


def test_each_row_sums_to_one_and_columns_follow_the_taxonomy(tiny_classifier: Classifier) -> None:
    probabilities = tiny_classifier.predict_proba(conversations(TEXTS))
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(TEXTS), len(tiny_classifier.taxonomy.ids))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_nothing_asked_is_nothing_answered(tiny_classifier: Classifier) -> None:
    assert tiny_classifier.predict([]) == []
    assert tiny_classifier.predict_proba([]).shape == (0, len(taxonomy().ids))


def test_a_learnt_word_decides(tiny_classifier: Classifier) -> None:
    otp, personal, prize = tiny_classifier.predict(conversations(TEXTS[:3]))
    assert (otp.label, otp.verdict, otp.category) == ("legitimate", "legitimate", "otp")
    assert personal.category == "personal"
    assert (prize.label, prize.verdict, prize.category) == ("scam", "scam", "prize_scam")
    assert prize.score > 0.9


def test_a_message_gets_the_same_answer_alone_and_in_company(tiny_classifier: Classifier) -> None:
    many = conversations(TEXTS * 3)
    together = tiny_classifier.predict_proba(many)
    alone = np.vstack([tiny_classifier.predict_proba([conversation]) for conversation in many])
    np.testing.assert_array_equal(together, alone)


def test_the_verdict_does_not_change_when_diacritics_are_removed(tiny_classifier: Classifier) -> None:
    received, plain = tiny_classifier.predict_proba(conversations(["Trúng thưởng rồi", "Trung thuong roi"]))
    np.testing.assert_array_equal(received, plain)


def test_what_was_not_read_is_said(tiny_classifier: Classifier) -> None:
    short, long = tiny_classifier.predict(conversations(["x", "x y " * 200]))
    assert (short.truncated, long.truncated) == (False, True)


def test_a_text_over_the_limit_is_refused_without_being_repeated(tiny_classifier: Classifier) -> None:
    with pytest.raises(TextTooLong) as refused:
        tiny_classifier.predict([Conversation((Message("sender", "bí mật" * 500),))])
    assert "bí mật" not in str(refused.value)


def test_a_higher_temperature_flattens(tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "hot"))
    write_manifest(folder, replace(open_model_folder(folder).manifest, temperature=10.0))
    [hot] = Classifier.from_pretrained(folder).predict(conversations(["Trung thuong"]))
    [cold] = Classifier.from_pretrained(tiny_model_folder).predict(conversations(["Trung thuong"]))
    assert hot.score < cold.score


@pytest.mark.parametrize("content", [b"", b"not a graph"])
def test_a_graph_that_cannot_be_loaded_is_a_model_folder_error(
    tiny_model_folder: Path, tmp_path: Path, content: bytes
) -> None:
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "broken"))
    (folder / "onnx" / "model_int8.onnx").write_bytes(content)
    write_manifest(folder, open_model_folder(tiny_model_folder).manifest)
    with pytest.raises(ModelFolderError, match="cannot be loaded"):
        Classifier.from_pretrained(folder)


def test_a_graph_for_other_categories_is_refused(tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "other"))
    write_manifest(folder, replace(open_model_folder(folder).manifest, categories=("job_scam", "otp")))
    with pytest.raises(ModelFolderError, match="one column a category"):
        Classifier.from_pretrained(folder)


class NoNumbers:
    """A session whose graph went wrong."""

    def run(self, outputs: list[str], feeds: dict[str, object]) -> list[NDArray[np.float32]]:
        return [np.full((1, len(taxonomy().ids)), np.nan, np.float32)]


def test_a_model_that_gives_no_numbers_gives_no_verdict(tiny_model_folder: Path) -> None:
    manifest = open_model_folder(tiny_model_folder).manifest
    vocabulary = Vocabulary.load(tiny_model_folder / NGRAMS)
    tokenizer = Tokenizer.from_folder(tiny_model_folder)
    reader = Reader(tokenizer, vocabulary, manifest.view, manifest.max_tokens)
    classifier = Classifier(manifest, reader, NoNumbers())
    with pytest.raises(ModelFolderError, match="gives no numbers"):
        classifier.predict(conversations(["x"]))


@pytest.mark.parametrize("module", ["model.classifier", "training.export"])
def test_onnxruntime_is_told_to_report_nothing_before_it_is_imported(module: str) -> None:
    program = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'onnxruntime':\n"
        "            print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "sys.meta_path.insert(0, Watch())\n"
        f"import {module}\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["1"]
