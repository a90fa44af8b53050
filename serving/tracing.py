"""A span a request for OpenTelemetry, where the ``OTEL_*`` environment asks for it.

A span has the declared route, status, duration, model version and how many conversations came. It
never has a path or query as sent, an address, a user agent, a text or an exception's words. Of the
headers, ``traceparent`` alone is read, so that the caller's trace goes on here.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from data.errors import MissingExtra

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

#: The standard variable that turns tracing on; the exporter reads it and the others itself.
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

_SPAN: "ContextVar[Span | None]" = ContextVar("span", default=None)


def tracer_from(environment: Mapping[str, str]) -> "Tracer | None":
    """The tracer that exports where ``environment`` says; None when it says nothing.

    Spans go out in the background over OTLP (HTTP, protobuf) and are flushed when the process ends.
    Raises ``MissingExtra`` when the packages are not installed.
    """
    if not environment.get(ENDPOINT):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise MissingExtra("opentelemetry", "otel") from error
    named = Resource({"service.name": "canhgiac"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("canhgiac")


def start(tracer: "Tracer | None", traceparent: str | None) -> None:
    """Begin the span of the request in hand, within the caller's trace if ``traceparent`` is one."""
    if tracer is None:
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": traceparent} if traceparent else {}
    within = TraceContextTextMapPropagator().extract(carrier)
    _SPAN.set(tracer.start_span("request", context=within, kind=SpanKind.SERVER))


def note(model_version: str, batch_size: int) -> None:
    """Tell the span of the request in hand which model answered how many conversations."""
    if (span := _SPAN.get()) is not None:
        span.set_attribute("canhgiac.model.version", model_version)
        span.set_attribute("canhgiac.batch.size", batch_size)


def end(route: str, status: int) -> None:
    """End the span of the request in hand; from 500 up it is marked as failed."""
    if (span := _SPAN.get()) is None:
        return
    from opentelemetry.trace import StatusCode

    span.update_name(route)
    span.set_attribute("http.route", route.rpartition(" ")[2])
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
    span.end()
    _SPAN.set(None)
