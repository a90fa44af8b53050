"""The one shape of every error over HTTP: RFC 9457 ``application/problem+json``.

A problem says what happened, where, and what to do now. None repeats what was sent: a text may be
somebody's private conversation, a field's name may be one too, and problems end up in logs.
"""

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse

from data.errors import BadMessage, CanhGiacError, LeaseExpired, StoreError, TextTooLong, UnknownItem

logger = logging.getLogger("canhgiac.serving")

MEDIA_TYPE = "application/problem+json"

#: Seconds after which a client may try again when the queue, the model or the store is not there.
RETRY_AFTER = "2"

_STORE = "nothing was read or stored; try again, and see /readyz"

#: Every kind of problem: its HTTP status and its title.
KINDS: Mapping[str, tuple[int, str]] = {
    "not-json": (400, "The body is not JSON"),
    "unauthorized": (401, "A valid API key is needed"),
    "forbidden": (403, "The API key does not have this scope"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This path has no such method"),
    "too-slow": (408, "The body did not arrive in time"),
    "lease-expired": (409, "Another annotator holds this message"),
    "body-too-large": (413, "The body is too large"),
    "not-json-type": (415, "The body must be application/json"),
    "invalid": (422, "The request cannot be used as it is"),
    "text-too-long": (422, "A message is too long"),
    "consent-missing": (422, "There is no consent to store this message"),
    "key-reused": (422, "This Idempotency-Key was used for another feedback"),
    "too-many-requests": (429, "Too many requests"),
    "unexpected": (500, "The service failed"),
    "busy": (503, "The service is busy"),
    "model-not-ready": (503, "No model is served now"),
    "store-not-ready": (503, "The store does not answer"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where in the request, and what."""

    where: str
    what: str


class Problem(CanhGiacError):
    """An error as HTTP tells it; ``kind`` is a key of ``KINDS``.

    >>> problem = Problem("forbidden", "this needs the scope label")
    >>> problem.status, problem.body()["type"]
    (403, 'urn:canhgiac:problem:forbidden')
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.faults = kind, detail, tuple(faults)
        self.status, self.title = KINDS[kind]
        self.headers = dict(headers or {})
        if self.status == 503:
            self.headers["Retry-After"] = RETRY_AFTER

    def body(self) -> dict[str, Any]:
        """The members of the problem as they go to JSON."""
        body: dict[str, Any] = {
            "type": f"urn:canhgiac:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            body["errors"] = [{"where": fault.where, "what": fault.what} for fault in self.faults]
        return body

    def response(self) -> JSONResponse:
        """The HTTP response that tells this problem."""
        return JSONResponse(self.body(), self.status, self.headers, MEDIA_TYPE)


def problem_of(error: CanhGiacError) -> Problem:
    """The problem that tells one of the project's own errors, whose words never hold a text."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TextTooLong):
        where = Fault(f"messages[{error.position}]", f"{error.length} characters, limit {error.limit}")
        return Problem("text-too-long", str(error), faults=[where])
    for kind, name, detail in _TOLD:
        if isinstance(error, kind):
            return Problem(name, detail or str(error))
    return unexpected()


#: The first that fits counts; without words of ours the error's own are told.
_TOLD: tuple[tuple[type[CanhGiacError], str, str | None], ...] = (
    (BadMessage, "invalid", None),
    (UnknownItem, "not-found", "no such item; it may have been erased: ask for the next one"),
    (LeaseExpired, "lease-expired", "the lease ended and another annotator has it: ask for the next"),
    (StoreError, "store-not-ready", _STORE),
)


def store_not_ready() -> Problem:
    """What a client hears while the database does not answer."""
    return Problem("store-not-ready", _STORE)


def unexpected() -> Problem:
    """What a client hears of an error nobody planned; the log has its place."""
    return Problem("unexpected", "the failure was logged without what you sent; try again, then report it")


def place_of(error: BaseException) -> str:
    """The type of an error and where it was raised: what may be logged of one nobody planned.

    Its words may not: a database's error repeats the values of the statement.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return type(error).__name__ + place
