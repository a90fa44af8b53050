"""POST /predict, the contract of Hugging Face and text-embeddings-inference."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.settings import Settings

CANARY = "chimhoangyen"
SCAM = "Tai khoan cua ban bi khoa"
OTP = "Ma OTP la 482913"


@pytest.fixture
def headers(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    return bearer("classify")


@pytest.fixture
def ask(client: TestClient, headers: dict[str, str]) -> Callable[[Any], Any]:
    return lambda body: client.post("/predict", json=body, headers=headers)


def _labels(scores: list[dict[str, Any]]) -> list[str]:
    return [score["label"] for score in scores]


def test_a_text_gets_its_labels_the_likeliest_first(ask: Callable[[Any], Any]) -> None:
    answer = ask({"inputs": SCAM})
    assert answer.status_code == 200
    assert answer.json() == [
        {"label": "scam", "score": 0.9},
        {"label": "legitimate", "score": pytest.approx(0.1)},
    ]
    assert _labels(ask({"inputs": OTP}).json()) == ["legitimate", "scam"]


@pytest.mark.parametrize("inputs", [[SCAM, OTP], [[SCAM], [OTP]], [SCAM, [OTP]]])
def test_several_texts_get_a_list_each(ask: Callable[[Any], Any], inputs: Any) -> None:
    answer = ask({"inputs": inputs}).json()
    assert [_labels(scores) for scores in answer] == [["scam", "legitimate"], ["legitimate", "scam"]]


@pytest.mark.parametrize("inputs", [[SCAM], [[SCAM]]])
def test_a_list_of_one_is_still_a_list(ask: Callable[[Any], Any], inputs: Any) -> None:
    assert [_labels(scores) for scores in ask({"inputs": inputs}).json()] == [["scam", "legitimate"]]


def test_a_list_longer_than_the_models_queue_at_a_time_keeps_its_order(ask: Callable[[Any], Any]) -> None:
    answer = ask({"inputs": [SCAM if n % 3 else OTP for n in range(100)]}).json()
    assert [scores[0]["label"] == "scam" for scores in answer] == [bool(n % 3) for n in range(100)]


def test_top_k_tells_the_likeliest_alone(ask: Callable[[Any], Any]) -> None:
    assert _labels(ask({"inputs": SCAM, "parameters": {"top_k": 1}}).json()) == ["scam"]
    assert len(ask({"inputs": SCAM, "parameters": {"top_k": 5}}).json()) == 2
    assert len(ask({"inputs": SCAM, "parameters": {"top_k": None}}).json()) == 2
    assert ask({"inputs": SCAM, "parameters": {"top_k": 0}}).status_code == 422


def test_the_softmax_of_raw_scores_is_the_probabilities(ask: Callable[[Any], Any]) -> None:
    raw = [score["score"] for score in ask({"inputs": SCAM, "raw_scores": True}).json()]
    total = sum(map(math.exp, raw))
    assert [math.exp(score) / total for score in raw] == pytest.approx([0.9, 0.1])


def test_a_long_text_is_refused_or_cut_when_the_client_says_so(ask: Callable[[Any], Any]) -> None:
    assert ask({"inputs": SCAM + " " * 2000}).status_code == 422
    answer = ask({"inputs": SCAM + " " * 2000, "truncate": True})
    assert _labels(answer.json()) == ["scam", "legitimate"]


def test_what_other_servers_know_and_this_one_does_not_is_ignored(ask: Callable[[Any], Any]) -> None:
    body = {
        "inputs": SCAM,
        "truncate": None,
        "truncation_direction": "Right",
        "options": {"wait_for_model": True},
        "parameters": {"function_to_apply": "softmax"},
    }
    assert ask(body).status_code == 200


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("x" * 2001, "text-too-long"),
        ("  ", "invalid"),
        ("", "invalid"),
        ("\x00", "invalid"),
        (7, "invalid"),
        (None, "invalid"),
        ([], "invalid"),
        ([SCAM, SCAM], "invalid"),
        ([["a"]], "invalid"),
        ({"text": SCAM}, "invalid"),
    ],
)
def test_a_bad_text_fails_the_call_and_is_named_by_its_position(
    ask: Callable[[Any], Any], bad: Any, kind: str
) -> None:
    answer = ask({"inputs": [SCAM, bad, OTP]})
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(kind)
    assert answer.json()["errors"][0]["where"] == "inputs[1]"
    assert answer.json()["detail"].startswith("inputs[1]: ")


@pytest.mark.parametrize("inputs", [7, None, True, {}, [], ["a"] * 257])
def test_inputs_of_another_shape_are_refused(ask: Callable[[Any], Any], inputs: Any) -> None:
    answer = ask({"inputs": inputs})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"where": "inputs", "what": "must be a text, or a list of 1 to 256 texts"}
    ]


def test_256_texts_and_a_batchs_bytes_are_taken(ask: Callable[[Any], Any]) -> None:
    assert len(ask({"inputs": ["a"] * 256}).json()) == 256
    assert ask({"inputs": ["ă" * 2000] * 100}).status_code == 200  # about 400 KiB
    assert ask({"inputs": ["a" * 1024 * 1024]}).status_code == 413


def test_every_problem_is_told_in_teis_words_too(
    client: TestClient, headers: dict[str, str], bearer: Callable[..., dict[str, str]]
) -> None:
    other = bearer("label", name="other")
    answers = [
        client.post("/predict", json={"inputs": SCAM}),
        client.post("/predict", json={"inputs": SCAM}, headers=other),
        client.get("/predict", headers=headers),
        client.post("/predict", content=b"a", headers=headers),
        client.post("/predict", json={"inputs": ""}, headers=headers),
        client.post("/predict", json={"inputs": "explode"}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 405, 415, 422, 500]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["error"] == answer.json()["detail"]
    assert [answer.json()["error_type"] for answer in answers] == ["Validation"] * 5 + ["Backend"]
    assert "error_type" not in client.post("/v1/classify", json={"text": SCAM}).json()


def test_a_store_that_fails_is_unhealthy_in_teis_words(
    client: TestClient, headers: dict[str, str], settings: Settings
) -> None:
    Path(settings.state_dir / "canhgiac.db").write_bytes(b"this is no database" * 100)
    answer = client.post("/predict", json={"inputs": SCAM}, headers=headers)
    assert (answer.status_code, answer.json()["error_type"]) == (503, "Unhealthy")
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs": "' + CANARY.encode() * 200 + b'"}',
        b'{"inputs": ["a", {"' + CANARY.encode() + b'": "' + CANARY.encode() + b'"}]}',
        b'{"inputs": ["a", ["' + CANARY.encode() + b'", "b"]]}',
        b'{"inputs": {"' + CANARY.encode() + b'": 1}}',
        b'{"inputs": "a\\u0000' + CANARY.encode() + b'"}',
        b'{"inputs": "a", "truncate": "' + CANARY.encode() + b'"}',
        b'{"inputs": "a", "parameters": {"top_k": "' + CANARY.encode() + b'"}}',
        b'{"inputs": "a", "parameters": "' + CANARY.encode() + b'"}',
        b'{"inputs": "explode ' + CANARY.encode() + b'"}',
    ],
)
def test_a_problem_never_repeats_the_text(
    client: TestClient,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    numbers: Callable[[], str],
    body: bytes,
) -> None:
    sent = {**headers, "Content-Type": "application/json"}
    answer = client.post("/predict", content=body, headers=sent)
    assert answer.status_code in (422, 500)
    assert CANARY not in answer.text + caplog.text + numbers()
