"""The route for apps that speak Hugging Face's or TEI's contract: they change address and key alone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from data.store import Key
from serving.auth import require
from serving.bodies import BATCH_BODY_LIMIT, body_of
from serving.limits import charge
from serving.openapi import body_docs, problems
from serving.problems import Problem
from serving.service import TheService
from serving.tei import PredictRequest, Score

router = APIRouter()

#: Where problems are told in TEI's words too.
PATH = "/predict"


@router.post(
    PATH,
    responses=problems(408, 413, 415, 503),
    openapi_extra=body_docs(PredictRequest),
)
async def predict(
    request: Request,
    service: TheService,
    key: Annotated[Key, Depends(require("classify"))],
    body: Annotated[PredictRequest, Depends(body_of(PredictRequest, BATCH_BODY_LIMIT))],
) -> list[Score] | list[list[Score]]:
    """The labels of one text, the likeliest first; of several texts a list of such lists.

    The likelier label is no verdict: `/v1/classify` weighs it against the model's thresholds. One
    text that cannot be classified fails the call. Problems also have TEI's `error` and `error_type`.
    """
    texts = body.conversations()
    charge(request, key, len(texts) - 1, spent=1)
    scores = []
    for outcome in await service.in_turns(texts):
        if isinstance(outcome, Problem):
            raise outcome
        scores.append(body.scores(outcome.score))
    return scores[0] if isinstance(body.inputs, str) else scores
