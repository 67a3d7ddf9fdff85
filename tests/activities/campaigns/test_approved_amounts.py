"""Approvals of computed rewards that come to more by their credit than the reviewers saw."""

from dataclasses import replace

import pytest

from db.engine import Database
from domain.fraud.cases import SecondPersonLimits
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from tests.activities.campaigns.test_computed import money, paying, percent
from tests.activities.campaigns.test_computed_edges import assert_green
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import chargeback, decision, deposit, usd
from tests.state import offer_of


async def approve(acts: ReferralActs, reviewer: str) -> ReviewOutcome:
    """Approve the latest review as this person does over HTTP."""
    review = await acts.latest_review()
    async with acts.database.transaction() as session:
        answer = await reviews.decide(
            session,
            review_id=review.id,
            decision=replace(decision(), reviewer=reviewer),
            limits=SecondPersonLimits.parse("500.00 USD"),
        )
    return answer.outcome


async def hold_two_for_review(database: Database, *, second_tier: int) -> list[ReferralActs]:
    """Hold two referrals of one referrer, of which each alone would be the first one rewarded."""
    tiers = [{"from": 1, "flat": money(1000)}, {"from": 2, "flat": money(second_tier)}]
    terms = replace(paying(referrer={"tiers": tiers}), requires=("device_id",))
    first = await sign_up(database, terms=terms)
    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    both = [first, await sign_up(database, offer=offer, referrer_id=first.row.referrer_id)]
    for acts in both:
        await acts.receives(deposit(acts.referee_id, minor=3300))
        assert await acts.wake() is Stage.HELD
    return both


async def test_a_tier_that_rises_above_the_limit_after_its_approval_waits_for_a_second_person(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    first, second = await hold_two_for_review(fresh_database, second_tier=60_000)
    for acts, stage in ((first, Stage.REWARDED), (second, Stage.HELD)):
        assert await approve(acts, "ann") is ReviewOutcome.DECIDED
        assert await acts.wake() is stage
    assert await second.open_hold_reasons() == {HoldReason.REVIEW}
    assert (await second.referrer_balances()).available == 1000
    asked = await second.latest_review()
    assert (asked.round, asked.amount_minor, asked.reasons) == (2, 60_000, ["amount_raised"])
    await assert_green(second, fresh_superuser)

    assert await approve(second, "ann") is ReviewOutcome.SECOND_PERSON_REQUIRED
    assert await second.wake() is Stage.HELD
    assert await approve(second, "bob") is ReviewOutcome.DECIDED
    assert await second.wake() is Stage.REWARDED
    assert (await second.referrer_balances()).available == 61_000
    await assert_green(second, fresh_superuser)


async def test_a_tier_that_rises_up_to_the_limit_after_its_approval_is_credited(
    database: Database,
) -> None:
    first, second = await hold_two_for_review(database, second_tier=50_000)
    for acts in (first, second):
        assert await approve(acts, "ann") is ReviewOutcome.DECIDED
        assert await acts.wake() is Stage.REWARDED
    assert (await second.referrer_balances()).available == 51_000


@pytest.mark.parametrize("is_approved", [False, True])
async def test_a_refund_that_fails_during_a_review_asks_about_the_raised_amount(
    fresh_database: Database, fresh_superuser: Database, *, is_approved: bool
) -> None:
    terms = replace(paying(referrer=percent("10")), requires=("device_id",))
    acts = await sign_up(fresh_database, terms=terms)
    paid = deposit(acts.referee_id, minor=700_000)
    refund, failed = [
        chargeback(paid, kind, amount=usd(600_000), dispute_id="r1")
        for kind in (TakeBack.REFUND, TakeBack.REFUND_FAILED)
    ]
    await acts.receives(paid, refund)
    assert await acts.wake() is Stage.HELD
    assert (await acts.latest_review()).amount_minor == 10_000
    if is_approved:
        assert await approve(acts, "ann") is ReviewOutcome.DECIDED
    await acts.receives(failed)
    assert await acts.wake() is Stage.HELD
    asked = await acts.latest_review()
    assert (asked.amount_minor, asked.status) == (70_000, reviews.OPEN)
    await assert_green(acts, fresh_superuser)

    assert await approve(acts, "ann") is ReviewOutcome.SECOND_PERSON_REQUIRED
    assert await approve(acts, "bob") is ReviewOutcome.DECIDED
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 70_000
    await assert_green(acts, fresh_superuser)
