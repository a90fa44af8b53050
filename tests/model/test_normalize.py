import time
from itertools import pairwise

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
