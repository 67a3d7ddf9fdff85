"""Authorisation: the caller behind an API key, and the scopes that a route requires."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api.http.dependencies import Now
from api.http.errors import Problem
from api.http.query_parameters import refuse_unknown_parameters
from db.engine import Database
from db.reporters import Reporter
from referrals.access import api_keys
from referrals.access.api_keys import KeyHolder
from referrals.access.audit import Actor

KEY_CACHE_TTL: Final = timedelta(seconds=5)
"""Lifetime of a cached key: a revoked one may work, and a new one be unknown, as much longer."""
MAX_CACHED_KEYS: Final = 10_000
"""Bound of each cache, of valid and of wrong keys; the oldest make room."""
NO_KEY: Final = (
    "Send an API key in the header `Authorization: Bearer <key>`;"
    " `referrals keys create --owner NAME --scope SCOPE` makes one."
)
NO_BEARER: Final = (
    "The header `Authorization` must be the word `Bearer`, a blank and the key:"
    " `Authorization: Bearer <key>`."
)
UNKNOWN_KEY: Final = (
    "This key is unknown, expired or revoked. Send a valid one as `Authorization: Bearer <key>`;"
    " `referrals keys create --owner NAME --scope SCOPE` makes one."
)

Value = TypeVar("Value")

bearer_scheme = HTTPBearer(
    auto_error=False, description="An API key that has a scope of the route."
)


class ApiKeyCache:
    """Cache of API keys by hash, so that neither a busy caller nor a wrong key costs many queries.

    Valid and wrong keys are apart: a flood of wrong ones displaces no valid one. Concurrent
    requests with one key share a query.
    """

    def __init__(self, database: Database, *, max_keys: int = MAX_CACHED_KEYS) -> None:
        self._database = database
        self._valid = _BoundedCache[KeyHolder](max_keys)
        self._wrong = _BoundedCache[None](max_keys)
        self._queries: dict[str, asyncio.Task[KeyHolder | None]] = {}

    async def find_holder(self, key: str, *, now: datetime) -> KeyHolder | None:
        if not api_keys.is_api_key(key):
            return None
        hashed = api_keys.hash_api_key(key)
        if self._wrong.has(hashed, now=now):
            return None
        holder = await self._find_valid(hashed, now=now)
        return holder if holder and holder.is_valid(now=now) else None

    async def _find_valid(self, hashed: str, *, now: datetime) -> KeyHolder | None:
        if self._valid.has(hashed, now=now):
            return self._valid.get(hashed)
        query = self._queries.get(hashed)
        if query is None:
            query = self._queries[hashed] = asyncio.create_task(self._query(hashed, now))
            query.add_done_callback(lambda _: self._queries.pop(hashed))
        return await asyncio.shield(query)

    async def _query(self, hashed: str, now: datetime) -> KeyHolder | None:
        async with self._database.reading() as session:
            holder = await api_keys.find_holder(session, hashed)
        if holder is None:
            self._wrong.store(hashed, None, until=now + KEY_CACHE_TTL)
        else:
            self._valid.store(hashed, holder, until=now + KEY_CACHE_TTL)
        return holder


class _BoundedCache(Generic[Value]):
    """Values by key for a time, of which the oldest make room for more."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: dict[str, tuple[Value, datetime]] = {}

    def has(self, key: str, *, now: datetime) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry[1] > now

    def get(self, key: str) -> Value:
        return self._entries[key][0]

    def store(self, key: str, value: Value, *, until: datetime) -> None:
        self._entries.pop(key, None)
        self._entries[key] = (value, until)
        if len(self._entries) > self._max_entries:
            del self._entries[next(iter(self._entries))]


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of the API key of a request, as the audit names them."""

    owner: str
    request_id: str
    source: str
    """Source of the events that the caller reports."""

    @property
    def reporter(self) -> Reporter:
        return Reporter(self.owner, self.request_id)

    def actor(self, reason: str) -> Actor:
        return Actor(name=self.owner, request_id=self.request_id, reason=reason)


def requires(*scopes: str) -> Callable[[Request, datetime, object], Awaitable[Caller]]:
    """Make a dependency that returns the caller; 401 without a valid key, 403 without a scope."""

    async def caller(
        request: Request, now: Now, _: Annotated[object, Depends(bearer_scheme)]
    ) -> Caller:
        cache: ApiKeyCache = request.app.state.api_key_cache
        holder = await cache.find_holder(_bearer_token(request), now=now)
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
