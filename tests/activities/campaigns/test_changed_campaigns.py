"""A campaign edited, paused, ended or drained between invitation, hold and credit."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from db.engine import Database
from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.campaigns import funding as budgets
from referrals.campaigns import transitions
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from tests import state
from tests.activities.queues import MARKETER, Queue, a_queue
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import NOW, TERMS, deposit, unique, usd
from tests.state import Balances

DAY: Final = timedelta(days=1)
HOLDING: Final = replace(TERMS, hold_period=3 * DAY)
DUE: Final = LATER + 4 * DAY


async def test_an_amount_raised_after_the_invitation_pays_the_old_amount(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=10_000)
    invited = await sign_up(database, offer=queue.offer)
    outcome = await queue.revises(terms=replace(TERMS, referrer_reward=usd(2500)))
    assert outcome is TransitionOutcome.CHANGED

    await invited.receives(deposit(invited.referee_id))
    assert await invited.wake() is Stage.REWARDED
    assert await invited.referrer_balances() == Balances(available=1000)
    assert (await invited.stored_row()).campaign_version_id == queue.offer.version.id


async def test_an_amount_lowered_while_held_pays_the_old_amount(database: Database) -> None:
    queue = await a_queue(database, budget=10_000, terms=HOLDING)
    acts = await held(queue)
    lowered = replace(HOLDING, referrer_reward=usd(1), hold_period=9 * DAY)
    assert await queue.revises(terms=lowered) is TransitionOutcome.CHANGED
    assert await acts.wake(at=DUE) is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_an_amount_lowered_while_it_waits_for_funds_pays_the_old_amount(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=0)
    waiting = await queue.qualifies()
    lowered = replace(TERMS, referrer_reward=usd(1))
    assert await queue.revises(terms=lowered) is TransitionOutcome.CHANGED
    await queue.funds(1000)
    assert await queue.acts_on_wake_ups() == [waiting]
    assert await queue.acts[waiting].referrer_balances() == Balances(available=1000)


@pytest.mark.parametrize("step", [CampaignTransition.PAUSE, CampaignTransition.END])
async def test_a_signup_invited_before_a_pause_or_the_end_is_paid(
    database: Database, step: CampaignTransition
) -> None:
    queue = await a_queue(database, budget=10_000)
    acts = await queue.deposits()
    await change(queue, step)
    assert await acts.wake() is Stage.REWARDED


@pytest.mark.parametrize("step", [CampaignTransition.PAUSE, CampaignTransition.END])
async def test_what_is_held_is_paid_after_a_pause_or_the_end(
    database: Database, step: CampaignTransition
) -> None:
    queue = await a_queue(database, budget=1000, terms=HOLDING)
    acts = await held(queue)
    await change(queue, step)
    assert await acts.wake(at=DUE) is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_a_budget_drained_before_the_deposit_defers_and_ends_it_unfunded(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=1000)
    acts = await queue.deposits()
    await defund(queue, 1000)
    assert await acts.wake() is Stage.DEFERRED
    assert await acts.open_hold_reasons() == {HoldReason.FUNDS}
    await change(queue, CampaignTransition.END)
    assert await queue.acts_on_wake_ups() == [acts.row.id]
    assert (await acts.stored_row()).stage is Stage.UNFUNDED


async def test_what_waits_for_funds_is_paid_by_a_top_up_during_a_pause(database: Database) -> None:
    queue = await a_queue(database, budget=0)
    waiting = await queue.qualifies()
    assert await queue.stages([waiting]) == [Stage.DEFERRED]
    await change(queue, CampaignTransition.PAUSE)
    await queue.funds(1000)
    assert await queue.acts_on_wake_ups() == [waiting]
    assert await queue.stages([waiting]) == [Stage.REWARDED]


async def test_a_budget_is_drained_only_of_what_is_free_of_held_rewards(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=1500, terms=HOLDING)
    acts = await held(queue)
    assert await defund(queue, 501) is TransitionOutcome.INSUFFICIENT
    assert await defund(queue, 500) is TransitionOutcome.CHANGED
    assert await acts.wake(at=DUE) is Stage.REWARDED
    assert await state.budget(database, queue.offer.campaign.id) == 0
    assert await state.movements(database, acts.row.id) == [Movement.HOLD, Movement.RELEASE]


async def held(queue: Queue) -> ReferralActs:
    acts = await queue.deposits()
    assert await acts.wake() is Stage.HELD
    return acts


async def change(queue: Queue, step: CampaignTransition) -> None:
    async with queue.database.transaction() as session:
        slug = queue.offer.campaign.slug
        outcome = await transitions.apply_transition(session, slug, step, MARKETER, at=NOW)
    assert outcome is TransitionOutcome.CHANGED


async def defund(queue: Queue, minor: int) -> TransitionOutcome:
    funding = Funding(usd(minor), unique("back"))
    async with queue.database.transaction() as session:
        return await budgets.defund_campaign(
            session, queue.offer.campaign.slug, funding, MARKETER, at=NOW
        )
