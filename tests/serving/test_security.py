"""What every answer tells a browser, and which pages elsewhere may call."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from data.errors import CanhGiacError
from serving.app import create_app
from serving.security import HEADERS
from serving.settings import Settings, settings_from_environment

PAGE = "https://app.example.vn"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
Bearer = Callable[..., dict[str, str]]


def _expected(*left_out: str) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in HEADERS if name.decode() not in left_out}


@pytest.mark.parametrize(
    ("method", "path", "text", "status"),
    [
        ("GET", "/healthz", None, 200),
        ("GET", "/readyz", None, 200),
        ("GET", "/metrics", None, 200),
        ("GET", "/nowhere", None, 404),
        ("GET", "/v1/classify", None, 405),
        ("POST", "/v1/classify", "a", 200),
        ("POST", "/v1/classify", "", 422),
        ("POST", "/v1/classify", "a" * 70_000, 413),
        ("POST", "/v1/classify", "explode", 500),
        ("POST", "/v1/feedback", "a", 422),
    ],
)
def test_every_answer_has_the_headers(  # noqa: PLR0917
    client: TestClient, bearer: Bearer, method: str, path: str, text: str | None, status: int
) -> None:
    body = None if text is None else {"text": text}
    headers = bearer("classify", "feedback", "metrics")
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status
    assert _expected().items() <= dict(answer.headers).items()


def test_a_refusal_has_them_too(client: TestClient) -> None:
    answer = client.post("/v1/classify")
    assert answer.status_code == 401
    assert _expected().items() <= dict(answer.headers).items()


def test_what_is_the_same_for_everybody_may_be_kept(client: TestClient) -> None:
    headers = client.get("/openapi.json").headers
    assert "Cache-Control" not in headers
    assert _expected("cache-control").items() <= dict(headers).items()


def test_an_error_outside_every_handler_and_an_answers_own_words_are_seen_to(
    settings: Settings, load: Any
) -> None:
    app = create_app(settings, load=load)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    @app.get("/page")
    async def page() -> Response:
        return Response("", headers={"Content-Security-Policy": "default-src 'self'"})

    with TestClient(app) as client:
        answer = client.get("/broken")
        assert answer.status_code == 500
        assert _expected().items() <= dict(answer.headers).items()
        assert client.get("/page").headers["Content-Security-Policy"] == "default-src 'self'"


def test_no_page_elsewhere_may_call_by_default(client: TestClient) -> None:
    assert client.options("/v1/classify", headers=PREFLIGHT).status_code == 405
    assert "Access-Control-Allow-Origin" not in client.get("/healthz", headers={"Origin": PAGE}).headers


def test_a_page_of_a_named_origin_may_call_and_read_every_answer(
    settings: Settings, load: Any, bearer: Bearer
) -> None:
    named = settings.model_copy(update={"cors_origins": (PAGE,)})
    with TestClient(create_app(named, load=load)) as client:
        asked = {**PREFLIGHT, "Access-Control-Request-Headers": "authorization, content-type"}
        preflight = client.options("/v1/classify", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
        assert _expected().items() <= dict(preflight.headers).items()
        sent = {"Origin": PAGE, **bearer("classify")}
        for text, status in (("a", 200), ("explode", 500)):
            answer = client.post("/v1/classify", json={"text": text}, headers=sent)
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, PAGE)
            assert "RateLimit" in answer.headers["Access-Control-Expose-Headers"]
            assert "Access-Control-Allow-Credentials" not in answer.headers
        other = {**PREFLIGHT, "Origin": "https://other.example.vn"}
        assert "Access-Control-Allow-Origin" not in client.options("/v1/classify", headers=other).headers


def test_origins_come_from_the_environment_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANHGIAC_CORS_ORIGINS", f"{PAGE}, http://localhost:5173")
    assert settings_from_environment().cors_origins == (PAGE, "http://localhost:5173")


@pytest.mark.parametrize(
    "origins", ["*", f"{PAGE},*", "https://*.vn", f"{PAGE}/", "app.example.vn", "null"]
)
def test_an_origin_that_is_none_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, origins: str
) -> None:
    monkeypatch.setenv("CANHGIAC_CORS_ORIGINS", origins)
    with pytest.raises(CanhGiacError, match=r"^CANHGIAC_CORS_ORIGINS: .* is no origin; write https://"):
        settings_from_environment()


def test_a_setting_that_cannot_be_used_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANHGIAC_CONCURRENCY", "chimhoangyen")
    with pytest.raises(CanhGiacError, match=r"^CANHGIAC_CONCURRENCY: ") as refused:
        settings_from_environment()
    assert "chimhoangyen" not in str(refused.value)
