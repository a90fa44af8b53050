"""Which client is told what: events come into the store with the label that causes them."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.errors import BadData, UnknownItem
from data.exchange import Answer as FileAnswer
from data.messages import Conversation
from data.outbox import AT_ONCE, Delivery
from data.store import Feedback, Store, open_store
from data.taxonomy import Verdict

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LEASE = timedelta(seconds=60)
LATER = NOW + LEASE
URL = "https://bank.example/hook"
TEXT = "Trung thuong 5 trieu, vao http://qua-1.top"
SIBLING = "Trúng thưởng 9 triệu, vào http://qua-2.top"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path / 'canhgiac.db'}")) as opened:
        opened.create_key("bank", ["feedback"])
        opened.webhooks.add("bank", URL, now=NOW)
        yield opened


def seen(store: Store, verdict: Verdict, text: str = TEXT, client: str = "bank") -> str:
    said = Feedback(Conversation.from_text(text), verdict, "scam", None, None, 0.2, "compact-1")
    return store.add_feedback(said, client=client, idempotency_key=None, now=NOW)


def label(store: Store, message_id: str, label: Any, **changes: Any) -> None:
    category = {"scam": "prize_scam", "legitimate": "otp", None: None}[label]
    arguments = {"annotator": "lan", "confirmed": True, "category": category, "now": NOW, **changes}
    store.add_label(message_id, label=label, **arguments)


def due(store: Store, now: datetime = NOW) -> list[Delivery]:
    return store.webhooks.claim(lease=LEASE, now=now)


def sent(store: Store, now: datetime = NOW) -> list[tuple[str, str]]:
    """Message and label of each event that is due; they count as delivered from then on."""
    claimed = due(store, now)
    for delivery in claimed:
        store.webhooks.delivered(delivery, 204, now=now)
    told = [json.loads(delivery.body)["data"] for delivery in claimed]
    return [(data["id"], data["label"]) for data in told]


# What is told


@pytest.mark.parametrize(
    ("verdict", "given", "is_told"),
    [
        ("legitimate", "scam", True),
        ("unsure", "scam", True),
        ("scam", "scam", False),
        ("scam", "legitimate", True),
        ("unsure", "legitimate", True),
        ("legitimate", "legitimate", False),
    ],
)
def test_a_client_is_told_of_a_label_that_is_not_the_verdict_it_saw(
    store: Store, verdict: Verdict, given: str, is_told: bool
) -> None:
    message_id = seen(store, verdict)
    label(store, message_id, given)
    assert sent(store) == ([(message_id, given)] if is_told else [])


def test_an_event_holds_what_was_seen_and_what_is_now_and_no_text(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam", note="hàng giả")
    [delivery] = due(store)
    assert json.loads(delivery.body) == {
        "type": "verdict.changed",
        "timestamp": "2026-11-23T08:00:00.000Z",
        "data": {
            "id": message_id,
            "verdict": "legitimate",
            "label": "scam",
            "category": "prize_scam",
            "model_version": "compact-1",
        },
    }
    assert (delivery.client, delivery.url, delivery.attempts) == ("bank", URL, 1)
    assert delivery.event_id.startswith("evt_")


def test_a_label_without_category_is_told_with_the_labels_other_category(store: Store) -> None:
    label(store, seen(store, "legitimate"), "scam", category=None)
    assert json.loads(due(store)[0].body)["data"]["category"] == "other_scam"


def test_the_same_label_again_is_no_second_event(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam")
    label(store, message_id, "scam")
    assert sent(store) == [(message_id, "scam")]
    label(store, message_id, "scam", annotator="minh")
    assert sent(store, LATER) == []


def test_a_label_that_changes_back_is_another_event(store: Store) -> None:
    message_id = seen(store, "legitimate")
    for given in ("scam", "legitimate", "scam"):
        label(store, message_id, given)
        assert sent(store) == [(message_id, given)]


def test_an_annotator_who_takes_back_the_newest_label_lets_the_one_before_stand_again(
    store: Store,
) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "legitimate", annotator="minh")
    label(store, message_id, "scam")
    assert sent(store) == [(message_id, "scam")]
    label(store, message_id, None)
    assert sent(store) == [(message_id, "legitimate")]


def test_a_label_taken_back_with_none_left_tells_nothing(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam")
    assert sent(store) == [(message_id, "scam")]
    label(store, message_id, None)
    label(store, message_id, "scam")
    assert sent(store) == []


def test_a_trainee_tells_nobody_anything(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam", annotator="khach", confirmed=False)
    assert sent(store) == []


def test_a_webhook_that_comes_after_a_label_hears_of_it_with_the_next_confirmed_one(store: Store) -> None:
    store.webhooks.remove("bank", now=NOW)
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam")
    store.webhooks.add("bank", URL, now=NOW)
    label(store, message_id, "scam", annotator="khach", confirmed=False)
    assert sent(store) == []
    label(store, message_id, "scam", annotator="minh")
    assert sent(store) == [(message_id, "scam")]


def test_an_imported_label_is_told_once_and_a_trainees_is_not(store: Store) -> None:
    message_id = seen(store, "legitimate")
    answers = [FileAnswer(message_id, Conversation.from_text(TEXT), "scam", "prize_scam")]
    store.import_answers(answers, annotator="khach", confirmed=False)
    assert store.webhooks.pending() == 0
    store.import_answers(answers, annotator="lan", confirmed=True)
    store.import_answers(answers, annotator="lan", confirmed=True)
    assert sent(store, datetime.now(UTC)) == [(message_id, "scam")]


# Whom


def test_only_the_client_that_gave_the_feedback_is_told_and_only_with_a_webhook(store: Store) -> None:
    store.create_key("telco", ["feedback"])
    banks, telcos = seen(store, "legitimate"), seen(store, "legitimate", client="telco")
    label(store, telcos, "scam")
    assert sent(store) == [(banks, "scam")]
    assert [hook.client for hook in store.webhooks.every()] == ["bank"]


def test_a_label_stands_for_every_message_of_its_wave(store: Store) -> None:
    one, two = seen(store, "legitimate"), seen(store, "unsure", SIBLING)
    seen(store, "scam", SIBLING)
    other = seen(store, "legitimate", "Con oi me day, so moi cua me")
    label(store, two, "scam")
    assert sorted(sent(store)) == sorted([(one, "scam"), (two, "scam")])
    label(store, other, "legitimate")
    assert sent(store) == []


def test_a_messages_own_label_goes_before_its_waves(store: Store) -> None:
    one, two, three = (seen(store, "unsure") for _ in range(3))
    label(store, one, "scam")
    assert len(sent(store)) == 3
    label(store, two, "legitimate")
    assert sorted(sent(store)) == sorted([(two, "legitimate"), (three, "legitimate")])


def test_feedback_on_a_wave_that_is_labelled_already_is_answered_at_once(store: Store) -> None:
    label(store, seen(store, "scam"), "scam")
    assert sent(store) == []
    late = seen(store, "legitimate", SIBLING)
    assert sent(store) == [(late, "scam")]


def test_an_erased_message_is_never_told_and_no_longer_speaks_for_its_wave(store: Store) -> None:
    one, two = seen(store, "legitimate"), seen(store, "scam", SIBLING)
    label(store, one, "scam")
    store.erase(one, now=NOW)
    assert sent(store, LATER) == []
    label(store, two, "scam")
    seen(store, "scam", SIBLING)
    assert sent(store, LATER) == []
    assert store.webhooks.pending() == 0


# With the label or not at all


def test_an_event_that_cannot_be_queued_leaves_no_label(store: Store) -> None:
    message_id = seen(store, "legitimate")
    with store._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE deliveries RENAME COLUMN body TO lost")
    with pytest.raises(Exception, match="no such column"):
        label(store, message_id, "scam")
    assert list(store.label_events()) == []


# Claims


def test_a_claimed_event_is_nobody_elses_until_its_lease_ends(store: Store, tmp_path: Path) -> None:
    label(store, seen(store, "legitimate"), "scam")
    with closing(open_store(f"sqlite:///{tmp_path / 'canhgiac.db'}")) as other:
        [first] = due(store)
        assert due(other) == []
        [again] = due(other, LATER)
        assert (again.event_id, again.body, again.attempts) == (first.event_id, first.body, 2)
        store.webhooks.delivered(first, 204, now=LATER)
        other.webhooks.failed(again, 500, next_at=None, now=LATER)
        [hook] = other.webhooks.every()
        assert (hook.pending, hook.given_up) == (0, 0)


def test_events_of_one_message_go_out_in_order(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam")
    label(store, message_id, "legitimate")
    assert sent(store) == [(message_id, "scam")]
    assert sent(store) == [(message_id, "legitimate")]


def test_one_client_with_many_events_leaves_room_for_another(store: Store) -> None:
    store.create_key("telco", ["feedback"])
    store.webhooks.add("telco", "https://telco.example/hook")
    for _ in range(AT_ONCE + 2):
        seen(store, "legitimate")
    label(store, seen(store, "legitimate", client="telco"), "scam")
    clients = [delivery.client for delivery in due(store)]
    assert clients.count("bank") == AT_ONCE
    assert "telco" in clients


# Webhooks


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.example/",
        "http://localhost.bank.example/",
        "ftp://bank.example/",
        "bank.example",
        "",
        "https://",
        "https:///path",
        "https://user:hunter2@bank.example/",
        "https://user@bank.example/",
        "https://bank.example/#part",
        "https://bank.example/\x00",
        "https://bank.example:port/",
        "https://bank.example/" + "a" * 2000,
    ],
)
def test_a_url_that_is_not_safe_to_send_to_is_refused_and_not_repeated(store: Store, url: str) -> None:
    with pytest.raises(BadData) as caught:
        store.webhooks.add("bank", url)
    assert "bank.example" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert [hook.url for hook in store.webhooks.every()] == [URL]


@pytest.mark.parametrize("url", ["http://localhost:9000/x", "http://127.0.0.1/x", "HTTPS://b.example:8443"])
def test_https_anywhere_and_http_to_this_machine_are_taken(store: Store, url: str) -> None:
    store.webhooks.add("bank", url)
    assert [hook.url for hook in store.webhooks.every()] == [url]


def test_a_webhook_needs_a_key_of_that_name(store: Store) -> None:
    with pytest.raises(UnknownItem, match="keys list"):
        store.webhooks.add("bnak", URL)


def test_a_new_url_gets_what_waited_for_the_old_one(store: Store) -> None:
    label(store, seen(store, "legitimate"), "scam")
    store.webhooks.add("bank", "https://bank.example/new", now=NOW)
    assert [delivery.url for delivery in due(store)] == ["https://bank.example/new"]


def test_a_removed_webhook_gets_nothing_more(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam")
    store.webhooks.remove("bank", now=NOW)
    label(store, message_id, "legitimate")
    assert due(store) == []
    [hook] = store.webhooks.every()
    assert (hook.removed_at, hook.pending, hook.given_up) == (NOW, 0, 1)
    with pytest.raises(UnknownItem):
        store.webhooks.remove("bank")


def test_a_receiver_that_is_gone_keeps_the_url_it_was_given_meanwhile(store: Store) -> None:
    label(store, seen(store, "legitimate"), "scam")
    [delivery] = due(store)
    store.webhooks.add("bank", "https://bank.example/new", now=NOW)
    store.webhooks.gone(delivery, 410, now=NOW)
    assert [again.url for again in due(store, LATER)] == ["https://bank.example/new"]


def test_what_was_given_up_was_not_told_so_the_next_label_tells_it(store: Store) -> None:
    message_id = seen(store, "legitimate")
    label(store, message_id, "scam")
    [delivery] = due(store)
    store.webhooks.failed(delivery, 500, next_at=None, now=NOW)
    label(store, message_id, "scam", annotator="minh", now=LATER)
    assert sent(store, LATER) == [(message_id, "scam")]


def test_a_client_whose_key_is_revoked_is_told_nothing_more_and_leaves_its_webhook_to_nobody(
    store: Store,
) -> None:
    message = seen(store, "legitimate")
    label(store, message, "scam")
    store.revoke_key("bank")
    assert due(store) == []
    store.create_key("bank", ["feedback"])
    label(store, message, "legitimate")
    label(store, message, "scam")
    assert due(store) == []
