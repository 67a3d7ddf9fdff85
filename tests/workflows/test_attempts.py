"""Lives in which what a held reward rests on changes, or what is known of its pair."""

from datetime import timedelta
from typing import Final

from domain.intake.facts import Choice, PlayerStatus
from domain.lifecycle.referral import Stage
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from tests import builders, state
from tests.builders import status_change
from tests.state import Balances
from tests.workflows.harness.life import Life
from tests.workflows.harness.life_steps import decide_review, hold_for_review, hold_referral
from tests.workflows.harness.world import World

DAY: Final = timedelta(days=1)


async def test_a_deposit_in_the_place_of_one_taken_back_waits_its_own_hold_period(
    world: World,
) -> None:
    life, first = await hold_referral(world)
    await life.skips_time(6 * DAY)
    second = await life.receives(builders.deposit(life.referee_id, at=await life.now()))
    await life.takes_back(first)
    await life.skips_time(2 * DAY)
    assert await life.referrer_balances() == Balances(held=1000)

    await life.skips_time(5 * DAY)
    await life.reaches(Stage.REWARDED)
    assert (await life.stored_row()).qualified_by == second.event_id


async def test_a_card_shared_while_held_is_reviewed_before_the_release(world: World) -> None:
    life, _ = await hold_referral(world)
    card = f"hm1:{life.row.id.hex * 2}"
    await life.skips_time(2 * DAY)
    for player_id in (life.referee_id, life.row.referrer_id):
        seen = builders.deposit(player_id, at=await life.now(), payment_instrument=card)
        await life.receives(seen, player_id)
    await life.skips_time(6 * DAY)
    assert await life.referrer_balances() == Balances(held=1000)

    assert await decide_review(life, Choice.APPROVE) is ReviewOutcome.DECIDED
    await life.reaches(Stage.REWARDED)


async def test_approved_while_a_player_is_excluded_can_still_be_rejected(world: World) -> None:
    life = await hold_for_review(world)
    await life.receives(status_change(life.referee_id, PlayerStatus.CLOSED, at=life.began_at))
    await life.acted("resolve_hold", times=1)
    assert await decide_review(life, Choice.APPROVE) is ReviewOutcome.DECIDED
    await life.acted("resolve_hold", times=2)

    assert await decide_latest_review(life, Choice.REJECT) is ReviewOutcome.DECIDED

    assert await life.ends() is Stage.REJECTED
    assert await life.referrer_balances() == Balances()
    assert await state.budget(world.database, life.row.campaign_id) == 100_000


async def decide_latest_review(life: Life, choice: Choice) -> ReviewOutcome:
    async with life.world.database.transaction() as session:
        review = await reviews.find_review(session, life.row.id)
        assert review is not None
        answer = await reviews.decide(
            session,
            review_id=review.id,
            decision=builders.decision(choice, at=life.began_at),
            request_id="request",
        )
    await life.world.carry()
    return answer.outcome
