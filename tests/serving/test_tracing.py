"""Spans: one a request, with the route as declared and nothing of the client's but its trace."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from data.errors import MissingExtra
from serving.app import create_app
from serving.settings import Settings
from serving.tracing import ENDPOINT, tracer_from

pytest.importorskip("opentelemetry.sdk", reason="canhgiac[otel] is not installed")
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

CANARY = "bimat-canary"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(
    settings: Settings, load: Callable[[Path], object], spans: InMemorySpanExporter
) -> Iterator[TestClient]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    app = create_app(settings, load=load, tracer=provider.get_tracer("test"))  # type: ignore[arg-type]
    with TestClient(app) as running:
        yield running


def test_a_request_is_one_span_with_route_status_model_and_batch_size(
    traced: TestClient, spans: InMemorySpanExporter, bearer: Callable[..., dict[str, str]]
) -> None:
    body = {"items": [{"text": f"{CANARY} {number}"} for number in range(3)]}
    headers = {
        **bearer("classify"),
        "User-Agent": CANARY,
        "tracestate": f"a={CANARY}",
        "baggage": f"a={CANARY}",
    }
    traced.post(f"/v1/classify/batch?text={CANARY}", json=body, headers=headers)
    [span] = spans.get_finished_spans()
    assert (span.name, span.kind) == ("POST /v1/classify/batch", SpanKind.SERVER)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time > span.start_time
    assert dict(span.attributes or {}) == {
        "http.route": "/v1/classify/batch",
        "http.response.status_code": 200,
        "canhgiac.model.version": "v1",
        "canhgiac.batch.size": 3,
    }
    assert CANARY not in span.to_json()


def test_the_callers_trace_goes_on(traced: TestClient, spans: InMemorySpanExporter) -> None:
    traced.get("/healthz", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    [span] = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, "00f067aa0ba902b7")


def test_a_broken_traceparent_begins_a_trace_of_its_own(
    traced: TestClient, spans: InMemorySpanExporter
) -> None:
    traced.get("/healthz", headers={"traceparent": CANARY})
    [span] = spans.get_finished_spans()
    assert span.parent is None
    assert CANARY not in span.to_json()


def test_a_failure_marks_its_span_and_a_strange_address_is_unknown(
    traced: TestClient, spans: InMemorySpanExporter, bearer: Callable[..., dict[str, str]]
) -> None:
    traced.post("/v1/classify", json={"text": f"explode {CANARY}"}, headers=bearer("classify"))
    traced.get(f"/{CANARY}")
    failed, strange = spans.get_finished_spans()
    assert failed.status.status_code is StatusCode.ERROR
    assert not failed.events
    assert (strange.name, strange.status.status_code) == ("unknown", StatusCode.UNSET)
    assert CANARY not in failed.to_json() + strange.to_json()


def test_without_the_variable_nothing_is_traced() -> None:
    assert tracer_from({}) is None
    assert tracer_from({ENDPOINT: ""}) is None


def test_the_variable_without_the_packages_is_one_sentence_that_names_the_extra() -> None:
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    held = {module: sys.modules.pop(module) for module in list(sys.modules) if module == name}
    sys.modules[name] = None  # type: ignore[assignment]  # what Python itself does for "not to be found"
    try:
        with pytest.raises(MissingExtra, match=r"canhgiac\[otel\]"):
            tracer_from({ENDPOINT: "http://127.0.0.1:4318"})
    finally:
        del sys.modules[name]
        sys.modules.update(held)
