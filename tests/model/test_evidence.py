import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from data.messages import Conversation, Message
from model.classifier import Classifier
from model.clauses import clauses, widen
from model.entities import parse
from model.evidence import MAX_CLAUSES, Evidence, evidence, indicators

CLUSTERS = st.sampled_from(
    [
        "e\u0301",
        "👨‍👩‍👧",
        "🇻🇳",
        "👍🏽",
        "\r\n",
        "a",
        " ",
        ".",
        "한",
        "ᄀ",
        "ᅡ",
        "क्",
        "ष",
        "ộ",
        "\u200d",
        "\ufe0f",
        "🏴\U000e0067\U000e007f",
    ]
)
TEXTS = st.text(max_size=30) | st.lists(CLUSTERS, max_size=20).map("".join)


def found(classifier: Classifier, conversation: Conversation) -> list[Evidence]:
    reading = classifier.read(conversation)
    return evidence(classifier, reading, classifier.predict_reading(reading))


def shown(classifier: Classifier, text: str) -> list[str]:
    return [text[one.start : one.end] for one in found(classifier, Conversation.from_text(text))]


def test_a_legitimate_verdict_has_no_evidence(tiny_classifier: Classifier) -> None:
    assert shown(tiny_classifier, "chao chao chao chao chao, otp otp otp otp: vietcombank-x.top") == []


def test_a_lookalike_link_names_whom_it_imitates(tiny_classifier: Classifier) -> None:
    text = "Tài khoản bị khóa, vào vietc\u200bombank-login.top ngay"
    [one] = found(tiny_classifier, Conversation.from_text(text))
    assert text[one.start : one.end] == "vietc\u200bombank-login.top"
    assert "Vietcombank" in one.reason
    assert "vietcombank.com.vn" in one.reason


def test_a_link_foreign_to_who_speaks_names_whose_it_is_not(tiny_classifier: Classifier) -> None:
    text = "ACB: Trúng thưởng, vào qkz8.top nhận ngay"
    reasons = {
        text[o.start : o.end]: o.reason for o in found(tiny_classifier, Conversation.from_text(text))
    }
    assert "ACB" in reasons["qkz8.top"]
    assert "acb.com.vn" in reasons["qkz8.top"]


def test_an_account_beside_a_request_for_money_is_shown(tiny_classifier: Classifier) -> None:
    assert "0004419027" in shown(tiny_classifier, "Trung thuong. Chuyen khoan phi vao STK 0004419027")


def test_the_clause_that_decides_is_shown_and_the_others_are_not(tiny_classifier: Classifier) -> None:
    text = "Xin kính thưa quý vị. Bạn trúng điện thoại! Trời hôm nay đẹp."
    assert shown(tiny_classifier, text) == ["Bạn trúng điện thoại!"]


def test_evidence_in_a_conversation_names_its_message(tiny_classifier: Classifier) -> None:
    turns = (Message("sender", "alo"), Message("recipient", "ai do"), Message("sender", "trung"))
    assert {one.message for one in found(tiny_classifier, Conversation(turns))} == {2}


def test_what_the_recipient_writes_is_no_evidence(tiny_classifier: Classifier) -> None:
    turns = (Message("sender", "vao vietcombank-x.top"), Message("recipient", "vietcombank-x.top a?"))
    assert {one.message for one in found(tiny_classifier, Conversation(turns))} == {0}


def test_a_hundred_turns_cost_one_bounded_pass(tiny_classifier: Classifier) -> None:
    turns = tuple(Message("sender", f"trung {number}. " * 6) for number in range(100))
    assert 0 < len(found(tiny_classifier, Conversation(turns))) <= MAX_CLAUSES


@given(TEXTS, st.integers(0, 30), st.integers(1, 30))
def test_a_widened_range_splits_no_character_as_people_see_it(text: str, start: int, length: int) -> None:
    start, end = min(start, len(text)), min(start + length, len(text))
    if start == end:
        return
    boundaries = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    wide = widen(text, start, end)
    assert wide[0] <= start < end <= wide[1]
    assert set(wide) <= boundaries


@given(TEXTS)
def test_clauses_hold_every_visible_character_in_order(text: str) -> None:
    end = 0
    for start, stop in clauses(text):
        assert end <= start < stop <= len(text)
        assert not text[end:start].strip()
        end = stop
    assert not text[end:].strip()


def test_a_link_or_an_amount_is_not_cut_into_clauses() -> None:
    text = "Nop 1.500.000d tai vcb-digi.top/a?b=1, nhanh."
    assert [text[start:end] for start, end in clauses(text)] == [
        "Nop 1.500.000d tai vcb-digi.top/a?b=1,",
        "nhanh.",
    ]


def test_indicators_stand_on_the_text_as_received() -> None:
    text = "Gọi  0574\u200b 118 276, vào  vcb-digi.top, coc 500k vào STK 0004419027"
    values = [
        (one.type, one.value, text[one.start : one.end])
        for one in indicators([parse(Message("sender", text))])
    ]
    assert values == [
        ("phone", "0574118276", "0574\u200b 118 276"),
        ("url", "vcb-digi.top", "vcb-digi.top"),
        ("account", "0004419027", "0004419027"),
    ]
