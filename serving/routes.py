"""The routes for whoever asks about a message: classify, a batch of them, and feedback."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from data.errors import CanhGiacError, StoreError
from data.messages import Conversation
from data.store import Feedback, Key
from serving import tracing
from serving.answers import Answer, BatchAnswer, BatchItem, FeedbackAnswer, ProblemOut
from serving.auth import require
from serving.bodies import BATCH_BODY_LIMIT, body_of, parsed
from serving.flat import FLAT_DOCS, flat, wants_text
from serving.limits import charge
from serving.openapi import body_docs, problems
from serving.problems import Fault, Problem, problem_of
from serving.schemas import BatchRequest, ClassifyRequest, FeedbackRequest, RetryKey
from serving.service import Service, TheService

router = APIRouter(prefix="/v1")

IdempotencyKey = Annotated[
    RetryKey | None,
    Header(
        alias="Idempotency-Key",
        description="Sent again with the same feedback, it gives the same answer and stores nothing new.",
    ),
]


@router.post(
    "/classify",
    dependencies=[Depends(require("classify"))],
    response_model=Answer,
    responses={**FLAT_DOCS, **problems(408, 413, 415, 503)},
    openapi_extra=body_docs(ClassifyRequest),
)
async def classify(
    request: Request,
    response: Response,
    service: TheService,
    body: Annotated[ClassifyRequest, Depends(body_of(ClassifyRequest))],
) -> Answer | PlainTextResponse:
    """Whether a message or a conversation is a scam, why, and what to tell the citizen.

    With ``Accept: text/plain`` one line: verdict, score and category. The text is neither stored
    nor logged.
    """
    answer = await service.classify(body.conversation())
    tracing.note(answer.model.version, batch_size=1)
    response.headers["Vary"] = "Accept"
    if wants_text(request.headers.getlist("Accept")):
        return PlainTextResponse(flat(answer), headers={"Vary": "Accept"})
    return answer


@router.post(
    "/classify/batch",
    response_model_exclude_unset=True,
    responses=problems(408, 413, 415, 503),
    openapi_extra=body_docs(BatchRequest),
)
async def classify_batch(
    request: Request,
    service: TheService,
    key: Annotated[Key, Depends(require("classify"))],
    body: Annotated[BatchRequest, Depends(body_of(BatchRequest, BATCH_BODY_LIMIT))],
) -> BatchAnswer:
    """Up to 256 messages or conversations at once; each has its own result or its own problem."""
    charge(request, key, len(body.items) - 1, spent=1)
    read = [_conversation_or_problem(item) for item in body.items]
    answers = iter(await service.in_turns([item for item in read if isinstance(item, Conversation)]))
    outcomes = [next(answers) if isinstance(item, Conversation) else item for item in read]
    for answer in outcomes:
        if isinstance(answer, Answer):
            tracing.note(answer.model.version, batch_size=len(read))
    return BatchAnswer(items=[_batch_item(outcome) for outcome in outcomes])


@router.post(
    "/feedback",
    status_code=202,
    responses=problems(408, 413, 415, 503),
    openapi_extra=body_docs(FeedbackRequest),
)
async def feedback(
    service: TheService,
    key: Annotated[Key, Depends(require("feedback"))],
    body: Annotated[FeedbackRequest, Depends(body_of(FeedbackRequest))],
    idempotency_key: IdempotencyKey = None,
) -> FeedbackAnswer:
    """Say that a verdict was wrong (or right). An annotator decides; this changes nothing by itself.

    The message is stored only with ``consent: true``, after what identifies a victim is masked.
    """
    return await take_feedback(service, body, client=key.name, idempotency_key=idempotency_key)


async def take_feedback(
    service: Service, body: FeedbackRequest, *, client: str, idempotency_key: str | None
) -> FeedbackAnswer:
    """The id under which a client's feedback waits for an annotator.

    Raises ``Problem`` (422) without consent, or when the key came with other content before.
    """
    if not body.consent:
        fault = Fault("consent", "must be true")
        raise Problem("consent-missing", "nothing was stored; ask the citizen first", faults=[fault])
    conversation = body.conversation()
    score, version = await _score(service, conversation)
    said = Feedback(
        conversation=conversation,
        verdict=body.verdict,
        proposed_label=body.proposed_label,
        category=body.category,
        note=body.note,
        score=score,
        model_version=version,
    )
    stored = await run_in_threadpool(_store, service, said, client, idempotency_key)
    return FeedbackAnswer(id=stored, status="queued")


def _conversation_or_problem(item: object) -> Conversation | Problem:
    try:
        return parsed(ClassifyRequest, item).conversation()
    except CanhGiacError as error:
        return problem_of(error)


def _batch_item(outcome: Answer | Problem) -> BatchItem:
    if isinstance(outcome, Problem):
        return BatchItem(problem=ProblemOut(**outcome.body()))
    return BatchItem(result=outcome)


def _store(service: Service, said: Feedback, client: str, idempotency_key: str | None) -> str:
    """The id of the stored message; ``Problem`` (422) when the key came with other content before."""
    try:
        return service.store.add_feedback(said, client=client, idempotency_key=idempotency_key)
    except StoreError as error:
        if isinstance(error.__context__, SQLAlchemyError):  # the database failed, it did not refuse
            raise
        raise Problem("key-reused", "nothing was stored; use a new key for every feedback") from None


async def _score(service: Service, conversation: Conversation) -> tuple[float | None, str | None]:
    """What our own model says, so that annotators see near misses first; feedback is taken without it."""
    try:
        answer = await service.classify(conversation, counted=False)
    except Problem:
        return None, None
    return answer.score, answer.model.version
