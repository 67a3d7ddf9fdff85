"""Texts of refusals: the parameter, the field or the header that is wrong, and why."""

import re
from typing import get_args

import pytest
from httpx import AsyncClient, Response
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from api.http.field_messages import MESSAGES, field_message
from tests.api.bodies import assert_problem, deposit, signup

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def messages_of(answer: Response) -> dict[str, str]:
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/referrals?playerid=bob",
        "/v1/rewards?player=bob",
        "/v1/reviews?state=open",
        "/v1/campaigns?slug=x",
        "/v1/attributions?player-id=bob",
        "/v1/attributions/rebinds?Player_id=bob",
        "/v1/players/bob/balance?currency=USD",
        "/v1/players/bob/statement?book=held",
        "/v1/ledger/verify?max_age=3",
        f"/v1/referrals/{ID}?expand=facts",
        "/v1/webhooks?limits=3",
        "/v1/codes/ABC?campaign=x",
    ],
)
async def test_refuses_a_query_parameter_that_the_route_does_not_have(
    client: AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert_problem(answer, 422, "validation_failed")
    name = path.partition("?")[2].partition("=")[0]
    assert messages_of(answer).keys() == {name}


async def test_names_the_parameter_that_was_meant(client: AsyncClient) -> None:
    misspelt = await client.get("/v1/referrals?playerid=bob")
    assert messages_of(misspelt)["playerid"].endswith("did you mean player_id?")
    unknown = await client.get("/v1/referrals?zzz=1")
    assert "it has campaign, cursor, limit" in messages_of(unknown)["zzz"]


async def test_refuses_a_parameter_of_a_writing_route(client: AsyncClient) -> None:
    answer = await client.post("/v1/events/deposits?dry_run=true", json=deposit())
    assert_problem(answer, 422, "validation_failed")
    assert messages_of(answer) == {"dry_run": "This route has no query parameters"}


async def test_refuses_a_parameter_that_appears_twice(client: AsyncClient) -> None:
    answer = await client.get("/v1/referrals?player_id=ann&player_id=bob")
    assert messages_of(answer) == {"player_id": "Must not appear twice"}


async def test_asks_for_the_key_before_it_speaks_of_parameters(client: AsyncClient) -> None:
    answer = await client.get("/v1/referrals?playerid=bob", headers={"Authorization": ""})
    assert_problem(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        ("", "Send an API key in the header `Authorization: Bearer <key>`"),
        ("rk_unknown", "must be the word `Bearer`, a blank and the key"),
        ("Basic dXNlcjpwYXNz", "must be the word `Bearer`, a blank and the key"),
        ("Bearer ", "must be the word `Bearer`, a blank and the key"),
        ("Bearer rk_unknown", "This key is unknown, expired or revoked"),
    ],
)
async def test_says_how_to_send_a_key(client: AsyncClient, sent: str, part: str) -> None:
    answer = await client.get("/v1/referrals", headers={"Authorization": sent})
    assert_problem(answer, 401, "unauthorized")
    assert part in answer.json()["detail"]
    assert "Authorization: Bearer <key>" in answer.json()["detail"]


async def test_a_conflict_names_the_fields_that_differ_and_no_values(client: AsyncClient) -> None:
    body = signup(email="ann@example.com")
    assert (await client.post("/v1/events/signups", json=body)).status_code == 202
    other = body | {
        "email": "other@example.com",
        "currency": "EUR",
        "locale": "de",
        "occurred_at": "2026-01-05T03:04:05Z",
    }
    answer = await client.post("/v1/events/signups", json=other)
    assert_problem(answer, 409, "event_conflict")
    assert list(messages_of(answer)) == ["occurred_at", "currency", "locale", "email"]
    assert "other@example.com" not in answer.text


async def test_a_conflict_over_an_amount_or_a_name_says_so(client: AsyncClient) -> None:
    body = {"player_id": "ann", "vanity": "ANNSCODE"}
    assert (await client.post("/v1/codes", json=body)).status_code == 201
    other = await client.post("/v1/codes", json=body | {"vanity": "OTHERCODE"})
    assert_problem(other, 409, "code_exists")
    taken = await client.post("/v1/codes", json=body | {"player_id": "bob"})
    assert_problem(taken, 409, "code_taken")
    assert messages_of(other).keys() == messages_of(taken).keys() == {"vanity"}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"platfrom": "web"}, "platfrom", "Not a field of this request; did you mean platform?"),
        ({"player_id": None}, "player_id", "Must be a string"),
        (
            {"player_id": "a b"},
            "player_id",
            "Must be 1 to 64 of the characters A-Z a-z 0-9 _ . : -",
        ),
        ({"currency": "usd"}, "currency", "Must be an ISO 4217 currency code, such as USD"),
        ({"platform": ""}, "platform", "Must not be blank"),
        ({"platform": "x" * 33}, "platform", "Must have at most 32 characters"),
    ],
)
async def test_says_what_a_field_must_be(
    client: AsyncClient, change: dict[str, object], field: str, message: str
) -> None:
    answer = await client.post("/v1/events/signups", json=signup() | change)
    assert_problem(answer, 422, "validation_failed")
    assert messages_of(answer) == {field: message}


async def test_says_what_an_amount_must_be(client: AsyncClient) -> None:
    for minor in ("10", 10.5, True):
        body = deposit() | {"amount": {"minor": minor, "currency": "USD"}}
        answer = await client.post("/v1/events/deposits", json=body)
        message = messages_of(answer)["amount.minor"]
        assert message == "Must be a whole number, not a string, a fraction or a boolean"


@pytest.mark.parametrize("kind", sorted(get_args(ErrorType)))
def test_uses_no_words_of_the_validating_library(kind: str) -> None:
    context: dict[str, object] = {
        name: 2 for text in MESSAGES.values() for name in re.findall(r"{(\w+)}", text)
    }
    context |= {"pattern": "^x$"}
    error = {"type": kind, "loc": ("body", "x"), "msg": "Input should be", "ctx": context}
    if not kind.endswith("_error") or kind == "literal_error":
        message = field_message(error)
        assert "nput" not in message
        assert message[0].isupper()


def test_words_only_errors_that_exist() -> None:
    assert MESSAGES.keys() <= set(get_args(ErrorType))


def test_leaves_the_message_of_a_validator_of_its_own() -> None:
    fault = PydanticCustomError("too_early", "Must lie between two times")
    error = {"type": fault.type, "loc": ("body", "x"), "msg": fault.message(), "ctx": {}}
    assert field_message(error) == "Must lie between two times"
