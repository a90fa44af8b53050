"""Examples for the OpenAPI document: messages as people get them, written for this project."""

from typing import Any

_SCAM = "VCB: Tai khoan cua ban bi khoa. Dang nhap http://vcb-xacthuc.top de mo lai truoc 18h hom nay"
_CHAT = [
    {"role": "sender", "text": "Chị ơi em bên shop, đơn của chị em để ở cổng rồi nhé"},
    {"role": "recipient", "text": "Ủa mình có đặt gì đâu em"},
    {"role": "sender", "text": "Đơn 320k chị chuyển khoản giúp em vào STK 0123456789 MB Bank nha"},
]

CLASSIFY: list[Any] = [
    {"text": _SCAM, "sender": "VIETCOMBANK", "channel": "sms"},
    {"messages": _CHAT, "channel": "chat"},
]
BATCH: list[Any] = [{"items": [{"text": _SCAM}, {"text": "Ma OTP cua quy khach la 482913"}]}]
FEEDBACK: list[Any] = [
    {
        "text": _SCAM,
        "verdict": "legitimate",
        "proposed_label": "scam",
        "category": "bank_impersonation",
        "note": "Ngân hàng không dùng tên miền .top",
        "consent": True,
    }
]
LABEL: list[Any] = [
    {"id": "7f3c", "label": "scam", "category": "bank_impersonation", "note": "Tên miền giả"},
    {"id": "7f3c", "label": None, "skip": True},
]
PREDICT: list[Any] = [
    {"inputs": _SCAM},
    {"inputs": [[_SCAM], ["Ma OTP cua quy khach la 482913"]], "truncate": True},
]
IOS_FILTER: list[Any] = [
    {
        "_version": 1,
        "query": {"sender": "0901234567", "message": {"text": _SCAM}},
        "app": {"version": "1.0"},
    }
]
IOS_FILTERED: list[Any] = [{"action": "junk", "sub_action": "none"}]
IOS_REPORT: list[Any] = [
    {
        "_version": 1,
        "app": {"version": "1.0"},
        "userInfo": {
            "id": "0d7c3f6e-5a0b-4b8e-9d43-3c1f7a9e10aa",
            "text": _SCAM,
            "sender": "0901234567",
            "channel": "sms",
            "verdict": "legitimate",
            "proposed_label": "scam",
            "consent": True,
        },
    }
]
ANSWER: Any = {
    "id": "c_5b1de0f2a94c4f0f8f2d3f3c1f7a9e10",
    "label": "scam",
    "score": 0.982,
    "verdict": "scam",
    "category": {
        "id": "bank_impersonation",
        "name_vi": "Giả danh ngân hàng, ví điện tử",
        "name_en": "Bank or e-wallet impersonation",
        "score": 0.951,
    },
    "evidence": [
        {
            "message": 0,
            "start": 42,
            "end": 64,
            "reason": "Đường dẫn mang tên Vietcombank nhưng không phải trang chính thức",
        }
    ],
    "indicators": [{"type": "url", "value": "vcb-xacthuc.top", "message": 0, "start": 42, "end": 64}],
    "advice": "Không bấm đường dẫn, không đọc mã OTP cho bất kỳ ai. Hãy gọi số tổng đài in ở mặt sau thẻ.",
    "model": {"name": "compact", "version": "2026.01.15-a1b2c3d4"},
    "truncated": False,
}
PROBLEM: Any = {
    "type": "urn:canhgiac:problem:text-too-long",
    "title": "A message is too long",
    "status": 422,
    "detail": "message 0 has 2500 characters; the limit is 2000: send it in parts or as a conversation",
    "errors": [{"where": "messages[0]", "what": "2500 characters, limit 2000"}],
}
