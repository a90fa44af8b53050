"""The routes for annotators: what to label next, and their answers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from data.store import Key, ReviewItem
from serving.answers import GuessOut, LabelAnswer, ReviewAnswer, ReviewItemOut
from serving.auth import require
from serving.bodies import body_of
from serving.openapi import body_docs, problems
from serving.schemas import LabelRequest, MessageIn
from serving.served import indicators_of
from serving.service import TheService

router = APIRouter(prefix="/v1/review")

#: The most messages one annotator may hold at once.
MAX_REVIEW = 100


@router.get("/next", responses=problems(503))
def review_next(
    service: TheService,
    key: Annotated[Key, Depends(require("label"))],
    limit: Annotated[int, Query(ge=1, le=MAX_REVIEW, description="How many to lease.")] = 1,
) -> ReviewAnswer:
    """Messages to label, one a wave, the most urgent first; leased to this key for 15 minutes."""
    items = service.store.next_for_review(annotator=key.name, limit=limit)
    return ReviewAnswer(items=[_item(item) for item in items])


@router.post(
    "/labels",
    status_code=201,
    responses=problems(404, 408, 409, 413, 415, 503),
    openapi_extra=body_docs(LabelRequest),
)
def review_label(
    service: TheService,
    key: Annotated[Key, Depends(require("label"))],
    body: Annotated[LabelRequest, Depends(body_of(LabelRequest))],
) -> LabelAnswer:
    """Save an annotator's answer or skip; when this answers, it is on disk. A second answer replaces it."""
    event = service.store.add_label(
        body.id,
        annotator=key.name,
        confirmed=key.confirmed,
        label=body.label,
        category=body.category,
        note=body.note,
    )
    return LabelAnswer(
        id=event.id, message_id=event.message_id, label=event.label, category=event.category, at=event.at
    )


def _item(item: ReviewItem) -> ReviewItemOut:
    guess = item.guess
    return ReviewItemOut(
        id=item.id,
        messages=[
            MessageIn(role=message.role, text=message.text) for message in item.conversation.messages
        ],
        sender=item.conversation.sender,
        channel=item.conversation.channel,
        wave_size=item.wave_size,
        lease_expires_at=item.lease_expires_at,
        reasons=list(item.reasons),
        indicators=indicators_of(item.conversation),
        guess=GuessOut(label=guess.label, category=guess.category, score=guess.score, verdict=guess.verdict)
        if guess
        else None,
    )
