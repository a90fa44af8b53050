"""GET /v1/review/next and POST /v1/review/labels."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.messages import Conversation
from data.store import Feedback, Store, open_store
from serving.settings import Settings

Bearer = Callable[..., dict[str, str]]
TEXTS = (
    "Tai khoan VCB bi khoa, dang nhap http://vcb-xacthuc.top",
    "Con oi me day, so moi cua me, chuyen gap cho me 5 trieu",
)


@pytest.fixture
def store(client: TestClient, settings: Settings) -> Iterator[Store]:
    store = open_store(settings.store_url)
    for text in TEXTS:
        said = Feedback(Conversation.from_text(text), "legitimate", "scam", None, None)
        store.add_feedback(said, client="test", idempotency_key=None)
    yield store
    store.close()


@pytest.mark.usefixtures("store")
def test_items_come_with_messages_wave_and_lease(client: TestClient, bearer: Bearer) -> None:
    answer = client.get("/v1/review/next?limit=5", headers=bearer("label"))
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert sorted(item["messages"][0]["text"] for item in items) == sorted(TEXTS)
    assert {item["messages"][0]["role"] for item in items} == {"sender"}
    assert items[0]["wave_size"] == 1
    assert datetime.fromisoformat(items[0]["lease_expires_at"]) > datetime.now(UTC)
    assert items[0]["guess"]["verdict"] == "legitimate"


@pytest.mark.usefixtures("store")
def test_two_annotators_are_not_given_the_same_message(client: TestClient, bearer: Bearer) -> None:
    one, two = bearer("label", name="one"), bearer("label", name="two")
    ids = [client.get("/v1/review/next", headers=who).json()["items"][0]["id"] for who in (one, two)]
    assert len(set(ids)) == 2


def test_a_saved_label_is_in_the_store_when_it_is_acknowledged(
    client: TestClient, bearer: Bearer, store: Store
) -> None:
    who = bearer("label", name="officer")
    [item] = client.get("/v1/review/next", headers=who).json()["items"]
    body = {"id": item["id"], "label": "scam", "category": "bank_impersonation", "note": "tên miền giả"}
    answer = client.post("/v1/review/labels", json=body, headers=who)
    assert answer.status_code == 201
    [event] = store.label_events()
    assert (event.id, event.message_id, event.annotator) == (answer.json()["id"], item["id"], "officer")
    assert [example.category for example in store.labelled()] == ["bank_impersonation"]


def test_an_unconfirmed_annotators_label_is_kept_but_changes_no_dataset(
    client: TestClient, bearer: Bearer, store: Store
) -> None:
    who = bearer("label", name="trainee", confirmed=False)
    [item] = client.get("/v1/review/next", headers=who).json()["items"]
    body = {"id": item["id"], "label": "scam", "category": "bank_impersonation"}
    assert client.post("/v1/review/labels", json=body, headers=who).status_code == 201
    assert list(store.labelled()) == []


def test_a_skip_is_kept_and_the_message_is_not_given_again(
    client: TestClient, bearer: Bearer, store: Store
) -> None:
    who = bearer("label")
    [item] = client.get("/v1/review/next", headers=who).json()["items"]
    skip = {"id": item["id"], "label": None, "note": None, "skip": True}
    assert client.post("/v1/review/labels", json=skip, headers=who).status_code == 201
    assert [event.label for event in store.label_events()] == [None]
    assert client.get("/v1/review/next", headers=who).json()["items"][0]["id"] != item["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"label": None},
        {"label": "scam"},
        {"label": "scam", "category": "otp"},
        {"label": "scam", "category": "bank_impersonation", "skip": True},
        {"label": None, "category": "otp", "skip": True},
        {"label": "unsure", "category": "otp"},
        {"category": "otp"},
    ],
)
def test_an_answer_that_is_none_is_refused(
    client: TestClient, bearer: Bearer, body: dict[str, Any]
) -> None:
    answer = client.post("/v1/review/labels", json={"id": "7", **body}, headers=bearer("label"))
    assert answer.status_code == 422


def test_an_unknown_message_is_not_found(client: TestClient, bearer: Bearer) -> None:
    body = {"id": "nothing", "label": "scam", "category": "bank_impersonation"}
    answer = client.post("/v1/review/labels", json=body, headers=bearer("label"))
    assert answer.status_code == 404


@pytest.mark.usefixtures("store")
def test_a_message_that_another_annotator_holds_is_not_taken_away(
    client: TestClient, bearer: Bearer
) -> None:
    [item] = client.get("/v1/review/next", headers=bearer("label", name="one")).json()["items"]
    body = {"id": item["id"], "label": "scam", "category": "bank_impersonation"}
    answer = client.post("/v1/review/labels", json=body, headers=bearer("label", name="two"))
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("lease-expired")


@pytest.mark.parametrize("limit", ["0", "101", "many", "1e9"])
def test_a_limit_out_of_range_is_refused(client: TestClient, bearer: Bearer, limit: str) -> None:
    answer = client.get(f"/v1/review/next?limit={limit}", headers=bearer("label"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "query.limit"
