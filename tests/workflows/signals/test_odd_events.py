"""Odd events over HTTP, Kafka and signals: the same fact over each door, or none over any."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from db.engine import Database
from domain.intake.facts import FactKind
from domain.lifecycle.referral import Stage
from integrations.network_database import open_networks
from messaging import topics
from messaging.inbound.decoding import Decoder
from messaging.records import Place, Record, Refusal
from referrals.intake.canonical import body_of
from runtime.settings import Settings
from tests import builders
from tests.fixtures.api_client import a_key, caller
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.world import World

LEAP_SECOND: Final = "2016-12-31T23:59:60Z"
HASH: Final = f"hm1:{'0' * 64}"
TRAITS: Final = {"ip": "203.0.113.9", "device_id": "d-odd"}
MINOR: Final = '"minor": 1000'


class Way(NamedTuple):
    """The names of one kind of event at each door."""

    signal: str
    route: str
    topic: str


WAYS: Final = {
    FactKind.SIGNUP: Way("sign_up", "signups", topics.SIGNUPS),
    FactKind.DEPOSIT: Way("make_deposit", "deposits", topics.DEPOSITS),
    FactKind.CHARGEBACK: Way("charge_back", "chargebacks", topics.CHARGEBACKS),
}


class Odd(NamedTuple):
    """An event with a change, and whether the doors take it."""

    kind: FactKind
    change: Mapping[str, Any]
    is_taken: bool = True
    written: tuple[str, str] = ("", "")
    """A part of its JSON's text, and what stands there instead."""


def signups(*changes: Mapping[str, Any], is_taken: bool = True) -> list[Odd]:
    return [Odd(FactKind.SIGNUP, change, is_taken=is_taken) for change in changes]


def deposits(*changes: Mapping[str, Any], is_taken: bool = True) -> list[Odd]:
    return [Odd(FactKind.DEPOSIT, change, is_taken=is_taken) for change in changes]


PERSONAL: Final = ("email", "phone", "device_id", "kyc_subject", "full_name")
BLANKS: Final = dict.fromkeys((*PERSONAL, "code", "cookie_token", "locale", "accepted_terms"), " ")
ODD: Final = [
    *signups(*({name: ""} for name in BLANKS), BLANKS, {"ip": "", "user_agent": " "}),
    *signups(*({**TRAITS, "user_agent": "odd/1", "consent": said} for said in (False, True, None))),
    *signups({"occurred_at": LEAP_SECOND}, {"occurred_at": "2026-03-01t12:00:00.123456789z"}),
    *signups(*({name: "x" * 1025} for name in ("code", "cookie_token", "referral_token"))),
    *signups({"ip": "203.0.113.9\0"}, {"user_agent": "y" * 60_000}, {"locale": "en\0US"}),
    *signups({"email": HASH, "phone": HASH, "kyc_subject": HASH, "jurisdiction": "Ann Example"}),
    *signups(*({name: ""} for name in ("platform", "jurisdiction", "event_id")), is_taken=False),
    *signups({"platform": " "}, {"platform": "w" * 33}, {"jurisdiction": "\t"}, is_taken=False),
    *signups({"jurisdiction": "U" * 65}, {"phone": "1" * 65}, {"email": "e" * 321}, is_taken=False),
    *signups({"consent": "no"}, {"consent": 0}, {"accepted_terms": "v" * 65}, is_taken=False),
    *signups({"occurred_at": "2016-12-30T12:00:60Z"}, {"currency": "usd"}, is_taken=False),
    *signups({"occurred_at": "9999-12-31T23:59:60Z"}, {"email": "a\0b"}, is_taken=False),
    Odd(FactKind.SIGNUP, {}, is_taken=False, written=('"web"', '"web", "platform": "ios"')),
    *deposits(*({"payment_instrument": blank} for blank in ("", " "))),
    *deposits(dict.fromkeys(("method", "ip", "device_id", "jurisdiction"), " ")),
    *deposits({**TRAITS, "payment_instrument": HASH, "consent": False}, {"ip": "1" * 2000}),
    *deposits({"occurred_at": LEAP_SECOND}),
    *deposits({"method": "m" * 65}, {"payment_instrument": "p" * 321}, is_taken=False),
    *deposits({**TRAITS, "consent": "false"}, {"jurisdiction": "J" * 65}, is_taken=False),
    Odd(FactKind.DEPOSIT, {}, is_taken=False, written=(MINOR, f'{MINOR}, "minor": 9000')),
    Odd(FactKind.DEPOSIT, {}, is_taken=False, written=(MINOR, '"minor": 1e3')),
    Odd(FactKind.CHARGEBACK, {"dispute_id": None, "amount": None}),
    Odd(FactKind.CHARGEBACK, {"occurred_at": LEAP_SECOND}),
    Odd(FactKind.CHARGEBACK, {"dispute_id": ""}, is_taken=False),
    Odd(FactKind.CHARGEBACK, {"kind": " refund"}, is_taken=False),
]


def event_of(odd: Odd, life: Life) -> dict[str, Any]:
    match odd.kind:
        case FactKind.SIGNUP:
            plain = body_of(life.signup(referral_token=None))
        case FactKind.DEPOSIT:
            plain = body_of(life.deposit())
        case _:
            plain = body_of(builders.chargeback(life.deposit(), at=life.began_at))
    return {**plain, **odd.change}


def written(odd: Odd, event: Mapping[str, Any]) -> str:
    return json.dumps(event).replace(*odd.written)


async def signal_amid_an_honest_life(life: Life, odd: Odd, event: str) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=event.encode())
    if odd.kind is FactKind.SIGNUP:
        await life.signals(WAYS[odd.kind].signal, RawValue(payload))
    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    if odd.kind is not FactKind.SIGNUP:
        await life.signals(WAYS[odd.kind].signal, RawValue(payload))
    await life.deposits()
    await life.reaches(Stage.REWARDED)


async def stored(database: Database, odd: Odd, event_id: str) -> tuple[Any, ...] | None:
    query = text("select door, body, matching from facts where kind = :kind and event_id = :id")
    async with database.reading() as session:
        found = await session.execute(query, {"kind": odd.kind, "id": event_id})
        row = found.one_or_none()
    return None if row is None else tuple(row)


def decoded(settings: Settings, odd: Odd, event: str) -> tuple[Any, ...] | None:
    record = Record(Place(WAYS[odd.kind].topic, 0, 0), key=None, value=event.encode())
    report = Decoder.of(settings, open_networks(settings.network_database)).decode(record)
    if isinstance(report, Refusal):
        return None
    return "signal", body_of(report.fact), report.matching


async def answer(client: AsyncClient, odd: Odd, event: str) -> tuple[int, str]:
    answered = await client.post(
        f"/v1/events/{WAYS[odd.kind].route}",
        content=event,
        headers={"Content-Type": "application/json"},
    )
    told = answered.json()
    return answered.status_code, told.get("code") or told["status"]


@pytest.fixture
async def own_client(world: World, settings: Settings) -> AsyncClient:
    """Call the API on the world's database."""
    from api.app import build_app  # noqa: PLC0415

    return caller(build_app(settings, world.database), await a_key(world.database))


async def test_an_odd_event_is_the_same_fact_over_each_door_or_none(
    world: World, settings: Settings, own_client: AsyncClient
) -> None:
    offer, slots = await world.offer(), asyncio.Semaphore(4)

    async def play(odd: Odd) -> str | None:
        async with slots:
            life = await invite(world, offer)
            event = event_of(odd, life)
            sent = written(odd, event)
            await signal_amid_an_honest_life(life, odd, sent)
        found = await stored(world.database, odd, event["event_id"])
        expected = (202, "duplicate") if odd.is_taken else (422, "validation_failed")
        same = found == decoded(settings, odd, sent) and (found is not None) is odd.is_taken
        if same and await answer(own_client, odd, sent) == expected:
            return None
        return f"{odd.kind} {sent[:400]}: {found}"

    with world.env.with_time_skipping_disabled():
        unlike = await asyncio.gather(*map(play, ODD))

    assert [one for one in unlike if one] == []


async def test_blanks_in_signals_are_no_evidence_and_link_nobody(world: World) -> None:
    terms = replace(builders.TERMS, requires=("payment_instrument",))
    lives = [await invite(world, terms=terms) for _ in range(2)]
    for life in lives:
        event = body_of(life.signup(referral_token=None))
        await life.signals("sign_up", event | BLANKS)
        await life.reaches(Stage.SIGNED_UP)
        await life.signals("make_deposit", body_of(life.deposit()) | {"payment_instrument": " "})
        await life.reaches(Stage.HELD)

    query = text("select count(*) from identity_links where player_id = any(:players)")
    async with world.database.reading() as session:
        found = await session.execute(query, {"players": [life.referee_id for life in lives]})
        assert found.scalar_one() == 0
