import time

import pytest

from data.messages import Conversation, Message, Role
from data.redact import redact, redact_text


@pytest.mark.parametrize(
    ("received", "masked"),
    [
        ("CCCD 001099012345 cua chi", "CCCD [CCCD] cua chi"),
        ("so CCCD: 001.099.012.345", "so CCCD: [CCCD]"),
        ("CMND 012345678 da het han", "CMND [CCCD] da het han"),
        ("001099012345 da kich hoat", "[CCCD] da kich hoat"),
        ("The 4111 1111 1111 1111 bi khoa", "The [THẺ] bi khoa"),
        ("số thẻ 9704368712345678901, CVV 123", "số thẻ [THẺ], CVV [THẺ]"),
        ("Ma OTP cua quy khach la 482913", "Ma OTP cua quy khach la [OTP]"),
        ("Mã OTP:482913.Không chia sẻ", "Mã OTP:[OTP].Không chia sẻ"),
        (
            "OTP giao dịch 5.000.000đ lúc 10:20 24/11 là 482 913",
            "OTP giao dịch 5.000.000đ lúc 10:20 24/11 là [OTP]",
        ),
        ("Ma xac thuc tai khoan cua ban la 482913", "Ma xac thuc tai khoan cua ban la [OTP]"),
        ("482913 is your verification code", "[OTP] is your verification code"),
        ("G-482913 la ma xac minh", "G-[OTP] la ma xac minh"),
        ("Ma\u0303 OTP la\u0300 4829\u200b13", "Ma\u0303 OTP la\u0300 [OTP]"),
        ("gui ve nguyen.van.an@gmail.com nhe", "gui ve [EMAIL] nhe"),
        ("Kính gửi ông Nguyễn Văn An, hồ sơ", "Kính gửi ông [TÊN], hồ sơ"),
        ("KH NGUYEN VAN AN DA DANG KY", "KH [TÊN] DA DANG KY"),
        ("Chào chị Hoa, đơn hàng", "Chào chị [TÊN], đơn hàng"),
    ],
)
def test_a_victims_data_is_masked_in_any_turn(received: str, masked: str) -> None:
    assert redact_text(received, "sender") == masked
    assert redact_text(received, "recipient") == masked


@pytest.mark.parametrize(
    "text",
    [
        "Dang nhap http://vcb-9.top/001099012345?otp=482913 ngay",
        "Vao 68999.club hoac vcb-digi.top/4111111111111111",
        "https://shop.vn/?u=a@b.com&phone=0912345678",
        "xem WWW.Tang-Qua.xyz/482913, nhập mã OTP tại đó",
        "Chuyen vao STK 0011004123456 VCB NGUYEN VAN A",
        "so tai khoan 001099012345 MB, chu TK TRAN THI B",
        "Lien he 0912345678 hoac +84 912 345 678 gap anh",
        "KHONG cung cap OTP cho bat ky ai. LH 19001234",
        "Soan OTP gui 6769 nhan qua",
        "Toi la Nguyen Van Binh, cong an quan 1",
        "TK bi tru 5.000.000d, so du 12,345,678 VND",
        "KINH CHAO ANH CHI EM SINH VIEN",
        "Kính gửi Quý khách Vietcombank thông báo",
    ],
)
def test_a_scammers_urls_phones_and_accounts_stay_as_they_were_sent(text: str) -> None:
    assert redact_text(text, "sender") == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("so em la 0912 345 678", "so em la [SĐT]"),
        ("stk em 19031234567890 techcombank", "stk em [STK] techcombank"),
        ("1903123456 nhe", "[STK] nhe"),
        ("em tên Nguyễn Thị Hoa ạ", "em tên [TÊN] ạ"),
        ("tên là nguyễn thị hoa", "tên là [TÊN]"),
        ("em chuyen 5000000d roi", "em chuyen 5000000d roi"),
        ("goi 0912345678 0987654321", "goi [SĐT] [SĐT]"),
        ("vao http://a.top/0912345678 a?", "vao http://a.top/0912345678 a?"),
    ],
)
def test_in_the_recipients_turns_phones_accounts_and_names_are_masked_too(text: str, masked: str) -> None:
    assert redact_text(text, "recipient") == masked


def test_a_code_is_masked_in_the_reply_to_somebody_who_asked_for_it() -> None:
    asked = Message("sender", "Doc ma OTP giup anh")
    replied = redact(Conversation((asked, Message("recipient", "482913 day a"))))
    assert [message.text for message in replied.messages] == [asked.text, "[OTP] day a"]
    sold = redact(Conversation((Message("sender", "mua k?"), Message("recipient", "1200 cai"))))
    assert sold.messages[1].text == "1200 cai"


def test_sender_and_channel_stay() -> None:
    received = Conversation.from_text("OTP 482913", sender="0912345678", channel="sms")
    assert redact(received) == Conversation.from_text("OTP [OTP]", sender="0912345678", channel="sms")


@pytest.mark.parametrize("role", ["sender", "recipient"])
def test_redacting_again_changes_nothing(role: Role) -> None:
    text = (
        "Kính gửi ông Nguyễn Văn An, CCCD 001099012345, thẻ 4111111111111111, OTP 482913, a@b.vn, "
        "stk 1903123456789, 0912345678, xem http://a.top/1 mã 1234"
    )
    once = redact_text(text, role)
    assert redact_text(once, role) == once


@pytest.mark.parametrize(
    "piece", ["a", "1", "otp ", "1 ", "a.", "stk 1", "Nguyen ", "@", "a@", "0.", "\x00"]
)
def test_the_longest_message_is_redacted_in_no_time(piece: str) -> None:
    started = time.perf_counter()
    redact_text("ma otp " + (piece * 2_000)[:1_993], "recipient")
    assert time.perf_counter() - started < 1.0
