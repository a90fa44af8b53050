import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.normalize import fold, normalize

PIECES = st.sampled_from(
    [
        "n",
        "ổ",
        "h",
        "ũ",
        ".",
        "/",
        " ",
        "1",
        "O",
        "K",
        "@",
        "\u200b",
        "\u0301",
        "а",
        "ﬁ",
        "½",
        "\n",
        "😊",
        "İ",
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=60).map("".join))


@given(TEXTS)
def test_spans_lie_inside_the_received_text_and_rise(text: str) -> None:
    normalized = normalize(text)
    assert len(normalized.text) == len(normalized.starts) == len(normalized.ends)
    assert all(
        0 <= start < end <= len(text) for start, end in zip(normalized.starts, normalized.ends, strict=True)
    )
    assert all(before <= after for before, after in pairwise(normalized.starts))
    assert all(before <= after for before, after in pairwise(normalized.ends))


@pytest.mark.parametrize(
    ("received", "seen"),
    [
        ("d!eu k!en", "dieu kien"),
        ("KH0NG NHAN T1EN", "khong nhan tien"),
        ("h0 tro Te|egram", "ho tro telegram"),
        ("NHAN_TIEN, phuc~vu", "nhan tien, phuc vu"),
        ("goi VD120M, KS6H, D1A, V90X", "goi vd120m, ks6h, d1a, v90x"),
        ("cam on!Chuc mung!!!", "cam on!chuc mung!!!"),
        (
            "bit.ly/nhan_qua nguyen_an@hoasua.vn LH 198(0d)",
            "bit.ly/nhan_qua nguyen_an@hoasua.vn lh 198(0d)",
        ),
    ],
)
def test_signs_written_for_letters_are_read_and_codes_and_links_are_left(received: str, seen: str) -> None:
    assert fold(normalize(received).text) == seen


@given(TEXTS)
def test_folding_keeps_the_length(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(TEXTS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_normalized_text_has_no_double_or_outer_spaces(text: str) -> None:
    normalized = normalize(text).text
    assert "  " not in normalized
    assert normalized == normalized.strip(" ")


@settings(max_examples=10, deadline=None)
@given(st.lists(PIECES, min_size=10, max_size=50).map("".join))
def test_time_grows_linearly_with_the_length(piece: str) -> None:
    short, long = (piece * 2_000)[:2_000], (piece * 2_000)[:16_000]
    assert _seconds(long) < 8 * 6 * _seconds(short) + 0.05


def test_one_bad_run_of_separators_stays_fast() -> None:
    for text in ("a." * 1_000, "a " * 1_000, "a/b " * 500, "1" * 2_000, "." * 2_000, "\u0301" * 2_000):
        assert _seconds(text) < 0.2


def _seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        before = time.perf_counter()
        normalize(text)
        best = min(best, time.perf_counter() - before)
    return best
