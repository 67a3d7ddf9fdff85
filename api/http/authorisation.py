"""Authorisation: the caller behind an API key, and the scopes that a route requires."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api.http.errors import Problem
from api.http.query_parameters import refuse_unknown_parameters
from db.engine import Database
from referrals.access import api_keys
from referrals.access.api_keys import KeyHolder
from referrals.access.audit import Actor

KEY_CACHE_TTL_S: Final = 5
"""Lifetime of a cached key: a revoked one may work for as many seconds more."""
MAX_CACHED_KEYS: Final = 10_000
"""Bound of the cache, which is emptied when it is full."""
NO_KEY: Final = (
    "Send an API key in the header `Authorization: Bearer <key>`;"
    " `referrals keys create --owner NAME --scope SCOPE` makes one."
)
NO_BEARER: Final = (
    "The header `Authorization` must be the word `Bearer`, a blank and the key:"
    " `Authorization: Bearer <key>`."
)
UNKNOWN_KEY: Final = (
    "This key is unknown or revoked. Send a valid one as `Authorization: Bearer <key>`;"
    " `referrals keys create --owner NAME --scope SCOPE` makes one."
)

bearer_scheme = HTTPBearer(
    auto_error=False, description="An API key that has a scope of the route."
)


class ApiKeyCache:
    """Cache of valid API keys by hash, so that a busy caller costs a query every few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: dict[str, tuple[KeyHolder, float]] = {}

    async def find_holder(self, key: str) -> KeyHolder | None:
        hashed = api_keys.hash_api_key(key)
        cached = self._cached.get(hashed)
        if cached and cached[1] > time.monotonic():
            return cached[0]
        async with self._database.reading() as session:
            holder = await api_keys.find_holder(session, hashed)
        self._store(hashed, holder)
        return holder

    def _store(self, hashed: str, holder: KeyHolder | None) -> None:
        if len(self._cached) >= MAX_CACHED_KEYS:
            self._cached.clear()
        if holder is None:
            self._cached.pop(hashed, None)
        else:
            self._cached[hashed] = (holder, time.monotonic() + KEY_CACHE_TTL_S)


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of the API key of a request, as the audit names them."""

    owner: str
    request_id: str
    source: str
    """Source of the events that the caller reports."""

    def actor(self, reason: str) -> Actor:
        return Actor(name=self.owner, request_id=self.request_id, reason=reason)


def requires(*scopes: str) -> Callable[[Request, object], Awaitable[Caller]]:
    """Make a dependency that returns the caller; 401 without a valid key, 403 without a scope."""

    async def caller(request: Request, _: Annotated[object, Depends(bearer_scheme)]) -> Caller:
        cache: ApiKeyCache = request.app.state.api_key_cache
        holder = await cache.find_holder(_bearer_token(request))
        if holder is None:
            raise _unauthorized('Bearer error="invalid_token"', UNKNOWN_KEY)
        if not any(holder.has_scope(scope) for scope in scopes):
            raise Problem("missing_scope", f"Use an API key with the scope {' or '.join(scopes)}.")
        structlog.contextvars.bind_contextvars(owner=holder.owner)
        refuse_unknown_parameters(request)
        return Caller(holder.owner, request.state.request_id, holder.source)

    # The OpenAPI document reads them.
    caller.scopes = scopes  # type: ignore[attr-defined]
    return caller


def _bearer_token(request: Request) -> str:
    header = request.headers.get("authorization", "")
    kind, _, key = header.partition(" ")
    if not header.strip():
        raise _unauthorized("Bearer", NO_KEY)
    if kind.lower() != "bearer" or not key.strip():
        raise _unauthorized("Bearer", NO_BEARER)
    return key.strip()


def _unauthorized(challenge: str, detail: str) -> Problem:
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": challenge})
