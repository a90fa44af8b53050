import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.entities import find_entities, host_of, url_kind
from model.hosts import imitated, spoken
from model.normalize import normalize


def found(text: str) -> list[tuple[str, str]]:
    return [(entity.type, entity.value) for entity in find_entities(normalize(text).text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("bấm https://VCB-digi.top/login.", "vcb-digi.top/login"),
        ("vao vcb-digi.top de nhan", "vcb-digi.top"),
        ("vao www.vietcombank.com.vn nhe", "vietcombank.com.vn"),
        ("hxxp://vcb[.]top/a", "vcb.top/a"),
        ("vietcombank .com", "vietcombank.com"),
        ("vcb-digi.top.Vui lòng", "vcb-digi.top"),
        ("kết bạn zalo.me/0912345678", "zalo.me/0912345678"),
        ("http://103.1.2.3/x", "103.1.2.3/x"),
        ("bit.ly/abc", "bit.ly/abc"),
        ("vao https:// vcb-digi.top/x", "vcb-digi.top/x"),
        ("https://vietcombank.com.vn.Tran trong", "vietcombank.com.vn"),
        ("HTTPS://Qkz.Abcde/x", "qkz.abcde/x"),
        ("vao https://vcb-online.6app de huy", "vcb-online.6app"),
    ],
)
def test_links_are_found_as_senders_write_them(text: str, value: str) -> None:
    assert ("url", value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "ở TP.HCM",
        "gà, vịt v.v. nhé",
        "đường số 3 Q.1",
        "ok.em",
        "về rồi nhé.anh ơi",
        "đúng là thế.La em đây",
        "nhanh.la em ngay",
        "Dr.Minh",
        "chuyển rồi nhé.ck sau",
        "mail a.b@gmail.com",
        "hotline 0912.xxx.xxx",
        "Em về rồi.Chưa ăn.Nhớ",
    ],
)
def test_a_missing_space_or_an_abbreviation_is_no_link(text: str) -> None:
    assert [kind for kind, _ in found(text) if kind == "url"] == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0912345678", "0912345678"),
        ("0912.345.678", "0912345678"),
        ("+84 912 345 678", "0912345678"),
        ("(+84)912345678", "0912345678"),
        ("024 3825 1234", "02438251234"),
        ("1900 1234", "19001234"),
        ("18001091", "18001091"),
        ("+855 12 345 678", "+85512345678"),
    ],
)
def test_phone_numbers_have_one_value_however_they_are_written(written: str, value: str) -> None:
    assert found(f"Xin gọi {written} nhé") == [("phone", value)]


def test_an_invented_number_is_treated_like_a_real_one() -> None:
    assert found("LH 0574 118 276") == [("phone", "0574118276")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("STK 0004419027 Tran Thi Hue", "0004419027"),
        ("chuyển vào MB Bank số 0987654321 tên Khải", "0987654321"),
        ("000 8877 1234 MB DO ANH TU", "00088771234"),
        ("tài khoản 19034567890 giúp mình", "19034567890"),
    ],
)
def test_an_account_needs_a_word_or_a_bank_beside_it(text: str, value: str) -> None:
    assert ("account", value) in found(text)


@pytest.mark.parametrize("text", ["don hang 19034567890", "TK 000687xxx20", "TK ***8810 PS 850.000 SD"])
def test_order_numbers_and_masked_accounts_are_no_accounts(text: str) -> None:
    assert "account" not in {kind for kind, _ in found(text)}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("500k", "500000 VND"),
        ("1tr5", "1500000 VND"),
        ("2 triệu", "2000000 VND"),
        ("1.500.000đ", "1500000 VND"),
        ("300.000 VND", "300000 VND"),
        ("4,6 tỷ đồng", "4600000000 VND"),
        ("$50", "50 USD"),
    ],
)
def test_amounts_are_read_as_money(written: str, value: str) -> None:
    assert found(f"gui {written} nhe") == [("amount", value)]


@pytest.mark.parametrize("text", ["bao duong 20.000km", "goi 24h", "3GB tốc độ cao", "hỗ trợ 24/7"])
def test_other_measures_are_no_money_and_no_date(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ma OTP cua ban la 482913",
        "(VietinBank) 907 114 la ma xac nhan",
        "OTP: 4409",
        "G-064318 là mã xác minh",
    ],
)
def test_codes_are_found_before_and_after_their_word(text: str) -> None:
    assert [kind for kind, _ in found(text)] == ["code"]


def test_dates_are_written_as_iso_8601() -> None:
    assert found("từ 18/07/2025 đến 20/10, ngày 5 tháng 6") == [
        ("date", "2025-07-18"),
        ("date", "--10-20"),
        ("date", "--06-05"),
    ]


@given(st.text(alphabet="0123456789 .-/:+@kdvnstkoplh$", max_size=80) | st.text(max_size=80))
def test_entities_are_sorted_and_never_overlap(text: str) -> None:
    end = 0
    for entity in find_entities(text):
        assert end <= entity.start < entity.end <= len(text)
        end = entity.end


def test_no_text_makes_the_search_slow() -> None:
    pieces = (
        "a.",
        "a-",
        "1 ",
        "0912 ",
        "stk 1",
        "a@",
        "http://",
        "1.000.",
        "[.]",
        "ngay 1 thang ",
        "a.com",
    )
    find_entities("vcb.com lh 0912345678")  # reads the lists once
    for piece in pieces:
        text = (piece * 2_000)[:2_000]
        before = time.perf_counter()
        find_entities(text)
        assert time.perf_counter() - before < 0.25, piece


@pytest.mark.parametrize(
    ("host", "text", "kind"),
    [
        ("portal.vietcombank.com.vn", "", "official"),
        ("dichvucong.gov.vn", "", "official"),
        ("vietcombank-login.top", "", "lookalike"),
        ("vietc0mbank.top", "", "lookalike"),
        ("techcornbank.vip", "", "lookalike"),
        ("vietcombạnk.com.vn", "", "lookalike"),
        ("vcbdigi.top", "Vietcombank: dang nhap", "lookalike"),
        ("vcbdigi.top", "lich thi dau", "other"),
        ("vneid-gov.top", "", "lookalike"),
        ("bit.ly", "Vietcombank", "shortener"),
        ("quanan.com", "", "other"),
        ("quanan.com", "(VCB) Tai khoan cua ban bi khoa", "foreign"),
        ("quanan.com", "Moi den an, tra bang Vietcombank", "other"),
        ("quanan.com", "Tang 500 MB data, xem", "other"),
        ("vietcombank.com.vn", "ACB: dang nhap", "official"),
    ],
)
def test_a_host_is_judged_by_whom_it_belongs_to(host: str, text: str, kind: str) -> None:
    assert url_kind(host, text) == kind


def test_the_imitated_organisation_is_named() -> None:
    organisation = imitated("bidv-smart.cc", spoken(""))
    assert organisation is not None
    assert organisation.id == "bidv"


def test_the_host_of_a_link_has_no_port_and_no_path() -> None:
    assert host_of("vcb-digi.top:8080/login?x=1") == "vcb-digi.top"
