"""The application: the parts put together, and every error made a problem."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from data.errors import CanhGiacError
from data.messages import Conversation
from data.store import open_store
from model import registry
from serving import health, review, routes
from serving.access import Access
from serving.answers import Answer
from serving.batching import CAPACITY, Batcher
from serving.bodies import invalid
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
from serving.swap import WATCH_SECONDS, ModelSlot

VERSION = "1"


def create_app(
    settings: Settings,
    *,
    load: Callable[[Path], ServedModel] = FolderModel.from_folder,
    capacity: int = CAPACITY,
    watch_seconds: float = WATCH_SECONDS,
) -> FastAPI:
    """The service as an ASGI application; its parts start with its lifespan and end with it.

    ``load`` makes a model folder answer, ``capacity`` is how many messages may wait for the model,
    ``watch_seconds`` is how often a newly promoted model is looked for.

    Raises ``StoreError`` at the start of the lifespan when the store cannot be opened. A model
    that cannot be loaded does not stop the start: officers can label without one.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = _start(settings, metrics, load, capacity)
        service.models.watch(watch_seconds)
        app.state.keyring = keyring = Keyring(service.store.keys_by_digest)
        keyring.start()
        yield
        service.stopping = True
        await keyring.close()
        service.models.close()
        service.batcher.close()
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
    app.state.limits = Limits(settings.messages_per_minute, settings.filter_messages_per_minute)
    app.state.places = Places(settings.concurrency)
    app.state.answer_seconds = settings.answer_seconds
    app.add_middleware(RateFields)  # the innermost layer; the next is around it
    app.add_middleware(InFlight, places=app.state.places)
    app.add_middleware(Access, metrics=metrics)
    protect(app, settings)
    for router in (routes.router, review.router, health.router):
        app.include_router(router)
    for error, tell in _TOLD.items():
        app.add_exception_handler(error, tell)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    return app


def _start(
    settings: Settings, metrics: Metrics, load: Callable[[Path], ServedModel], capacity: int
) -> Service:
    store = open_store(settings.store_url)
    models = ModelSlot(partial(_folder, settings), load)
    models.refresh()

    def work(conversations: Sequence[Conversation]) -> list[Answer]:
        return models.serving().answer(conversations)

    batcher = Batcher(work, capacity=capacity, on_batch=metrics.batches.observe)
    return Service(store, models, batcher, metrics)


def _folder(settings: Settings) -> Path:
    """The model folder that should serve."""
    return settings.model_dir or registry.current(settings.state_dir, registry.SHIPPED)


async def _tell_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, CanhGiacError)  # noqa: S101  # what the handler is registered for
    problem = problem_of(error)
    if problem.status >= 500 and not isinstance(error, Problem):
        logger.error("%s", place_of(error))
    return problem.response()


async def _tell_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return invalid(error.errors()).response()


async def _tell_database(request: Request, error: Exception) -> Response:
    logger.error("%s", place_of(error))
    return store_not_ready().response()


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405:
        allow = dict(error.headers or {})
        return Problem("method-not-allowed", f"it has: {allow.get('Allow', '')}", headers=allow).response()
    if error.status_code == 404:
        return Problem("not-found", "no such path; /openapi.json lists all of them").response()
    return Problem("invalid", "the request could not be read").response()


_TOLD = {
    CanhGiacError: _tell_ours,
    RequestValidationError: _tell_validation,
    SQLAlchemyError: _tell_database,
    HTTPException: _tell_http,
}
