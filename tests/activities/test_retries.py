"""Retries of acts: the same answer again, no second movement, and late ones that change nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.messages import SignalledFacts
from courier.route_player import route_player
from db.engine import Database
from domain.intake.facts import Choice, Deposit, TakeBack
from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage, Standing
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from tests import state
from tests.activities.referral_acts import (
    LATER,
    ReferralActs,
    acts_on,
    card_of,
    record_referrer_deposit,
    sign_up,
)
from tests.builders import (
    NOW,
    TERMS,
    TOKENS,
    an_invitation,
    chargeback,
    decision,
    deposit,
    signup,
    usd,
)
from tests.state import Balances

AFTER_ALL_WINDOWS = NOW + timedelta(days=400)


async def sign_up_and_deposit(database: Database) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database)
    earned = deposit(acts.referee_id)
    await acts.receives(earned)
    return acts, earned


async def hold_for_review(database: Database) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database)
    await record_referrer_deposit(acts, card=card_of(acts))
    earned = deposit(acts.referee_id, payment_instrument=card_of(acts))
    await acts.receives(earned)
    assert (await acts.credit()).stage is Stage.HELD
    return acts, earned


async def test_crediting_again_credits_once(database: Database) -> None:
    acts, _ = await sign_up_and_deposit(database)
    await acts.score()
    request = await acts.act_request()

    answers = [await acts.rewards.credit_reward(request) for _ in range(3)]

    assert len(set(answers)) == 1
    assert await state.movements(database, acts.row.id) == [Movement.HOLD, Movement.RELEASE]
    assert await state.player_balances(database, acts.row.referrer_id) == Balances(available=1000)


async def test_twenty_at_once_credit_once(database: Database) -> None:
    acts, _ = await sign_up_and_deposit(database)
    await acts.score()
    request = await acts.act_request()

    answers = await asyncio.gather(*(acts.rewards.credit_reward(request) for _ in range(20)))

    assert len(set(answers)) == 1
    assert await state.player_balances(database, acts.row.referrer_id) == Balances(available=1000)
    assert await state.violated_invariants(database) == {}


async def test_compensating_again_reverses_once(database: Database) -> None:
    acts, earned = await sign_up_and_deposit(database)
    await acts.credit()
    await acts.receives(chargeback(earned))
    request = await acts.act_request()

    answers = await asyncio.gather(*(acts.rewards.compensate_reward(request) for _ in range(8)))

    assert {answer.stage for answer in answers} == {Stage.REVERSED}
    moved = await state.movements(database, acts.row.id)
    assert sorted(moved) == sorted([Movement.HOLD, Movement.RELEASE, Movement.REVERSE])
    assert await state.player_balances(database, acts.row.referrer_id) == Balances()


async def test_settling_and_expiring_again_answer_the_same(database: Database) -> None:
    acts, _ = await sign_up_and_deposit(database)
    await acts.credit()
    request = await acts.act_request(at=AFTER_ALL_WINDOWS)
    unpaid = await sign_up(database)
    unpaid_request = await unpaid.act_request(at=AFTER_ALL_WINDOWS)

    settled = [await acts.rewards.settle_referral(request) for _ in range(2)]
    expired = [await unpaid.referrals.expire_referral(unpaid_request) for _ in range(2)]

    assert [answer.stage for answer in settled] == [Stage.SETTLED] * 2
    assert len(set(expired)) == 1
    assert (await state.stages(database, unpaid.row.id)).count(Stage.EXPIRED) == 1


async def test_resolving_again_releases_once(database: Database) -> None:
    acts, _ = await hold_for_review(database)
    await acts.decide(Choice.APPROVE)
    request = await acts.act_request()

    answers = [await acts.rewards.resolve_hold(request) for _ in range(2)]

    assert {answer.stage for answer in answers} == {Stage.REWARDED}
    assert await state.player_balances(database, acts.row.referrer_id) == Balances(available=1000)


@pytest.mark.parametrize("stale", [Stage.INVITED, Stage.SIGNED_UP, Stage.DEFERRED, Stage.HELD])
async def test_an_act_with_a_stale_standing_returns_the_recorded_one(
    database: Database, stale: Stage
) -> None:
    acts, _ = await sign_up_and_deposit(database)
    recorded = await acts.credit()
    request = replace(await acts.act_request(at=AFTER_ALL_WINDOWS), standing=Standing(stale, NOW))

    answers = {
        (await acts.fraud.score_fraud(request)).standing,
        await acts.rewards.credit_reward(request),
        (await acts.rewards.score_and_credit(request)).standing,
        await acts.rewards.resolve_hold(request),
        await acts.rewards.compensate_reward(request),
        await acts.referrals.expire_referral(request),
        (await acts.referrals.admit_signup(request)).standing,
    }

    assert answers == {recorded}


async def test_scoring_and_crediting_changes_nothing_of_a_referral_that_has_ended(
    database: Database,
) -> None:
    acts, earned = await hold_for_review(database)
    await acts.receives(chargeback(earned))
    assert await acts.wake() is Stage.VOIDED
    await acts.receives(chargeback(earned, TakeBack.CHARGEBACK_WON))

    scoring = await acts.rewards.score_and_credit(await acts.act_request())

    assert (scoring.standing.stage, scoring.verdict) == (Stage.VOIDED, None)
    assert (await acts.stored_row()).stage is Stage.VOIDED
    assert await state.player_balances(database, acts.row.referrer_id) == Balances()


async def test_a_decision_and_a_chargeback_at_once_have_one_outcome(database: Database) -> None:
    for choice in Choice:
        acts, earned = await hold_for_review(database)
        await asyncio.gather(acts.decide(choice), acts.receives(chargeback(earned)))

        last = await acts.wake()

        assert last in {Stage.REVERSED, Stage.VOIDED, Stage.REJECTED}
        assert await state.player_balances(database, acts.row.referrer_id) == Balances()


async def test_of_two_decisions_at_once_one_counts(database: Database) -> None:
    acts, _ = await hold_for_review(database)

    async def decide(choice: Choice) -> ReviewOutcome:
        async with database.transaction() as session:
            answer = await reviews.decide(
                session, review_id=reviews.review_id_of(acts.row.id), decision=decision(choice)
            )
        return answer.outcome

    outcomes = await asyncio.gather(decide(Choice.APPROVE), decide(Choice.REJECT))

    assert sorted(outcomes) == [ReviewOutcome.ALREADY_DECIDED, ReviewOutcome.DECIDED]


async def test_an_expiry_and_a_signup_at_once_have_one_outcome(database: Database) -> None:
    ends = set()
    for _ in range(10):
        async with database.transaction() as session:
            row = await an_invitation(session)
        acts = acts_on(database, row)
        arrival = signup()
        request = await acts.act_request(
            at=AFTER_ALL_WINDOWS, signalled=SignalledFacts(signups=(arrival,))
        )
        silent = replace(request, heard=SignalledFacts())
        await asyncio.gather(
            acts.referrals.expire_referral(silent), acts.referrals.admit_signup(request)
        )
        stored = await acts.stored_row()
        assert (stored.stage is Stage.SIGNED_UP) == (stored.referee_id == arrival.player_id)
        ends.add(stored.stage)

    assert ends <= {Stage.SIGNED_UP, Stage.EXPIRED}


async def test_credits_at_once_never_overspend_a_budget(database: Database) -> None:
    first = await sign_up(database, budget=usd(2500))
    async with database.reading() as session:
        offer = await state.offer_of(session, first.row)
    many = [first, *[await sign_up(database, offer=offer) for _ in range(7)]]
    for acts in many:
        await acts.receives(deposit(acts.referee_id))
        await acts.score()

    answers = await asyncio.gather(
        *[acts.rewards.credit_reward(await acts.act_request()) for acts in many]
    )

    stages = [answer.stage for answer in answers]
    assert stages.count(Stage.REWARDED) == 2
    assert stages.count(Stage.DEFERRED) == 6
    assert await state.budget(database, first.row.campaign_id) == 500
    assert await state.violated_invariants(database) == {}


async def test_a_signup_routed_while_it_is_signalled_binds_once(database: Database) -> None:
    async with database.transaction() as session:
        row = await an_invitation(session)
    acts, arrival = acts_on(database, row), signup()

    async def route() -> None:
        async with database.transaction() as session:
            await route_player(session, arrival.player_id, tokens=TOKENS, now=LATER)

    request = await acts.act_request(signalled=SignalledFacts(signups=(arrival,)))
    admissions = await asyncio.gather(
        acts.referrals.admit_signup(request), route(), acts.referrals.admit_signup(request)
    )

    assert {a.referee_id for a in admissions if a} == {arrival.player_id}
    assert (await acts.stored_row()).until == NOW + TERMS.deposit_window + TERMS.lateness_grace


async def test_a_referral_that_has_ended_is_not_credited_by_a_late_act(database: Database) -> None:
    acts = await sign_up(database, terms=replace(TERMS, hold_period=timedelta(days=1)))
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()
    await acts.receives(chargeback(paid))
    assert await acts.wake() is Stage.VOIDED
    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON))

    assert (await acts.credit()).stage is Stage.VOIDED
    assert await acts.referrer_balances() == Balances()
