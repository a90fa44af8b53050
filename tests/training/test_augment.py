import re
from random import Random

from data.corpus import load
from data.messages import Conversation
from training.augment import augment


def variants(text: str) -> set[str]:
    return {augment(Conversation.from_text(text), Random(seed)).text for seed in range(60)}


def test_amounts_are_redrawn_and_keep_their_shape() -> None:
    found = variants("phi 1.500.000d va 20k")
    assert len(found) > 10
    assert all(re.search(r"[1-9]\.[1-9]00\.000d", text) for text in found)


def test_who_to_call_where_to_pay_and_what_to_open_stay() -> None:
    kept = ("1900545413", "0570123456", "https://a-1.top/x9", "113")
    text = f"goi {kept[0]} hoac {kept[1]}, vao {kept[2]}, bao {kept[3]} ngay"
    assert all(part in variant for variant in variants(text) for part in kept)


def test_turns_and_who_says_them_stay_and_so_does_what_the_recipient_says() -> None:
    for example in load()[::20]:
        variant = augment(example.conversation, Random(1))
        assert [m.role for m in variant.messages] == [m.role for m in example.conversation.messages]
        for before, after in zip(example.conversation.messages, variant.messages, strict=True):
            if before.role == "recipient":
                assert masked(after.text) == masked(before.text)


def masked(text: str) -> str:
    """Without digits and capitalised words, which may be amounts and names."""
    return re.sub(r"\d|\b[^\W\d_a-zà-ỹ]\w*", "", text)
