"""The OpenAPI document says what the routes do."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.answers import Answer
from serving.bodies import parsed
from serving.openapi import _BODIES as BODIES
from serving.schemas import BatchRequest, ClassifyRequest
from serving.settings import Settings

ROUTES = {
    "/v1/classify": "post",
    "/v1/classify/batch": "post",
    "/v1/feedback": "post",
    "/v1/review/next": "get",
    "/v1/review/labels": "post",
    "/predict": "post",
    "/ios/filter/{token}": "post",
    "/ios/report/{token}": "post",
    "/.well-known/apple-app-site-association": "get",
    "/healthz": "get",
    "/readyz": "get",
    "/metrics": "get",
}


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_it_lists_exactly_the_routes(document: dict[str, Any]) -> None:
    assert {path: list(methods) for path, methods in document["paths"].items()} == {
        path: [method] for path, method in ROUTES.items()
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])


def test_every_route_with_a_key_says_so(document: dict[str, Any]) -> None:
    for path, method in ROUTES.items():
        assert ("security" in document["paths"][path][method]) == path.startswith(
            ("/v1", "/predict", "/metrics")
        )


@pytest.mark.parametrize("model", BODIES)
def test_every_example_is_a_valid_request(model: Any) -> None:
    for example in model.model_config["json_schema_extra"]["examples"]:
        found = parsed(model, example)
        if isinstance(found, BatchRequest):
            assert all(parsed(ClassifyRequest, item) for item in found.items)


def test_the_answers_example_is_an_answer_with_offsets_that_fit() -> None:
    extra: Any = Answer.model_config["json_schema_extra"]
    answer = Answer.model_validate(extra["examples"][0])
    asked: Any = ClassifyRequest.model_config["json_schema_extra"]
    text = asked["examples"][0]["text"]
    [seen] = answer.indicators
    assert text[seen.start : seen.end] == f"http://{seen.value}"


def test_every_setting_has_a_sentence() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert field.description.endswith(".")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANHGIAC_STATE_DIR", "/srv/canhgiac")
    monkeypatch.setenv("CANHGIAC_MODEL_DIR", "")
    settings = Settings()
    assert settings.model_dir is None
    assert settings.store_url == "sqlite:////srv/canhgiac/canhgiac.db"


def test_a_password_in_the_database_url_is_not_shown() -> None:
    assert "secret" not in repr(Settings(database_url="postgresql://user:secret@host/db"))
