"""Campaigns of several currencies, by the acts: paid in the deposit's currency, from its budget."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db.engine import Database
from db.tables import Reward
from domain.campaigns.limits.decision import Limit, LimitOf
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import QualifyingAction, Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit, TakeBack
from domain.ledger.movements import Account, Book
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.fact_effect import FactEffect
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from referrals.access.audit import Actor
from referrals.campaigns.exchange.rates import NewRates, write_rates
from referrals.ledger import balances
from tests.activities.campaigns.ruled import effects, looks
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import NOW, TERMS, an_offer, chargeback, deposit, fund, unique, usd
from tests.state import offer_of, violated_invariants

ACTOR = Actor(name="finance", request_id=None, reason="a test")
DAY = timedelta(days=1)


async def know_rate(
    database: Database, currency: str, rate: str, *, days: float = 1, base: str = "USD"
) -> None:
    """Record a rate of some days before the invitations."""
    new = NewRates(as_of=NOW - days * DAY, source=unique("bank"), base=base, rates={currency: rate})
    async with database.transaction() as session:
        await write_rates(session, new, ACTOR)


def several(*currencies: str, amount: object = None, **rules: Any) -> Terms:  # noqa: ANN401
    """Return terms that pay the referrer $10 for $10, or an amount, in several currencies."""
    flat = {"flat": {"minor": 1000, "currency": "USD"}}
    rewards = read_rewards(
        [{"to": "referrer", "amount": amount or flat}], "", currency="USD", others=currencies
    )
    plain = Rules(rewards=rewards, currencies=currencies)
    return replace(TERMS, referrer_reward=usd(0), rules=replace(plain, **rules))


async def begin(database: Database, terms: Terms, **budgets: int) -> ReferralActs:
    """Sign a player up under a campaign with a budget in dollars, and in other currencies."""
    async with database.transaction() as session:
        offer = await an_offer(session, terms=terms, budget=usd(100_000))
        for currency, minor in budgets.items():
            await fund(session, offer.campaign, Money(minor, currency))
    return await sign_up(database, offer=offer)


def paid_in(acts: ReferralActs, minor: int, currency: str, **fields: Any) -> Deposit:  # noqa: ANN401
    return deposit(acts.referee_id, amount=Money(minor, currency), **fields)


async def stored(acts: ReferralActs) -> Reward:
    async with acts.database.reading() as session:
        found = select(Reward).where(Reward.referral_id == acts.row.id)
        return (await session.scalars(found)).one()


async def available(acts: ReferralActs, currency: str) -> int:
    account = Account(book=Book.AVAILABLE, currency=currency, player_id=acts.row.referrer_id)
    async with acts.database.reading() as session:
        return await balances.balance_minor(session, account)


async def left(acts: ReferralActs, currency: str) -> int:
    account = Account(book=Book.CAMPAIGN, currency=currency, campaign_id=acts.row.campaign_id)
    async with acts.database.reading() as session:
        return await balances.balance_minor(session, account)


@pytest.mark.parametrize(
    ("currency", "rate", "minor"), [("ISK", "137.55", 1375), ("OMR", "0.3845", 3845)]
)
async def test_pays_in_the_deposit_s_currency_from_its_budget(
    database: Database, currency: str, rate: str, minor: int
) -> None:
    await know_rate(database, currency, "1", days=9)
    await know_rate(database, currency, rate, days=2)
    acts = await begin(database, several(currency), **{currency: 10_000})
    await acts.receives(paid_in(acts, minor, currency))

    assert await acts.wake() is Stage.REWARDED
    assert await available(acts, currency) == minor
    assert await available(acts, "USD") == 0
    assert (await left(acts, currency), await left(acts, "USD")) == (10_000 - minor, 100_000)
    computation = (await stored(acts)).computation
    assert computation is not None
    assert (computation["rate"], computation["rounding"]) == (rate, "down")
    assert computation["amount"] == {"flat": {"minor": 1000, "currency": "USD"}}
    assert await effects(acts) == [FactEffect.BINDS, FactEffect.QUALIFIES]
    assert await violated_invariants(database) == {}


async def test_a_deposit_below_the_converted_minimum_does_not_qualify(database: Database) -> None:
    await know_rate(database, "DKK", "6.87")
    acts = await begin(database, several("DKK"), DKK=10_000)
    await acts.receives(paid_in(acts, 6869, "DKK"))
    assert await acts.wake() is Stage.SIGNED_UP
    assert FactEffect.BELOW_MINIMUM in await effects(acts)

    await acts.receives(paid_in(acts, 6870, "DKK", at=NOW + 2 * timedelta(hours=1)))
    assert await acts.wake() is Stage.REWARDED


async def test_a_flat_amount_of_another_currency_is_converted_into_the_campaign_s(
    database: Database,
) -> None:
    await know_rate(database, "NOK", "10.4")
    amount = {"flat": {"minor": 5000, "currency": "NOK"}}
    acts = await begin(database, several("NOK", amount=amount), NOK=10_000)
    await acts.receives(deposit(acts.referee_id))

    assert await acts.wake() is Stage.REWARDED
    assert (await available(acts, "USD"), await available(acts, "NOK")) == (480, 0)
    assert await violated_invariants(database) == {}


async def test_waits_for_a_rate_past_its_window_and_goes_on_when_one_is_recorded(
    database: Database,
) -> None:
    acts = await begin(database, several("SEK"), SEK=100_000)
    await acts.receives(paid_in(acts, 50_000, "SEK"))
    assert await acts.wake() is Stage.SIGNED_UP
    assert await acts.open_hold_reasons() == {HoldReason.NO_RATE}
    assert await effects(acts) == [FactEffect.BINDS, FactEffect.NO_RATE]

    late = NOW + 40 * DAY
    await acts.referrals.expire_referral(await acts.act_request(at=late))
    row = await acts.stored_row()
    assert (row.stage, row.until) == (Stage.SIGNED_UP, late + DAY)
    assert await violated_invariants(database) == {}

    await know_rate(database, "SEK", "9", days=-1)
    assert await acts.wake(at=late) is Stage.SIGNED_UP
    before = await looks(acts)
    await know_rate(database, "SEK", "9.5", days=3)
    assert await looks(acts) == before + 1
    assert await acts.wake(at=late) is Stage.REWARDED
    assert await available(acts, "SEK") == 9500
    assert await acts.open_hold_reasons() == set()
    assert await violated_invariants(database) == {}


async def test_a_rate_that_was_paid_by_stays_whatever_is_recorded_later(
    database: Database,
) -> None:
    await know_rate(database, "PLN", "4", days=5)
    acts = await begin(database, replace(several("PLN"), hold_period=DAY), PLN=100_000)
    paid = paid_in(acts, 20_000, "PLN")
    await acts.receives(paid)
    assert await acts.wake() is Stage.HELD

    await know_rate(database, "PLN", "5", days=1)
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED
    assert await available(acts, "PLN") == 4000
    await acts.receives(chargeback(paid, amount=Money(17_000, "PLN")))
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REVERSED
    won = chargeback(paid, TakeBack.CHARGEBACK_WON, amount=Money(17_000, "PLN"))
    await acts.receives(won)
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED
    assert await available(acts, "PLN") == 4000
    assert await violated_invariants(database) == {}


async def test_a_referral_is_paid_by_another_deposit_while_one_has_no_rate(
    database: Database,
) -> None:
    acts = await begin(database, several("CZK"), CZK=100_000)
    await acts.receives(paid_in(acts, 50_000, "CZK"))
    assert await acts.wake() is Stage.SIGNED_UP
    await acts.receives(deposit(acts.referee_id, at=NOW + timedelta(hours=2)))
    assert await acts.wake() is Stage.REWARDED
    assert await available(acts, "USD") == 1000
    assert await acts.open_hold_reasons() == set()
    await know_rate(database, "CZK", "21")
    assert await acts.wake() is Stage.REWARDED
    assert await violated_invariants(database) == {}


async def test_a_first_deposit_without_a_rate_is_not_rejected(database: Database) -> None:
    terms = several("HUF", on=QualifyingAction.FIRST_DEPOSIT)
    acts = await begin(database, terms, HUF=10_000_000)
    await acts.receives(paid_in(acts, 100, "HUF"))
    assert await acts.wake() is Stage.SIGNED_UP
    await know_rate(database, "HUF", "350")
    assert await acts.wake() is Stage.REJECTED


async def test_what_was_taken_back_waits_for_no_rate(database: Database) -> None:
    acts = await begin(database, several("RON"), RON=10_000)
    paid = paid_in(acts, 5000, "RON")
    await acts.receives(paid)
    assert await acts.wake() is Stage.SIGNED_UP
    await acts.receives(chargeback(paid))
    assert await acts.wake() is Stage.SIGNED_UP
    assert await acts.open_hold_reasons() == set()


async def test_a_currency_without_a_budget_waits_for_its_own_money_alone(
    database: Database,
) -> None:
    await know_rate(database, "BGN", "1.8")
    first = await begin(database, several("BGN"))
    await first.receives(paid_in(first, 5000, "BGN"))
    assert await first.wake() is Stage.DEFERRED

    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    other = await sign_up(database, offer=offer)
    await other.receives(deposit(other.referee_id))
    assert await other.wake() is Stage.REWARDED

    async with database.transaction() as session:
        await fund(session, offer.campaign, Money(1800, "BGN"))
    assert await first.wake() is Stage.REWARDED
    assert (await left(first, "BGN"), await left(first, "USD")) == (0, 99_000)
    assert await violated_invariants(database) == {}


async def test_a_limit_counts_what_was_paid_in_any_currency(database: Database) -> None:
    await know_rate(database, "CHF", "0.8")
    limits = (Limit(of=LimitOf.REFERRER, per=Per.DAY, amount=usd(1999)),)
    first = await begin(database, several("CHF", limits=limits), CHF=10_000)
    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    second = await sign_up(database, offer=offer, referrer_id=first.row.referrer_id)
    await first.receives(paid_in(first, 5000, "CHF"))
    await second.receives(deposit(second.referee_id))

    assert await first.wake() is Stage.REWARDED
    assert await second.wake() is Stage.DEFERRED
    assert await second.open_hold_reasons() == {HoldReason.LIMIT}
    assert await violated_invariants(database) == {}


async def test_a_partial_refund_lowers_a_percentage_in_its_own_currency(
    database: Database,
) -> None:
    await know_rate(database, "TRY", "40")
    amount = {"percent": "10", "maximum": {"minor": 100, "currency": "USD"}}
    acts = await begin(database, several("TRY", amount=amount), TRY=100_000)
    paid = paid_in(acts, 80_000, "TRY")
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    assert await available(acts, "TRY") == 4000

    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=Money(40_001, "TRY")))
    assert await acts.wake() is Stage.REVERSED or await available(acts, "TRY") == 3999
    reward = await stored(acts)
    assert reward.status in {RewardStatus.ISSUED, RewardStatus.REVERSED}
    assert await violated_invariants(database) == {}
