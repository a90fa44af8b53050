import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.facts import organisations
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


@pytest.mark.parametrize(
    ("received", "seen"),
    [
        ("d!eu k!en b@o k3o l0to ch4t", "dieu kien bao keo loto chat"),
        ("KH0NG NHAN T1EN_VE", "khong nhan tien ve"),
        ("h0 tro, n0 hu", "ho tro, no hu"),
        ("NHAN_TIEN, KH0NG_DUOC, phuc~vu", "nhan tien, khong duoc, phuc vu"),
        (
            "goi VD120M, KS6H, D1A, V90X, MOMO-GT1, MUA1TANG1",
            "goi vd120m, ks6h, d1a, v90x, momo-gt1, mua1tang1",
        ),
        ("QL1A, don SPXVN0KQ77, phong 3a, 2tr5 0d", "ql1a, don spxvn0kq77, phong 3a, 2tr5 0d"),
        ("cam on!Chuc mung!!! ha! GAP!NGAY", "cam on!chuc mung!!! ha! gap!ngay"),
        ("GD:-50,000VND|SDC:2,554,100VND|ND:an", "gd:-50,000vnd|sdc:2,554,100vnd|nd:an"),
        (
            "bit.ly/nhan_qua nguyen_an@hoasua.vn LH 198(0d)",
            "bit.ly/nhan_qua nguyen_an@hoasua.vn lh 198(0d)",
        ),
        ("v^ui long n^op ph|i, Na.p ngay", "vui long nop phi, nap ngay"),
        ("v/v, d/c, anh/chi, TP.HCM, e-mail, nhe.anh", "v/v, d/c, anh/chi, tp.hcm, e-mail, nhe.anh"),
        ("k,em ve, B:anh, n/hang, k/hang, B.An", "k,em ve, b:anh, n/hang, k/hang, b.an"),
        ("VayNhanh.Com, NapTien.Vip, Na.pVao", "vaynhanh.com, naptien.vip, nap vao"),
        ("NapLanDau, Dang~NhapNgay", "nap lan dau, dang nhap ngay"),
        ("MobiFone, VietinBank, ZaloPay, TikTok, iPhone", "mobifone, vietinbank, zalopay, tiktok, iphone"),
        ("kh^uyen maj DACBJET, j vay, jup em", "khuyen mai dacbiet, j vay, jup em"),
        ("mom0.vn AGR1BANK.COM.VN HTTPS://V1B.COM.VN/x", "mom0.vn agr1bank.com.vn https://v1b.com.vn/x"),
        ("vietc0mbank-login.top t.me/ds_kq0 a@b0n.vn", "vietc0mbank-login.top t.me/ds_kq0 a@b0n.vn"),
    ],
)
def test_signs_written_for_letters_are_read_and_codes_and_links_are_left(received: str, seen: str) -> None:
    assert fold(normalize(received).text) == seen


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


def test_the_names_of_organisations_are_left_as_they_are() -> None:
    names = {name for entry in organisations().values() for name in (entry.name, *entry.aliases)}
    for name in names | {name.title() for name in names}:
        assert normalize(name).text == name
