"""Read a request's body: within its limit, in time, as JSON, as what the route wants.

FastAPI's own reading has no limit, accepts ``NaN`` and repeats the input in its errors, so the
routes take their body from here.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from serving.problems import Fault, Problem

#: Bytes of a body, and of a body that may hold 256 conversations.
BODY_LIMIT = 64 * 1024
BATCH_BODY_LIMIT = 1024 * 1024
#: Seconds in which a body must have arrived; a phone on a bad line takes a few.
BODY_SECONDS = 20.0
#: Bytes read and dropped after the limit, so that a client that is still sending hears the answer.
_DROPPED = 8 * BATCH_BODY_LIMIT
#: Faults told in one problem; 64 KiB of wrong fields would tell thousands.
_FAULTS_TOLD = 8

T = TypeVar("T", bound=BaseModel)


def body_of(
    model: type[T], limit: int = BODY_LIMIT, seconds: float = BODY_SECONDS
) -> Callable[[Request], Coroutine[None, None, T]]:
    """A dependency that gives the request's body as ``model``, or raises the ``Problem`` with it.

    The body may have ``limit`` bytes and must have arrived after ``seconds``.
    """

    async def read(request: Request) -> T:
        _check_type(request)
        return parsed(model, _json(await _bytes(request, limit, seconds)))

    return read


def parsed(model: type[T], value: Any) -> T:
    """``value``, as parsed from JSON, checked against ``model``; ``Problem`` (422) when it is not one."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise invalid(details, model) from None


def invalid(details: Sequence[Any], model: type[BaseModel] | None = None) -> Problem:
    """The problem that tells validation errors in our own words, none of them from the input."""
    faults = [_fault(error, model) for error in details[:_FAULTS_TOLD]]
    more = len(details) - len(faults)
    detail = f"{faults[0].where}: {faults[0].what}" + (f" (and {more} more than listed)" if more else "")
    return Problem("invalid", detail, faults=faults)


def _check_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("not-json-type", "send the body with Content-Type: application/json")


async def _bytes(request: Request, limit: int, seconds: float) -> bytes:
    """The body as it streams in; counted as it comes, because Content-Length may be absent or a lie."""
    body = bytearray()
    dropped = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                if dropped or len(body) + len(chunk) > limit:
                    dropped += len(chunk)
                    if dropped > _DROPPED:
                        break
                else:
                    body += chunk
    except TimeoutError:
        detail = f"the body took more than {seconds:.0f} s; send it again"
        raise Problem("too-slow", detail, headers={"Connection": "close"}) from None
    if dropped:
        detail = f"the limit is {limit} bytes: send fewer or shorter messages"
        raise Problem("body-too-large", detail, headers={"Connection": "close"})
    return bytes(body)


def _json(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        place = re.search(r"line \d+ column \d+$", str(error))
        where = place.group() if place else "body"
        detail = f"the JSON breaks at {where}; send one JSON object in UTF-8"
        raise Problem("not-json", detail, faults=[Fault(where, "not JSON")]) from None


def _fault(error: ErrorDetails | Any, model: type[BaseModel] | None) -> Fault:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":  # the unknown field's name came from outside: not repeated
        return Fault(_where(error["loc"][:-1]), "has a field that is not known here; see /openapi.json")
    if kind == "rule":
        return Fault(_where(error["loc"]), error["msg"])
    what = _WORDS.get(kind, "is not valid; see /openapi.json").format_map(_Context(context))
    return Fault(_where(error["loc"]), what)


class _Context(dict[str, Any]):
    """Values for a sentence; a sentence is never lost because one is missing."""

    def __missing__(self, key: str) -> str:
        return "?"


def _where(location: Sequence[int | str]) -> str:
    """A JSON path such as ``messages[2].text``; ``body`` for the whole.

    >>> _where(("messages", 2, "text"))
    'messages[2].text'
    """
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.removeprefix(".") or "body"


_WORDS = {
    "missing": "is missing",
    "string_type": "must be a string",
    "string_unicode": "must be text in Unicode without lone surrogates",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be {expected}",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
