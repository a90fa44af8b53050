"""Around every request: one line in the log, its numbers, and the last net under an error.

The line names the route as declared, never the path or query as sent: people paste messages into
addresses. An error nobody planned is logged by its type and place, without its words, because a
database's error repeats the statement's values.
"""

import logging
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.metrics import Metrics
from serving.problems import place_of, unexpected

logger = logging.getLogger("canhgiac.serving")

#: The status in log and numbers when the client left before the answer.
_CLIENT_LEFT = 499


class Access:
    """The ASGI layer that logs, counts and catches."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and see what becomes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
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
        route = _route(scope)
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        logger.info("%s %d %.0f ms", route, status, seconds * 1000)


def _route(scope: Scope) -> str:
    """Method and path as declared; ``unknown`` for what was not, whose words came from outside."""
    route, method = scope.get("route"), scope["method"]
    if method not in (getattr(route, "methods", None) or ()):
        return "unknown"
    return f"{method} {getattr(route, 'path', '')}"
