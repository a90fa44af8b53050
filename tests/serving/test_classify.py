"""POST /v1/classify and /v1/classify/batch."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.taxonomy import taxonomy
from model.verdict import advice

Bearer = Callable[..., dict[str, str]]
SCAM = "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top"


@pytest.fixture
def headers(bearer: Bearer) -> dict[str, str]:
    return bearer("classify", "metrics")


def test_a_text_gets_every_field_of_an_answer(client: TestClient, headers: dict[str, str]) -> None:
    body = {"text": SCAM, "sender": "VIETCOMBANK", "channel": "sms"}
    answer = client.post("/v1/classify", json=body, headers=headers)
    assert answer.status_code == 200
    assert list(answer.json()) == [
        "id",
        "label",
        "score",
        "verdict",
        "category",
        "evidence",
        "indicators",
        "advice",
        "model",
        "truncated",
    ]
    assert list(answer.json()["category"]) == ["id", "name_vi", "name_en", "score"]
    assert answer.json()["label"] == answer.json()["verdict"] == "scam"
    assert answer.json()["model"] == {"name": "fake", "version": "v1"}


def test_a_conversation_is_classified_as_one(client: TestClient, headers: dict[str, str]) -> None:
    messages = [{"role": "sender", "text": "Tai khoan bi khoa"}, {"role": "recipient", "text": "Ai đấy?"}]
    answer = client.post("/v1/classify", json={"messages": messages, "channel": "chat"}, headers=headers)
    assert answer.json()["verdict"] == "scam"


def test_a_legitimate_verdict_never_says_more_than_that_nothing_was_found(
    client: TestClient, headers: dict[str, str]
) -> None:
    answer = client.post("/v1/classify", json={"text": "Ma OTP la 482913"}, headers=headers).json()
    assert answer["advice"].startswith("Chưa phát hiện dấu hiệu lừa đảo")


def test_no_advice_calls_a_message_harmless() -> None:
    for category in taxonomy().categories:
        said = [advice(category.label, category.id), advice("unsure", category.id)]
        assert not any("an toàn" in text.lower() for text in said)
    for category in taxonomy().categories_of("legitimate"):
        assert advice("legitimate", category.id).startswith("Chưa phát hiện dấu hiệu lừa đảo")


def test_a_batch_answers_each_item_or_tells_its_problem(
    client: TestClient, headers: dict[str, str]
) -> None:
    items: list[Any] = [{"text": SCAM}, {"text": "x" * 2001}, {"txet": "?"}, 7, {"text": "Ma OTP la 1"}]
    answer = client.post("/v1/classify/batch", json={"items": items}, headers=headers)
    assert answer.status_code == 200
    got = answer.json()["items"]
    assert [list(item) for item in got] == [["result"], *[["problem"]] * 3, ["result"]]
    assert got[0]["result"]["verdict"] == "scam"
    assert got[1]["problem"]["type"].endswith("text-too-long")
    assert got[4]["result"]["verdict"] == "legitimate"


def test_an_item_that_breaks_the_model_does_not_break_its_neighbours(
    client: TestClient, headers: dict[str, str]
) -> None:
    items = [{"text": SCAM}, {"text": "explode"}, {"text": SCAM}]
    got = client.post("/v1/classify/batch", json={"items": items}, headers=headers).json()["items"]
    assert [list(item) for item in got] == [["result"], ["problem"], ["result"]]
    assert got[1]["problem"]["status"] == 500


def test_a_batch_takes_256_items_and_not_one_more(client: TestClient, headers: dict[str, str]) -> None:
    taken = client.post("/v1/classify/batch", json={"items": [{"text": "a"}] * 256}, headers=headers)
    assert len(taken.json()["items"]) == 256
    refused = client.post("/v1/classify/batch", json={"items": [{"text": "a"}] * 257}, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"where": "items", "what": "must have at most 256 items"}]


def test_a_batch_may_be_larger_than_one_message_may(client: TestClient, headers: dict[str, str]) -> None:
    items = [{"text": "ă" * 2000}] * 100  # about 400 KiB
    assert client.post("/v1/classify/batch", json={"items": items}, headers=headers).status_code == 200


def test_what_was_answered_is_counted(client: TestClient, headers: dict[str, str]) -> None:
    client.post("/v1/classify/batch", json={"items": [{"text": "a"}] * 40}, headers=headers)
    numbers = client.get("/metrics", headers=headers).text
    assert "canhgiac_queue_seconds_count 40.0" in numbers
    assert 'canhgiac_verdicts_total{category="otp",verdict="legitimate"} 40.0' in numbers
