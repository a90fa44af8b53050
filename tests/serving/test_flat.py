"""POST /v1/classify with Accept: text/plain."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from data.taxonomy import Verdict
from serving import examples
from serving.answers import Answer
from serving.flat import flat, wants_text

SCAM = {"text": "Tai khoan cua ban bi khoa"}


@pytest.fixture
def headers(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    return bearer("classify")


def test_who_wants_text_gets_one_line(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/classify", json=SCAM, headers={**headers, "Accept": "text/plain"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert answer.text == "scam 0.90 bank_impersonation\n"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/xml", "", "what is this"])
def test_everybody_else_gets_json(client: TestClient, headers: dict[str, str], accept: str) -> None:
    answer = client.post("/v1/classify", json=SCAM, headers={**headers, "Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"
    assert answer.json()["verdict"] == "scam"


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        (["text/*"], True),
        (["Text/Plain; charset=utf-8"], True),
        (["text/plain, */*"], True),
        (["application/json;q=0.5", "text/plain;q=0.6"], True),
        (["text/plain;q=0.5, application/json"], False),
        (["text/plain;q=0, */*"], False),
        (["text/plain;q=0"], False),
        (["text/plain, application/json"], False),
        (["text/html, */*;q=0.8"], False),
        (["*"], False),
    ],
)
def test_qualities_decide_and_json_wins_between_equals(accept: list[str], text: bool) -> None:
    assert wants_text(accept) is text


def test_a_problem_is_json_for_who_wants_text_too(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/classify", json={"text": " "}, headers={**headers, "Accept": "text/plain"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("verdict", "score", "told"),
    [
        ("scam", 0.9999, "1.00"),
        ("scam", 0.001, "0.01"),
        ("unsure", 0.9999, "0.99"),
        ("unsure", 0.001, "0.01"),
        ("legitimate", 0.9999, "0.99"),
        ("legitimate", 0.001, "0.00"),
        ("legitimate", 0.125, "0.12"),
    ],
)
def test_two_decimals_never_make_certain_what_the_verdict_does_not(
    verdict: Verdict, score: float, told: str
) -> None:
    answer = Answer.model_validate({**examples.ANSWER, "verdict": verdict, "score": score})
    assert flat(answer) == f"{verdict} {told} bank_impersonation\n"


def test_the_documented_pattern_and_example_are_those_of_the_line(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    content = document["paths"]["/v1/classify"]["post"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/plain"}
    assert re.fullmatch(content["text/plain"]["schema"]["pattern"], content["text/plain"]["example"])
    line = flat(Answer.model_validate(examples.ANSWER))
    assert re.fullmatch(content["text/plain"]["schema"]["pattern"], line)
