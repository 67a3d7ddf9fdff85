"""Fan-out of facts to referrals: every fact of a bound player has one delivery."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select

from db.engine import Session
from db.tables import FactRow, ReferralRow
from domain.intake.facts import (
    Chargeback,
    Deposit,
    Fact,
    FactKind,
    Signup,
    StatusChange,
    Wager,
    Withdrawal,
)
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Stage
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.reopening import reopen_if_qualified
from referrals.lifecycle.stages import lock_bound_referral

PENDING_REWARD_STAGES: Final = (Stage.HELD, Stage.DEFERRED)


async def deliver_every_fact(session: Session, row: ReferralRow) -> None:
    """Deliver the facts that a locked referral's referee reported before it was bound."""
    if row.referee_id is not None:
        await deliver_facts(session, row, await facts.facts_of_player(session, row.referee_id))


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
    # Wagers come by the thousand, and like withdrawals decide nothing about a deposit.
    if any(not isinstance(fact, Wager | Withdrawal) for fact in reported):
        await reopen_if_qualified(session, row, now=now)


async def deliver_to_referrers(session: Session, player_id: str, reported: Iterable[Fact]) -> None:
    """Deliver a locked player's status changes to the referrals that may pay the player.

    Those are the ones with a pending reward, and the credited ones that ask for funds again.
    """
    changes = [fact for fact in reported if isinstance(fact, StatusChange)]
    if not changes:
        return
    rows = await session.scalars(
        select(ReferralRow)
        .where(ReferralRow.referrer_id == player_id)
        .where(ReferralRow.stage.in_(PENDING_REWARD_STAGES) | ReferralRow.awaits_funds)
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for row in rows.all():
        await deliveries.enqueue(session, row.id, *map(deliveries.of_fact, changes))


async def deliver_facts(session: Session, row: ReferralRow, reported: Iterable[Fact]) -> None:
    """Enqueue facts for a locked referral; those that cannot matter are only recorded."""
    credited = await _credited_deposit(session, row)
    new = [
        deliveries.of_fact(fact, is_needed=_is_relevant(fact, row, credited)) for fact in reported
    ]
    await deliveries.enqueue(session, row.id, *new)


def _is_relevant(fact: Fact, row: ReferralRow, credited: Deposit | None) -> bool:
    if isinstance(fact, Signup):
        return fact.event_id == row.signup_event_id and row.stage in EARNING_STAGES
    if isinstance(fact, StatusChange) and row.awaits_funds:
        # A chargeback may have been won while one of the players could not be credited.
        return True
    if row.stage in CREDITED_STAGES:
        return (
            isinstance(fact, Chargeback)
            and credited is not None
            and fact.deposit_id == credited.deposit_id
        )
    return row.stage in EARNING_STAGES


async def _credited_deposit(session: Session, row: ReferralRow) -> Deposit | None:
    if row.stage not in CREDITED_STAGES or row.qualified_by is None:
        return None
    query = select(FactRow.body).where(FactRow.kind == FactKind.DEPOSIT)
    body = await session.scalar(query.where(FactRow.event_id == row.qualified_by))
    fact = facts.fact_of(FactKind.DEPOSIT, body) if body else None
    return fact if isinstance(fact, Deposit) else None
