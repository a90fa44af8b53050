"""What browsers are told: the headers on every answer, and which pages elsewhere may call.

No Strict-Transport-Security: it belongs to whoever holds the certificate, the proxy in front. Said over
plain HTTP it is ignored, and said for a name that the proxy shares it would bind the others too.
"""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.settings import Settings

#: On every answer that does not say otherwise itself.
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
#: Paths of what is the same for everybody; it may be kept.
PUBLIC = ("/openapi.json", "/.well-known/")


class SecurityHeaders:
    """The ASGI layer that adds ``HEADERS``; a header the answer has already stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and complete its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {name for name, _ in headers}
                if scope["path"].startswith(PUBLIC):
                    said.add(b"cache-control")
                message["headers"] = headers + [header for header in HEADERS if header[0] not in said]
            await send(message)

        await self._app(scope, receive, completed)


def protect(app: FastAPI, settings: Settings) -> None:
    """Nothing; from now on ``app`` answers with ``HEADERS``, and to pages of the settings' origins.

    Without origins no page elsewhere can read an answer. No cookies are ever asked for.
    """
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key"),
            expose_headers=("RateLimit", "RateLimit-Policy", "Retry-After"),
        )
    app.add_middleware(SecurityHeaders)
