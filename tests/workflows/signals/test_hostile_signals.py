"""Hostile signals: none of them stops a referral, and an honest deposit afterwards is paid."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from courier.route_player import route_player
from domain.lifecycle.referral import Stage
from tests.builders import TOKENS, unique
from tests.state import Balances, violated_invariants
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.world import World

AT = "2026-03-01T12:00:00Z"
FAR = "9999-12-31T23:59:59Z"
LARGE = "x" * 1024


def a_signup(**fields: object) -> dict[str, Any]:
    body = {"event_id": unique("e"), "occurred_at": AT, "player_id": unique("stranger")}
    return {**body, "platform": "web", "jurisdiction": "US-NJ", "currency": "USD", **fields}


def a_deposit(**fields: object) -> dict[str, Any]:
    body = {"event_id": unique("e"), "occurred_at": AT, "player_id": unique("stranger")}
    amount = {"minor": 1000, "currency": "USD"}
    return {**body, "deposit_id": unique("d"), "amount": amount, **fields}


def a_chargeback(**fields: object) -> dict[str, Any]:
    body = {"event_id": unique("e"), "occurred_at": AT, "player_id": unique("stranger")}
    return {**body, "deposit_id": unique("d"), "kind": "chargeback", **fields}


def a_decision(**fields: object) -> dict[str, Any]:
    body = {"event_id": unique("e"), "occurred_at": AT, "reviewer": "cfo", "decision": "approve"}
    return {**body, "reason": "", **fields}


def standing(stage: str, until: str = FAR) -> dict[str, Any]:
    return a_signup(standing={"stage": stage, "until": until})


def raw(text: str) -> RawValue:
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=text.encode()))


HOSTILE: dict[str, tuple[str, Any]] = {
    "sign_up, standing REWARDED": ("sign_up", standing("REWARDED")),
    "sign_up, standing HELD": ("sign_up", standing("HELD")),
    "sign_up, standing DEFERRED": ("sign_up", standing("DEFERRED")),
    "sign_up, standing SETTLED": ("sign_up", standing("SETTLED")),
    "sign_up, standing EXPIRED": ("sign_up", standing("EXPIRED")),
    "sign_up, standing LOST": ("sign_up", standing("LOST")),
    "sign_up, standing REJECTED": ("sign_up", standing("REJECTED")),
    "sign_up, standing VOIDED": ("sign_up", standing("VOIDED")),
    "sign_up, standing REVERSED": ("sign_up", standing("REVERSED")),
    "sign_up, standing SIGNED_UP for ever": ("sign_up", standing("SIGNED_UP")),
    "sign_up, standing SIGNED_UP long ago": (
        "sign_up",
        standing("SIGNED_UP", "0001-01-01T00:00:00Z"),
    ),
    "sign_up, standing SIGNED_UP for a year": (
        "sign_up",
        standing("SIGNED_UP", (datetime.now(UTC) + timedelta(days=365)).isoformat()),
    ),
    "sign_up, standing of an unknown stage": ("sign_up", standing("PAID")),
    "sign_up, standing a text": ("sign_up", a_signup(standing="REWARDED")),
    "sign_up, NUL in a text": ("sign_up", a_signup(platform="we\0b")),
    "sign_up, too long a text": ("sign_up", a_signup(locale="x" * 200_000)),
    "sign_up, a field of a million characters": ("sign_up", a_signup(unheard_of="x" * 10**6)),
    "sign_up, a list": ("sign_up", [a_signup()]),
    "sign_up, a lone surrogate": (
        "sign_up",
        raw(json.dumps(a_signup(platform="\ud800"))),
    ),
    "make_deposit, currency NUL": (
        "make_deposit",
        a_deposit(amount={"minor": 1000, "currency": "\0"}),
    ),
    "make_deposit, currency in small letters": (
        "make_deposit",
        a_deposit(amount={"minor": 1000, "currency": "usd"}),
    ),
    "make_deposit, a huge amount": (
        "make_deposit",
        a_deposit(amount={"minor": 10**400, "currency": "USD"}),
    ),
    "make_deposit, a negative amount": (
        "make_deposit",
        a_deposit(amount={"minor": -1, "currency": "USD"}),
    ),
    "make_deposit, a fraction": (
        "make_deposit",
        a_deposit(amount={"minor": 10.5, "currency": "USD"}),
    ),
    "make_deposit, NaN": (
        "make_deposit",
        raw(json.dumps(a_deposit(amount={"minor": float("nan"), "currency": "USD"}))),
    ),
    "make_deposit, an amount as a text": ("make_deposit", a_deposit(amount="10 USD")),
    "make_deposit, no amount": ("make_deposit", {"event_id": "e", "occurred_at": AT}),
    "make_deposit, a lone surrogate": ("make_deposit", raw(json.dumps(a_deposit(method="\udfff")))),
    "make_deposit, deep nesting": ("make_deposit", raw("[" * 100_000 + "]" * 100_000)),
    "make_deposit, deep nesting in a field": (
        "make_deposit",
        raw('{"amount":' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}"),
    ),
    "make_deposit, no JSON": ("make_deposit", raw("{")),
    "make_deposit, a time of the year 1": (
        "make_deposit",
        a_deposit(occurred_at="0001-01-01T00:00:00Z"),
    ),
    "make_deposit, a time without an offset": ("make_deposit", a_deposit(occurred_at="2026-03-01")),
    "make_deposit, an id with a slash": ("make_deposit", a_deposit(deposit_id="a/b")),
    "make_deposit, an id of 10,000 characters": ("make_deposit", a_deposit(event_id="e" * 10_000)),
    "make_deposit, of a stranger": ("make_deposit", a_deposit()),
    "make_deposit, a long signature": ("make_deposit", a_deposit(signature="0" * 10**6)),
    "make_deposit, a signature that is an object": ("make_deposit", a_deposit(signature={"a": 1})),
    "charge_back, of a stranger": ("charge_back", a_chargeback()),
    "charge_back, an unknown kind": ("charge_back", a_chargeback(kind="theft")),
    "decide, in a CFO's name": ("decide", a_decision()),
    "decide, in nobody's name": ("decide", a_decision(reviewer="")),
    "decide, NUL in the reason": ("decide", a_decision(reason="\0")),
    "look, deep nesting": ("look", raw("[" * 100_000 + "]" * 100_000)),
    "supersede, a million characters": ("supersede", "x" * 10**6),
    "an unknown signal": ("pay_me", {"minor": 10**6}),
    "an unknown signal with a hostile name": ("\u202e" + "n" * 500, None),
    "a name of the SDK's": ("__temporal_signal", None),
}


async def test_an_honest_deposit_is_paid_after_each_kind_of_hostile_signal(world: World) -> None:
    offer, slots = await world.offer(), asyncio.Semaphore(4)

    async def suffer(signal: str, argument: object) -> Life:
        async with slots:
            life = await invite(world, offer)
            await life.signals(signal, argument)
            await life.signs_up()
            await life.signals(signal, argument)
            await life.deposits()
            await life.reaches(Stage.REWARDED)
            return life

    assert len(HOSTILE) >= 40
    # Held for all of them: the first to give it up would let the clocks of the others run ahead.
    with world.env.with_time_skipping_disabled():
        lives = await asyncio.gather(*(suffer(*hostile) for hostile in HOSTILE.values()))

    for kind, life in zip(HOSTILE, lives, strict=True):
        assert await life.referrer_balances() == Balances(available=1000), kind
    assert await violated_invariants(world.database) == {}


async def test_a_forged_end_expires_nothing_while_the_record_is_ahead_of_the_workflow(
    world: World,
) -> None:
    life = await invite(world)
    await life.records(life.signup())
    async with world.database.transaction() as session:
        await route_player(session, life.referee_id, tokens=TOKENS, now=await life.now())
    with world.env.with_time_skipping_disabled():
        await life.signals("sign_up", standing("SIGNED_UP", "0001-01-01T00:00:00Z"))
        await life.acted("expire_referral")
        await life.deposits()
        await life.reaches(Stage.REWARDED)

    assert Stage.EXPIRED not in await life.stages()
    assert await life.referrer_balances() == Balances(available=1000)


async def test_three_hundred_large_signups_are_handed_on_in_parts(world: World) -> None:
    large = dict.fromkeys(("user_agent", "email", "full_name", "device_id", "phone"), "\1" * 1024)
    life = await invite(world)
    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    for _ in range(6):
        await asyncio.gather(
            *(life.signals("sign_up", a_signup(**large, code="NOBODYS")) for _ in range(50))
        )
    await life.deposits()

    await life.reaches(Stage.REWARDED)
    assert await life.referrer_balances() == Balances(available=1000)
