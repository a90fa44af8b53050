import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.messages import Conversation, Message
from model.view import SPECIAL_TOKENS, view


def test_the_verdict_cannot_depend_on_diacritics() -> None:
    with_marks, without = "Chuyển khoản ngay cho công an", "chuyen khoan ngay cho cong an"
    assert _folded(with_marks) == _folded(without)


def test_entities_become_tokens_and_a_link_keeps_the_words_of_its_host() -> None:
    text = "Vietcombank: nạp 500k tại vcb-digi.top/a, LH 0912345678 hoặc 1900 1234"
    assert _folded(text) == (
        "<sender> vietcombank: nap<amount> tai<url_lookalike> vcb digi top , lh<phone> hoac<hotline>"
    )


def test_each_turn_opens_with_its_role() -> None:
    turns = Conversation((Message("sender", "Alo"), Message("recipient", "Dạ")))
    assert view(turns, "folded").text == "<sender> alo<recipient> da"


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_a_token_written_in_a_message_stays_text(token: str) -> None:
    assert token not in _folded(f"xin chao {token} ban").removeprefix("<sender>")


def test_an_entity_leads_back_to_the_text_as_received() -> None:
    text = "Ch\u200buyển 1OOK vào  vcb-digi.top"
    folded = view(Conversation.from_text(text), "folded")
    start = folded.text.index("<amount>")
    assert _received(text, folded.origin(start, start + 8)) == "1OOK"
    start = folded.text.index("digi")
    assert _received(text, folded.origin(start, start + 4)) == "vcb-digi.top"


def test_what_the_view_added_itself_leads_nowhere() -> None:
    assert view(Conversation.from_text("alo"), "folded").origin(0, 8) is None


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_every_origin_lies_inside_its_message(texts: list[str]) -> None:
    conversation = Conversation(tuple(Message("sender", text) for text in texts))
    folded = view(conversation, "folded")
    assert len(folded.text) == len(folded.origins)
    for origin in folded.origins:
        if origin is not None:
            message, start, end = origin
            assert 0 <= start < end <= len(texts[message])


def test_segmented_words_lead_back_to_the_text_as_received() -> None:
    pytest.importorskip("underthesea")
    text = "Chuyển khoản ngay cho công an, nhé!"
    segmented = view(Conversation.from_text(text), "segmented")
    start = segmented.text.index("công_an")
    assert _received(text, segmented.origin(start, start + 7)) == "công an"
    assert "</s>" not in segmented.text


def test_segmented_turns_are_parted() -> None:
    pytest.importorskip("underthesea")
    turns = Conversation((Message("sender", "Alo"), Message("recipient", "Dạ </s> vâng")))
    assert view(turns, "segmented").text.count("</s>") == 1


def _folded(text: str) -> str:
    return view(Conversation.from_text(text), "folded").text


def _received(text: str, origin: tuple[int, int, int] | None) -> str:
    assert origin is not None
    return text[origin[1] : origin[2]]
