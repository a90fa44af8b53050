"""Who calls, and what they may do: ``Authorization: Bearer cg_...`` and scopes.

A phone's system cannot send that header; its key stands in the address, and may do nothing else.
"""

from typing import Annotated

from fastapi import Path, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from data.store import Key, Scope
from serving.limits import charge
from serving.problems import Problem

_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

#: A key in the address.
Token = Annotated[str, Path(description="A key with the scope `filter` and no other.")]


class Bearer(SecurityBase):
    """The dependency that ``require`` gives; one object, so that FastAPI resolves one and not three."""

    def __init__(self, scope: Scope, cost: int) -> None:
        self.scheme_name = "API key"
        self.model = HTTPBearer(description="A key made with `canhgiac keys create`; it begins with cg_.")
        self._scope, self._cost = scope, cost

    async def __call__(self, request: Request) -> Key:
        """The key of the ``Authorization`` header."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            _refuse(request)
            detail = "send Authorization: Bearer cg_...; an administrator makes keys"
            raise Problem("unauthorized", detail, headers=_CHALLENGE)
        key = await _caller(request, token, self._cost)
        if not key.scopes & {self._scope, "admin"}:
            challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self._scope}"'}
            detail = f"this needs the scope {self._scope}; ask an administrator for a key that has it"
            raise Problem("forbidden", detail, headers=challenge)
        return key


def require(scope: Scope, *, cost: int = 1) -> Bearer:
    """A dependency that gives the caller's key, having charged it ``cost`` messages.

    Cost 0 is for who watches the service: neither a quota nor the key's other requests are in the way.
    Raises ``Problem``: 401 without a valid key, 403 without ``scope`` (``admin`` may do everything),
    429 when the key, or an address without one, asks too much, 503 when the store does not answer and
    the key is not known yet. It awaits nothing for a known key: no thread, no lock, no query.
    """
    return Bearer(scope, cost)


async def filter_key(request: Request, token: Token) -> Key:
    """The key in the address; raises as ``require``, and 403 when it may do anything but filter.

    Addresses end up in the logs of proxies, and with them whatever a stronger key could do.
    """
    key = await _caller(request, token, cost=1)
    if key.scopes != {"filter"}:
        detail = (
            "a key in an address must have the scope filter and no other; ask for one that has, "
            "and for this one to be revoked: a proxy may have logged it"
        )
        raise Problem("forbidden", detail)
    return key


async def _caller(request: Request, token: str, cost: int) -> Key:
    """The key with this secret, whatever it may do, charged."""
    state = request.app.state
    key: Key | None = state.keyring.known(token)
    if key is None:
        key = await state.keyring.found(token)
    if key is None:
        _refuse(request)
        raise Problem("unauthorized", "this key is unknown or was revoked", headers=_INVALID)
    if cost:
        state.places.hold(request, key)
        charge(request, key, cost)
    return key


def _refuse(request: Request) -> None:
    request.app.state.limits.refuse(request.client.host if request.client else "")
