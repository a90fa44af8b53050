"""POST /v1/feedback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.store import Store, open_store
from serving.settings import Settings

BODY: dict[str, Any] = {
    "text": "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top",
    "verdict": "legitimate",
    "proposed_label": "scam",
    "category": "bank_impersonation",
    "note": "tên miền giả",
    "consent": True,
}


@pytest.fixture
def headers(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    return bearer("feedback")


@pytest.fixture
def store(client: TestClient, settings: Settings) -> Iterator[Store]:
    store = open_store(settings.store_url)
    yield store
    store.close()


def test_feedback_waits_for_an_annotator(client: TestClient, headers: dict[str, str], store: Store) -> None:
    answer = client.post("/v1/feedback", json=BODY, headers=headers)
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    [item] = store.next_for_review(annotator="officer")
    assert item.id == answer.json()["id"]
    assert item.guess is not None
    assert item.guess.score == 0.9  # what our own model says of it, as the client need not know


@pytest.mark.parametrize("body", [{**BODY, "consent": False}, {k: BODY[k] for k in BODY if k != "consent"}])
def test_nothing_is_stored_without_consent(
    client: TestClient, headers: dict[str, str], store: Store, body: dict[str, Any]
) -> None:
    answer = client.post("/v1/feedback", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "consent"
    assert store.queue_size() == 0


def test_a_refusal_for_want_of_consent_says_that_nothing_was_stored(
    client: TestClient, headers: dict[str, str]
) -> None:
    answer = client.post("/v1/feedback", json={**BODY, "consent": False}, headers=headers)
    assert "nothing was stored" in answer.json()["detail"]


def test_a_replay_gives_the_same_answer_and_stores_nothing_new(
    client: TestClient, headers: dict[str, str], store: Store
) -> None:
    headers = {**headers, "Idempotency-Key": "7d1c"}
    first = client.post("/v1/feedback", json=BODY, headers=headers)
    again = client.post("/v1/feedback", json=BODY, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    [item] = store.next_for_review(annotator="officer")
    assert item.wave_size == 1


def test_a_key_used_for_other_feedback_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    headers = {**headers, "Idempotency-Key": "7d1c"}
    client.post("/v1/feedback", json=BODY, headers=headers)
    answer = client.post("/v1/feedback", json={**BODY, "note": "khác"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("key-reused")


def test_feedback_is_taken_while_no_model_serves(
    client: TestClient, headers: dict[str, str], store: Store, gate: Any
) -> None:
    answer = client.post("/v1/feedback", json={**BODY, "text": "explode"}, headers=headers)
    assert answer.status_code == 202
    [item] = store.next_for_review(annotator="officer")
    assert item.guess is not None
    assert item.guess.score is None


def test_a_category_of_the_other_label_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/feedback", json={**BODY, "category": "otp"}, headers=headers)
    assert answer.status_code == 422
    assert "bank_impersonation" in answer.json()["detail"]


def test_feedback_is_no_sample_of_what_comes(
    client: TestClient, headers: dict[str, str], bearer: Callable[..., dict[str, str]]
) -> None:
    assert client.post("/v1/feedback", json=BODY, headers=headers).status_code == 202
    numbers = client.get("/metrics", headers=bearer("metrics", name="prometheus")).text
    assert "canhgiac_verdicts_total{" not in numbers
