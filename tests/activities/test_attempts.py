"""A new qualifying deposit while a reward is held is a new attempt, and inherits nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from db.engine import Database
from db.tables import Reward
from domain.intake.facts import Choice, Deposit, PlayerStatus
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.fraud.reviews import ReviewOutcome
from tests.activities.referral_acts import ReferralActs, card_of, record_referrer_deposit, sign_up
from tests.builders import NOW, TERMS, chargeback, deposit, status_change, usd
from tests.state import Balances

DAY: Final = timedelta(days=1)
HOLDING: Final = replace(TERMS, hold_period=14 * DAY)


async def test_a_deposit_in_the_place_of_another_has_its_own_hold_period(
    database: Database,
) -> None:
    acts, first = await hold(database)
    await replace_deposit(acts, first, at=NOW + 13 * DAY)
    assert await acts.wake(at=NOW + 13 * DAY) is Stage.HELD

    assert await acts.wake(at=NOW + 15 * DAY) is Stage.HELD
    assert (await acts.stored_row()).until == NOW + 27 * DAY
    assert await acts.referrer_balances() == Balances(held=1000)

    assert await acts.wake(at=NOW + 27 * DAY) is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_an_approval_of_one_deposit_does_not_credit_another(database: Database) -> None:
    acts, first = await hold_for_review(database)
    await acts.decide(Choice.APPROVE)
    await replace_deposit(acts, first, at=NOW + DAY, payment_instrument=card_of(acts))

    assert await acts.wake(at=NOW + DAY) is Stage.HELD
    assert await acts.referrer_balances() == Balances(held=1000)


async def test_a_decision_on_the_deposit_taken_back_decides_nothing_of_its_successor(
    database: Database,
) -> None:
    acts, first = await hold_for_review(database)
    review_of_first = await acts.latest_review()
    await replace_deposit(acts, first, at=NOW + DAY, payment_instrument=card_of(acts))
    await acts.wake(at=NOW + DAY)

    assert (await acts.latest_review()).id != review_of_first.id
    assert await acts.decide(Choice.APPROVE, at=NOW + DAY) is ReviewOutcome.DECIDED
    assert await acts.wake(at=NOW + 2 * DAY) is Stage.REWARDED


async def test_the_open_review_shows_the_evidence_of_the_deposit_that_counts(
    database: Database,
) -> None:
    acts, first = await hold_for_review(database)
    before = await acts.latest_review()
    second = await replace_deposit(acts, first, at=NOW + DAY)
    await acts.wake(at=NOW + DAY)

    review = await acts.latest_review()
    assert (before.round, before.attempt) == (1, 1)
    assert (review.round, review.attempt, review.status) == (2, 2, "open")
    assert "minimum_deposit" in before.reasons
    assert "minimum_deposit" not in review.reasons
    # The card was used for the deposit that was taken back: it is still known of the player.
    assert "shared_payment_instrument" in review.reasons
    assert review.assessment_id == (await acts.stored_row()).assessment_id
    assert await reward_deposit(acts) == second.event_id


async def test_the_approved_deposit_taken_back_while_a_player_is_ineligible_pays_no_other(
    database: Database,
) -> None:
    acts, first = await hold_for_review(database)
    await acts.receives(status_change(acts.referee_id, at=NOW + DAY))
    await acts.wake(at=NOW + DAY)
    await acts.decide(Choice.APPROVE, at=NOW + DAY)
    await replace_deposit(acts, first, at=NOW + 2 * DAY, payment_instrument=card_of(acts))
    await acts.wake(at=NOW + 2 * DAY)
    await acts.receives(status_change(acts.referee_id, PlayerStatus.RESTORED, at=NOW + 3 * DAY))

    assert await acts.wake(at=NOW + 3 * DAY) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW}


async def test_a_deposit_that_stands_keeps_its_attempt_when_another_is_made(
    database: Database,
) -> None:
    acts, _ = await hold(database)
    await acts.receives(deposit(acts.referee_id, minor=5000, at=NOW + 5 * DAY))

    assert await acts.wake(at=NOW + 14 * DAY) is Stage.REWARDED


async def hold(database: Database) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database, terms=HOLDING)
    made = deposit(acts.referee_id, minor=1500, at=NOW)
    await acts.receives(made)
    assert (await acts.credit(at=NOW)).stage is Stage.HELD
    return acts, made


async def hold_for_review(database: Database) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database)
    await record_referrer_deposit(acts, card=card_of(acts))
    made = deposit(acts.referee_id, payment_instrument=card_of(acts), at=NOW)
    await acts.receives(made)
    assert (await acts.credit(at=NOW)).stage is Stage.HELD
    return acts, made


async def replace_deposit(
    acts: ReferralActs,
    first: Deposit,
    *,
    at: datetime,
    **traits: Any,  # noqa: ANN401 - any trait of a deposit
) -> Deposit:
    second = deposit(acts.referee_id, at=at, amount=usd(2000), **traits)
    await acts.receives(second, chargeback(first, at=at))
    return second


async def reward_deposit(acts: ReferralActs) -> str:
    async with acts.database.reading() as session:
        query = select(Reward.deposit_event_id).where(Reward.referral_id == acts.row.id)
        return (await session.scalars(query)).one()
