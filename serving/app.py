"""The application: the parts put together, and every error made a problem."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from data.errors import CanhGiacError
from data.messages import Conversation
from data.store import Key, open_store
from model import registry
from serving import health, ios, predict, review, routes, tei
from serving.access import Access
from serving.answers import Answer
from serving.bodies import invalid
from serving.drift import reference_in
from serving.keyring import Keyring
from serving.limits import Limits, RateFields
from serving.metrics import Metrics
from serving.openapi import document
from serving.overload import InFlight, Places
from serving.problems import Problem, logger, place_of, problem_of, store_not_ready
from serving.security import protect
from serving.served import FolderModel, ServedModel
from serving.service import Service
from serving.settings import Settings
from serving.signing import signing_key
from serving.swap import WATCH_SECONDS, ModelSlot
from serving.tracing import tracer_from
from serving.webhooks import delivering
from serving.workers import CAPACITY, Workers

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

VERSION = "1"


def create_app(
    settings: Settings,
    *,
    load: Callable[[Path], ServedModel] | None = None,
    capacity: int = CAPACITY,
    watch_seconds: float = WATCH_SECONDS,
    tracer: "Tracer | None" = None,
) -> FastAPI:
    """The service as an ASGI application; its parts start with its lifespan and end with it.

    ``load`` makes a model folder answer (``FolderModel`` unless given), ``capacity`` is how many
    messages may wait for the model, ``watch_seconds`` is how often a newly promoted one is looked for,
    ``tracer`` takes the spans instead of the one that ``OTEL_*`` asks for.

    Raises ``CanhGiacError`` for a webhook secret that is too short, and ``StoreError`` at the start
    of the lifespan when the store cannot be opened. A model
    that cannot be loaded does not stop the start: officers can label without one.
    """
    metrics = Metrics()
    webhook_key = signing_key(settings.webhook_secret)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = _start(settings, metrics, load, capacity)
        service.models.watch(watch_seconds)
        app.state.keyring = keyring = Keyring(service.store.keys_by_digest)
        await keyring.start()
        async with delivering(service.store.webhooks, webhook_key, metrics):
            yield
        service.stopping = True
        await keyring.close()
        service.models.close()
        service.workers.close()
        service.store.close()

    app = FastAPI(
        title="Cảnh Giác",
        version=VERSION,
        description="Tells Vietnamese scam messages from legitimate ones. Classified text is never stored.",
        lifespan=lifespan,
        docs_url=None,  # the interactive page would load scripts from elsewhere beside a key
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.apple_apps = settings.apple_apps
    app.state.limits = Limits(settings.messages_per_minute, settings.filter_messages_per_minute)
    app.state.places = Places(settings.concurrency)
    app.add_middleware(RateFields)  # the innermost layer; each of the next is around those before
    app.add_middleware(Access, metrics=metrics, tracer=tracer or tracer_from(os.environ))
    protect(app, settings)
    app.add_middleware(InFlight, places=app.state.places, known=_known, count=metrics.count_refused)
    for router in (routes.router, predict.router, ios.router, review.router, health.router):
        app.include_router(router)
    for error, tell in _TOLD.items():
        app.add_exception_handler(error, tell)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    return app


def _start(
    settings: Settings, metrics: Metrics, load: Callable[[Path], ServedModel] | None, capacity: int
) -> Service:
    store = open_store(settings.store_url)
    load = load or partial(
        FolderModel.from_folder, cached=settings.cache_size, on_asked=metrics.count_asked
    )
    models = ModelSlot(partial(_folder, settings), partial(_load, load, metrics), metrics.count_load)
    models.refresh()

    def read(conversation: Conversation) -> Callable[[], Answer]:
        return models.serving().read(conversation)

    workers = Workers(
        read,
        capacity=capacity,
        on_taken=metrics.queue_seconds.observe,
        on_done=metrics.model_seconds.observe,
    )
    return Service(store, models, workers, metrics, settings.answer_seconds)


def _load(load: Callable[[Path], ServedModel], metrics: Metrics, folder: Path) -> ServedModel:
    """The model in a folder; the drift knows what it is compared with."""
    model = load(folder)
    metrics.drift.know(model.version, reference_in(folder))
    return model


def _known(scope: Scope, token: str) -> Key | None:
    """The key that is in memory for a token, were the store away or not."""
    with suppress(Problem):
        key: Key | None = scope["app"].state.keyring.known(token)
        return key
    return None


def _folder(settings: Settings) -> Path:
    """The model folder that should serve."""
    return settings.model_dir or registry.current(settings.state_dir, registry.SHIPPED)


async def _tell_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, CanhGiacError)  # noqa: S101  # what the handler is registered for
    problem = problem_of(error)
    if problem.status >= 500 and not isinstance(error, Problem):
        logger.error("%s", place_of(error))
    return _told(request, problem)


async def _tell_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return _told(request, invalid(error.errors()))


async def _tell_database(request: Request, error: Exception) -> Response:
    logger.error("%s", place_of(error))
    return _told(request, store_not_ready())


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405:
        allow = dict(error.headers or {})
        what = f"it has: {allow.get('Allow', '')}"
        return _told(request, Problem("method-not-allowed", what, headers=allow))
    if error.status_code == 404:
        return Problem("not-found", "no such path; /openapi.json lists all of them").response()
    return _told(request, Problem("invalid", "the request could not be read"))


def _told(request: Request, problem: Problem) -> Response:
    """The response that tells a problem, in the words of the contract that its route keeps."""
    path = getattr(request.scope.get("route"), "path", None)
    return tei.tell(problem) if path == predict.PATH else problem.response()


_TOLD = {
    CanhGiacError: _tell_ours,
    RequestValidationError: _tell_validation,
    SQLAlchemyError: _tell_database,
    HTTPException: _tell_http,
}
