"""An event's route answers whatever it is sent exactly as FastAPI's own route would."""

import json
from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, FastAPI
from httpx import AsyncClient

from api.http.strict_json import StrictRoute
from api.v1.events import report_deposit
from api.v1.schemas.events import Accepted
from tests.api.bodies import deposit
from tests.fixtures.api_client import caller

OURS = "/v1/events/deposits"
FASTAPIS = "/v1/events-by-fastapi/deposits"
JSON = {"Content-Type": "application/json"}
A_DEPOSIT = deposit() | {"event_id": "deposit-1", "player_id": "player-1", "deposit_id": "d-1"}
FAULTY: list[bytes] = [
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"7",
    b"true",
    b"{}",
    b"\xff",
    b"[" * 30_000,
    b'{"event_id": NaN}',
    b'{"event_id": "a", "event_id": "a"}',
    b" " * 10_000_000,
    json.dumps(A_DEPOSIT | {"surprise": 1, "\ud800": 2}).encode(),
    json.dumps(A_DEPOSIT | {"amount": {"minor": "x", "currency": "usd"}}).encode(),
    json.dumps(A_DEPOSIT | {"amount": None, "player_id": ["a"], "ip": 7}).encode(),
    json.dumps(A_DEPOSIT | {"occurred_at": "2999-01-01T00:00:00Z"}).encode(),
    json.dumps(dict.fromkeys(A_DEPOSIT)).encode(),
    json.dumps({f"field-{number}": number for number in range(50)}).encode(),
]


@pytest.fixture
def both_ways(app: FastAPI) -> FastAPI:
    """Return the application with the same endpoint on FastAPI's own route beside ours."""
    router = APIRouter(prefix="/v1/events-by-fastapi", route_class=StrictRoute)
    router.add_api_route(
        "/deposits", report_deposit, methods=["POST"], status_code=202, response_model=Accepted
    )
    app.include_router(router)
    return app


async def assert_same(
    client: AsyncClient, body: bytes, headers: dict[str, str], query: str = ""
) -> None:
    given = {**JSON, "X-Request-Id": "0b6f0c3e9f5a4c1f8a53a1f0cf6e2d11", **headers}
    ours, fastapis = [
        await client.post(f"{url}{query}", content=body, headers=given) for url in (OURS, FASTAPIS)
    ]
    assert ours.status_code == fastapis.status_code >= 400
    assert ours.content == fastapis.content
    assert ours.headers.multi_items() == fastapis.headers.multi_items()


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("body", FAULTY, ids=lambda body: repr(body[:60]))
async def test_a_faulty_body_is_refused_alike(client: AsyncClient, body: bytes) -> None:
    await assert_same(client, body, {})


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/vnd.api+json"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_a_body_of_another_kind_is_refused_alike(
    client: AsyncClient, headers: dict[str, str]
) -> None:
    await assert_same(client, json.dumps(deposit()).encode(), headers)


@pytest.mark.parametrize("body", [b"{", b"{}", json.dumps(A_DEPOSIT).encode()], ids=len)
@pytest.mark.parametrize(
    "authorization", ["", "Basic abc", "Bearer", "Bearer rk_unknown"], ids=repr
)
async def test_a_caller_without_a_key_is_refused_alike(
    both_ways: FastAPI, body: bytes, authorization: str
) -> None:
    async with caller(both_ways, "") as client:
        del client.headers["Authorization"]
        await assert_same(client, body, {"Authorization": authorization} if authorization else {})


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("query", ["?limit=1", "?a=1&a=2"])
async def test_a_query_is_refused_alike(client: AsyncClient, query: str) -> None:
    await assert_same(client, json.dumps(deposit()).encode(), {}, query)


@pytest.mark.usefixtures("both_ways")
async def test_an_event_is_accepted_alike(client: AsyncClient) -> None:
    first, second = deposit(), deposit()
    answers = []
    for url, body in ((OURS, first), (FASTAPIS, second)):
        accepted = await client.post(url, json=body)
        duplicate = await client.post(url, json=body)
        conflict = await client.post(url, json=body | {"player_id": "somebody-else"})
        assert accepted.json() == {"event_id": body["event_id"], "status": "accepted"}
        assert duplicate.json() == {"event_id": body["event_id"], "status": "duplicate"}
        answers.append(
            [
                (answer.status_code, answer.headers["Content-Type"])
                for answer in (accepted, duplicate, conflict)
            ]
        )
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0]] == [202, 202, 409]


@pytest.mark.usefixtures("both_ways")
async def test_a_body_in_pieces_is_read_whole(client: AsyncClient) -> None:
    text = json.dumps(deposit()).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(text), 7):
            yield text[start : start + 7]

    answer = await client.post(OURS, content=pieces(), headers=JSON)
    assert answer.status_code == 202
