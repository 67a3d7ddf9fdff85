"""Computed rewards: percentages, tiers and jurisdictions, credited and adjusted to what is due."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.tables import Reward
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus
from tests import state
from tests.activities.campaigns.ruled import acknowledge
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import NOW, TERMS, chargeback, deposit, usd
from tests.state import offer_of, violated_invariants


def money(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def percent(text_: str, *, least: int | None = None, most: int | None = None) -> dict[str, Any]:
    return {
        "percent": text_,
        "minimum": None if least is None else money(least),
        "maximum": None if most is None else money(most),
    }


def paying(**amounts: Mapping[str, Any]) -> Terms:
    """Return terms that pay each side, by its name, an amount in cash."""
    written = [{"to": side, "amount": amount} for side, amount in amounts.items()]
    rewards = read_rewards(written, "terms.rewards", currency="USD")
    return replace(TERMS, referrer_reward=usd(0), rules=Rules(rewards=rewards))


async def rewards_of(acts: ReferralActs) -> dict[str, tuple[int, RewardStatus]]:
    async with acts.database.reading() as session:
        rows = await session.scalars(select(Reward).where(Reward.referral_id == acts.row.id))
        return {
            row.reward_type.value: (
                row.amount_minor if row.due_minor is None else row.due_minor,
                row.status,
            )
            for row in rows
        }


@pytest.mark.parametrize(
    ("amount", "minor", "expected"),
    [
        (percent("10"), 25_099, 2509),
        (percent("10", most=5000), 100_000, 5000),
        (percent("0.5", least=700), 2000, 700),
        ({"tiers": [{"from": 1, "flat": money(500)}, {"from": 2, "flat": money(900)}]}, 1000, 500),
        ({"by_jurisdiction": {"US-NJ": {"flat": money(1500)}, "*": percent("1")}}, 1000, 1500),
        ({"by_jurisdiction": {"US-PA": {"flat": money(1500)}, "*": percent("1")}}, 5000, 50),
    ],
)
async def test_pays_what_the_terms_compute(
    database: Database, amount: Mapping[str, Any], minor: int, expected: int
) -> None:
    acts = await sign_up(database, terms=paying(referrer=amount))
    await acts.receives(deposit(acts.referee_id, minor=minor))

    assert await acts.wake() is Stage.REWARDED
    assert await rewards_of(acts) == {"referrer": (expected, RewardStatus.ISSUED)}
    assert (await acts.referrer_balances()).available == expected


async def test_pays_a_place_in_whatever_spelling_its_signup_has(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    local = {"by_jurisdiction": {"US-NJ": {"flat": money(1500)}, "*": {"flat": money(500)}}}
    acts = await sign_up(fresh_database, terms=paying(referrer=local), jurisdiction=" us_nj")
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.REWARDED
    assert await rewards_of(acts) == {"referrer": (1500, RewardStatus.ISSUED)}
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}


async def test_what_a_former_release_credited_by_the_signups_spelling_stays_due(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    local = {"by_jurisdiction": {"US-PA": {"flat": money(1500)}, "*": percent("10")}}
    acts = await sign_up(fresh_database, terms=paying(referrer=local), jurisdiction="us-nj")
    paid = deposit(acts.referee_id, minor=5000)
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    # As it was left by a release to which us-nj was not the US-NJ of its terms.
    async with fresh_superuser.transaction() as session:
        for change in (
            "update referrals set terms = replace(terms::text, 'US-PA', 'US-NJ')::jsonb",
            "update rewards set computation = replace(computation::text, 'US-PA', 'US-NJ')::jsonb",
        ):
            await session.execute(text(change))
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}

    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(1000)))
    assert await acts.wake() is Stage.REWARDED
    assert await rewards_of(acts) == {"referrer": (400, RewardStatus.ISSUED)}
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}


async def test_pays_both_sides_of_one_deposit(database: Database) -> None:
    terms = paying(referrer=percent("10"), referee={"flat": money(700)})
    acts = await sign_up(database, terms=terms)
    await acts.receives(deposit(acts.referee_id, minor=4000))

    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 400
    assert (await state.player_balances(database, acts.referee_id)).available == 700


@pytest.mark.parametrize(
    "amount", [percent("0.01"), {"by_jurisdiction": {"US-PA": {"flat": money(1500)}}}]
)
async def test_what_computes_to_nothing_pays_nothing_and_says_so(
    database: Database, amount: Mapping[str, Any]
) -> None:
    acts = await sign_up(database, terms=paying(referrer=amount))
    await acts.receives(deposit(acts.referee_id))

    assert await acts.wake() is Stage.REJECTED
    assert await state.reason(database, acts.row.id) == "the terms pay nothing for it"
    assert await rewards_of(acts) == {}


async def test_tiers_count_the_referrer_s_rewarded_referrals(database: Database) -> None:
    tiers = [{"from": 1, "flat": money(500)}, {"from": 3, "flat": money(900)}]
    first = await sign_up(database, terms=paying(referrer={"tiers": tiers}))
    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    others = [
        await sign_up(database, offer=offer, referrer_id=first.row.referrer_id) for _ in range(3)
    ]
    paid = []
    for acts in (first, *others):
        await acts.receives(deposit(acts.referee_id))
        assert await acts.wake() is Stage.REWARDED
        paid.append((await rewards_of(acts))["referrer"][0])

    assert paid == [500, 500, 900, 900]


async def test_partial_refunds_lower_a_percentage_to_what_is_due(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts = await sign_up(fresh_database, terms=paying(referrer=percent("10")))
    paid = deposit(acts.referee_id, minor=10_000)
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    refund = chargeback(paid, TakeBack.REFUND, amount=usd(4000), dispute_id="refund-1")
    await acts.receives(refund)
    assert await acts.wake() is Stage.REWARDED
    assert await rewards_of(acts) == {"referrer": (600, RewardStatus.ISSUED)}
    assert (await acts.referrer_balances()).available == 600
    failed = chargeback(paid, TakeBack.REFUND_FAILED, amount=usd(4000), dispute_id="refund-1")
    await acts.receives(failed)
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}
    await acts.receives(chargeback(paid))
    assert await acts.wake() is Stage.REVERSED
    assert (await acts.referrer_balances()).available == 0
    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON))
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000
    await acknowledge(fresh_superuser)

    assert await violated_invariants(fresh_database) == {}


async def test_what_is_refunded_while_it_is_held_is_paid_as_far_as_it_is_due(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = replace(paying(referrer=percent("10")), hold_period=timedelta(days=1))
    acts = await sign_up(fresh_database, terms=terms)
    paid = deposit(acts.referee_id, minor=10_000)
    await acts.receives(paid)
    assert await acts.wake() is Stage.HELD
    assert (await acts.referrer_balances()).held == 1000
    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(5000)))
    assert await acts.wake() is Stage.HELD

    assert await acts.wake(at=LATER + timedelta(days=2)) is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 500
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}


async def test_another_deposit_that_qualifies_while_it_is_held_decides_the_amount(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = replace(paying(referrer=percent("10")), hold_period=timedelta(days=1))
    acts = await sign_up(fresh_database, terms=terms)
    first = deposit(acts.referee_id, minor=10_000)
    second = deposit(acts.referee_id, minor=30_000, at=NOW + timedelta(hours=2))
    await acts.receives(first)
    assert await acts.wake() is Stage.HELD
    await acts.receives(second, chargeback(first))
    assert await acts.wake() is Stage.HELD

    assert await acts.wake(at=LATER + timedelta(days=5)) is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 3000
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}


@pytest.mark.parametrize("change", ["computation = '{}'", "due_minor = 5000000"])
async def test_the_application_cannot_change_the_amount_of_a_flat_reward(
    database: Database, change: str
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.REWARDED

    with pytest.raises(IntegrityError, match="is flat"):
        async with database.transaction() as session:
            await session.execute(
                text(f"update rewards set {change} where referral_id = :id"),  # noqa: S608
                {"id": acts.row.id},
            )


async def test_a_computed_reward_waits_for_a_budget_that_covers_it(database: Database) -> None:
    terms = paying(referrer=percent("10"))
    acts = await sign_up(database, terms=terms, budget=usd(900))
    await acts.receives(deposit(acts.referee_id, minor=10_000))

    assert await acts.wake() is Stage.DEFERRED
    assert (await acts.referrer_balances()).available == 0
