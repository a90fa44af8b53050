import subprocess
import sys

import pytest

from data.messages import Conversation, Message
from data.waves import wave_key


def key(text: str) -> str:
    return wave_key(Conversation.from_text(text))


FIRST = "Quý khách nhận 500.000đ, mã 1234. Đăng nhập http://vcb-9.top/a1 ngay"


@pytest.mark.parametrize(
    "second",
    [
        "Quy khach nhan 20.000d, ma 99. Dang nhap https://vcb-77.xyz/b ngay",
        "QUÝ KHÁCH  nhận 7đ,mã 1.\nĐăng nhập vcb-77.xyz/b?c=1 ngay",
        "Qu\u200bý khách nhận 500đ, mã 1. Đăng nh\u0430\u0323p bit.ly/x ngay",
    ],
)
def test_texts_that_differ_in_digits_urls_spacing_and_letters_shape_are_one_wave(second: str) -> None:
    assert key(FIRST) == key(second)


def test_other_words_are_another_wave() -> None:
    assert key(FIRST) != key(FIRST.replace("ngay", "sau"))


def test_a_message_and_its_words_in_a_conversation_are_one_wave() -> None:
    turns = (Message("sender", "Alo em"), Message("recipient", "Dạ"))
    assert wave_key(Conversation(turns)) == key("alo em\nda")


def test_the_key_is_the_same_in_another_process() -> None:
    script = "import sys; from data.messages import *; from data.waves import *; "
    script += "print(wave_key(Conversation.from_text(sys.argv[1])))"
    other = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", script, FIRST], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == key(FIRST)
    assert len(key(FIRST)) == 32
    assert int(key(FIRST), 16) >= 0


def test_a_broken_character_is_no_obstacle() -> None:
    assert key("a\ud800b") != key("ab")
