"""Facts that land in the middle of an act, under real locks, many times each."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import func, select

from activities.messages import ActRequest
from db import locks
from db.engine import Database
from db.tables import Delivery
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit
from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage, Standing
from referrals.lifecycle import deliveries
from tests import state
from tests.activities.referral_acts import LATER, ReferralActs, acts_on, sign_up
from tests.builders import (
    NOW,
    TERMS,
    Offer,
    a_code,
    an_invitation,
    an_offer,
    chargeback,
    deposit,
    usd,
)
from tests.state import Balances

RACES: Final = int(os.environ.get("MONEY_RACES", "15"))
"""Races of each kind; set it for a longer run."""
AT_ONCE: Final = 5
"""Races that run beside each other, so that the acts of strangers interleave too."""
HOLDING: Final = replace(TERMS, hold_period=timedelta(days=7))
Act = Callable[[ActRequest], Awaitable[Standing]]


EXPIRED_AT: Final = NOW + TERMS.deposit_window + TERMS.lateness_grace


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """An act, and where a referral may stand when a chargeback landed in the middle of it."""

    name: str
    act: Callable[[ReferralActs], Act]
    at: datetime
    ends: frozenset[Stage]
    terms: Terms = TERMS


_RACES: Final = (
    Race(
        name="crediting",
        act=lambda acts: acts.rewards.credit_reward,
        at=LATER,
        ends=frozenset({Stage.SIGNED_UP, Stage.REVERSED}),
    ),
    Race(
        name="releasing",
        act=lambda acts: acts.rewards.resolve_hold,
        at=LATER + HOLDING.hold_period,
        ends=frozenset({Stage.VOIDED, Stage.REVERSED}),
        terms=HOLDING,
    ),
    Race(
        name="settling",
        act=lambda acts: acts.rewards.settle_referral,
        at=LATER + TERMS.chargeback_window,
        ends=frozenset({Stage.REVERSED}),
    ),
)


@pytest.mark.parametrize("race", _RACES, ids=lambda race: race.name)
async def test_a_chargeback_in_the_middle_of_an_act_is_never_lost(
    database: Database, race: Race
) -> None:
    async with database.transaction() as session:
        offer = await an_offer(session, terms=race.terms)

    ends = Counter[Stage]()
    for first in range(0, RACES, AT_ONCE):
        ends.update(
            await asyncio.gather(
                *(_race(database, offer, race, number) for number in range(first, first + AT_ONCE))
            )
        )

    assert ends.keys() <= race.ends
    assert ends.total() == RACES
    assert await state.budget(database, offer.campaign.id) == 100_000
    assert await state.violated_invariants(database) == {}


async def test_a_chargeback_in_the_middle_of_a_reopening_is_never_lost(database: Database) -> None:
    ends = await _race_often(database, _race_reopening)

    assert ends.keys() <= {Stage.EXPIRED, Stage.SIGNED_UP, Stage.REVERSED}
    assert await state.violated_invariants(database) == {}


async def test_a_deposit_in_the_middle_of_an_expiry_is_rewarded_once(database: Database) -> None:
    ends = await _race_often(database, _race_expiry)

    assert ends.keys() == {Stage.REWARDED}
    assert await state.violated_invariants(database) == {}


async def _race_often(
    database: Database, race: Callable[[Database, Offer, int], Awaitable[Stage]]
) -> Counter[Stage]:
    async with database.transaction() as session:
        offer = await an_offer(session, budget=usd(1000 * RACES))
    ends = Counter[Stage]()
    for first in range(0, RACES, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        ends.update(await asyncio.gather(*(race(database, offer, number) for number in numbers)))
    credited = ends[Stage.REWARDED]
    assert await state.budget(database, offer.campaign.id) == 1000 * (RACES - credited)
    return ends


async def _race_reopening(database: Database, offer: Offer, number: int) -> Stage:
    """Let a chargeback come while its deposit re-opens a referral, which is then credited."""
    acts = await sign_up(database, offer=offer)
    paid = deposit(acts.referee_id)
    await acts.referrals.expire_referral(await acts.act_request(at=EXPIRED_AT))
    await _acknowledge(acts)
    assert (await acts.stored_row()).stage is Stage.EXPIRED

    async def reopen() -> None:
        await acts.receives(paid)
        await acts.wake(at=EXPIRED_AT)

    await _run_in_turn(number, reopen(), acts.receives(chargeback(paid)))
    while await _is_woken(acts):
        await acts.wake(at=EXPIRED_AT)

    assert await acts.referrer_balances() == Balances()
    moved = Counter(await state.movements(database, acts.row.id))
    assert moved[Movement.RELEASE] == moved[Movement.REVERSE] <= 1
    return (await acts.stored_row()).stage


async def _race_expiry(database: Database, offer: Offer, number: int) -> Stage:
    """Let a deposit that was in time come while its referral expires."""
    acts = await sign_up(database, offer=offer)
    await _acknowledge(acts)
    request = await acts.act_request(at=EXPIRED_AT)

    await _run_in_turn(
        number, acts.referrals.expire_referral(request), acts.receives(deposit(acts.referee_id))
    )
    while await _is_woken(acts):
        await acts.wake(at=EXPIRED_AT)

    assert await acts.referrer_balances() == Balances(available=1000)
    assert (await state.movements(database, acts.row.id)).count(Movement.RELEASE) == 1
    return (await acts.stored_row()).stage


async def _run_in_turn(number: int, *runners: Awaitable[object]) -> None:
    """Run both at once; which of them is begun first changes with the number of the race."""
    await asyncio.gather(*(runners if number % 2 else reversed(runners)))


async def _race(database: Database, offer: Offer, race: Race, number: int) -> Stage:
    acts, paid = await _reach(database, offer, race)
    request = await acts.act_request(at=race.at)
    taken_back = chargeback(paid, at=NOW + timedelta(days=1))
    await _run_in_turn(number, race.act(acts)(request), acts.receives(taken_back))

    # Only a delivery wakes a workflow: what the courier would not carry must not be needed.
    while await _is_woken(acts):
        await acts.wake(at=race.at)

    assert await acts.referrer_balances() == Balances()
    moved = Counter(await state.movements(database, acts.row.id))
    assert moved[Movement.RELEASE] == moved[Movement.REVERSE]
    return (await acts.stored_row()).stage


async def _reach(database: Database, offer: Offer, race: Race) -> tuple[ReferralActs, Deposit]:
    """Bring a new referral to where the act is due."""
    acts = await sign_up(database, offer=offer)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    if race.name == "crediting":
        await acts.score()
    else:
        await acts.credit()
    await _acknowledge(acts)
    return acts, paid


async def _is_woken(acts: ReferralActs) -> bool:
    """Acknowledge the deliveries, and return whether one was still to be carried."""
    async with acts.database.reading() as session:
        query = select(func.count()).where(
            Delivery.referral_id == acts.row.id, Delivery.acknowledged_at.is_(None)
        )
        pending = await session.scalar(query)
    await _acknowledge(acts)
    return bool(pending)


async def _acknowledge(acts: ReferralActs) -> None:
    async with acts.database.transaction() as session:
        query = select(Delivery.id).where(Delivery.referral_id == acts.row.id)
        await deliveries.acknowledge(session, (await session.scalars(query)).all())


async def test_what_moves_no_money_waits_for_no_other_act_of_the_referrer(
    database: Database,
) -> None:
    settling = await sign_up(database)
    await settling.receives(deposit(settling.referee_id))
    await settling.credit()
    async with database.transaction() as session:
        offer = await an_offer(session)
        code = await a_code(session, offer, player_id=settling.row.referrer_id)
        invited = await an_invitation(session, offer, code=code)
    expiring = acts_on(database, invited)

    async with asyncio.timeout(60), database.transaction() as session:
        await locks.lock_players(session, settling.row.referrer_id, settling.referee_id)
        settled = await settling.rewards.settle_referral(await settling.act_request())
        expired = await expiring.referrals.expire_referral(
            await expiring.act_request(at=invited.until)
        )

    assert (settled.stage, expired.stage) == (Stage.SETTLED, Stage.EXPIRED)
