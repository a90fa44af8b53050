"""Who calls, and what they may do: ``Authorization: Bearer cg_...`` and scopes.

A phone's system cannot send that header; its key stands in the address, and may do nothing else.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from data.store import Key, Scope
from serving.problems import Problem
from serving.service import TheService

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="A key made with `canhgiac keys create`; it begins with cg_.",
)

#: A key in the address.
Token = Annotated[str, Path(description="A key with the scope `filter` and no other.")]

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def require(scope: Scope) -> Callable[..., Key]:
    """A dependency that gives the caller's key, or raises 401 or, without ``scope``, 403."""

    def key_of(service: TheService, credentials: Credentials) -> Key:
        if credentials is None:
            detail = "send Authorization: Bearer cg_...; an administrator makes keys"
            raise Problem("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
        key = service.store.authenticate(credentials.credentials)
        if key is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Problem("unauthorized", "this key is unknown or was revoked", headers=challenge)
        if not key.scopes & {scope, "admin"}:
            challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            detail = f"this needs the scope {scope}; ask an administrator for a key that has it"
            raise Problem("forbidden", detail, headers=challenge)
        return key

    return key_of


def filter_key(service: TheService, token: Token) -> Key:
    """The key in the address; raises 401, or 403 when it may do anything but filter.

    Addresses end up in the logs of proxies, and with them whatever a stronger key could do.
    """
    key = service.store.authenticate(token)
    if key is None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem(
            "unauthorized", "the key in this address is unknown or was revoked", headers=challenge
        )
    if key.scopes != {"filter"}:
        detail = (
            "a key in an address must have the scope filter and no other; ask for one that has, "
            "and for this one to be revoked: a proxy may have logged it"
        )
        raise Problem("forbidden", detail)
    return key
