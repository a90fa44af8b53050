"""The OpenAPI document against the running service: every answer is one that the document promises."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.torture.service import Running, running
from tests.torture.table import Row

#: Left out: that whatever fits the document is accepted. Rules that tie fields together (text or
#: messages, a category of the label) and U+0000 have no plain words in JSON Schema; they are 422. And that
#: a wrong key is always 401: whoever tries many is told to wait (429).
_LEFT_OUT: list[Any] = [positive_data_acceptance, ignored_auth]


def disagreements(service: Running, examples: int) -> list[str]:
    """Where an answer is not as the document says, one line an operation; so many examples each."""
    url = f"http://127.0.0.1:{service.port}"
    schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found = []
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            _tried(operation, service.headers, examples)
        except (FailureGroup, AssertionError) as error:
            found.append(f"{operation.label}: {_in_short(error)}")
    return found


def _tried(operation: Any, headers: dict[str, str], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(case=operation.as_strategy())
    def each(case: Any) -> None:
        case.call_and_validate(
            headers={"Authorization": headers["Authorization"]}, excluded_checks=_LEFT_OUT
        )

    each()


def _in_short(error: BaseException) -> str:
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    return "; ".join(str(part) for part in parts)[:2000]


def check(place: Path, model: Path | None = None, *, examples: int = 300) -> Iterator[Row]:
    """The row."""
    with running(place / "contract", model=model) as service:
        found = disagreements(service, examples)
    name = f"OpenAPI, {examples} examples an operation"
    yield Row(name, "every answer as documented", "; ".join(found)[:500] or "so it was", not found)
