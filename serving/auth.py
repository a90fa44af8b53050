"""Who calls, and what they may do: ``Authorization: Bearer cg_...`` and scopes."""

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from data.store import Key, Scope
from serving.limits import charge
from serving.problems import Problem

_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


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
        return await caller(request, token, self._scope, cost=self._cost)


def require(scope: Scope, *, cost: int = 1) -> Bearer:
    """A dependency that gives the caller's key, having charged it ``cost`` messages.

    Cost 0 is for who watches the service: neither a quota nor the key's other requests are in the way.
    Raises ``Problem``: 401 without a valid key, 403 without ``scope`` (``admin`` may do everything),
    429 when the key, or an address without one, asks too much, 503 when the store does not answer and
    the key is not known yet. It awaits nothing for a known key: no thread, no lock, no query.
    """
    return Bearer(scope, cost)


async def caller(request: Request, token: str, scope: Scope, *, cost: int = 1) -> Key:
    """The key with this secret, wherever the request held it; charges and raises as ``require``."""
    state = request.app.state
    key: Key | None = state.keyring.known(token)
    if key is None:
        _refuse(request)
        key = await state.keyring.found(token)
    if key is None:
        raise Problem("unauthorized", "this key is unknown or was revoked", headers=_INVALID)
    if cost:
        state.places.hold(request, key)
        charge(request, key, cost)
    if not key.scopes & {scope, "admin"}:
        challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
        detail = f"this needs the scope {scope}; ask an administrator for a key that has it"
        raise Problem("forbidden", detail, headers=challenge)
    return key


def _refuse(request: Request) -> None:
    request.app.state.limits.refuse(request.client.host if request.client else "")
