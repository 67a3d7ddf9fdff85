"""One story per final stage and per wait, to be recorded and replayed for as long as one lives."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from domain.campaigns.terms import Reminders
from domain.intake.facts import Choice, Fact, TakeBack
from domain.lifecycle.referral import Stage
from referrals.intake.canonical import body_of
from tests.builders import TERMS, chargeback, unique
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import (
    claim_other_code,
    decide_review,
    defer_referral,
    end_campaign,
    hold_for_review,
    hold_referral,
    reward_referral,
    top_up_budget,
)
from tests.workflows.harness.world import World

RecordedLife = Callable[[World], Awaitable[Life]]


async def expired_invitation(world: World) -> Life:
    return await end_at(await invite(world), Stage.EXPIRED)


async def waiting_for_a_deposit(world: World) -> Life:
    life = await invite(world)
    await life.signs_up()
    await life.deposits(10)
    return life


async def expired_without_deposit(world: World) -> Life:
    return await end_at(await waiting_for_a_deposit(world), Stage.EXPIRED)


async def lost(world: World) -> Life:
    visitor = unique("visitor")
    winner, loser = await invite(world, visitor=visitor), await invite(world, visitor=visitor)
    await winner.signs_up()
    return await end_at(loser, Stage.LOST)


async def rebound(world: World) -> Life:
    life, other = await invite(world), await invite(world)
    await life.signs_up()
    await claim_other_code(life, other)
    return await end_at(life, Stage.LOST)


async def waiting_for_bad_news(world: World) -> Life:
    life, _ = await reward_referral(world)
    await life.skips_time(timedelta(days=1))
    return life


async def settled(world: World) -> Life:
    return await end_at(await waiting_for_bad_news(world), Stage.SETTLED)


async def waiting_while_held(world: World) -> Life:
    life, _ = await hold_referral(world)
    return life


async def credited_after_its_hold(world: World) -> Life:
    return await end_at(await waiting_while_held(world), Stage.SETTLED)


async def voided(world: World) -> Life:
    life, deposit = await hold_referral(world)
    await life.takes_back(deposit)
    return await end_at(life, Stage.VOIDED)


async def escalated_and_approved(world: World) -> Life:
    life = await hold_for_review(world)
    await life.skips_time(timedelta(days=4))
    await decide_review(life, Choice.APPROVE)
    await life.reaches(Stage.REWARDED)
    return await end_at(life, Stage.SETTLED)


async def rejected(world: World) -> Life:
    life = await hold_for_review(world)
    await decide_review(life, Choice.REJECT)
    return await end_at(life, Stage.REJECTED)


async def waiting_for_funds(world: World) -> Life:
    return await defer_referral(world)


async def unfunded(world: World) -> Life:
    life = await defer_referral(world)
    await end_campaign(life)
    return await end_at(life, Stage.UNFUNDED)


async def reversed_for_good(world: World) -> Life:
    life, deposit = await reward_referral(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    return await end_at(life, Stage.REVERSED)


async def reinstated(world: World) -> Life:
    life, deposit = await reward_referral(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(deposit, TakeBack.CHARGEBACK_WON)
    await life.reaches(Stage.REWARDED)
    return await end_at(life, Stage.SETTLED)


async def told_by_signals(world: World) -> Life:
    life = await invite(world)
    deposit = life.deposit()
    await life.signals("sign_up", life.signup())
    await life.signals("make_deposit")
    await life.signals("make_deposit", deposit)
    await life.reaches(Stage.REWARDED)
    await life.signals("charge_back", chargeback(deposit, at=await life.now()))
    await life.reaches(Stage.REVERSED)
    return await end_at(life, Stage.REVERSED)


async def reopened_while_ending(world: World) -> Life:
    """Report the deposit between the expiry's commit and the workflow's learning of it."""
    life = await invite(world)
    await life.signs_up()
    await end_with(life, life.deposit())
    await life.reaches(Stage.REWARDED)
    return life


async def reminded(world: World) -> Life:
    """Let the timer fire at each reminder, before the signup and before the deposit."""
    day = timedelta(days=1)
    after = Reminders(signup_after=3 * day, deposit_after=5 * day, closing_before=2 * day)
    life = await invite(world, terms=replace(TERMS, reminders=after))
    await life.skips_time(3 * day + timedelta(seconds=5))
    await life.acted("expire_referral")
    await life.signs_up()
    return await end_at(life, Stage.EXPIRED)


async def cancelled_while_crediting(world: World, act: str = "score_and_credit") -> Life:
    """Ask for the run's cancellation while it acts on the deposit."""
    life = await invite(world)

    async def cancel() -> None:
        del life.world.hooks.before[life.id, act]
        await life.handle.cancel()

    life.world.hooks.before[life.id, act] = cancel
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.REWARDED)
    return life


async def told_by_what_is_cut(world: World) -> Life:
    """Signal what other doors cut: a long code and an address, and a leap second."""
    life = await invite(world)
    event = body_of(life.signup()) | {"code": "x" * 1025, "ip": "203.0.113.9\0"}
    await life.signals("sign_up", event)
    await life.reaches(Stage.SIGNED_UP)
    leap = body_of(life.deposit()) | {"occurred_at": "2016-12-31T23:59:60Z"}
    await life.signals("make_deposit", leap)
    await life.deposits()
    await life.reaches(Stage.REWARDED)
    return life


async def scored_and_credited_at_once(world: World) -> Life:
    """Defer in the act that scores, and credit in another that scores again."""
    life = await defer_referral(world)
    await top_up_budget(life, 1)
    await life.reaches(Stage.REWARDED)
    return await end_at(life, Stage.SETTLED)


async def end_with(life: Life, fact: Fact) -> None:
    """Let the referral expire, and report a fact before its workflow knows."""
    act = (life.id, "expire_referral")

    async def report() -> None:
        del life.world.hooks.after[act]
        await life.receives(fact)

    life.world.hooks.after[act] = report
    deadline = (await life.stored_row()).until
    await life.skips_time(deadline - life.began_at + timedelta(seconds=1))
    await life.acted("expire_referral")


async def end_at(life: Life, stage: Stage) -> Life:
    assert await life.lives_on() is stage
    return life


RECORDED_LIVES: Final[tuple[RecordedLife, ...]] = (
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
    reopened_while_ending,
    reminded,
    cancelled_while_crediting,
    scored_and_credited_at_once,
    told_by_what_is_cut,
)
