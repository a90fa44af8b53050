"""What the routes share: the store, the model, the queue in front of it and the numbers."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from data.errors import CanhGiacError
from data.messages import Conversation
from data.store import Store
from serving.answers import Answer
from serving.metrics import Metrics
from serving.overload import in_time
from serving.problems import Problem, place_of, problem_of, unexpected
from serving.swap import ModelSlot
from serving.workers import Workers

logger = logging.getLogger("canhgiac.serving")

#: Messages of a batch that are queued together.
TURN = 16
#: Turns of batches in the queue at once, of all clients together: enough to keep the workers busy, few
#: enough that single messages find room and do not wait for long.
TURNS = 3


@dataclass(slots=True)
class Service:
    """One running service; ``stopping`` once it was asked to end. Batches take their ``turns``."""

    store: Store
    models: ModelSlot
    workers: Workers[Conversation, Answer]
    metrics: Metrics
    answer_seconds: float
    stopping: bool = False
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TURNS))

    def _answer_by(self) -> float:
        """The moment, on the event loop's clock, by which who asks now should have the answer."""
        return asyncio.get_running_loop().time() + self.answer_seconds

    async def outcomes(
        self, conversations: Sequence[Conversation], *, by: float | None = None, counted: bool = True
    ) -> list[Answer | Problem]:
        """An answer or a problem of its own for each conversation, in order.

        Raises ``Problem`` (503) for all of them when no model serves, the queue is full, or not all
        are answered ``by`` a moment, ``answer_seconds`` from now unless it was told for several calls.
        """
        self.models.serving()
        futures = self.workers.submit(conversations)
        async with in_time(self._answer_by() if by is None else by):
            results = await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
        return [self._outcome(result, counted) for result in results]

    async def in_turns(self, conversations: Sequence[Conversation]) -> list[Answer | Problem]:
        """Outcomes in order, queued a few at a time: one big batch keeps nobody else waiting.

        Raises ``Problem`` (503) when not even the first fits into the queue or is answered in time.
        """
        outcomes: list[Answer | Problem] = []
        by = self._answer_by()
        for first in range(0, len(conversations), TURN):
            turn = conversations[first : first + TURN]
            try:
                async with in_time(by):
                    await self.turns.acquire()
                try:
                    outcomes += await self.outcomes(turn, by=by)
                finally:
                    self.turns.release()
            except Problem as refusal:
                if not outcomes:
                    raise
                outcomes += [refusal] * len(turn)
        return outcomes

    async def classify(self, conversation: Conversation, *, counted: bool = True) -> Answer:
        """The answer to one conversation, or its ``Problem``.

        Feedback is not ``counted``: it is mostly the model's mistakes, and no sample of what comes.
        """
        [outcome] = await self.outcomes([conversation], counted=counted)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    def _outcome(self, result: Answer | BaseException, counted: bool) -> Answer | Problem:
        if isinstance(result, Answer):
            if counted:
                self.metrics.answered(result)
            return result
        if isinstance(result, CanhGiacError):
            return problem_of(result)
        logger.error("classify: %s", place_of(result))
        return unexpected()


async def _service(request: Request) -> Service:  # async, or FastAPI would take a thread to read it
    service: Service = request.app.state.service
    return service


#: A route's parameter of this type is the running service.
TheService = Annotated[Service, Depends(_service)]
