"""API keys: who may call what. Only a digest of a key is stored; the key itself is shown once."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

import sqlalchemy as sa

from data import schema
from data.errors import StoreError, UnknownItem

Scope = Literal["classify", "feedback", "label", "filter", "metrics", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret. ``name`` is the client's or the annotator's pseudonym.

    Labels given with a key that is not ``confirmed`` never reach the dataset by themselves.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    confirmed: bool
    created_at: datetime
    revoked_at: datetime | None


def create(
    connection: sa.Connection, name: str, scopes: Collection[Scope], confirmed: bool, now: datetime
) -> str:
    """A new key, ``cg_`` and 43 URL-safe characters; see ``Store.create_key``."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise StoreError(
            f"a key needs scopes out of {', '.join(SCOPES)}; got {', '.join(unknown) or 'none'}"
        )
    if not name.strip():
        raise StoreError("a key needs a name; give --name")
    if connection.execute(sa.select(schema.keys.c.id).where(*_in_use(name))).first():
        raise StoreError(f"a key named {name} is in use; revoke it first or choose another name")
    token = "cg_" + secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(schema.keys).values(
            id=uuid.uuid4().hex,
            name=name,
            digest=digest_of(token),
            scopes=" ".join(sorted(set(scopes))),
            confirmed=confirmed,
            created_at=now,
        )
    )
    return token


def authenticate(connection: sa.Connection, token: str) -> Key | None:
    """The key with this secret, if it is in use."""
    digest = digest_of(token)
    row = connection.execute(sa.select(schema.keys).where(schema.keys.c.digest == digest)).first()
    if row is None or not hmac.compare_digest(row.digest, digest) or row.revoked_at:
        return None
    return _key(row)


def every(connection: sa.Connection) -> list[Key]:
    """Every key, revoked ones too, oldest first."""
    rows = connection.execute(sa.select(schema.keys).order_by(schema.keys.c.created_at, schema.keys.c.id))
    return [_key(row) for row in rows]


def by_digest(connection: sa.Connection) -> dict[str, Key]:
    """Every key in use by its digest (see ``digest_of``)."""
    rows = connection.execute(sa.select(schema.keys).where(schema.keys.c.revoked_at.is_(None)))
    return {row.digest: _key(row) for row in rows}


def revoke(connection: sa.Connection, name: str, now: datetime) -> None:
    """End a key's use; ``UnknownItem`` when no key of that name is in use."""
    revoked = connection.execute(sa.update(schema.keys).where(*_in_use(name)).values(revoked_at=now))
    if not revoked.rowcount:
        raise UnknownItem(f"no key named {name} is in use; `canhgiac keys list` shows the names")


def _in_use(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return schema.keys.c.name == name, schema.keys.c.revoked_at.is_(None)


def digest_of(token: str) -> str:
    """What is stored of a key, and what it is found by: 64 hexadecimal digits."""
    # 256 random bits need no slow hash: they cannot be guessed, whatever a guess costs.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: sa.Row[tuple[object, ...]]) -> Key:
    scopes = frozenset(cast(Scope, scope) for scope in row.scopes.split())
    return Key(row.id, row.name, scopes, row.confirmed, row.created_at, row.revoked_at)
