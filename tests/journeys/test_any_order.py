"""Random lives, reported in random order: stage and money follow from the facts."""

import asyncio
from random import Random
from typing import Final

import pytest

from domain.intake.facts import Deposit, Fact, FactKind, Signup
from domain.rewards.qualification import meets_minimum, qualification
from referrals.campaigns.versions import terms_from
from referrals.intake.facts import fact_of
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.requests import Event, ago, campaign_draft, chargeback, deposit
from sandbox.sportsbook.responses import Referral
from tests.journeys.engineer import Engineer

LIVES: Final = 30
AT_ONCE: Final = 10
TERMS: Final = terms_from(campaign_draft()["terms"])
KINDS: Final = {
    "signups": FactKind.SIGNUP,
    "deposits": FactKind.DEPOSIT,
    "chargebacks": FactKind.CHARGEBACK,
}


@pytest.mark.timeout(300)
async def test_stage_and_money_follow_from_the_facts(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def live(seed: int) -> None:
        async with room:
            pair = await create_invited_pair(sportsbook)
            events = random_life(pair, Random(seed))  # noqa: S311 - lives are no secrets
            await asyncio.gather(*(sportsbook.send(event) for event in events))
            await sportsbook.wait_until_bound(pair.referee_id)
            ended = await engineer.wait_until_idle(pair.referral_id)
            balance = await sportsbook.balance(pair.referrer_id)
            assert agrees_with_facts(ended, [fact(event) for event in events]), (
                f"life {seed}: {ended}"
            )
            assert balance.minor("available") == (1000 if ended.stage == "REWARDED" else 0)

    await asyncio.gather(*(live(seed) for seed in range(LIVES)))
    assert (await sportsbook.wait_until_delivered()).failures == {}


def random_life(pair: Pair, random: Random) -> list[Event]:
    """Return a signup, deposits and their take-backs, shuffled, some of them twice."""
    events = [pair.signup(at=ago(seconds=60))]
    for age_s in range(random.randint(1, 3)):
        paid = deposit(
            pair.referee_id, minor=random.choice([500, 1000, 2000]), at=ago(seconds=50 - age_s)
        )
        events.append(paid)
        for kind in random.sample(["refund", "chargeback", "chargeback_won"], random.randint(0, 3)):
            part = random.choice([None, 300, 1000])
            events.append(chargeback(paid, kind, minor=part, at=ago(seconds=20)))
    events += random.sample(events, random.randint(0, len(events)))
    random.shuffle(events)
    return events


def fact(event: Event) -> Fact:
    return fact_of(KINDS[event.resource], dict(event.body))


def agrees_with_facts(ended: Referral, facts: list[Fact]) -> bool:
    # A copy is the same fact.
    known = list({fact.event_id: fact for fact in facts}.values())
    signup = next(fact for fact in known if isinstance(fact, Signup))
    if ended.stage == "SIGNED_UP":
        return qualification(known, TERMS, signed_up_at=signup.occurred_at) is None
    credited = next(
        fact
        for fact in known
        if isinstance(fact, Deposit) and fact.event_id == ended.rewards[0].deposit_event_id
    )
    return meets_minimum(credited, known, TERMS) == (ended.stage == "REWARDED")
