"""The OpenAPI document: the bodies that the routes read themselves, and the problems they tell."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.answers import ProblemOut
from serving.apple import FilterRequest, ReportRequest
from serving.problems import KINDS, MEDIA_TYPE
from serving.schemas import BatchRequest, ClassifyRequest, FeedbackRequest, LabelRequest
from serving.tei import PredictRequest

_REFERENCE = "#/components/schemas/{model}"
_BODIES = (
    BatchRequest,
    ClassifyRequest,
    FeedbackRequest,
    FilterRequest,
    LabelRequest,
    PredictRequest,
    ReportRequest,
)

#: The second answer of a route that says whether something is ready.
OK_OR_NOT: dict[int | str, dict[str, Any]] = {503: {"description": "Not ready; the body says why"}}


def body_docs(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a body that the route reads through ``bodies.body_of``."""
    media = {
        "schema": {"$ref": _REFERENCE.format(model=model.__name__)},
        "examples": {
            f"example {number}": {"value": value} for number, value in enumerate(_examples(model), 1)
        },
    }
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a route's problems: those of ``statuses``, and those of every route."""
    return {
        status: {
            "description": "; ".join(title for known, title in KINDS.values() if known == status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model=ProblemOut.__name__)}}},
        }
        for status in sorted({400, 401, 403, 422, 429, *statuses})
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with the schemas of the bodies and problems added."""
    if app.openapi_schema is None:
        base = FastAPI.openapi(app)
        _, added = models_json_schema(
            [(model, "validation") for model in (*_BODIES, ProblemOut)], ref_template=_REFERENCE
        )
        base.setdefault("components", {}).setdefault("schemas", {}).update(added["$defs"])
        app.openapi_schema = base
    return app.openapi_schema


def _examples(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    return examples if isinstance(examples, list) else []
