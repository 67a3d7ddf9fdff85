"""HTTP interface of the account service, as the referral service's contract has it."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import asyncpg
from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.types import Receive, Scope, Send

from sandbox.sportsbook.accounts.faults import Fault, Faults
from sandbox.sportsbook.accounts.store import CASH, AccountStore, ConflictError, Posting

PAGE_SIZE: Final = 100
_BEGINNING: Final = (datetime(2000, 1, 1, tzinfo=UTC), "")


class MoneyIn(BaseModel):
    minor: int
    currency: str


class TransactionIn(BaseModel):
    reference: str
    player_id: str
    direction: str
    amount: MoneyIn
    allow_partial: bool
    kind: str
    reason: str
    reward_id: str
    reward_kind: str = CASH

    def posting(self) -> Posting:
        return Posting(
            reference=self.reference,
            player_id=self.player_id,
            direction=self.direction,
            minor=self.amount.minor,
            currency=self.amount.currency,
            allow_partial=self.allow_partial,
            kind=self.kind,
            reward_id=self.reward_id,
            reward_kind=self.reward_kind,
        )


class BrokenConnection(Response):
    """An answer that never arrives: the connection is closed in its middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise ConnectionAbortedError


@dataclass(frozen=True, slots=True)
class AccountRoutes:
    """The routes of the wallet's API, with the faults that they are told to have."""

    store: AccountStore
    faults: Faults

    async def post(
        self, body: TransactionIn, idempotency_key: Annotated[str, Header()]
    ) -> Response:
        if idempotency_key != body.reference:
            return JSONResponse({"code": "key_mismatch"}, 400)
        fault = self.faults.take(body.player_id)
        if fault in {Fault.TIMEOUT_BEFORE_COMMIT, Fault.SERVER_ERROR, Fault.REDIRECT}:
            return _fail(fault)
        if fault is Fault.SLOW:
            await asyncio.sleep(self.faults.slow_s)
        try:
            posted = await self.store.post(body.posting())
        except ConflictError:
            return JSONResponse({"code": "reference_conflict"}, 409)
        if isinstance(posted, str):
            return JSONResponse({"code": "refused", "reason": posted}, 409)
        return _answer(posted, fault)

    async def find(self, reference: str) -> Response:
        found = await self.store.find(reference)
        hidden, self.faults.hide_next_lookup = self.faults.hide_next_lookup, False
        if found is None or hidden:
            return JSONResponse({"code": "unknown_reference"}, 404)
        is_wrong = found["player_id"] in self.faults.wrong_lookup_of
        return JSONResponse(_shown(found) | ({"amount": _more(found)} if is_wrong else {}))

    async def list_posted(self, request: Request, cursor: str | None = None) -> Response:
        since = datetime.fromisoformat(request.query_params["from"])
        until = datetime.fromisoformat(request.query_params["to"])
        after = _position(cursor) if cursor else _BEGINNING
        rows = await self.store.list_posted(since, until, after=after, limit=PAGE_SIZE)
        next_cursor = _cursor(rows[-1]) if len(rows) == PAGE_SIZE else None
        return JSONResponse({"items": [_shown(row) for row in rows], "next_cursor": next_cursor})


def build_app(store: AccountStore, faults: Faults, *, token: str) -> FastAPI:
    app, routes = FastAPI(title="Account service of the sandbox"), AccountRoutes(store, faults)

    async def refuse(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if faults.is_away:
            return Response(status_code=503)
        if request.headers.get("authorization") != f"Bearer {token}":
            return JSONResponse({"code": "unauthorized"}, 401)
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=refuse)
    for method, path, route in (
        ("POST", "/v1/transactions", routes.post),
        ("GET", "/v1/transactions/{reference}", routes.find),
        ("GET", "/v1/transactions", routes.list_posted),
    ):
        app.add_api_route(path, route, methods=[method], response_model=None)
    return app


def _fail(fault: Fault) -> Response:
    if fault is Fault.TIMEOUT_BEFORE_COMMIT:
        return BrokenConnection()
    if fault is Fault.REDIRECT:
        return Response(status_code=307, headers={"location": "/v1/transactions"})
    return JSONResponse({"code": "internal_error"}, 500)


def _answer(posted: asyncpg.Record, fault: Fault | None) -> Response:
    shown = _shown(posted)
    answers: dict[Fault, Callable[[], Response]] = {
        Fault.TIMEOUT_AFTER_COMMIT: BrokenConnection,
        Fault.SERVER_ERROR_AFTER_COMMIT: lambda: JSONResponse({"code": "internal_error"}, 500),
        Fault.CONFLICT: lambda: JSONResponse({"code": "in_progress"}, 409),
        Fault.NO_JSON: lambda: Response("<html>", 200),
        Fault.WRONG_AMOUNT: lambda: JSONResponse(shown | {"amount": _more(posted)}, 201),
        Fault.WRONG_PLAYER: lambda: JSONResponse(shown | {"player_id": "somebody-else"}, 201),
    }
    answer = answers.get(fault) if fault else None
    return answer() if answer else JSONResponse(shown, 201)


def _shown(row: asyncpg.Record) -> dict[str, object]:
    return {
        "reference": row["reference"],
        "player_id": row["player_id"],
        "direction": row["direction"],
        "amount": {"minor": row["minor"], "currency": row["currency"]},
        "kind": row["kind"],
        "reward_id": row["reward_id"],
        "status": "posted",
        "posted_at": row["posted_at"].isoformat(),
    }


def _more(row: asyncpg.Record) -> dict[str, object]:
    return {"minor": row["minor"] + 1, "currency": row["currency"]}


def _cursor(row: asyncpg.Record) -> str:
    position = json.dumps([row["posted_at"].isoformat(), row["reference"]])
    return urlsafe_b64encode(position.encode()).decode()


def _position(cursor: str) -> tuple[datetime, str]:
    posted_at, reference = json.loads(urlsafe_b64decode(cursor))
    return datetime.fromisoformat(posted_at), reference
