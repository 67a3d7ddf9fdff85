"""Modes of direct signals: open, signed by a service, and off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from domain.intake.direct_signals import DirectSignals, canonical_json, sign
from domain.intake.facts import Fact, FactKind, kind_of
from domain.lifecycle.referral import Stage
from domain.money import Money
from referrals.intake import facts
from referrals.intake.canonical import body_of
from runtime.settings import Settings
from tests.builders import usd
from tests.state import Balances
from tests.workflows.harness.life import invite
from tests.workflows.harness.world import World, running_world

KEY: Final = "a key of the payments service"
ANOTHER_KEY: Final = "a key that nobody was given"


def signed(fact: Fact, key: str = KEY, **changed: object) -> dict[str, Any]:
    body = body_of(fact)
    return {**body, **changed, "signature": sign(canonical_json(body), key)}


async def is_recorded(world: World, fact: Fact) -> bool:
    async with world.database.reading() as session:
        return await facts.is_recorded(session, kind_of(fact), fact.event_id)


@asynccontextmanager
async def world_with(
    world: World, settings: Settings, mode: DirectSignals, *keys: str
) -> AsyncIterator[World]:
    given = {"direct_signals": mode, "signal_keys": {f"service-{key}": key for key in keys}}
    changed = Settings.model_validate({**settings.model_dump(exclude_unset=True), **given})
    async with running_world(world.env, world.database, changed) as own:
        yield own


async def test_a_signed_life_counts(shared_world: World, settings: Settings) -> None:
    async with world_with(shared_world, settings, DirectSignals.SIGNED, ANOTHER_KEY, KEY) as world:
        life = await invite(world)
        await life.signals("sign_up", signed(life.signup(referral_token=None)))
        await life.reaches(Stage.SIGNED_UP)
        deposit = life.deposit()
        await life.signals("make_deposit", signed(deposit))
        await life.signals("make_deposit", signed(deposit))
        await life.reaches(Stage.REWARDED)

        assert await life.referrer_balances() == Balances(available=1000)


async def test_what_is_not_signed_counts_only_from_another_door(
    shared_world: World, settings: Settings
) -> None:
    async with world_with(shared_world, settings, DirectSignals.SIGNED, KEY) as world:
        life = await invite(world)
        await life.signs_up()
        await life.reaches(Stage.SIGNED_UP)
        unsigned, forged, altered, unlike = (life.deposit() for _ in range(4))
        await life.signals("make_deposit", unsigned)
        await life.signals("make_deposit", signed(forged, ANOTHER_KEY))
        await life.signals("make_deposit", signed(altered, amount={"minor": 9, "currency": "USD"}))
        await life.signals("make_deposit", {**body_of(unlike), "signature": "\u00e9"})
        honest = await life.deposits()
        await life.reaches(Stage.REWARDED)

        for refused in (unsigned, forged, altered, unlike):
            assert not await is_recorded(world, refused)
        assert await life.known_deposits() == [honest]


async def test_where_direct_signals_are_off_not_even_signed_ones_count(
    shared_world: World, settings: Settings
) -> None:
    async with world_with(shared_world, settings, DirectSignals.OFF, KEY) as world:
        life = await invite(world)
        signup = life.signup(referral_token=None)
        await life.signals("sign_up", signed(signup))
        await life.acted("admit_signup")
        assert not await is_recorded(world, signup)

        await life.signs_up()
        refused = life.deposit(2000)
        await life.signals("make_deposit", signed(refused))
        await life.deposits()
        await life.reaches(Stage.REWARDED)

        assert not await is_recorded(world, refused)
        assert [deposit.amount for deposit in await life.known_deposits()] == [usd(1000)]


async def test_a_signal_cannot_take_an_id_of_another_source(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    squatting = life.deposit(event_id="casino~e-1")
    await life.signals("make_deposit", squatting)
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert kind_of(squatting) is FactKind.DEPOSIT
    assert not await is_recorded(world, squatting)


async def test_a_signal_is_not_believed_in_amounts_that_no_other_door_takes(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    nothing, no_currency = life.deposit(0), replace(life.deposit(), amount=Money(1000, "XXX"))
    await life.signals("make_deposit", nothing)
    await life.signals("make_deposit", no_currency)
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert not await is_recorded(world, nothing)
    assert not await is_recorded(world, no_currency)


async def test_a_signal_is_not_believed_in_what_lies_ahead_of_our_clock(world: World) -> None:
    life = await invite(world)
    ahead = [timedelta(minutes=10), timedelta(days=20)]
    early = replace(life.signup(), occurred_at=life.began_at + timedelta(days=25))
    await life.signals("sign_up", body_of(early))
    await life.acted("admit_signup")
    assert not await is_recorded(world, early)

    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    refused = [replace(life.deposit(), occurred_at=life.began_at + time) for time in ahead]
    for deposit in refused:
        await life.signals("make_deposit", deposit)
    honest = await life.deposits()
    await life.reaches(Stage.REWARDED)
    assert await life.known_deposits() == [honest]


async def test_a_signal_is_not_believed_in_how_no_other_door_takes_it_until_it_is_mended(
    world: World,
) -> None:
    life = await invite(world)
    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    loose: list[dict[str, Any]] = [
        {"occurred_at": 1764300000},
        {"occurred_at": "1764300000"},
        {"occurred_at": life.began_at.strftime("%Y-%m-%dT%H:%MZ")},
        *({"amount": {"minor": minor, "currency": "USD"}} for minor in ("1000", 1000.0, True)),
    ]
    for change in loose:
        deposit = life.deposit()
        await life.signals("make_deposit", body_of(deposit) | change)

    mended = life.deposit()
    await life.signals("make_deposit", body_of(mended) | {"occurred_at": 1764300000})
    await life.signals("make_deposit", body_of(mended))
    await life.reaches(Stage.REWARDED)
    assert await life.known_deposits() == [mended]


async def test_a_signalled_signup_in_an_unknown_currency_is_not_believed(world: World) -> None:
    life = await invite(world)
    forged = replace(life.signup(), currency="Wanda Feldmann")
    await life.signals("sign_up", body_of(forged))
    await life.acted("admit_signup")
    assert not await is_recorded(world, forged)

    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.REWARDED)
