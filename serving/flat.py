"""The flat answer: one line of text for apps that read it by pattern, and who gets it."""

from collections.abc import Sequence
from typing import Any

from mimeparse import MimeTypeParseException, best_match

from serving.answers import Answer

FLAT = "text/plain"
#: What may be sent, the most wanted last: the last one wins between equals, and for ``*/*``.
_OFFERED = (FLAT, "application/json")

#: What OpenAPI says of the flat answer beside the JSON one.
FLAT_DOCS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `Accept: text/plain` the line `verdict score category`. "
        "Problems are JSON in both cases",
        "content": {
            FLAT: {
                "schema": {
                    "type": "string",
                    "pattern": r"^(scam|unsure|legitimate) [01]\.[0-9]{2} [a-z_]+\n$",
                },
                "example": "scam 0.97 bank_impersonation\n",
            }
        },
    }
}


def wants_text(accept: Sequence[str]) -> bool:
    """Whether a request with these ``Accept`` headers prefers one line of text to JSON.

    JSON goes to whoever has no preference, accepts neither, or writes what is no media type.

    >>> wants_text(["text/plain"]), wants_text(["text/plain;q=0.4, application/json;q=0.5"])
    (True, False)
    >>> wants_text([]), wants_text(["*/*"]), wants_text(["application/json, text/plain, */*"])
    (False, False, False)
    """
    try:
        return bool(best_match(_OFFERED, ",".join(accept).lower()) == FLAT)
    except MimeTypeParseException:
        return False


def flat(answer: Answer) -> str:
    r"""The verdict, the score with two decimals and the category's id, in one line.

    Only a scam has the score 1.00 and only a legitimate message 0.00, however they round: a reader
    of the number alone must not take for certain what the verdict does not say.

    >>> from serving import examples
    >>> flat(Answer.model_validate(examples.ANSWER))
    'scam 0.98 bank_impersonation\n'
    """
    lowest = 0.0 if answer.verdict == "legitimate" else 0.01
    highest = 1.0 if answer.verdict == "scam" else 0.99
    score = min(max(answer.score, lowest), highest)
    return f"{answer.verdict} {score:.2f} {answer.category.id}\n"
