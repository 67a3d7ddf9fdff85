"""Qualifying by a campaign's rules: conditions, and the first deposit."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from db.engine import Database
from db.tables import TimelineRow
from domain.campaigns.conditions.evaluation import Judged
from domain.campaigns.rules import QualifyingAction
from domain.intake.facts import PlayerStatus, TakeBack
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from domain.rewards.fact_effect import FactEffect
from referrals.reporting.reward_evidence import find_evidence
from referrals.rewards.transfers import rewards_of_referral
from tests.activities.campaigns.ruled import acknowledge, effects, leaf, looks, ruled
from tests.activities.referral_acts import LATER, sign_up
from tests.builders import (
    NOW,
    TERMS,
    a_player_id,
    chargeback,
    deposit,
    signup,
    status_change,
    usd,
)
from tests.fixtures.database_activity import recorded_statements
from tests.state import offer_of, violated_invariants


@pytest.mark.parametrize(
    ("when", "fields", "stage"),
    [
        (leaf("deposit.method", "not_in", ["voucher"]), {"method": "voucher"}, Stage.SIGNED_UP),
        (leaf("deposit.method", "not_in", ["voucher"]), {}, Stage.REWARDED),
        (leaf("deposit.method", "not_in", ["voucher"]), {"method": "Voucher "}, Stage.SIGNED_UP),
        (leaf("deposit.method", "eq", "card"), {}, Stage.SIGNED_UP),
        (leaf("deposit.jurisdiction", "eq", "US-NJ"), {"jurisdiction": "US-NJ"}, Stage.REWARDED),
        (leaf("deposit.amount", "gte", {"minor": 2500, "currency": "USD"}), {}, Stage.SIGNED_UP),
        (leaf("referee.jurisdiction", "eq", "US-NJ"), {}, Stage.REWARDED),
        (leaf("referee.platform", "in", ["ios", "android"]), {}, Stage.SIGNED_UP),
        (leaf("attribution.method", "eq", "typed_code"), {}, Stage.REWARDED),
        (leaf("time.hour", "eq", 13), {}, Stage.REWARDED),
        (leaf("time.weekday", "eq", 1), {}, Stage.SIGNED_UP),
        (leaf("referrer.rewarded", "lt", 1), {}, Stage.REWARDED),
        (leaf("referee.verified", "exists", value=False), {}, Stage.REWARDED),
    ],
)
async def test_a_deposit_is_judged_by_the_condition(
    database: Database, when: Mapping[str, Any], fields: dict[str, Any], stage: Stage
) -> None:
    acts = await sign_up(database, terms=ruled(when))
    await acts.receives(deposit(acts.referee_id, **fields))

    assert await acts.wake() is stage
    is_met = stage is Stage.REWARDED
    expected = FactEffect.QUALIFIES if is_met else FactEffect.CONDITION_NOT_MET
    assert await effects(acts) == [FactEffect.BINDS, expected]


@pytest.mark.parametrize("stage", [Stage.HELD, Stage.REWARDED])
async def test_what_met_the_condition_of_a_former_release_by_its_spelling_stays(
    fresh_database: Database, fresh_superuser: Database, stage: Stage
) -> None:
    terms = ruled(leaf("deposit.method", "not_in", ["ticket"]))
    hold = timedelta(days=3 if stage is Stage.HELD else 0)
    acts = await sign_up(fresh_database, terms=replace(terms, hold_period=hold))
    await acts.receives(deposit(acts.referee_id, method="Voucher"))
    assert await acts.wake() is stage
    # As it was left by a release to which Voucher was not the voucher of its terms.
    async with fresh_superuser.transaction() as session:
        renamed = "update referrals set terms = replace(terms::text, 'ticket', 'voucher')::jsonb"
        await session.execute(text(renamed))
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}

    assert await acts.wake(at=LATER + timedelta(days=4)) is Stage.REWARDED
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}


async def test_what_met_the_condition_is_kept_with_the_reward(database: Database) -> None:
    when = {
        "any": [
            leaf("deposit.amount", "gte", {"minor": 1500, "currency": "USD"}),
            leaf("referee.verified", "eq", value=True),
        ]
    }
    acts = await sign_up(database, terms=ruled(when))
    await acts.receives(deposit(acts.referee_id, minor=2000))
    assert await acts.wake() is Stage.REWARDED
    await acts.receives(status_change(acts.referee_id, PlayerStatus.VERIFIED))
    await acts.wake()

    async with database.reading() as session:
        (reward, *_) = await rewards_of_referral(session, acts.row.id)
        evidence = await find_evidence(session, reward.id)
    assert evidence is not None
    assert evidence.qualification.conditions == [
        Judged(path="terms.when.any[0]", field="deposit.amount", value=usd(2000), holds=True),
        Judged(path="terms.when.any[1]", field="referee.verified", value=None, holds=False),
    ]


async def test_a_condition_is_judged_again_when_the_player_is_verified(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(leaf("referee.verified", "eq", value=True)))
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.SIGNED_UP
    await acts.receives(status_change(acts.referee_id, PlayerStatus.VERIFIED))

    assert await acts.wake() is Stage.REWARDED


async def test_a_later_deposit_may_meet_the_condition(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(leaf("deposits.count", "gte", 2)))
    first = deposit(acts.referee_id)
    second = deposit(acts.referee_id, at=NOW + timedelta(hours=2))
    await acts.receives(first)
    assert await acts.wake() is Stage.SIGNED_UP
    await acts.receives(second)

    assert await acts.wake() is Stage.REWARDED
    assert (await acts.stored_row()).qualified_by == second.event_id


async def test_a_referral_that_a_condition_keeps_waiting_expires_and_names_it(
    database: Database,
) -> None:
    when = {"all": [leaf("time.hour", "gte", 1), leaf("deposit.method", "eq", "card")]}
    acts = await sign_up(database, terms=ruled(when))
    await acts.receives(deposit(acts.referee_id))
    at = NOW + TERMS.deposit_window + TERMS.lateness_grace + timedelta(minutes=1)
    await acts.referrals.expire_referral(await acts.act_request(at=at))

    async with database.reading() as session:
        query = select(TimelineRow).where(TimelineRow.referral_id == acts.row.id)
        last = (await session.scalars(query.order_by(TimelineRow.step.desc()))).first()
    assert last is not None
    assert (last.stage, last.reason_code) == (Stage.EXPIRED, ReasonCode.CONDITION_NOT_MET)
    assert last.reason is not None
    assert last.reason.endswith("terms.when.all[1]")


async def test_the_referrer_s_first_deposit_wakes_who_waits_for_it(database: Database) -> None:
    terms = ruled(leaf("referrer.has_deposited", "eq", value=True))
    acts = await sign_up(database, terms=terms)
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.SIGNED_UP
    referrer = acts.row.referrer_id
    await acts.receives(deposit(referrer), player_id=referrer)
    assert await looks(acts) == 1
    await acts.receives(deposit(referrer), player_id=referrer)
    assert await looks(acts) == 1

    assert await acts.wake() is Stage.REWARDED


async def test_as_many_statements_wake_one_who_waits_for_the_referrer_as_twelve(
    database: Database,
) -> None:
    terms = ruled(leaf("referrer.verified", "eq", value=True))
    counts = []
    for friends in (1, 12):
        referrer = a_player_id()
        found = [await sign_up(database, terms=terms, referrer_id=referrer) for _ in range(friends)]
        verified = status_change(referrer, PlayerStatus.VERIFIED)
        with recorded_statements(database) as statements:
            await found[0].receives(verified, player_id=referrer)
        counts.append(len(statements))
        assert [await looks(acts) for acts in found] == [1] * friends
    assert counts[0] == counts[1]


async def test_the_age_of_the_referrer_s_account_is_that_at_the_deposit(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(leaf("referrer.account_age", "gte", "P7D")))
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.SIGNED_UP
    referrer = acts.row.referrer_id
    await acts.receives(signup(referrer, at=NOW - timedelta(days=8)), player_id=referrer)
    assert await looks(acts) == 1

    assert await acts.wake() is Stage.REWARDED


async def test_what_was_met_stays_met_while_it_is_held(database: Database) -> None:
    terms = replace(ruled(leaf("referrer.rewarded", "lt", 1)), hold_period=timedelta(days=1))
    first = await sign_up(database, terms=terms)
    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    second = await sign_up(database, offer=offer, referrer_id=first.row.referrer_id)
    third = await sign_up(database, offer=offer, referrer_id=first.row.referrer_id)
    for acts in (first, second):
        await acts.receives(deposit(acts.referee_id))
        assert await acts.wake() is Stage.HELD
    for acts in (first, second):
        assert await acts.wake(at=LATER + timedelta(days=2)) is Stage.REWARDED
    await third.receives(deposit(third.referee_id))

    assert await third.wake() is Stage.SIGNED_UP


async def test_the_first_deposit_alone_decides(database: Database) -> None:
    terms = ruled(on=QualifyingAction.FIRST_DEPOSIT)
    enough, too_little = [await sign_up(database, terms=terms) for _ in range(2)]
    await enough.receives(deposit(enough.referee_id))
    await too_little.receives(deposit(too_little.referee_id, minor=999))

    assert await enough.wake() is Stage.REWARDED
    assert await too_little.wake() is Stage.REJECTED
    async with database.reading() as session:
        query = select(TimelineRow.reason_code).where(
            TimelineRow.referral_id == too_little.row.id, TimelineRow.stage == Stage.REJECTED
        )
        assert await session.scalar(query) == ReasonCode.FIRST_DEPOSIT_BELOW_MINIMUM


async def test_an_earlier_deposit_that_is_heard_later_is_the_first(database: Database) -> None:
    terms = replace(ruled(on=QualifyingAction.FIRST_DEPOSIT), hold_period=timedelta(days=1))
    acts = await sign_up(database, terms=terms)
    await acts.receives(deposit(acts.referee_id, at=NOW + timedelta(hours=2)))
    assert await acts.wake() is Stage.HELD
    await acts.receives(deposit(acts.referee_id, minor=500, at=NOW + timedelta(hours=1)))

    assert await acts.wake() is Stage.REJECTED
    assert (await acts.referrer_balances()).available == 0


async def test_a_first_deposit_that_was_taken_back_may_be_given_back(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(on=QualifyingAction.FIRST_DEPOSIT))
    first = deposit(acts.referee_id)
    await acts.receives(first, chargeback(first))
    assert await acts.wake() is Stage.SIGNED_UP
    await acts.receives(chargeback(first, TakeBack.CHARGEBACK_WON))

    assert await acts.wake() is Stage.REWARDED


async def test_a_missed_act_on_a_condition_is_seen(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts = await sign_up(fresh_database, terms=ruled(leaf("referee.verified", "eq", value=True)))
    await acts.receives(deposit(acts.referee_id))
    await acts.wake()
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}
    await acts.receives(status_change(acts.referee_id, PlayerStatus.VERIFIED))
    await acknowledge(fresh_superuser)

    found = await violated_invariants(fresh_database)
    assert found == {"stages_are_what_the_facts_ask_for": (str(acts.row.id),)}
