"""Around every request: its id, one line in the log, its numbers, its span, and a net under errors.

The line names the route as declared, never the path or query as sent: people paste messages into
addresses. An error nobody planned is logged by its type and place, without its words, because a
database's error repeats the statement's values.
"""

import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import tracing
from serving.logs import REQUEST_ID, request_id
from serving.metrics import Metrics
from serving.problems import place_of, unexpected

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

logger = logging.getLogger("canhgiac.serving")

#: The status in log and numbers when the client left before the answer.
_CLIENT_LEFT = 499


class Access:
    """The ASGI layer that logs, counts, traces and catches."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: "Tracer | None" = None) -> None:
        self._app, self._metrics, self._tracer = app, metrics, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and see what becomes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        headers = Headers(scope=scope)
        identifier = request_id(headers.get("x-request-id"))
        REQUEST_ID.set(identifier)
        tracing.start(self._tracer, headers.get("traceparent"))

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", identifier.encode())]
                if scope["app"].state.service.stopping:  # nothing more is sent on this connection
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT
        except Exception as error:  # the last net: nothing beyond it may repeat the error's words
            logger.error("%s: %s", _route(scope), place_of(error))  # noqa: TRY400
            if not status:
                await unexpected().response()(scope, receive, watched)
        self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route, ms = _route(scope), round(seconds * 1000, 1)
        self._metrics.request(route, status, seconds)
        tracing.end(route, status)
        fields = {"event": "request", "route": route, "status": status, "ms": ms}
        logger.info("%s %d %.0f ms", route, status, ms, extra={"fields": fields})


def _route(scope: Scope) -> str:
    """Method and path as declared; ``unknown`` for what was not, whose words came from outside."""
    route, method = scope.get("route"), scope["method"]
    if method not in (getattr(route, "methods", None) or ()):
        return "unknown"
    return f"{method} {getattr(route, 'path', '')}"
