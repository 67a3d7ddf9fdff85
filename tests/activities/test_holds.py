"""Holds: what a held reward waits for, what ends it, and what was learned in the meantime."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from db.engine import Database
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice, PlayerStatus
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.fraud.reviews import ReviewOutcome
from tests import state
from tests.activities.campaigns.ruled import acknowledge
from tests.activities.referral_acts import (
    LATER,
    ReferralActs,
    card_of,
    record_referrer_deposit,
    record_referrer_signup,
    sign_up,
)
from tests.builders import NOW, TERMS, deposit, signup, status_change, usd
from tests.state import Balances

DAY: Final = timedelta(days=1)
HOLDING: Final = replace(TERMS, hold_period=14 * DAY)
WRONG: Final = (PlayerStatus.SELF_EXCLUDED, PlayerStatus.CLOSED)


@pytest.mark.parametrize("status", WRONG)
@pytest.mark.parametrize("side", ["referrer", "referee"])
async def test_a_player_verified_after_an_exclusion_is_still_not_credited(
    database: Database, status: PlayerStatus, side: str
) -> None:
    acts = await sign_up(database)
    await report(acts, side, status, PlayerStatus.VERIFIED)
    await acts.receives(deposit(acts.referee_id))

    assert await acts.wake() is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.INELIGIBLE}
    assert await acts.referrer_balances() == Balances(held=1000)


@pytest.mark.parametrize("status", WRONG)
@pytest.mark.parametrize("side", ["referrer", "referee"])
async def test_a_player_verified_while_held_and_excluded_is_still_not_credited(
    database: Database, status: PlayerStatus, side: str
) -> None:
    acts = await hold(database)
    await report(acts, side, status)
    await acts.wake(at=NOW + DAY)
    await report(acts, side, PlayerStatus.VERIFIED, after=2 * DAY)

    assert await acts.wake(at=NOW + 15 * DAY) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.INELIGIBLE}

    await report(acts, side, PlayerStatus.RESTORED, after=16 * DAY)
    assert await acts.wake(at=NOW + 16 * DAY) is Stage.REWARDED


async def test_an_exclusion_after_a_restoration_stands(database: Database) -> None:
    acts = await hold(database)
    await report(acts, "referee", PlayerStatus.CLOSED, PlayerStatus.RESTORED)
    await report(acts, "referee", PlayerStatus.SELF_EXCLUDED, after=DAY)

    assert await acts.wake(at=NOW + 15 * DAY) is Stage.HELD


async def test_a_card_shared_during_the_hold_period_holds_the_reward_for_review(
    database: Database,
) -> None:
    acts = await hold(database)
    await acts.receives(deposit(acts.referee_id, at=NOW + DAY, payment_instrument=card_of(acts)))
    referrer = acts.row.referrer_id
    shared = deposit(referrer, at=NOW + 2 * DAY, payment_instrument=card_of(acts))
    await acts.receives(shared, player_id=referrer)

    assert await acts.wake(at=NOW + 14 * DAY) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW}
    review = await acts.latest_review()
    assert review.status == "open"
    assert "shared_payment_instrument" in review.reasons

    await acts.decide(Choice.APPROVE, at=NOW + 15 * DAY)
    assert await acts.wake(at=NOW + 15 * DAY) is Stage.REWARDED


async def test_an_identity_shared_during_the_hold_period_rejects(database: Database) -> None:
    acts = await hold(database)
    await record_referrer_signup(acts, kyc_subject=card_of(acts))
    await acts.receives(signup(acts.referee_id, at=NOW + 2 * DAY, kyc_subject=card_of(acts)))

    assert await acts.wake(at=NOW + 14 * DAY) is Stage.REJECTED
    assert await acts.referrer_balances() == Balances()
    assert await state.budget(database, acts.row.campaign_id) == 100_000


async def test_a_card_shared_between_scoring_and_crediting_holds_the_reward(
    database: Database,
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id, payment_instrument=card_of(acts)))
    assert (await acts.score()).verdict is Verdict.PASS
    referrer = acts.row.referrer_id
    await acts.receives(deposit(referrer, payment_instrument=card_of(acts)), player_id=referrer)

    hours_later = await acts.act_request(at=LATER + timedelta(hours=3))
    assert (await acts.rewards.credit_reward(hours_later)).stage is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW}


async def test_worse_evidence_than_a_reviewer_saw_is_asked_about_again(database: Database) -> None:
    acts = await approve_while_ineligible(database)
    phone = card_of(acts, other=True)
    await record_referrer_signup(acts, phone=phone)
    await acts.receives(signup(acts.referee_id, at=NOW + 3 * DAY, phone=phone))
    await report(acts, "referee", PlayerStatus.RESTORED, after=4 * DAY)

    assert await acts.wake(at=NOW + 4 * DAY) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW}
    assert "shared_contact" in (await acts.latest_review()).reasons


async def test_approved_while_a_player_is_ineligible_is_reviewed_in_a_new_round(
    database: Database,
) -> None:
    acts = await approve_while_ineligible(database)

    review = await acts.latest_review()
    assert (review.round, review.attempt, review.status) == (2, 1, "open")
    assert review.reasons == ["player_not_eligible"]
    assert await acts.referrer_balances() == Balances(held=1000)


async def test_a_reject_after_an_approval_of_an_ineligible_player_frees_the_money(
    database: Database,
) -> None:
    acts = await approve_while_ineligible(database)

    assert await acts.decide(Choice.REJECT, at=NOW + 3 * DAY) is ReviewOutcome.DECIDED
    assert await acts.wake(at=NOW + 3 * DAY) is Stage.REJECTED
    assert await acts.referrer_balances() == Balances()
    assert await state.budget(database, acts.row.campaign_id) == 100_000


async def test_an_approved_reward_is_paid_when_its_player_becomes_eligible_again(
    database: Database,
) -> None:
    acts = await approve_while_ineligible(database)
    await report(acts, "referee", PlayerStatus.RESTORED, after=3 * DAY)

    assert await acts.wake(at=NOW + 3 * DAY) is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)
    assert (await acts.latest_review()).status == "closed"


async def hold(database: Database, **traits: Any) -> ReferralActs:  # noqa: ANN401 - any trait of a deposit
    acts = await sign_up(database, terms=HOLDING)
    await acts.receives(deposit(acts.referee_id, at=NOW, **traits))
    assert (await acts.credit(at=NOW)).stage is Stage.HELD
    return acts


async def approve_while_ineligible(database: Database) -> ReferralActs:
    """Hold a reward for review, approve it, and exclude its referee before it is released."""
    acts = await sign_up(database)
    await record_referrer_deposit(acts, card=card_of(acts))
    await acts.receives(deposit(acts.referee_id, payment_instrument=card_of(acts)))
    assert await acts.wake() is Stage.HELD
    await report(acts, "referee", PlayerStatus.CLOSED, after=DAY)
    assert await acts.decide(Choice.APPROVE, at=NOW + DAY) is ReviewOutcome.DECIDED
    assert await acts.wake(at=NOW + 2 * DAY) is Stage.HELD
    return acts


async def report(
    acts: ReferralActs, side: str, *statuses: PlayerStatus, after: timedelta = timedelta(0)
) -> None:
    """Report statuses of one side, an hour apart."""
    player_id = acts.row.referrer_id if side == "referrer" else acts.referee_id
    for hours, status in enumerate(statuses):
        at = NOW + after + timedelta(hours=hours)
        await acts.receives(status_change(player_id, status, at=at), player_id=player_id)


async def test_a_reviewer_is_shown_the_rewards_of_both_sides(database: Database) -> None:
    acts = await sign_up(database, terms=replace(HOLDING, referee_reward=usd(500)))
    await record_referrer_deposit(acts, card=card_of(acts))
    await acts.receives(deposit(acts.referee_id, payment_instrument=card_of(acts)))
    await acts.wake()

    assert (await acts.latest_review()).amount_minor == 1500


async def test_a_hold_that_ends_and_begins_again_at_the_same_moment_is_another_one(
    database: Database,
) -> None:
    acts = await sign_up(database)
    await report(acts, "referrer", PlayerStatus.SELF_EXCLUDED)
    await acts.receives(deposit(acts.referee_id))
    await acts.wake()
    await record_referrer_deposit(acts, card=card_of(acts))
    await acts.receives(deposit(acts.referee_id, at=NOW + DAY, payment_instrument=card_of(acts)))
    await acts.wake()
    await report(acts, "referrer", PlayerStatus.RESTORED, after=DAY)
    await acts.wake()
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW}
    await report(acts, "referrer", PlayerStatus.CLOSED, after=2 * DAY)

    assert await acts.wake() is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW, HoldReason.INELIGIBLE}


async def test_an_earlier_deposit_that_is_heard_while_held_is_looked_at_when_the_hold_ends(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts = await sign_up(fresh_database, terms=HOLDING)
    later = deposit(acts.referee_id, at=NOW + timedelta(hours=3))
    earlier = deposit(acts.referee_id, minor=3000, at=NOW + timedelta(hours=2))
    await acts.receives(later)
    assert await acts.wake(at=NOW + timedelta(hours=4)) is Stage.HELD
    await acts.receives(earlier)
    await acknowledge(fresh_superuser)
    assert await state.violated_invariants(fresh_database, as_of=NOW + DAY) == {}

    # It earns the reward from now on, and is held for as long.
    assert await acts.wake(at=NOW + 15 * DAY) is Stage.HELD
    assert await acts.wake(at=NOW + 30 * DAY) is Stage.REWARDED
    assert (await acts.stored_row()).qualified_by == earlier.event_id
    assert await state.violated_invariants(fresh_database, as_of=NOW + 30 * DAY) == {}
