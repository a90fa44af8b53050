"""The routes for whoever runs the service: alive, ready, numbers."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from data.errors import CanhGiacError
from serving.auth import require
from serving.openapi import OK_OR_NOT, problems
from serving.problems import RETRY_AFTER, place_of
from serving.service import Service, TheService

router = APIRouter()


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Part(BaseModel):
    """One part of the service; ``problem`` says what is wrong with it or with its successor."""

    status: Literal["ok", "failed"]
    version: str | None = None
    problem: str | None = None


class Readiness(BaseModel):
    """Whether requests may come, and which part is in the way."""

    status: Literal["ready", "not ready", "stopping"]
    model: Part
    store: Part


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process answers at all."""
    return Health()


@router.get("/readyz", responses=OK_OR_NOT)
def readyz(service: TheService, response: Response) -> Readiness:
    """Whether a model serves and the store answers; 503 when one does not, or when stopping."""
    model, store = _model(service), _store(service)
    if service.stopping:
        status: Any = "stopping"
    else:
        status = "ready" if model.status == store.status == "ok" else "not ready"
    if status != "ready":
        response.status_code, response.headers["Retry-After"] = 503, RETRY_AFTER
    return Readiness(status=status, model=model, store=store)


@router.get(
    "/metrics",
    dependencies=[Depends(require("metrics", cost=0))],
    response_class=Response,
    responses=problems(503),
)
def metrics(service: TheService) -> Response:
    """Numbers for Prometheus; none holds a text."""
    service.metrics.waiting.set(len(service.workers))
    service.metrics.model.clear()
    if service.models.version is not None:
        service.metrics.model.labels(service.models.version).set(1)
    service.metrics.tell_drift(service.models.version)
    if _store(service).status == "ok":
        service.metrics.review_queue.set(service.store.queue_size())
        service.metrics.webhooks_pending.set(service.store.webhooks.pending())
    return Response(
        generate_latest(service.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _model(service: Service) -> Part:
    version = service.models.version
    status: Literal["ok", "failed"] = "ok" if version is not None else "failed"
    return Part(status=status, version=version, problem=service.models.problem)


def _store(service: Service) -> Part:
    try:
        service.store.ping()
    except Exception as error:  # whatever the database's driver raises means the same here
        problem = str(error) if isinstance(error, CanhGiacError) else place_of(error)
        return Part(status="failed", problem=problem)
    return Part(status="ok")
