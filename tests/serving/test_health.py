"""/healthz, /readyz and /metrics: for whoever runs the service, and without a word of a message."""

from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient


def test_a_running_service_is_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert (ready.json()["model"]["version"], ready.json()["store"]["status"]) == ("v1", "ok")


def test_a_service_that_is_asked_to_stop_is_alive_but_not_ready(client: TestClient) -> None:
    app: Any = client.app
    app.state.service.stopping = True
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "stopping")


def test_numbers_are_prometheus_text(client: TestClient, bearer: Callable[..., dict[str, str]]) -> None:
    client.get("/healthz")
    answer = client.get("/metrics", headers=bearer("metrics"))
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'canhgiac_requests_total{route="GET /healthz",status="200"} 1.0' in answer.text
    assert 'canhgiac_model{version="v1"} 1.0' in answer.text
    assert "canhgiac_waiting 0.0" in answer.text
    assert "canhgiac_review_queue 0.0" in answer.text
