"""Lives whose reward is held: for its hold period, or for a person to judge."""

from datetime import timedelta
from typing import Final

import pytest

from db.tables import Review
from domain.intake.facts import Choice, PlayerStatus, TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from tests import builders, state
from tests.builders import status_change
from tests.state import Balances
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import decide_review, hold_for_review, hold_referral
from tests.workflows.harness.world import World

A_WEEK: Final = timedelta(days=7, seconds=1)


async def test_is_held_for_the_hold_period_and_then_credited(world: World) -> None:
    life, _ = await hold_referral(world)
    assert await life.referrer_balances() == Balances(held=1000)

    await life.skips_time(timedelta(days=6))
    assert await life.referrer_balances() == Balances(held=1000)
    await life.skips_time(timedelta(days=1, hours=1))
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)
    assert await life.lives_on() is Stage.SETTLED


async def test_is_voided_when_the_deposit_is_taken_back_while_held(world: World) -> None:
    life, deposit = await hold_referral(world)
    await life.takes_back(deposit)

    assert await life.ends() is Stage.VOIDED
    assert await life.referrer_balances() == Balances()
    assert await state.budget(world.database, life.row.campaign_id) == 100_000


async def test_a_deposit_made_meanwhile_replaces_one_taken_back_while_held(world: World) -> None:
    life, first = await hold_referral(world)
    second = await life.deposits()
    await life.takes_back(first)
    await life.skips_time(A_WEEK)
    await life.reaches(Stage.REWARDED)

    assert (await life.stored_row()).qualified_by == second.event_id


async def test_a_doubtful_referral_is_credited_when_approved(world: World) -> None:
    life = await hold_for_review(world)

    assert await decide_review(life, Choice.APPROVE) is ReviewOutcome.DECIDED
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)
    assert await decide_review(life, Choice.REJECT) is ReviewOutcome.ALREADY_DECIDED
    assert await life.lives_on() is Stage.SETTLED


async def test_a_doubtful_referral_is_rejected_by_its_reviewer(world: World) -> None:
    life = await hold_for_review(world)
    await decide_review(life, Choice.REJECT)

    assert await life.ends() is Stage.REJECTED
    assert await life.referrer_balances() == Balances()
    assert await state.rewards(world.database, life.row.id) == {"referrer": RewardStatus.VOID}


async def test_silence_never_pays(world: World) -> None:
    life = await hold_for_review(world)
    await life.skips_time(timedelta(days=20))

    assert (await life.stored_row()).stage is Stage.HELD
    assert await life.referrer_balances() == Balances(held=1000)
    async with world.database.reading() as session:
        review = await reviews.find_review(session, life.row.id)
    assert review
    assert review.escalated_at
    assert review.status == "open"
    await decide_review(life, Choice.APPROVE)
    await life.reaches(Stage.REWARDED)


async def test_an_approval_does_not_pay_for_a_deposit_taken_back(world: World) -> None:
    life = await invite(world)
    card = f"hm1:{life.row.id.hex * 2}"
    deposit = life.deposit(payment_instrument=card)
    referrer = builders.deposit(life.row.referrer_id, payment_instrument=card)
    await life.receives(referrer, life.row.referrer_id)
    await life.signs_up()
    await life.receives(deposit)
    await life.reaches(Stage.HELD)
    await life.takes_back(deposit, TakeBack.REFUND)

    assert await life.ends() is Stage.VOIDED
    assert await decide_review(life, Choice.APPROVE) is ReviewOutcome.CLOSED
    assert await life.referrer_balances() == Balances()


@pytest.mark.parametrize("status", [PlayerStatus.SELF_EXCLUDED, PlayerStatus.CLOSED])
async def test_a_friend_who_may_not_be_credited_holds_the_reward(
    world: World, status: PlayerStatus
) -> None:
    life = await invite(world)
    await life.signs_up()
    await life.receives(status_change(life.referee_id, status, at=life.began_at))
    await life.deposits()
    await life.reaches(Stage.HELD)
    await life.skips_time(timedelta(days=30))
    assert await life.referrer_balances() == Balances(held=1000)

    later = life.began_at + timedelta(days=1)
    await life.receives(status_change(life.referee_id, PlayerStatus.RESTORED, at=later))
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)


async def test_a_referrer_excluded_meanwhile_is_not_credited_by_an_approval(world: World) -> None:
    life = await hold_for_review(world)
    referrer_id = life.row.referrer_id
    await life.receives(status_change(referrer_id, at=life.began_at), referrer_id)
    await decide_review(life, Choice.APPROVE)
    await life.skips_time(timedelta(days=30))
    assert await life.referrer_balances() == Balances(held=1000)

    restored = status_change(
        referrer_id, PlayerStatus.RESTORED, at=life.began_at + timedelta(days=1)
    )
    await life.receives(restored, referrer_id)
    await life.reaches(Stage.REWARDED)


async def test_a_review_that_opens_can_be_found_by_its_score(world: World) -> None:
    life = await hold_for_review(world)
    await life.skips_time(timedelta(minutes=1))

    described = await life.handle.describe()
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    # The same phone, and so a person who is known.
    assert (attributes["ReferralStage"], attributes["RiskScore"]) == ("HELD", 100)


async def test_a_review_opened_late_in_a_hold_period_has_its_whole_review_period(
    world: World,
) -> None:
    life, _ = await hold_referral(world)
    await life.skips_time(timedelta(days=6))
    await life.receives(status_change(life.referee_id, at=await life.now()))
    await life.acted("resolve_hold")

    await life.skips_time(timedelta(days=2))
    assert not (await stored_review(life)).escalated_at
    await life.skips_time(timedelta(days=2))
    assert (await stored_review(life)).escalated_at


async def stored_review(life: Life) -> Review:
    async with life.world.database.reading() as session:
        review = await reviews.find_review(session, life.row.id)
    assert review is not None
    return review
