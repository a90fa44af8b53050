import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PhobertTokenizer

from data.errors import ModelFolderError
from model.tokenizer import Tokenizer

WORDS = ["xin", "chào", "công_an", "chuyển_khoản", "ngay", "không", "nghe", "ai", "a"]


@pytest.fixture(scope="module")
def phobert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fastBPE files learnt from a few words; some merges pass through pieces in no vocabulary."""
    folder = tmp_path_factory.mktemp("phobert")
    codes, pieces = _learn(merges=40)
    kept = [*sorted(pieces)[::2], "x@@", "a@@"]
    (folder / "bpe.codes").write_text("".join(f"{a} {b} 1\n" for a, b in codes), encoding="utf-8")
    (folder / "vocab.txt").write_text(
        "".join(f"{piece} 1\n" for piece in dict.fromkeys(kept)), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def both(phobert_folder: Path) -> tuple[Tokenizer, PhobertTokenizer]:
    vocabulary, codes = str(phobert_folder / "vocab.txt"), str(phobert_folder / "bpe.codes")
    slow = PhobertTokenizer(vocabulary, codes)  # type: ignore[no-untyped-call]
    return Tokenizer.from_folder(phobert_folder), slow


@given(
    st.lists(
        st.sampled_from(WORDS) | st.text(alphabet="xinchàoôgk_!?éz😊", min_size=1, max_size=8), max_size=12
    )
)
def test_phobert_ids_are_those_of_transformers(
    both: tuple[Tokenizer, PhobertTokenizer], words: list[str]
) -> None:
    ours, theirs = both
    text = " ".join(words)
    assert ours.encode_batch([text], 256)[0].ids == theirs(text)["input_ids"]


def test_a_separator_between_turns_is_one_token(both: tuple[Tokenizer, PhobertTokenizer]) -> None:
    ours, theirs = both
    text = "xin chào </s> công_an"
    assert ours.encode_batch([text], 256)[0].ids == theirs(text)["input_ids"]


def test_offsets_point_at_the_text(both: tuple[Tokenizer, PhobertTokenizer]) -> None:
    text = "xin  chào"
    encoding = both[0].encode_batch([text], 256)[0]
    assert "".join(text[start:end] for start, end in encoding.offsets) == "xinchào"
    assert encoding.offsets[0] == encoding.offsets[-1] == (0, 0)


def test_a_short_text_is_whole(tiny_model_folder: Path) -> None:
    encoding = Tokenizer.from_folder(tiny_model_folder).encode_batch(["<sender> otp"], 64)[0]
    assert not encoding.truncated
    assert len(encoding.ids) == len(encoding.offsets) == 4


def test_a_long_conversation_keeps_its_newest_turns(tiny_model_folder: Path) -> None:
    text = "<sender> aaaaaaaaaa<recipient> bbbb<sender> cccc"
    encoding = Tokenizer.from_folder(tiny_model_folder).encode_batch([text], 16)[0]
    assert encoding.truncated
    assert text[encoding.offsets[1][0] : encoding.offsets[-2][1]] == "<recipient> bbbb<sender> cccc"


def test_a_long_conversation_keeps_what_the_sender_named_before_what_is_newest(
    tiny_model_folder: Path,
) -> None:
    text = "<sender> bb<account><recipient> dddd<sender> " + "a" * 6
    encoding = Tokenizer.from_folder(tiny_model_folder).encode_batch([text], 12)[0]
    assert encoding.truncated
    kept = "".join(text[start:end] for start, end in encoding.offsets)
    assert kept == "<sender> bb<account>"


def test_a_long_turn_keeps_its_head_and_its_tail(tiny_model_folder: Path) -> None:
    text = "<sender> " + "a" * 50 + "z"
    encoding = Tokenizer.from_folder(tiny_model_folder).encode_batch([text], 16)[0]
    assert encoding.truncated
    assert len(encoding.ids) == 16
    assert text[slice(*encoding.offsets[1])] == "<sender>"
    assert text[slice(*encoding.offsets[-2])] == "z"


def test_a_text_is_encoded_alike_alone_and_in_company(tiny_model_folder: Path) -> None:
    tokenizer = Tokenizer.from_folder(tiny_model_folder)
    assert (
        tokenizer.encode_batch(["<sender> otp", "<sender> a"], 64)[0]
        == tokenizer.encode_batch(["<sender> otp"], 64)[0]
    )


@pytest.mark.parametrize("content", [None, "not json", json.dumps({"model": {}})])
def test_a_broken_tokenizer_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelFolderError, match="tokenizer"):
        Tokenizer.from_folder(tmp_path)


def _learn(merges: int) -> tuple[list[tuple[str, str]], set[str]]:
    """Codes and pieces as fastBPE writes them, learnt by the book (Sennrich et al. 2016)."""
    words = [[*word[:-1], f"{word[-1]}</w>"] for word in WORDS]
    codes: list[tuple[str, str]] = []
    pieces = {piece for word in words for piece in word}
    for _ in range(merges):
        pairs = [pair for word in words for pair in pairwise(word)]
        if not pairs:
            break
        best = max(sorted(set(pairs)), key=pairs.count)
        codes.append(best)
        pieces.add("".join(best))
        words = [_merge(word, best) for word in words]
    return codes, {
        piece.removesuffix("</w>") if piece.endswith("</w>") else f"{piece}@@" for piece in pieces
    }


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for piece in word:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged
