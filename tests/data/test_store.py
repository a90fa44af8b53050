import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from data.database import MIGRATIONS
from data.errors import BadData, LeaseExpired, MissingExtra, StoreError, TextTooLong, UnknownItem
from data.events import Answer, add_imported
from data.exchange import Answer as FileAnswer
from data.keys import digest_of
from data.messages import Conversation, Example, Message
from data.schema import metadata
from data.store import PAGE, Feedback, Guess, Imported, LabelEvent, Store, open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=16)
WORDS = ["mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "canhgiac.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{file}")) as opened:
        yield opened


def said(text: str = "Trung thuong, vao http://qua.top", **changes: Any) -> Feedback:
    fields = {
        "verdict": "legitimate",
        "proposed_label": "scam",
        "category": None,
        "note": None,
        "score": 0.2,
    }
    return Feedback(Conversation.from_text(text), **{**fields, **changes})


def add(store: Store, text: str = "Trung thuong, vao http://qua.top", **changes: Any) -> str:
    return store.add_feedback(said(text, **changes), client="bank", idempotency_key=None, now=NOW)


def answer(store: Store, message_id: str, label: Any = "scam", **changes: Any) -> LabelEvent:
    category = {"scam": "prize_scam", "legitimate": "otp", None: None}[label]
    arguments = {"annotator": "lan", "confirmed": True, "category": category, "now": NOW, **changes}
    return store.add_label(message_id, label=label, **arguments)


def asked(store: Store, annotator: str = "lan", now: datetime = NOW, **options: Any) -> list[str]:
    return [item.id for item in store.next_for_review(annotator=annotator, now=now, **options)]


def labels(store: Store) -> dict[str, str]:
    return {example.id: example.label for example in store.labelled()}


# Opening


def test_the_folder_and_the_tables_are_made_and_opening_again_keeps_what_is_there(file: Path) -> None:
    with closing(open_store(f"sqlite:///{file}")) as first:
        message_id = add(first)
    with closing(open_store(f"sqlite:///{file}")) as second:
        second.ping()
        assert asked(second) == [message_id]


def test_the_revisions_make_the_schema_that_the_code_uses(store: Store, file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_every_sqlite_connection_survives_a_power_cut_and_erases_for_good(store: Store) -> None:
    with store._database.read() as one, store._database.read() as two:
        for connection in (one, two):
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
            }
            assert list(settings.values()) == ["delete", 3, 1, 30_000, 1]


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/db", "nobase://x", "sqlite://", "sqlite:///:memory:"]
)
def test_a_url_that_is_no_store_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(StoreError, match=r"SQLite|sqlite"):
        open_store(url)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("ghi chú của tôi " * 100, "utf-8")
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_text("utf-8").startswith("ghi chú")


def test_a_schema_of_a_newer_version_is_refused_and_says_to_upgrade(file: Path) -> None:
    open_store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="upgrade canhgiac"):
        open_store(f"sqlite:///{file}")


def test_postgresql_without_its_driver_names_the_extra() -> None:
    # In a process of its own, where the driver cannot be imported even if this machine has it.
    script = "import sys; sys.modules['psycopg'] = None\nfrom data.store import open_store\n"
    script += (
        "try: open_store('postgresql://u:secret@localhost:1/x')\nexcept Exception as e: print(repr(e))"
    )
    assert run(script).strip() == repr(MissingExtra("psycopg", "postgres"))


def test_the_revisions_travel_with_the_package() -> None:
    assert (MIGRATIONS / "env.py").is_file()
    assert MIGRATIONS.parent.name == "data"
    assert list(MIGRATIONS.glob("versions/*.py"))


# Saved means on disk


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout


def test_a_saved_label_is_on_disk_before_it_is_acknowledged(store: Store, file: Path) -> None:
    message_id = add(store)
    script = (
        "import sys, time; from data.store import open_store; store = open_store(sys.argv[1])\n"
        "event = store.add_label(sys.argv[2], annotator='lan', confirmed=True, label='scam',"
        " category='prize_scam')\n"
        "print(event.id, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{file}", message_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        event_id = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    with closing(open_store(f"sqlite:///{file}")) as reopened:
        assert [event.id for event in reopened.label_events()] == [event_id]
        assert labels(reopened) == {message_id: "scam"}
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_twenty_writers_at_once_all_succeed(store: Store, file: Path) -> None:
    other = open_store(f"sqlite:///{file}")

    def write(number: int) -> None:
        chosen = store if number % 2 else other
        for step in range(5):
            message_id = add(chosen, f"tin {WORDS[number % 10]} {WORDS[step]}")
            answer(chosen, message_id, annotator=f"a{number}")
            labels(chosen)

    with closing(other), ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    assert len(list(store.label_events())) == len(labels(store)) == 100


def test_writers_in_several_processes_never_see_a_locked_database(store: Store, file: Path) -> None:
    message_id = add(store)
    script = (
        "import sys; from data.store import open_store; store = open_store(sys.argv[1])\n"
        "for _ in range(10): store.add_label(sys.argv[2], annotator=sys.argv[3], confirmed=True,"
        " label='scam', category='prize_scam')"
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: run(script, f"sqlite:///{file}", message_id, name), "abcd"))
    assert len(list(store.label_events())) == 40


def test_an_error_says_why_and_never_quotes_the_text(store: Store, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE label_events")
        connection.execute("DROP TABLE messages")
    with pytest.raises(StoreError, match="no such table") as caught:
        add(store, "bí mật")
    assert "bí mật" not in str(caught.value)
    assert caught.value.__suppress_context__


# Keys


def test_a_key_is_shown_once_and_only_its_digest_is_kept(store: Store, file: Path) -> None:
    token = store.create_key("bank", ["classify", "feedback"], now=NOW)
    assert token.startswith("cg_")
    assert len(token) >= 35
    key = store.authenticate(token)
    assert key is not None
    assert (key.name, sorted(key.scopes), key.confirmed) == ("bank", ["classify", "feedback"], True)
    assert (key.created_at, key.revoked_at) == (NOW, None)
    assert store.keys() == [key]
    assert token.encode() not in file.read_bytes()


def test_an_unknown_or_revoked_key_opens_nothing_and_its_name_can_be_given_again(store: Store) -> None:
    token = store.create_key("lan", ["label"], confirmed=False)
    store.revoke_key("lan", now=NOW)
    assert [store.authenticate(value) for value in (token, "cg_x", "", "\ud800")] == [None] * 4
    [revoked] = store.keys()
    assert revoked.revoked_at == NOW
    with pytest.raises(UnknownItem):
        store.revoke_key("lan")
    renewed = store.authenticate(store.create_key("lan", ["label"]))
    assert renewed is not None
    with pytest.raises(StoreError, match="in use"):
        store.create_key("lan", ["label"])


def test_the_keys_in_use_are_found_by_the_digest_of_their_token(store: Store) -> None:
    token, revoked = store.create_key("bank", ["classify"]), store.create_key("lan", ["label"])
    store.revoke_key("lan")
    assert store.keys_by_digest() == {digest_of(token): store.authenticate(token)}
    assert digest_of(revoked) not in store.keys_by_digest()


@pytest.mark.parametrize(("name", "scopes"), [("a", []), ("a", ["root"]), (" ", ["label"])])
def test_a_key_without_name_or_known_scopes_is_refused(store: Store, name: str, scopes: Any) -> None:
    with pytest.raises(StoreError):
        store.create_key(name, scopes)


# Feedback


def test_feedback_is_redacted_before_it_is_stored(store: Store, file: Path) -> None:
    add(
        store,
        "CCCD 001099012345, vao http://vcb.top/001099012345",
        note="toi ten Nguyen Van An, 0912345678",
    )
    [item] = store.next_for_review(annotator="lan")
    assert item.conversation.text == "CCCD [CCCD], vao http://vcb.top/001099012345"
    stored = file.read_bytes()
    assert b"CCCD 001099012345" not in stored
    assert b"Nguyen" not in stored
    assert b"0912345678" not in stored


def test_a_replayed_request_gets_the_same_answer_and_adds_nothing(store: Store) -> None:
    def send(feedback: Feedback, client: str = "bank") -> str:
        return store.add_feedback(feedback, client=client, idempotency_key="k1")

    first = send(said())
    assert send(said(score=0.9, model_version="2")) == first
    assert store.next_for_review(annotator="lan")[0].wave_size == 1
    assert send(said(), client="telco") != first
    with pytest.raises(StoreError, match="Idempotency-Key"):
        send(said("khac"))
    store.erase(first)
    assert send(said()) == first


def test_two_requests_with_one_key_at_the_same_moment_add_one_message(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        send = lambda _: store.add_feedback(said(), client="bank", idempotency_key="k")  # noqa: E731
        assert len(set(pool.map(send, range(16)))) == 1
    assert store.queue_size() == 1


def test_feedback_that_cannot_be_kept_is_refused(store: Store) -> None:
    with pytest.raises(TextTooLong):
        add(store, "a" * 2001)
    with pytest.raises(BadData, match="not a scam category"):
        add(store, category="otp")
    assert store.queue_size() == 0


def test_what_no_database_takes_is_kept_readable(store: Store) -> None:
    message_id = add(store, "a\ud800\x00b", note="\ud800\x00")
    [item] = store.next_for_review(annotator="lan")
    assert item.conversation.text == "a\ud800\x00b"
    assert answer(store, message_id, note="\ud800").id == 1
    with pytest.raises(UnknownItem):
        answer(store, "\ud800")


# The queue


def test_the_queue_asks_once_a_wave_and_the_most_doubtful_first(store: Store) -> None:
    agreed = add(store, "Chao ban", verdict="legitimate", proposed_label="legitimate", score=0.0)
    add(store, "Trung 5 trieu", score=0.2)
    missed = add(store, "Trung 9 trieu", score=0.5, category="prize_scam")
    first, second = store.next_for_review(annotator="lan", limit=5, now=NOW)
    assert (first.id, first.wave_size, first.reasons) == (missed, 2, ("reported_miss", "margin"))
    assert first.guess == Guess("scam", "prize_scam", 0.5, "legitimate")
    assert first.lease_expires_at == NOW + timedelta(minutes=15)
    assert (second.id, second.wave_size, second.reasons) == (agreed, 1, ())
    assert store.queue_size() == 2


def test_two_annotators_never_hold_the_same_wave(store: Store) -> None:
    for word in WORDS:
        add(store, f"tin {word}")
    with ThreadPoolExecutor(5) as pool:
        held = list(pool.map(lambda name: asked(store, name, limit=3), "abcde"))
    assert sorted(len(ids) for ids in held) == [0, 1, 3, 3, 3]
    assert len({message_id for ids in held for message_id in ids}) == 10


def test_an_annotator_who_comes_back_gets_what_they_hold_and_holds_it_longer(store: Store) -> None:
    first = add(store, "tin mot")
    assert asked(store) == [first]
    add(store, "tin hai", score=0.5)
    soon = NOW + timedelta(minutes=10)
    assert asked(store, now=soon) == [first]
    assert asked(store, "minh", now=LATER, limit=5) != [first]
    assert asked(store, "minh", now=soon + timedelta(minutes=15), limit=5)[-1] == first


def test_a_message_that_another_annotator_holds_cannot_be_answered(store: Store) -> None:
    message_id = add(store)
    assert asked(store, "lan") == [message_id]
    assert asked(store, "minh", LATER) == [message_id]
    with pytest.raises(LeaseExpired):
        answer(store, message_id, annotator="lan", now=LATER)
    assert list(store.label_events()) == []
    answer(store, message_id, annotator="minh", now=LATER)
    answer(store, message_id, annotator="lan", now=LATER)


def test_a_labelled_wave_is_not_asked_again_and_a_skipped_one_not_of_the_same_annotator(
    store: Store,
) -> None:
    labelled, skipped = add(store, "tin mot"), add(store, "tin hai")
    answer(store, labelled)
    answer(store, skipped, None)
    assert asked(store, "lan", limit=5) == []
    assert asked(store, "minh", limit=5) == [skipped]
    assert store.queue_size() == 1


# Labels


def test_answering_again_undoes_and_keeps_both_events(store: Store) -> None:
    message_id = add(store)
    first = answer(store, message_id, "scam", note="vội")
    second = answer(store, message_id, "legitimate", now=LATER)
    assert labels(store) == {message_id: "legitimate"}
    assert list(store.label_events()) == [first, second]
    assert first == LabelEvent(first.id, message_id, "lan", "scam", "prize_scam", "vội", NOW)
    answer(store, message_id, None)
    assert labels(store) == {}
    assert asked(store, "minh") == [message_id]


def test_a_skip_takes_back_no_other_annotators_label(store: Store) -> None:
    message_id = add(store)
    answer(store, message_id, "scam", annotator="lan")
    answer(store, message_id, None, annotator="minh")
    assert labels(store) == {message_id: "scam"}
    answer(store, message_id, "legitimate", annotator="minh")
    assert labels(store) == {message_id: "legitimate"}


def test_an_unconfirmed_annotator_never_changes_the_dataset(store: Store) -> None:
    message_id = add(store)
    answer(store, message_id, annotator="khach", confirmed=False)
    assert labels(store) == {}
    assert asked(store, "khach") == []
    assert asked(store, "lan") == [message_id]
    answer(store, message_id, "legitimate")
    answer(store, message_id, "scam", annotator="khach", confirmed=False)
    assert labels(store) == {message_id: "legitimate"}


def test_a_labelled_message_is_an_example_for_training(store: Store) -> None:
    received = Conversation((Message("sender", "alo"), Message("recipient", "ai đó")), "0912", "chat")
    feedback = Feedback(received, "unsure", "scam", None, None)
    message_id = store.add_feedback(feedback, client="bank", idempotency_key=None, now=NOW)
    answer(store, message_id, category=None)
    [example] = store.labelled()
    assert example == Example(
        message_id, received, "scam", "other_scam", example.wave, "label", written_at="2026-11-23"
    )


@pytest.mark.parametrize(
    ("label", "category"), [("scam", "otp"), (None, "otp"), ("spam", None), ("scam", "x")]
)
def test_an_answer_outside_the_taxonomy_is_refused(store: Store, label: Any, category: str | None) -> None:
    message_id = add(store)
    with pytest.raises(BadData):
        store.add_label(message_id, annotator="lan", confirmed=True, label=label, category=category)
    with pytest.raises(UnknownItem):
        answer(store, "no such id")


def test_reading_the_dataset_slowly_holds_up_no_writer_and_misses_nothing(store: Store) -> None:
    # One transaction for all, as each waits for the disk.
    with store._database.write() as connection:
        for number in range(PAGE + 1):
            text = f"{WORDS[number % 10]} {WORDS[number // 10 % 10]} {WORDS[number // 100]}"
            answered = Answer("lan", True, "scam", "prize_scam", None)
            imported = FileAnswer("f-1", Conversation.from_text(text), "scam", "prize_scam")
            add_imported(connection, imported, answered, NOW)
    reading = store.labelled()
    seen = {next(reading).id}
    add(store)
    assert len(seen | {example.id for example in reading}) == PAGE + 1


# Import and erase


def take(store: Store, *answers: FileAnswer, annotator: str = "lan", confirmed: bool = True) -> Imported:
    return store.import_answers(answers, annotator=annotator, confirmed=confirmed)


def said_in_file(text: str = "OTP 482913", label: Any = "scam", **changes: Any) -> FileAnswer:
    return FileAnswer(
        **{
            "id": "f-1",
            "conversation": Conversation.from_text(text),
            "label": label,
            "category": None,
            "at": NOW,
            **changes,
        }
    )


def test_importing_a_file_twice_adds_nothing_the_second_time(store: Store) -> None:
    assert take(store, said_in_file()) == take(store, said_in_file()) == Imported(added=1, erased=0)
    [event] = store.label_events()
    assert (event.at, event.label) == (NOW, "scam")
    [example] = store.labelled()
    assert example.conversation.text == "OTP [OTP]"


def test_importing_an_old_file_again_does_not_undo_a_later_correction(store: Store) -> None:
    take(store, said_in_file())
    [message_id] = labels(store)
    answer(store, message_id, "legitimate", now=LATER)
    take(store, said_in_file())
    assert labels(store) == {message_id: "legitimate"}


def test_an_answer_about_a_message_of_the_queue_labels_that_message_and_ends_the_lease(
    store: Store,
) -> None:
    message_id = add(store)
    assert asked(store, "lan") == [message_id]
    take(store, said_in_file("Trung thuong, vao http://qua.top", None, id=message_id))
    assert asked(store, "minh") == [message_id]
    take(store, said_in_file("Trung thuong, vao http://qua.top", id=message_id))
    assert labels(store) == {message_id: "scam"}


def test_an_old_file_does_not_bring_an_erased_message_back(store: Store) -> None:
    message_id = add(store)
    store.erase(message_id)
    counts = take(store, said_in_file("Trung thuong, vao http://qua.top", id=message_id))
    assert counts == Imported(added=0, erased=1)
    assert labels(store) == {}


def test_a_file_with_one_impossible_answer_is_not_imported_at_all(store: Store) -> None:
    with pytest.raises(BadData):
        take(store, said_in_file(), said_in_file("tin khac", category="otp"))
    assert labels(store) == {}


def test_an_imported_label_of_an_unconfirmed_annotator_waits_in_the_queue(store: Store) -> None:
    take(store, said_in_file("xin chao"), annotator="khach", confirmed=False)
    assert labels(store) == {}
    [item] = store.next_for_review(annotator="lan")
    assert (item.conversation.text, item.guess, item.reasons) == ("xin chao", None, ())


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_only_its_owner_may_read_the_store(store: Store, file: Path) -> None:
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


def test_erasing_removes_text_and_notes_from_the_file_and_the_message_from_the_dataset(
    store: Store, file: Path
) -> None:
    message_id = add(store, "noi dung rieng tu", note="ghi chu rieng")
    kept = add(store, "noi dung khac")
    answer(store, message_id, note="ghi chu rieng")
    answer(store, kept)
    store.erase(message_id, now=NOW)
    store.erase(message_id)
    assert list(labels(store)) == [kept]
    assert b"rieng" not in file.read_bytes()
    assert next((event.message_id, event.note) for event in store.label_events()) == (message_id, None)
    assert asked(store, "minh") == []
    with pytest.raises(UnknownItem):
        answer(store, message_id)
    with pytest.raises(UnknownItem):
        store.erase("no such id")


def test_erasing_one_message_of_a_wave_leaves_the_rest_of_it_in_the_queue(store: Store) -> None:
    first, second = add(store, "tin 1", score=0.5), add(store, "tin 2")
    assert asked(store) == [first]
    answer(store, first)
    store.erase(first)
    [item] = store.next_for_review(annotator="minh")
    assert (item.id, item.wave_size) == (second, 1)
