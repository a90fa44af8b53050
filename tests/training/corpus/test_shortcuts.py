from collections.abc import Callable

import pytest

from data.messages import Example
from training.corpus.shortcuts import (
    RARE,
    diacritics_share,
    has_url,
    surface_shortcuts,
    triggers,
    word_shortcuts,
)

Make = Callable[..., Example]
LEGITIMATE = {"label": "legitimate", "category": "personal", "trick": None}


def pair(example: Make, scam: str, legitimate: str) -> list[Example]:
    return [example(text=scam)] * RARE + [example(text=legitimate, **LEGITIMATE)] * RARE


@pytest.mark.parametrize(
    ("text", "share"), [("Chao ban", 0.0), ("Chào bạn", 2 / 7), ("Đi", 0.5), ("1234 !", 0.0), ("", 0.0)]
)
def test_diacritics_are_counted_among_letters(text: str, share: float) -> None:
    assert diacritics_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["xem http://a.vn", "xem vcb-x.top nhe", "HTTPS://BIT.LY/3x", "t.me/abc"])
def test_a_link_is_seen_with_and_without_its_scheme(text: str) -> None:
    assert has_url(text)


def test_a_feature_of_one_class_alone_is_a_full_shortcut_whichever_class_it_is(example: Make) -> None:
    for examples in (pair(example, "xem a-b.top", "xem"), pair(example, "xem", "xem a-b.top")):
        assert {s.name: s.auc for s in surface_shortcuts(examples)}["URL present"] == 1.0
    signs = {s.name: s.sign for s in surface_shortcuts(pair(example, "abc", "ABC"))}
    assert signs["upper-case share"] == "legitimate"


def test_a_feature_that_both_classes_share_is_none(example: Make) -> None:
    found = {s.name: s.auc for s in surface_shortcuts(pair(example, "mot hai", "ba bon"))}
    assert found["URL present"] == 0.5
    assert found["channel sms"] == 0.5


def test_a_word_of_one_class_is_a_shortcut_whatever_its_marks_and_case(example: Make) -> None:
    found = {s.name: (s.auc, s.sign) for s in word_shortcuts(pair(example, "GẤP quá", "mai qua"))}
    assert found == {"gap": (1.0, "scam"), "mai": (1.0, "legitimate"), "qua": (0.5, "scam")}


def test_rare_words_are_not_looked_at(example: Make) -> None:
    examples = [example(text="hiem")] + [example(text="thuong", **LEGITIMATE)] * RARE
    assert [word.name for word in word_shortcuts(examples)] == ["thuong"]


def test_a_trigger_of_one_class_alone_has_no_share(example: Make) -> None:
    found = {t.word: t for t in triggers(pair(example, "Mã OTP gấp", "mã otp đây"))}
    assert (found["otp"].scams, found["otp"].legitimate, found["otp"].share) == (RARE, RARE, 0.5)
    assert found["gap"].share == 0.0
