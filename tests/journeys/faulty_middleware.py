"""Middleware that attributes wrongly, which the evaluation must notice."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.evaluation.in_process_client import SIMULATED_NOW

SIGNUPS = "/v1/events/signups"
CLAIMS = "/v1/attributions/claim"
RESOLVE = "/v1/attributions/resolve"
BEYOND_ANY_GRACE = timedelta(days=9)
Body = dict[str, Any]


class SignupRewriter:
    """Middleware that rewrites every signup before the application reads it."""

    def __init__(self, app: ASGIApp, change: Callable[[Body], Body]) -> None:
        self._app = app
        self._change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == SIGNUPS:
            body = self._change(json.loads((await receive())["body"]))
            await self._app(*_with_body(scope, json.dumps(body).encode()), send)
        else:
            await self._app(scope, receive, send)


def drop_tokens(app: ASGIApp) -> ASGIApp:
    """Drop the tokens of every signup."""
    return SignupRewriter(app, lambda body: body | {"referral_token": None})


class IgnoreClaimGrace:
    """Middleware that dates every claim early, so that none is late."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_claim = scope["path"] == CLAIMS
        token = SIMULATED_NOW.set(
            SIMULATED_NOW.get() - (BEYOND_ANY_GRACE if is_claim else timedelta())
        )
        try:
            await self._app(scope, receive, send)
        finally:
            SIMULATED_NOW.reset(token)


class AskAlways:
    """Middleware that makes every first open ask about somebody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_question(message: Message) -> None:
            if message["type"] == "http.response.body":
                body = json.loads(message["body"]) | {"ask": "Did SOMEBODY invite you?"}
                message = {**message, "body": json.dumps(body).encode()}
            await send(message)

        await self._app(scope, receive, send_with_question if scope["path"] == RESOLVE else send)


class AttributeByAddress:
    """Middleware that gives a signup without a token the last one issued to its address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = SignupRewriter(app, self._add_token)
        self._tokens: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_remember(message: Message) -> None:
            self._remember_token(scope["client"][0], message)
            await send(message)

        await self._app(scope, receive, send_and_remember)

    def _remember_token(self, ip: str, message: Message) -> None:
        for name, value in message.get("headers", ()):
            if name == b"location":
                found = parse_qs(urlsplit(value.decode()).query).get("referral_token")
                self._tokens |= {ip: found[0]} if found else {}

    def _add_token(self, body: Body) -> Body:
        return {"referral_token": self._tokens.get(body["ip"])} | body


def _with_body(scope: Scope, content: bytes) -> tuple[Scope, Receive]:
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    length = (b"content-length", str(len(content)).encode())

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return {**scope, "headers": [*headers, length]}, receive
