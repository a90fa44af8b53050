from collections import Counter
from random import Random

import pytest

from data.messages import Conversation, Message
from model.normalize import fold, normalize
from training.attacks import ATTACKS, STRENGTHS, attack

TEXT = (
    "Quý khách trúng thưởng 50.000.000đ, vui lòng chuyển phí vào STK 00034567890 "
    "hoặc truy cập vcb-digi.top ngay hôm nay"
)
KEPT = ("50.000.000đ", "00034567890", "vcb-digi.top")
#: What the normalizer undoes whole: nothing of it is left for a model to see.
UNDONE = ("diacritics", "look-alikes", "invisible", "case")


@pytest.mark.parametrize("name", ATTACKS)
def test_what_a_scammer_needs_to_work_stays(name: str) -> None:
    for seed in range(20):
        attacked = ATTACKS[name](TEXT, 1.0, Random(seed))
        assert attacked != TEXT
        assert {*KEPT} <= {part.strip(",") for part in attacked.split()}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_seed_makes_the_same_attack(name: str) -> None:
    assert ATTACKS[name](TEXT, 0.5, Random(3)) == ATTACKS[name](TEXT, 0.5, Random(3))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_stronger_the_less_is_left(name: str) -> None:
    text = "Khách hàng không được nhận quà vì chưa chuyển phí. " * 10
    words = Counter(text.split())
    left = [
        (Counter(ATTACKS[name](text, strength, Random(1)).split()) & words).total() / words.total()
        for strength in (0.0, *STRENGTHS.values())
    ]
    assert left[0] == 1
    assert sorted(left, reverse=True) == left
    assert len(set(left)) == len(left)


@pytest.mark.parametrize("name", UNDONE)
def test_a_look_alone_is_undone_before_a_model_reads(name: str) -> None:
    received = fold(normalize(TEXT).text)
    for seed in range(20):
        assert fold(normalize(ATTACKS[name](TEXT, 1.0, Random(seed))).text) == received


def test_the_recipient_is_not_attacked() -> None:
    conversation = Conversation((Message("sender", "chuyển tiền"), Message("recipient", "chuyển tiền")))
    attacked = attack(conversation, ATTACKS["leet"], 1.0, Random(1))
    assert attacked.messages[0].text != "chuyển tiền"
    assert attacked.messages[1] == conversation.messages[1]


def test_no_attack_makes_a_text_longer_than_a_message_may_be() -> None:
    long = Conversation.from_text("chuyen tien ngay " * 117)
    for rewrite in ATTACKS.values():
        assert attack(long, rewrite, 1.0, Random(1)).checked()
