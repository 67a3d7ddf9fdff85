"""Facts that arrive at the worst moment, and in any order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from domain.intake.facts import Deposit, Fact
from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage
from tests import state
from tests.builders import chargeback
from tests.state import Balances
from tests.workflows.harness.life import invite
from tests.workflows.harness.world import World

ORDERS = list(permutations(range(3)))


@pytest.mark.parametrize("act", ["score_and_credit", "score_fraud", "credit_reward"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_chargeback_around_the_crediting_is_not_lost(
    acting_world: World, act: str, moment: str
) -> None:
    life = await invite(acting_world)
    await life.signs_up()
    deposit = life.deposit()
    cues = getattr(acting_world.hooks, moment)

    async def charge_back() -> None:
        del cues[life.id, act]
        await life.takes_back(deposit)

    cues[life.id, act] = charge_back
    await life.receives(deposit)
    await life.acted(act)

    assert await life.lives_on() in {Stage.EXPIRED, Stage.REVERSED}
    assert await life.referrer_balances() == Balances()
    assert (life.id, act) not in cues


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
async def test_facts_may_arrive_in_any_order(world: World, order: Sequence[int]) -> None:
    life = await invite(world)
    first, second = life.deposit(400), life.deposit(2000)
    recorded: list[Fact] = [life.signup(), first, second]
    for index in (*order, *order):
        await life.receives(recorded[index])
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert (await life.stored_row()).qualified_by == second.event_id
    assert await life.referrer_balances() == Balances(available=1000)


async def test_many_lives_at_once_with_chargebacks_lose_none(world: World) -> None:
    lives = [await invite(world) for _ in range(12)]
    deposits: list[Deposit] = [life.deposit() for life in lives]
    for life in lives:
        await life.signs_up()
    for life, deposit in zip(lives, deposits, strict=True):
        await life.signals("make_deposit", deposit)
    await asyncio.gather(
        *(
            life.signals("charge_back", chargeback(deposit, at=deposit.occurred_at))
            for life, deposit in zip(lives, deposits, strict=True)
            for _ in range(4)
        )
    )

    for life in lives:
        assert await life.lives_on() in {Stage.EXPIRED, Stage.REVERSED}
        assert await life.referrer_balances() == Balances()
        moved = await state.movements(world.database, life.row.id)
        assert moved.count(Movement.RELEASE) == moved.count(Movement.REVERSE) <= 1


async def test_the_same_signup_over_two_doors_with_different_tokens_binds_once(
    world: World,
) -> None:
    for _ in range(20):
        one, other = await invite(world), await invite(world)
        other.referee_id = one.referee_id
        recorded = one.signup()
        signalled = replace(other.signup(), event_id=recorded.event_id)

        await asyncio.gather(one.records(recorded), other.signals("sign_up", signalled))
        await other.acted("admit_signup")
        await one.routes()

        stages = {life: (await life.stored_row()).stage for life in (one, other)}
        bound = [life for life, stage in stages.items() if stage is Stage.SIGNED_UP]
        assert len(bound) == 1
        await bound[0].deposits()
        await bound[0].reaches(Stage.REWARDED)
        credited = [(await life.referrer_balances()).available for life in (one, other)]
        assert sorted(credited) == [0, 1000]
        if bound == [one]:
            assert await other.ends() is Stage.LOST
