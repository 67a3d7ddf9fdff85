"""What routes are given: the database, the settings, and who is calling."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api.http.errors import Problem
from db.engine import Database
from domain.privacy import Hasher
from referrals.access import api_keys
from referrals.access.api_keys import KeyHolder
from referrals.attribution.tokens import Tokens
from runtime.settings import Settings

KEY_CACHE_TTL_S: Final = 5
"""How long a revoked key may still work in a process that has just seen it."""
MOST_REMEMBERED: Final = 10_000

scheme = HTTPBearer(auto_error=False, description="An API key with the scopes of the route.")


class ApiKeyCache:
    """Good keys, remembered for a few seconds so that a busy caller costs no query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[KeyHolder, float]] = {}

    async def holder(self, key: str) -> KeyHolder | None:
        hashed = api_keys.hash_api_key(key)
        known = self._known.get(hashed)
        if known and known[1] > time.monotonic():
            return known[0]
        async with self._database.reading() as session:
            holder = await api_keys.find_holder(session, hashed)
        self._remember(hashed, holder)
        return holder

    def _remember(self, hashed: str, holder: KeyHolder | None) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        if holder is None:
            self._known.pop(hashed, None)
        else:
            self._known[hashed] = (holder, time.monotonic() + KEY_CACHE_TTL_S)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, as the audit names them."""

    owner: str
    request_id: str


# They await nothing; FastAPI would send plain functions to a thread, twice a request.
async def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def hasher_of(request: Request) -> Hasher:
    hasher: Hasher = request.app.state.hasher
    return hasher


async def tokens_of(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


async def current_time() -> datetime:
    return datetime.now(UTC)


def requires(*scopes: str) -> Callable[[Request, object], Awaitable[Caller]]:
    """A dependency: the caller, whose key has one of the scopes; 401 or 403 otherwise."""

    async def caller(request: Request, _: Annotated[object, Depends(scheme)]) -> Caller:
        known: ApiKeyCache = request.app.state.api_key_cache
        holder = await known.holder(_presented(request))
        if holder is None:
            raise _unauthorized('Bearer error="invalid_token"')
        if not any(holder.has_scope(scope) for scope in scopes):
            raise Problem("missing_scope", f"This needs the scope {' or '.join(scopes)}.")
        structlog.contextvars.bind_contextvars(owner=holder.owner)
        return Caller(holder.owner, request.state.request_id)

    return caller


def _presented(request: Request) -> str:
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise _unauthorized("Bearer")
    return key.strip()


def _unauthorized(challenge: str) -> Problem:
    return Problem("unauthorized", headers={"WWW-Authenticate": challenge})


Db = Annotated[Database, Depends(database_of)]
Config = Annotated[Settings, Depends(settings_of)]
Hashes = Annotated[Hasher, Depends(hasher_of)]
ReferralTokens = Annotated[Tokens, Depends(tokens_of)]
Now = Annotated[datetime, Depends(current_time)]
