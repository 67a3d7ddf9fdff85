"""Events: stored once, or refused with the field that is wrong."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, select

from db.engine import Database
from db.tables import FactRow, InboxRow
from domain.intake.facts import TakeBack
from referrals.access.audit import Actor
from tests.api.bodies import assert_problem, deposit, signup, unique
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

ACCEPTED = {
    "signups": signup(email="a@b.example", referral_token="forged", code="no such code"),  # noqa: S106
    "deposits": deposit(ip="203.0.113.7", method="card"),
    "chargebacks": {
        key: deposit()[key] for key in ("event_id", "occurred_at", "player_id", "deposit_id")
    }
    | {"kind": "refund"},
    "wagers": {key: deposit()[key] for key in ("event_id", "occurred_at", "player_id")}
    | {"stake": {"minor": 5, "currency": "EUR"}},
    "players": {key: deposit()[key] for key in ("event_id", "occurred_at", "player_id")}
    | {"status": "self_excluded"},
}

BAD_FIELDS: list[tuple[str, Any, str]] = [
    *((f"amount={minor!r}", {"amount": {"minor": minor, "currency": "USD"}}, "amount.minor")
      for minor in (1000.0, "1000", True, None, -1, 0, 10**18, 10**15 + 1, [1])),
    *((f"currency={currency!r}", {"amount": {"minor": 1, "currency": currency}}, "amount.currency")
      for currency in ("usd", "ZZZ", "", "USDD", 840, None)),
    ("amount=5", {"amount": 5}, "amount"),
    ("more in amount", {"amount": {"minor": 1, "currency": "USD", "x": 1}}, "amount.x"),
    *((f"occurred_at={time!r}", {"occurred_at": time}, "occurred_at")
      for time in ("2026-01-01T00:00:00", "1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z",
                   "2026-02-30T00:00:00Z", "2026-01-01", "9999-12-31T23:59:59-23:59",
                   1767225600, "1767225600", None, "", "2026-01-01T00:00:00+99:00")),
    *((f"{field}={id_!r}", {field: id_}, field)
      for field in ("event_id", "player_id", "deposit_id")
      for id_ in ("with space", "x" * 65, "nul\0", "emoji🎉", "", 7, None, "new\nline", "end\n")),
    *((f"ip={text!r}", {"ip": text}, "ip") for text in (7, ["x"])),
    *((f"method={text!r}", {"method": text}, "method")
      for text in (7, "x" * 65, "1\0", "\ud800", ["x"])),
    ("unknown field", {"surprise": 1}, "surprise"),
    ("unknown odd field", {"\ud800": 1}, "body"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ACCEPTED)
async def test_accepts_an_event_once_and_calls_its_copy_a_duplicate(
    client: AsyncClient, kind: str
) -> None:
    body = ACCEPTED[kind]
    first = await client.post(f"/v1/events/{kind}", json=body)
    again = await client.post(f"/v1/events/{kind}", json=body)
    assert (first.status_code, again.status_code) == (202, 202), first.text
    assert first.json() == {"event_id": body["event_id"], "status": "accepted"}
    assert again.json() == {"event_id": body["event_id"], "status": "duplicate"}


@pytest.mark.parametrize(("change", "field"), [bad[1:] for bad in BAD_FIELDS],
                         ids=[bad[0].encode("ascii", "backslashreplace").decode()
                              for bad in BAD_FIELDS])  # fmt: skip
async def test_refuses_a_bad_field_by_its_name_and_stores_nothing(
    client: AsyncClient, database: Database, change: dict[str, Any], field: str
) -> None:
    player = unique("untouched")
    # Escaped, because an unpaired surrogate cannot be encoded.
    body = json.dumps(deposit(player_id=player) | change)
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/events/deposits", content=body, headers=headers)
    assert_problem(answer, 422, "validation_failed", field)
    assert await facts_of(database, player) == 0


@pytest.mark.parametrize("text", ["x" * 5000, "nul\0", "half \ud800"])
@pytest.mark.parametrize(
    "field", ["code", "referral_token", "cookie_token", "user_agent", "locale", "ip"]
)
async def test_records_a_signup_whatever_the_person_typed_or_the_browser_sent(
    client: AsyncClient, database: Database, field: str, text: str
) -> None:
    player = unique("player")
    body = json.dumps(signup(player_id=player) | {field: text})
    headers = {"Content-Type": "application/json"}
    for status in ("accepted", "duplicate"):
        answer = await client.post("/v1/events/signups", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == status
    assert await facts_of(database, player) == 1


@pytest.mark.parametrize("field", deposit())
async def test_names_the_field_that_is_missing(client: AsyncClient, field: str) -> None:
    body = deposit()
    del body[field]
    assert_problem(
        await client.post("/v1/events/deposits", json=body), 422, "validation_failed", field
    )


async def test_refuses_the_same_id_with_other_content(
    client: AsyncClient, database: Database
) -> None:
    body = deposit()
    await client.post("/v1/events/deposits", json=body)
    changed = body | {"amount": {"minor": 1001, "currency": "USD"}}
    assert_problem(await client.post("/v1/events/deposits", json=changed), 409, "event_conflict")
    assert await facts_of(database, body["player_id"]) == 1


async def test_compares_events_after_normalising_them(client: AsyncClient) -> None:
    body = signup(email="Some.One+x@Gmail.com", ip="")
    same = body | {
        "occurred_at": "2026-01-02T05:04:05.000+02:00",
        "email": "someone@gmail.com",
        "ip": None,
    }
    await client.post("/v1/events/signups", json=body)
    answer = await client.post("/v1/events/signups", json=same)
    assert (answer.status_code, answer.json()["status"]) == (202, "duplicate")


@pytest.mark.parametrize("kind", TakeBack)
async def test_takes_every_kind_of_chargeback_with_its_dispute(
    client: AsyncClient, database: Database, kind: TakeBack
) -> None:
    body = a_chargeback(kind=kind, dispute_id="dispute-1")
    answer = await client.post("/v1/events/chargebacks", json=body)
    assert answer.json()["status"] == "accepted", answer.text
    stored = await stored_fact(database, body["event_id"])
    assert (stored.body["kind"], stored.body["dispute_id"]) == (kind, "dispute-1")


@pytest.mark.parametrize("dispute_id", ["with space", "x" * 65, "", 7])
async def test_a_dispute_id_has_the_shape_of_an_id(client: AsyncClient, dispute_id: object) -> None:
    answer = await client.post("/v1/events/chargebacks", json=a_chargeback(dispute_id=dispute_id))
    assert_problem(answer, 422, "validation_failed", "dispute_id")


async def test_a_chargeback_without_a_dispute_is_stored_as_before(
    client: AsyncClient, database: Database
) -> None:
    body = a_chargeback(dispute_id=None)
    await client.post("/v1/events/chargebacks", json=body)
    assert "dispute_id" not in (await stored_fact(database, body["event_id"])).body


async def test_records_whose_key_reported_a_fact(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    owner, body = unique("payments"), deposit()
    async with database.transaction() as session:
        key = await create_key(
            session,
            owner=owner,
            scopes=["events:write"],
            actor=Actor(name="tests", request_id=None, reason="a test"),
        )
    async with caller(app, key) as payments:
        await payments.post("/v1/events/deposits", json=body)
    # Somebody else sends a copy: the first report is the one on record.
    await client.post("/v1/events/deposits", json=body)
    assert (await stored_fact(database, body["event_id"])).reported_by == owner


async def test_the_same_id_of_another_kind_is_another_event(client: AsyncClient) -> None:
    body = deposit()
    wager = {key: body[key] for key in ("event_id", "occurred_at", "player_id")}
    wager["stake"] = body["amount"]
    await client.post("/v1/events/deposits", json=body)
    answer = await client.post("/v1/events/wagers", json=wager)
    assert answer.json()["status"] == "accepted"


async def test_stores_personal_data_only_as_a_hash(client: AsyncClient, database: Database) -> None:
    body = signup(email="someone@example.com", full_name="Some One", ip="203.0.113.9")
    await client.post("/v1/events/signups", json=body)
    async with database.reading() as session:
        stored = await session.scalar(
            select(FactRow.body).where(FactRow.event_id == body["event_id"])
        )
    assert stored is not None
    assert {stored[name][:4] for name in ("email", "full_name", "ip")} == {"hm1:"}


async def test_a_value_hashed_by_the_caller_is_stored_unchanged(
    client: AsyncClient, database: Database
) -> None:
    hashed = f"hm1:{'0a' * 32}"
    body = signup(ip=hashed, phone=hashed, email=hashed)
    assert (await client.post("/v1/events/signups", json=body)).status_code == 202
    async with database.reading() as session:
        stored = await session.scalar(
            select(FactRow.body).where(FactRow.event_id == body["event_id"])
        )
    assert stored is not None
    assert {stored[name] for name in ("email", "phone", "ip")} == {hashed}


async def test_puts_an_accepted_fact_into_the_couriers_inbox(
    client: AsyncClient, database: Database
) -> None:
    body = deposit()
    await client.post("/v1/events/deposits", json=body)
    await client.post("/v1/events/deposits", json=body)
    async with database.reading() as session:
        mail = await session.scalar(
            select(func.count()).where(InboxRow.player_id == body["player_id"])
        )
    assert mail == 1


def a_chargeback(**changes: object) -> dict[str, Any]:
    fields = ("event_id", "occurred_at", "player_id", "deposit_id")
    return {field: deposit()[field] for field in fields} | {"kind": "refund", **changes}


async def stored_fact(database: Database, event_id: str) -> FactRow:
    async with database.reading() as session:
        return (await session.scalars(select(FactRow).where(FactRow.event_id == event_id))).one()


async def facts_of(database: Database, player_id: str) -> int:
    async with database.reading() as session:
        query = select(func.count()).where(FactRow.player_id == player_id)
        return (await session.execute(query)).scalar_one()


async def test_an_event_slightly_ahead_of_the_clock_is_to_be_repeated(client: AsyncClient) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=23)).isoformat()
    answer = await client.post("/v1/events/deposits", json=deposit(occurred_at=ahead))
    assert_problem(answer, 503, "too_early")
    assert 1 <= int(answer.headers["Retry-After"]) <= 300


async def test_an_event_ahead_of_the_clock_that_has_other_faults_is_refused(
    client: AsyncClient,
) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = await client.post("/v1/events/deposits", json=deposit(occurred_at=ahead, surprise=1))
    assert_problem(answer, 422, "validation_failed", "surprise")


async def test_an_event_a_day_ahead_of_the_clock_is_refused(client: AsyncClient) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=25)).isoformat()
    answer = await client.post("/v1/events/deposits", json=deposit(occurred_at=ahead))
    assert_problem(answer, 422, "validation_failed", "occurred_at")


async def test_the_same_id_is_another_event_for_a_key_with_another_source(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    async with database.transaction() as session:
        key = await create_key(
            session,
            owner=unique("ledger"),
            scopes=["events:write"],
            source="ledger",
            actor=Actor(name="tests", request_id=None, reason="a test"),
        )
    body = deposit(event_id=unique("e") + "x" * 40)
    other = body | {"amount": {"minor": 7, "currency": "USD"}}
    async with caller(app, key) as ledger:
        for status in ("accepted", "duplicate"):
            assert (await client.post("/v1/events/deposits", json=body)).json()["status"] == status
            answer = await ledger.post("/v1/events/deposits", json=other)
            assert answer.json() == {"event_id": body["event_id"], "status": status}
        conflict = await ledger.post("/v1/events/deposits", json=body)
        assert_problem(conflict, 409, "event_conflict")
