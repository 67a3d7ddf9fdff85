"""Faults that were reported of other promotion engines, tried on this one."""

from dataclasses import replace

from db.engine import Database
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from tests.activities.campaigns.ruled import ruled
from tests.activities.campaigns.test_limits import DAY
from tests.activities.referral_acts import LATER, sign_up
from tests.builders import TERMS, chargeback, deposit, unique, usd
from tests.state import offer_of

ONCE = Limit(of=LimitOf.REFERRER, per=Per.CAMPAIGN, rewards=1, over=Over.REFUSE)


async def test_what_comes_to_nothing_uses_no_place_of_a_limit(database: Database) -> None:
    """Pay the next one: vendurehq/vendure#5278 counted discounts of zero."""
    tiny = [{"to": "referrer", "amount": {"percent": "0.01"}}]
    rules = Rules(rewards=read_rewards(tiny, "", currency="USD"), limits=(ONCE,))
    terms = replace(TERMS, referrer_reward=usd(0), rules=rules)
    first = await sign_up(database, terms=terms)
    await first.receives(deposit(first.referee_id, minor=1000))
    assert await first.wake() is Stage.REJECTED

    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    second = await sign_up(database, offer=offer, referrer_id=first.row.referrer_id)
    await second.receives(deposit(second.referee_id, minor=100_000))
    assert await second.wake() is Stage.REWARDED


async def test_a_held_reward_is_not_in_its_own_way(database: Database) -> None:
    """Credit it after any number of looks: vendurehq/vendure#4753 counted a draft itself."""
    terms = replace(ruled(limits=(ONCE,)), hold_period=DAY)
    acts = await sign_up(database, terms=terms, referrer_id=unique("referrer"))
    await acts.receives(deposit(acts.referee_id))
    for _ in range(3):
        assert await acts.wake() is Stage.HELD
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED


async def test_a_refund_below_the_minimum_takes_the_whole_reward(database: Database) -> None:
    """Reverse it: a return below a coupon's minimum kept the discount in other shops."""
    half = [{"to": "referrer", "amount": {"percent": "50"}}]
    rules = Rules(rewards=read_rewards(half, "", currency="USD"))
    acts = await sign_up(database, terms=replace(TERMS, referrer_reward=usd(0), rules=rules))
    paid = deposit(acts.referee_id, minor=6000)
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(5001)))
    assert await acts.wake(at=LATER + DAY) is Stage.REVERSED
    assert (await acts.referrer_balances()).available == 0
