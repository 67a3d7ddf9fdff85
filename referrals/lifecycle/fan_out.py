"""Fan-out of facts to referrals: every fact of a bound player but bets has one delivery."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import Session
from db.tables import ReferralRow
from domain.campaigns.rules import QualifyingAction
from domain.intake.facts import (
    Chargeback,
    Deposit,
    Fact,
    FactKind,
    Signup,
    StatusChange,
    Wager,
    Withdrawal,
    kind_of,
)
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Stage
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.conditional import lacks_rate, qualifies_now, wake_referees_of
from referrals.lifecycle.reopening import reopen_if_qualified
from referrals.lifecycle.stages import lock_bound_referral, terms_of

_CREDITED_DEPOSITS: Final = text("""
    select f.body ->> 'deposit_id' from facts f
     where f.kind = 'deposit'
       and f.event_id in (
            select cast(:qualified_by as text)
            union all
            select rests_on.event_id from qualification_facts rests_on
             where rests_on.qualification_id = (
                    select q.id from qualifications q
                     where q.referral_id = :referral_id order by q.attempt desc limit 1))
""")
PENDING_REWARD_STAGES: Final = (Stage.HELD, Stage.DEFERRED)
_DELIVERED: Final = tuple(kind for kind in FactKind if kind is not FactKind.WAGER)
"""Bets come by the thousand: they are added up, and what they decide is a delivery of its own."""
_READ_BY_ACTS: Final = (Deposit, Chargeback, StatusChange)
"""Facts of which a referral that waits for a deposit is told only where they decide something."""


async def deliver_every_fact(session: Session, row: ReferralRow) -> None:
    """Deliver the facts that a locked referral's referee reported before it was bound."""
    if row.referee_id is not None:
        reported = await facts.facts_of_player(session, row.referee_id, *_DELIVERED)
        await deliver_facts(session, row, reported)


async def deliver_to_referral(
    session: Session, player_id: str, reported: Sequence[Fact], *, now: datetime
) -> None:
    """Deliver a locked player's facts to the referral that the player is bound to, if any.

    One that has EXPIRED is re-opened if a deposit of the player was in time.
    """
    # An act may be moving it right now; which facts matter is decided after that.
    row = await lock_bound_referral(session, player_id)
    if row is None:
        return
    await deliver_facts(session, row, reported)
    await _look_at_turnover(session, row, reported)
    if any(_may_qualify(fact, row) for fact in reported):
        await reopen_if_qualified(session, row, now=now)


def _may_qualify(fact: Fact, row: ReferralRow) -> bool:
    """Return whether a fact may make a deposit qualify.

    Wagers decide nothing where the terms do not ask for them.
    """
    if isinstance(fact, Wager):
        return terms_of(row).rules.asks_for_stakes
    return not isinstance(fact, Withdrawal)


async def _look_at_turnover(session: Session, row: ReferralRow, reported: Sequence[Fact]) -> None:
    """Wake a referral whose deposit qualifies by the stakes that were just reported.

    A workflow hears only of the stake that decides.
    """
    stakes = [fact for fact in reported if isinstance(fact, Wager)]
    if not stakes or row.stage is not Stage.SIGNED_UP or not terms_of(row).rules.asks_for_stakes:
        return
    if await qualifies_now(session, row):
        look = deliveries.of_circumstance("turnover", stakes[-1].event_id)
        await deliveries.enqueue(session, row.id, look)


async def deliver_to_referrers(session: Session, player_id: str, reported: Iterable[Fact]) -> None:
    """Deliver a locked player's status changes to the referrals that may pay the player.

    Those are the ones with a pending reward, and the credited ones that ask for funds again.
    """
    reported = list(reported)
    await wake_referees_of(session, player_id, reported)
    changes = [fact for fact in reported if isinstance(fact, StatusChange)]
    if not changes:
        return
    new = map(deliveries.of_fact, changes)
    await deliveries.enqueue_to_referrals_of(session, player_id, PENDING_REWARD_STAGES, *new)


async def deliver_facts(session: Session, row: ReferralRow, reported: Iterable[Fact]) -> None:
    """Enqueue facts for a locked referral, but for bets; what cannot matter is only recorded."""
    reported = [fact for fact in reported if not isinstance(fact, Wager)]
    credited = await _credited_deposits(session, row)
    needed = [fact for fact in reported if _is_relevant(fact, row, credited)]
    if row.stage is Stage.SIGNED_UP and not await _may_end_or_earn(session, row, needed):
        needed = [fact for fact in needed if not isinstance(fact, _READ_BY_ACTS)]
    ids = {(kind_of(fact), fact.event_id) for fact in needed}
    new = [
        deliveries.of_fact(fact, is_needed=(kind_of(fact), fact.event_id) in ids)
        for fact in reported
    ]
    await deliveries.enqueue(session, row.id, *new)


async def _may_end_or_earn(session: Session, row: ReferralRow, needed: Sequence[Fact]) -> bool:
    """Return whether an act has anything to do for a referral that waits for a deposit.

    The locks are held and every fact so far is recorded, so that what does not qualify now can only
    come to do so by a further fact, which is then looked at here.
    """
    if not any(isinstance(fact, _READ_BY_ACTS) for fact in needed):
        return False
    if terms_of(row).rules.on is QualifyingAction.FIRST_DEPOSIT:
        return True
    try:
        # Without a rate nothing is decided yet: an act writes that it waits, so that its rate wakes
        # the referral.
        return await qualifies_now(session, row) or await lacks_rate(session, row)
    except facts.FACT_FAULTS:
        # The act fails on the fact that this release cannot read, and says so until one can.
        return True


def _is_relevant(fact: Fact, row: ReferralRow, credited: Collection[str]) -> bool:
    if isinstance(fact, Signup):
        return fact.event_id == row.signup_event_id and row.stage in EARNING_STAGES
    if isinstance(fact, StatusChange) and row.awaits_funds:
        # A chargeback may have been won while one of the players could not be credited.
        return True
    if row.stage in CREDITED_STAGES:
        return isinstance(fact, Chargeback) and fact.deposit_id in credited
    if isinstance(fact, Deposit) and row.stage in PENDING_REWARD_STAGES:
        # What it changes is looked at when the reward is credited.
        return False
    return row.stage in EARNING_STAGES


async def _credited_deposits(session: Session, row: ReferralRow) -> Collection[str]:
    """Return the ids of the deposits that credited rewards rest on; before 0.3 that was one."""
    if row.stage not in CREDITED_STAGES or row.qualified_by is None:
        return ()
    values = {"referral_id": row.id, "qualified_by": row.qualified_by}
    return frozenset(await session.scalars(_CREDITED_DEPOSITS, values))
