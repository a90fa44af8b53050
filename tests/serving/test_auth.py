"""API keys and scopes."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from data.store import SCOPES, Scope, open_store
from serving.settings import Settings

ROUTES: list[tuple[str, str, Scope]] = [
    ("POST", "/v1/classify", "classify"),
    ("POST", "/v1/classify/batch", "classify"),
    ("POST", "/v1/feedback", "feedback"),
    ("POST", "/predict", "classify"),
    ("GET", "/v1/review/next", "label"),
    ("POST", "/v1/review/labels", "label"),
]
Bearer = Callable[..., dict[str, str]]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
@pytest.mark.parametrize(
    "value", [None, "Bearer cg_unknown", "Bearer", "Basic YTpi", "cg_unknown", "Bearer \xe1"]
)
def test_without_a_valid_key_nothing_is_read(
    client: TestClient, method: str, path: str, scope: Scope, value: str | None
) -> None:
    headers = {b"Authorization": value.encode("latin-1")} if value else {}
    answer = client.request(method, path, headers=headers, content=b"not even JSON")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_without_the_scope_hears_which_one_is_missing(
    client: TestClient, bearer: Bearer, method: str, path: str, scope: Scope
) -> None:
    others = [other for other in SCOPES if other not in (scope, "admin")]
    answer = client.request(method, path, headers=bearer(*others))
    assert answer.status_code == 403
    assert f"scope {scope}" in answer.json()["detail"]
    assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_an_admin_key_may_do_everything(
    client: TestClient, bearer: Bearer, method: str, path: str, scope: Scope
) -> None:
    assert client.request(method, path, headers=bearer("admin")).status_code not in (401, 403)


def test_a_revoked_key_is_refused(client: TestClient, bearer: Bearer, settings: Settings) -> None:
    headers = bearer("classify", name="gone")
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 200
    store = open_store(settings.store_url)
    store.revoke_key("gone")
    store.close()
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 401
