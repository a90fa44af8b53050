"""The words of Hugging Face's text classification and of text-embeddings-inference (TEI).

Where both differ TEI counts, but for ``inputs: ["a", "b"]``: two messages here, as with Hugging
Face, and not one pair.
"""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.responses import JSONResponse

from data.errors import CanhGiacError
from data.messages import MAX_CHARACTERS, Conversation
from data.taxonomy import Label
from serving import examples
from serving.bodies import parsed
from serving.problems import MEDIA_TYPE, Fault, Problem, problem_of
from serving.schemas import MAX_BATCH, ConversationIn, rule

#: The least probability whose logarithm is told; JSON has no minus infinity.
_LEAST = 1e-9


def _one_or_several(inputs: Any) -> Any:
    if not isinstance(inputs, str) and not (isinstance(inputs, list) and 1 <= len(inputs) <= MAX_BATCH):
        raise rule(f"must be a text, or a list of 1 to {MAX_BATCH} texts")
    return inputs


_TEXT = {"type": "string"}
_ALONE = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 1}
_SEVERAL = {"type": "array", "items": {"anyOf": [_TEXT, _ALONE]}, "minItems": 1, "maxItems": MAX_BATCH}
Inputs = Annotated[
    Any, AfterValidator(_one_or_several), WithJsonSchema({"anyOf": [_TEXT, _SEVERAL]}, mode="validation")
]


class Parameters(BaseModel):
    """Hugging Face's parameters; those that are not named here are ignored."""

    model_config = ConfigDict(strict=True)

    top_k: int | None = Field(None, ge=1, description="How many labels to tell, the likeliest first.")


class PredictRequest(BaseModel):
    """One text or several, as Hugging Face and TEI write it; fields not named here are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": examples.PREDICT})

    inputs: Inputs = Field(description='`"text"`, `["text", ...]` or `[["text"], ...]`.')
    truncate: bool | None = Field(
        None, description="Whether to read the first 2,000 characters of a text that has more."
    )
    raw_scores: bool | None = Field(
        None, description="Whether scores are logarithms; their softmax is the probabilities."
    )
    parameters: Parameters | None = None

    def conversations(self) -> list[Conversation]:
        """Each text within its limits; ``Problem`` (422) with the position of the first that is not."""
        if isinstance(self.inputs, str):
            return [self._conversation(self.inputs, "inputs")]
        return [self._conversation(text, f"inputs[{at}]") for at, text in enumerate(self.inputs)]

    def scores(self, scam: float) -> "list[Score]":
        """The labels of a text that is a scam with probability ``scam``, the likeliest first."""
        found: list[tuple[Label, float]] = [("scam", scam), ("legitimate", 1.0 - scam)]
        found.sort(key=lambda pair: pair[1], reverse=True)
        top_k = self.parameters.top_k if self.parameters else None
        return [Score(label=label, score=_log(p) if self.raw_scores else p) for label, p in found[:top_k]]

    def _conversation(self, text: Any, where: str) -> Conversation:
        if isinstance(text, list) and len(text) == 1:
            [text] = text
        if not isinstance(text, str):
            raise _at(where, "must be a text, or a list of one; pairs are not classified")
        try:
            read = text[:MAX_CHARACTERS] if self.truncate else text
            return parsed(ConversationIn, {"text": read}).conversation()
        except CanhGiacError as error:
            problem = problem_of(error)
            what = problem.faults[0].what if problem.faults else problem.detail
            raise _at(where, what, problem.kind) from None


class Score(BaseModel):
    """A label and how likely it is."""

    label: Label
    score: float = Field(description="Calibrated probability, or its logarithm with `raw_scores`.")


def tell(problem: Problem) -> JSONResponse:
    """The response that tells a problem in our words and in TEI's."""
    body = {**problem.body(), "error": problem.detail, "error_type": _error_type(problem)}
    return JSONResponse(body, problem.status, problem.headers, MEDIA_TYPE)


def _at(where: str, what: str, kind: str = "invalid") -> Problem:
    return Problem(kind, f"{where}: {what}; no text was classified", faults=[Fault(where, what)])


def _log(probability: float) -> float:
    return math.log(max(probability, _LEAST))


def _error_type(problem: Problem) -> str:
    """TEI's word for a problem.

    >>> _error_type(Problem("busy", "wait")), _error_type(Problem("text-too-long", "cut it"))
    ('Overloaded', 'Validation')
    """
    if problem.kind == "busy" or problem.status == 429:
        return "Overloaded"
    if problem.status < 500:
        return "Validation"
    return "Unhealthy" if problem.status == 503 else "Backend"
