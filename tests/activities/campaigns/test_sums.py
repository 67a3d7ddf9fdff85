"""Sums of deposits and of stakes that qualify, and what takes them back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import select

from db.engine import Database
from db.tables import Delivery
from domain.campaigns.rules import QualifyingAction
from domain.intake.facts import Deposit, TakeBack
from domain.intake.sources import SEPARATOR
from domain.lifecycle.referral import Stage
from domain.money import LARGEST_MINOR
from domain.rewards.fact_effect import FactEffect
from tests.activities.campaigns.ruled import acknowledge, effects, leaf, looks, ruled, stake
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import NOW, chargeback, deposit, unique, usd
from tests.state import violated_invariants


async def test_the_deposit_that_reaches_the_sum_qualifies(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(on=QualifyingAction.TOTAL_DEPOSITS))
    parts = [
        deposit(acts.referee_id, minor=minor, at=NOW + timedelta(hours=hour))
        for hour, minor in enumerate((400, 400, 400, 400), start=1)
    ]
    await acts.receives(*parts[:2])
    assert await acts.wake() is Stage.SIGNED_UP
    assert await effects(acts) == [FactEffect.BINDS, *[FactEffect.TOWARDS_TOTAL] * 2]
    await acts.receives(*parts[2:])

    assert await acts.wake() is Stage.REWARDED
    assert (await acts.stored_row()).qualified_by == parts[2].event_id
    assert (await effects(acts))[:4] == [FactEffect.BINDS, *[FactEffect.QUALIFIES] * 3]


async def test_one_deposit_under_two_event_ids_is_one_part_of_a_sum(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(on=QualifyingAction.TOTAL_DEPOSITS))
    by_webhook = deposit(acts.referee_id, minor=500)
    by_file = replace(
        by_webhook, event_id=unique("file"), occurred_at=NOW + timedelta(hours=2), method="card"
    )
    await acts.receives(by_webhook, by_file)
    assert await acts.wake() is Stage.SIGNED_UP
    assert await effects(acts) == [
        FactEffect.BINDS,
        FactEffect.TOWARDS_TOTAL,
        FactEffect.SAME_DEPOSIT,
    ]
    await acts.receives(deposit(acts.referee_id, minor=500, at=NOW + timedelta(hours=3)))
    assert await acts.wake() is Stage.REWARDED
    assert await violated_invariants(database) == {}


async def test_a_reward_that_rests_on_an_event_of_a_source_can_be_checked(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts = await sign_up(fresh_database, terms=ruled(on=QualifyingAction.TOTAL_DEPOSITS))
    of_source = f"psp{SEPARATOR}{unique('deposit')}"
    await acts.receives(replace(deposit(acts.referee_id), event_id=of_source))
    assert await acts.wake() is Stage.REWARDED
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}


async def test_a_report_of_an_earlier_time_changes_nothing_of_what_was_credited(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=ruled(on=QualifyingAction.TOTAL_DEPOSITS))
    paid = deposit(acts.referee_id, at=NOW + timedelta(hours=2))
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    await acts.receives(
        replace(paid, event_id=unique("file"), occurred_at=NOW + timedelta(hours=1))
    )
    assert await acts.wake() is Stage.REWARDED
    assert await effects(acts) == [
        FactEffect.BINDS,
        FactEffect.SAME_DEPOSIT,
        FactEffect.QUALIFIES,
    ]
    await acts.receives(chargeback(paid))
    assert await acts.wake() is Stage.REVERSED
    assert await violated_invariants(database) == {}


async def test_a_condition_counts_one_deposit_under_two_event_ids_once(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=ruled(leaf("deposits.count", "gte", 2)))
    paid = deposit(acts.referee_id)
    await acts.receives(paid, replace(paid, event_id=unique("file")))
    assert await acts.wake() is Stage.SIGNED_UP


async def test_a_sum_that_is_taken_back_reverses_the_reward(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(on=QualifyingAction.TOTAL_DEPOSITS))
    parts = [deposit(acts.referee_id, minor=600, at=NOW + timedelta(hours=h)) for h in (1, 2)]
    await acts.receives(*parts)
    assert await acts.wake() is Stage.REWARDED
    await acts.receives(chargeback(parts[0], amount=usd(100)))
    assert await acts.wake() is Stage.REWARDED
    taken = chargeback(parts[0], amount=usd(400))
    await acts.receives(taken)

    assert await looks_of_chargebacks(acts) == 2
    assert await acts.wake() is Stage.REVERSED


async def test_a_sum_beyond_the_largest_amount_qualifies(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(on=QualifyingAction.TOTAL_DEPOSITS))
    parts = [
        deposit(acts.referee_id, minor=minor, at=NOW + timedelta(hours=hour))
        for hour, minor in enumerate((999, LARGEST_MINOR), start=1)
    ]
    await acts.receives(*parts)
    assert await acts.wake() is Stage.REWARDED
    assert await violated_invariants(database) == {}


async def test_a_condition_is_judged_by_deposits_beyond_the_largest_amount(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=ruled(leaf("deposits.count", "gte", 2)))
    await acts.receives(*(deposit(acts.referee_id, minor=LARGEST_MINOR) for _ in range(2)))
    assert await acts.wake() is Stage.REWARDED
    assert await violated_invariants(database) == {}


async def test_rewards_that_are_more_than_the_largest_amount_are_deferred(
    database: Database,
) -> None:
    largest = usd(LARGEST_MINOR)
    terms = replace(ruled(), referrer_reward=largest, referee_reward=largest)
    acts = await sign_up(database, terms=terms, budget=largest)
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.DEFERRED
    assert await violated_invariants(database) == {}


BY_CARD: Final = replace(
    ruled(leaf("deposit.method", "in", ["card"]), on=QualifyingAction.TOTAL_DEPOSITS),
    hold_period=timedelta(days=1),
)


def parts_with_a_voucher(acts: ReferralActs) -> Sequence[Deposit]:
    """Return an early card, and a sum that a voucher is part of and a card completes."""
    parts = ((100, "card"), (600, "card"), (300, "voucher"), (200, "card"))
    return [
        deposit(acts.referee_id, minor=minor, method=method, at=NOW + timedelta(hours=hour))
        for hour, (minor, method) in enumerate(parts, start=1)
    ]


@pytest.mark.parametrize("stage", [Stage.SIGNED_UP, Stage.VOIDED])
async def test_a_part_of_a_sum_that_never_met_the_condition_does_not_qualify(
    database: Database, stage: Stage
) -> None:
    acts = await sign_up(database, terms=BY_CARD)
    early, *parts = parts_with_a_voucher(acts)
    if stage is Stage.VOIDED:
        await acts.receives(*parts)
        assert await acts.wake() is Stage.HELD
        await acts.receives(early, chargeback(parts[-1], TakeBack.REFUND))
    else:
        await acts.receives(early, *parts, chargeback(parts[-1], TakeBack.REFUND))

    assert await acts.wake(at=LATER + timedelta(days=2)) is stage
    assert (await acts.referrer_balances()).available == 0


async def test_an_earlier_part_of_a_sum_leaves_the_deposit_that_met_the_condition(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=BY_CARD)
    early, *parts = parts_with_a_voucher(acts)
    await acts.receives(*parts)
    assert await acts.wake() is Stage.HELD
    await acts.receives(early)
    at = LATER + timedelta(days=2)

    assert await acts.wake(at=at) is Stage.HELD
    assert await acts.wake(at=at + timedelta(days=2)) is Stage.REWARDED
    assert (await acts.stored_row()).qualified_by == parts[-1].event_id


async def looks_of_chargebacks(acts: ReferralActs) -> int:
    query = select(Delivery.id).where(
        Delivery.referral_id == acts.row.id,
        Delivery.kind == "chargeback",
        Delivery.acknowledged_at.is_(None),
    )
    async with acts.database.reading() as session:
        return len((await session.scalars(query)).all())


async def test_only_the_stake_that_reaches_the_turnover_wakes(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(turnover=usd(5000)))
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.SIGNED_UP
    for _ in range(4):
        await acts.receives(stake(acts, 1000))
    await acts.receives(stake(acts, 1000, days=40))
    assert await looks(acts) == 0
    await acts.receives(stake(acts, 1000))

    assert await looks(acts) == 1
    assert await acts.wake() is Stage.REWARDED
    assert FactEffect.TOWARDS_TURNOVER in await effects(acts)


async def test_turnover_reached_before_the_deposit_counts(database: Database) -> None:
    acts = await sign_up(database, terms=ruled(turnover=usd(500)))
    await acts.receives(stake(acts, 500, days=0.5))
    assert await looks(acts) == 0
    await acts.receives(deposit(acts.referee_id))

    assert await acts.wake() is Stage.REWARDED


async def test_verify_is_green_over_sums_that_were_taken_back(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = ruled(on=QualifyingAction.TOTAL_DEPOSITS, turnover=usd(100))
    acts = await sign_up(fresh_database, terms=terms)
    parts = [deposit(acts.referee_id, minor=600, at=NOW + timedelta(hours=h)) for h in (1, 2)]
    await acts.receives(*parts, stake(acts, 100))
    assert await acts.wake() is Stage.REWARDED
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}
    await acts.receives(chargeback(parts[0]))
    assert await acts.wake() is Stage.REVERSED
    await acknowledge(fresh_superuser)

    assert await violated_invariants(fresh_database) == {}
