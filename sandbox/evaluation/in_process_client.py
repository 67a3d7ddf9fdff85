"""A client that calls the API in this process, at a simulated time and from any address."""

import json
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.http.dependencies import current_time

SIMULATED_NOW: Final[ContextVar[datetime]] = ContextVar("simulated_now")
"""The application's current time; each request has its own."""
HOST: Final = "refer.example"
OWN_SERVERS: Final = "127.0.0.1"
"""The address of the sportsbook's own servers."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers if known == name), "")

    def location_parameter(self, name: str) -> str | None:
        """Return a query parameter of the redirect's target."""
        return parse_qs(urlsplit(self.header("location")).query).get(name, [None])[0]

    @property
    def cookies(self) -> dict[str, str]:
        jar: SimpleCookie = SimpleCookie()
        for name, value in self.headers:
            if name == "set-cookie":
                jar.load(value)
        return {name: morsel.value for name, morsel in jar.items()}


def use_simulated_time(app: FastAPI) -> None:
    """Make the application read SIMULATED_NOW instead of the clock."""
    app.dependency_overrides[current_time] = _simulated_time


async def _simulated_time() -> datetime:
    return SIMULATED_NOW.get()


class InProcessClient:
    """A client without a network: browsers call from their own addresses, servers with the key."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._key = key

    async def get(
        self, path: str, *, at: datetime, ip: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a GET from `ip`, with only these headers; any status is returned."""
        return await self._request("GET", path, b"", at=at, ip=ip, headers=headers or {})

    async def get_json(self, path: str, *, at: datetime | None = None) -> dict[str, Any]:
        """Send a GET as the sportsbook; raise RuntimeError for a status of 300 or more."""
        response = await self.get(
            path, at=at or datetime.now(UTC), ip=OWN_SERVERS, headers=self._authorization
        )
        return _raise_for_status(path, response).json()

    async def post(self, path: str, body: Mapping[str, object], *, at: datetime) -> dict[str, Any]:
        """Send a POST as the sportsbook; raise RuntimeError for a status of 300 or more."""
        return _raise_for_status(path, await self.try_post(path, body, at=at)).json()

    async def try_post(self, path: str, body: Mapping[str, object], *, at: datetime) -> Response:
        """Send a POST as the sportsbook; any status is returned."""
        headers = self._authorization | {"content-type": "application/json"}
        content = json.dumps(body).encode()
        return await self._request("POST", path, content, at=at, ip=OWN_SERVERS, headers=headers)

    @property
    def _authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}"}

    async def _request(
        self,
        method: str,
        path: str,
        content: bytes,
        *,
        at: datetime,
        ip: str,
        headers: Mapping[str, str],
    ) -> Response:
        SIMULATED_NOW.set(at)
        exchange = _Exchange(content)
        await self._app(_scope(method, path, ip, headers, content), exchange.receive, exchange.send)
        return exchange.response()


class _Exchange:
    """One request and its response, as ASGI passes them."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    async def receive(self) -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": self._content, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message["headers"])
        else:
            self._body.append(message.get("body", b""))

    def response(self) -> Response:
        headers = tuple((name.decode().lower(), value.decode()) for name, value in self._headers)
        return Response(self._status, headers, b"".join(self._body))


def _scope(
    method: str, path: str, ip: str, headers: Mapping[str, str], content: bytes
) -> dict[str, Any]:
    parts = urlsplit(path)
    sent = {"host": HOST, "content-length": str(len(content)), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": (ip, 50_000),
        "server": (HOST, 443),
    }


def _raise_for_status(path: str, response: Response) -> Response:
    if response.status >= 300:
        raise RuntimeError(f"{path}: {response.status} {response.body.decode()}")
    return response
