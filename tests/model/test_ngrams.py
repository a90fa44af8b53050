from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ModelFolderError
from model.ngrams import WORDS, Vocabulary, ngram_keys


def known(text: str, *texts: str) -> dict[int, float]:
    """Key and count of the n-grams of ``text`` that a vocabulary of ``texts`` knows."""
    vocabulary = Vocabulary(np.unique(np.concatenate([ngram_keys(one)[0] for one in texts])))
    ids, counts = vocabulary.encode(text)
    return dict(zip(vocabulary.keys[ids].tolist(), counts.tolist(), strict=True))


def test_a_text_is_known_whole_to_its_own_vocabulary() -> None:
    text = "<sender> chuyen tien vao<account> ngay"
    keys, counts = ngram_keys(text)
    assert known(text, text) == dict(zip(keys.tolist(), counts.tolist(), strict=True))


def test_an_entity_is_one_character_and_one_word() -> None:
    keys, _ = ngram_keys("<url_other>")
    assert len(keys) == 2
    assert keys[0] < WORDS <= keys[1]


def test_entities_differ_from_each_other_and_from_what_somebody_wrote() -> None:
    texts = ["<url_other>", "<url_official>", "url_other", "(url_other>"]
    seen = [tuple(ngram_keys(text)[0].tolist()) for text in texts]
    assert len(set(seen)) == len(seen)


def test_what_is_unknown_is_left_out() -> None:
    assert known("xyz", "abc") == dict.fromkeys(known("xyz", "abc"), 0.0)
    assert set(known("abc xyz", "abc")) == set(known("abc", "abc"))


@given(st.text(max_size=60))
def test_keys_rise_and_counts_are_whole(text: str) -> None:
    keys, counts = ngram_keys(text)
    assert (np.diff(keys) > 0).all()
    assert (counts >= 1).all()


def test_a_vocabulary_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    vocabulary = Vocabulary(ngram_keys("<sender> xin chao")[0])
    vocabulary.save(tmp_path / "ngrams.npy")
    np.testing.assert_array_equal(Vocabulary.load(tmp_path / "ngrams.npy").keys, vocabulary.keys)


@pytest.mark.parametrize(
    "keys", [np.array([], np.int64), np.array([2, 1]), np.array([1.0]), np.array([{}], dtype=object)]
)
def test_a_damaged_vocabulary_is_refused(keys: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "ngrams.npy", keys, allow_pickle=True)
    with pytest.raises(ModelFolderError, match="restore the folder"):
        Vocabulary.load(tmp_path / "ngrams.npy")
