import io
import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from data.errors import BadRecord, ServerError
from data.exchange import Answer, read_answers
from data.label import CATEGORY_KEYS, Sitting
from data.messages import Conversation
from data.queues import FileQueue, Item, Mark, Queue, ServerQueue, write_batch
from data.taxonomy import taxonomy

ROOT = Path(__file__).parents[2]

ITEMS = [
    Item(
        "a",
        Conversation.from_text("TK VCB bi khoa, vao vcb-9.top"),
        wave_size=4,
        marks=(Mark(0, 20, 29),),
        guess={"verdict": "legitimate", "label": "scam"},
    ),
    Item("b", Conversation.from_text("Ma OTP: 123456"), guess={"verdict": "scam", "label": "legitimate"}),
    Item("c", Conversation.from_text("me oi con ve tre")),
]


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    file = tmp_path / "batch.jsonl"
    write_batch(ITEMS, file)
    return file


def sit(queue: Queue, keys: Iterable[str], lines: Iterable[str] = ()) -> str:
    """One sitting with scripted keys; returns what the screen showed."""
    screen = io.StringIO()
    pressed, typed = iter(keys), iter(lines)
    console = Console(file=screen, width=100, highlight=False)
    Sitting(queue, console, lambda: next(pressed), lambda: next(typed)).run()
    return screen.getvalue()


def key_of(category: str) -> str:
    entry = taxonomy()[category]
    return CATEGORY_KEYS[[c.id for c in taxonomy().categories_of(entry.label)].index(category)]


def answers(batch: Path) -> dict[str, tuple[str | None, str | None]]:
    return {a.id: (a.label, a.category) for a in read_answers(FileQueue(batch).answers)}


BANK, OTP, PERSONAL = key_of("bank_impersonation"), key_of("otp"), key_of("personal")


def test_an_officer_labels_a_batch_with_two_keys_a_message(batch: Path) -> None:
    sit(FileQueue(batch), ["l", BANK, "h", OTP, "h", PERSONAL])
    assert answers(batch) == {
        "a": ("scam", "bank_impersonation"),
        "b": ("legitimate", "otp"),
        "c": ("legitimate", "personal"),
    }


def test_the_guess_is_shown_only_after_the_answer(batch: Path) -> None:
    before = sit(FileQueue(batch), ["l", "u", "q"])
    assert "Máy đã xếp" not in before
    after = sit(FileQueue(batch), ["l", BANK, "q"])
    assert after.index("Đã lưu.") < after.index("Máy đã xếp")


def test_undo_asks_the_previous_message_again_and_the_newest_answer_counts(batch: Path) -> None:
    sit(FileQueue(batch), ["l", BANK, "u", "h", PERSONAL, "q"])
    assert answers(batch) == {"a": ("legitimate", "personal")}


def test_a_skip_is_kept_and_not_asked_again(batch: Path) -> None:
    sit(FileQueue(batch), ["b", "q"])
    assert answers(batch) == {"a": (None, None)}
    following = FileQueue(batch).next()
    assert following is not None
    assert following.id == "b"


def test_a_note_travels_with_its_answer_and_not_with_the_next(batch: Path) -> None:
    sit(FileQueue(batch), ["g", "l", BANK, "h", OTP, "q"], ["giống vụ tuần trước"])
    notes = {a.id: a.note for a in read_answers(FileQueue(batch).answers)}
    assert notes == {"a": "giống vụ tuần trước", "b": None}


def test_the_screen_shows_wave_size_and_progress_and_makes_control_characters_inert(tmp_path: Path) -> None:
    file = tmp_path / "batch.jsonl"
    write_batch([Item("x", Conversation.from_text("\x1b[2Jxoá màn hình [bold]"), wave_size=7)], file)
    screen = sit(FileQueue(file), ["q"])
    assert "Tin 1/1 · 7 tin giống nhau" in screen
    assert "\x1b" not in screen
    assert "[bold]" in screen


def test_a_half_written_last_answer_is_cut_off_and_asked_again(batch: Path) -> None:
    queue = FileQueue(batch)
    sit(queue, ["l", BANK, "q"])
    with queue.answers.open("a") as file:
        file.write('{"id": "b", "te')
    reopened = FileQueue(batch)
    following = reopened.next()
    assert following is not None
    assert following.id == "b"
    sit(reopened, ["h", OTP, "q"])
    assert set(answers(batch)) == {"a", "b"}


def test_a_full_disk_is_said_and_leaves_no_half_answer(batch: Path) -> None:
    queue = FileQueue(batch)
    sit(queue, ["l", BANK, "q"])
    whole = queue.answers.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, before[1]))
    try:
        screen = sit(queue, ["h", OTP, "q"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "CHƯA LƯU: Đĩa không nhận" in screen
    assert queue.answers.read_bytes() == whole
    sit(queue, ["h", OTP, "q"])
    assert set(answers(batch)) == {"a", "b"}


def test_a_batch_with_a_bad_line_is_refused_before_the_first_question(tmp_path: Path) -> None:
    file = tmp_path / "batch.jsonl"
    file.write_text('{"id": "a", "text": "x"}\n{"text": "không có id"}\n', encoding="utf-8")
    with pytest.raises(BadRecord, match=r"batch.jsonl:2: not an object with an id"):
        FileQueue(file)


def server_queue(answer: httpx.Response | Exception) -> ServerQueue:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"items": [{"id": "a", "text": "chào"}]})
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ServerQueue(httpx.Client(transport=httpx.MockTransport(respond), base_url="http://server"))


@pytest.mark.parametrize("failure", [httpx.ConnectError("x"), httpx.Response(503)])
def test_a_server_that_does_not_save_is_said_and_the_message_stays(
    failure: httpx.Response | Exception,
) -> None:
    queue = server_queue(failure)
    screen = sit(queue, ["h", PERSONAL, "q"])
    assert "CHƯA LƯU" in screen
    assert "Đã lưu." not in screen
    assert queue.progress() == (0, None)


def test_a_message_that_went_to_somebody_else_is_said_and_passed_over() -> None:
    screen = sit(server_queue(httpx.Response(409)), ["h", PERSONAL, "q"])
    assert "đã chuyển cho người khác" in screen


def test_a_key_without_the_scope_is_explained() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403)

    queue = ServerQueue(httpx.Client(transport=httpx.MockTransport(refuse), base_url="http://server"))
    with pytest.raises(ServerError, match="quyền «label»"):
        queue.next()


def test_an_answer_says_only_what_the_server_accepts() -> None:
    sent: list[dict[str, object]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={})

    queue = ServerQueue(httpx.Client(transport=httpx.MockTransport(respond), base_url="http://server"))
    queue.save(Answer("a", Conversation.from_text("x"), "scam", "job_scam", "n"))
    queue.save(Answer("b", Conversation.from_text("x"), None, None))
    assert sent == [
        {"id": "a", "label": "scam", "category": "job_scam", "note": "n"},
        {"id": "b", "label": None, "note": None, "skip": True},
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
def test_in_a_real_terminal_an_answer_survives_a_killed_script(batch: Path) -> None:
    terminal, inside = pty.openpty()
    command = [sys.executable, str(ROOT / "canhgiac.py"), "label", "--file", str(batch)]
    script = subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=inside, cwd=ROOT, start_new_session=True
    )
    os.close(inside)
    shown = b""
    try:
        shown += read_until(terminal, "bỏ qua")
        os.write(terminal, b"l")
        shown += read_until(terminal, "quay lại")
        os.write(terminal, BANK.encode())
        shown += read_until(terminal, "Đã lưu.")
    finally:
        os.kill(script.pid, signal.SIGKILL)
        script.wait()
        os.close(terminal)
    assert answers(batch) == {"a": ("scam", "bank_impersonation")}


def read_until(terminal: int, text: str) -> bytes:
    """What the terminal showed until the text appeared; fails after 20 seconds."""
    shown = b""
    deadline = time.monotonic() + 20
    while text.encode() not in shown:
        readable, _, _ = select.select([terminal], [], [], 1)
        if readable:
            shown += os.read(terminal, 4096)
        assert time.monotonic() < deadline, shown.decode(errors="replace")
    return shown
