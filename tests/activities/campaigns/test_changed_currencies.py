"""Rewards that were written in one currency, when a deposit in another one qualifies first."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from db.engine import Database
from domain.campaigns.rules import QualifyingAction
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from tests.activities.campaigns.ruled import acknowledge
from tests.activities.campaigns.test_currencies import (
    available,
    begin,
    know_rate,
    paid_in,
    several,
)
from tests.activities.referral_acts import LATER, ReferralActs
from tests.builders import NOW, chargeback, deposit, usd
from tests.state import violated_invariants

DAY = timedelta(days=1)


async def hold_in_dollars(database: Database, currency: str, **rules: object) -> ReferralActs:
    terms = replace(several(currency, **rules), hold_period=DAY)
    acts = await begin(database, terms, **{currency: 1_000_000})
    await acts.receives(deposit(acts.referee_id, at=NOW + timedelta(hours=1)))
    assert await acts.wake() is Stage.HELD
    return acts


@pytest.mark.parametrize(
    "on",
    [QualifyingAction.ANY_DEPOSIT, QualifyingAction.FIRST_DEPOSIT, QualifyingAction.TOTAL_DEPOSITS],
)
async def test_an_earlier_deposit_in_another_currency_changes_no_written_reward(
    database: Database, on: QualifyingAction
) -> None:
    await know_rate(database, "THB", "32")
    acts = await hold_in_dollars(database, "THB", on=on)
    await acts.receives(paid_in(acts, 900_000, "THB", at=NOW + timedelta(minutes=5)))
    assert await acts.wake() is Stage.HELD
    assert await violated_invariants(database) == {}
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED
    assert (await available(acts, "USD"), await available(acts, "THB")) == (1000, 0)
    assert await violated_invariants(database) == {}


async def test_a_rate_for_an_earlier_deposit_changes_no_written_reward(database: Database) -> None:
    terms = replace(several("PHP"), hold_period=DAY)
    acts = await begin(database, terms, PHP=1_000_000)
    await acts.receives(paid_in(acts, 900_000, "PHP", at=NOW + timedelta(minutes=5)))
    assert await acts.wake() is Stage.SIGNED_UP
    await acts.receives(deposit(acts.referee_id, at=NOW + timedelta(hours=1)))
    assert await acts.wake() is Stage.HELD
    await know_rate(database, "PHP", "57")
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED
    assert (await available(acts, "USD"), await available(acts, "PHP")) == (1000, 0)
    assert await violated_invariants(database) == {}


async def test_a_deposit_of_another_currency_does_not_pay_for_one_that_was_taken_back(
    database: Database,
) -> None:
    await know_rate(database, "MYR", "4")
    acts = await begin(database, replace(several("MYR"), hold_period=DAY), MYR=100_000)
    paid = paid_in(acts, 20_000, "MYR", at=NOW + timedelta(minutes=5))
    await acts.receives(paid)
    assert await acts.wake() is Stage.HELD
    await acts.receives(
        deposit(acts.referee_id, at=NOW + timedelta(hours=1)), chargeback(paid, TakeBack.REFUND)
    )
    stage = await acts.wake(at=LATER + 2 * DAY)
    assert await violated_invariants(database) == {}
    assert stage is Stage.VOIDED


async def test_a_bound_of_another_currency_stays_by_the_rates_that_it_was_compared_at(
    database: Database,
) -> None:
    amount = {"percent": "10", "maximum": {"minor": 10_000, "currency": "ZAR"}}
    acts = await begin(database, replace(several("ZAR", amount=amount), hold_period=DAY))
    await acts.receives(deposit(acts.referee_id, amount=usd(50_000)))
    await know_rate(database, "ZAR", "2", days=5)
    assert await acts.wake() is Stage.HELD
    await know_rate(database, "ZAR", "18", days=3)
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED
    assert await available(acts, "USD") == 5000
    await know_rate(database, "ZAR", "20", days=2)
    assert await violated_invariants(database) == {}


async def test_verify_finds_a_reward_in_another_currency_than_its_deposit(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    await know_rate(fresh_database, "PEN", "1")
    acts = await begin(fresh_database, several("PEN"), PEN=10_000)
    await acts.receives(paid_in(acts, 5000, "PEN"))
    assert await acts.wake() is Stage.REWARDED
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}
    async with fresh_superuser.transaction() as session:
        await session.execute(text("update rewards set currency = 'USD'"))
    assert "rewards_are_what_is_due" in await violated_invariants(fresh_database)
