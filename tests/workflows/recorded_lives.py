"""One story per final stage and per wait, to be recorded and replayed for as long as one lives."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from domain.intake.facts import Choice, TakeBack
from domain.lifecycle.referral import Stage
from tests.builders import chargeback, unique
from tests.workflows.life import Life, invited
from tests.workflows.life_steps import (
    campaign_ended,
    claim_other_code,
    decided,
    deferred,
    held,
    in_review,
    rewarded,
)
from tests.workflows.world import World

Story = Callable[[World], Awaitable[Life]]


async def expired_invitation(world: World) -> Life:
    return await ended(await invited(world), Stage.EXPIRED)


async def waiting_for_a_deposit(world: World) -> Life:
    life = await invited(world)
    await life.signs_up()
    await life.deposits(10)
    await life.acted("score_fraud")
    return life


async def expired_without_deposit(world: World) -> Life:
    return await ended(await waiting_for_a_deposit(world), Stage.EXPIRED)


async def lost(world: World) -> Life:
    visitor = unique("visitor")
    winner, loser = await invited(world, visitor=visitor), await invited(world, visitor=visitor)
    await winner.signs_up()
    return await ended(loser, Stage.LOST)


async def rebound(world: World) -> Life:
    life, other = await invited(world), await invited(world)
    await life.signs_up()
    await claim_other_code(life, other)
    return await ended(life, Stage.LOST)


async def waiting_for_bad_news(world: World) -> Life:
    life, _ = await rewarded(world)
    await life.passes(timedelta(days=1))
    return life


async def settled(world: World) -> Life:
    return await ended(await waiting_for_bad_news(world), Stage.SETTLED)


async def waiting_while_held(world: World) -> Life:
    life, _ = await held(world)
    return life


async def credited_after_its_hold(world: World) -> Life:
    return await ended(await waiting_while_held(world), Stage.SETTLED)


async def voided(world: World) -> Life:
    life, deposit = await held(world)
    await life.takes_back(deposit)
    return await ended(life, Stage.VOIDED)


async def escalated_and_approved(world: World) -> Life:
    life = await in_review(world)
    await life.passes(timedelta(days=4))
    await decided(life, Choice.APPROVE)
    await life.reaches(Stage.REWARDED)
    return await ended(life, Stage.SETTLED)


async def rejected(world: World) -> Life:
    life = await in_review(world)
    await decided(life, Choice.REJECT)
    return await ended(life, Stage.REJECTED)


async def waiting_for_funds(world: World) -> Life:
    return await deferred(world)


async def unfunded(world: World) -> Life:
    life = await deferred(world)
    await campaign_ended(life)
    return await ended(life, Stage.UNFUNDED)


async def reversed_for_good(world: World) -> Life:
    life, deposit = await rewarded(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    return await ended(life, Stage.REVERSED)


async def reinstated(world: World) -> Life:
    life, deposit = await rewarded(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(deposit, TakeBack.CHARGEBACK_WON)
    await life.reaches(Stage.REWARDED)
    return await ended(life, Stage.SETTLED)


async def told_by_signals(world: World) -> Life:
    life = await invited(world)
    deposit = life.deposit()
    await life.signals("sign_up", life.signup())
    await life.signals("make_deposit")
    await life.signals("make_deposit", deposit)
    await life.reaches(Stage.REWARDED)
    await life.signals("charge_back", chargeback(deposit))
    await life.reaches(Stage.REVERSED)
    return await ended(life, Stage.REVERSED)


async def ended(life: Life, stage: Stage) -> Life:
    assert await life.lives_on() is stage
    return life


STORIES: Final[tuple[Story, ...]] = (
    expired_invitation,
    waiting_for_a_deposit,
    expired_without_deposit,
    lost,
    rebound,
    waiting_for_bad_news,
    settled,
    waiting_while_held,
    credited_after_its_hold,
    voided,
    escalated_and_approved,
    rejected,
    waiting_for_funds,
    unfunded,
    reversed_for_good,
    reinstated,
    told_by_signals,
)
