from collections.abc import Callable
from typing import Any

import pytest

from data.messages import Example
from training.corpus.rules import RULES, bounded, by_policy, complete, invented

Make = Callable[..., Example]


def test_a_whole_message_breaks_no_rule(example: Make) -> None:
    assert not [reason for rule in RULES for reason in rule(example())]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"written_at": None}, "written_at is missing"),
        ({"register": None}, "register is missing"),
        ({"sender_type": None}, "sender_type is missing"),
        ({"channel": None}, "channel is missing"),
        ({"trick": None}, "a scam needs its trick"),
        ({"source": "label"}, "source must be written"),
        ({"written_at": "yesterday"}, "written_at is no day"),
    ],
)
def test_what_is_missing_is_said(example: Make, missing: dict[str, Any], reason: str) -> None:
    assert any(said.startswith(reason) for said in complete(example(**missing)))


def test_a_scam_conversation_says_from_which_turn_a_reader_knows(example: Make) -> None:
    turns = [{"role": "sender", "text": "alo"}, {"role": "recipient", "text": "ai day"}]
    assert list(bounded(example(text=None, messages=turns)))
    assert not list(bounded(example(text=None, messages=turns, scam_turn=0)))


def test_a_message_or_a_conversation_that_no_phone_would_hold_is_too_long(example: Make) -> None:
    assert list(bounded(example(text="x" * 1501)))
    turns = [{"role": "sender", "text": "alo"}] * 21
    assert list(bounded(example(text=None, messages=turns, scam_turn=0)))


@pytest.mark.parametrize(
    "text",
    [
        "LH 0912 345 678",
        "zalo 84912345678",
        "goi +84 912 345 678",
        "goi 024 3825 1234",
        "STK 1903456789012 Techcombank",
        "CCCD 079095012345",
        "xe 30A-123.45 vi pham",
        "gui ve nguyenvana88@gmail.com",
        "ket ban zalo.me/0912345678",
        "SDT.0912345678",
        "0571.234.567-0987.654.321",
        "ck vao STK 1903 4567 8901 Techcombank",
        "STK:1900123456789",
    ],
)
def test_a_number_that_may_be_somebodys_is_refused(example: Make, text: str) -> None:
    assert list(invented(example(text=text)))


@pytest.mark.parametrize(
    "text",
    [
        "LH 0571 234 567",
        "zalo 84571234567",
        "goi 024 0825 1234, 0922789789 hoac 1900545413",
        "STK 0003456789 VCB, the 0001234567890123",
        "xe 30W-123.45 vi pham",
        "gui ve l***7@gmail.com hoac cskh@hoasua.vn",
        "ma don SPXVN0412345678, OTP 482913, 1.250.000d luc 12:03 05/06/2024",
        "TK 0071xxx889, so du 12,345,678VND",
    ],
)
def test_invented_numbers_and_what_is_no_number_of_anybody_pass(example: Make, text: str) -> None:
    assert not list(invented(example(text=text)))


def test_a_legitimate_message_does_not_link_to_a_look_alike(example: Make) -> None:
    assert list(by_policy(example(label="legitimate", category="balance")))


def test_a_warning_may_quote_a_look_alike(example: Make) -> None:
    assert not list(by_policy(example(label="legitimate", category="warning")))


def test_a_fake_bank_does_not_link_to_the_true_one_alone(example: Make) -> None:
    assert list(by_policy(example(text="VCB: dang nhap https://vietcombank.com.vn/khoa")))
