"""Re-opening: what was in time and is reported late brings an EXPIRED referral back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession, Session
from db.tables import ReferralRow
from domain.intake.facts import FactKind
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import REOPEN_WINDOW, Stage, may_reopen
from domain.rewards.qualification import qualification, without_rate
from referrals.campaigns.exchange.lookup import terms_with_rates
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.circumstances import circumstances_of
from referrals.lifecycle.stages import enter_stage, standing_of, terms_of

# Only a first sieve: the referral is judged by its facts, under its lock.
_OVERLOOKED: Final = text("""
    select r.id, r.referee_id from referrals r
     where r.stage = 'EXPIRED' and r.until >= :since and r.id > :after
       and r.referee_id is not null
       and exists (
            select from facts f
             where f.player_id = r.referee_id and f.kind = 'deposit'
               and f.occurred_at <= r.signed_up_at + (r.terms ->> 'deposit_window')::interval)
     order by r.id limit :limit
""")


async def reopen_if_qualified(session: Session, row: ReferralRow, *, now: datetime) -> bool:
    """Re-open a locked referral that EXPIRED at SIGNED_UP if a deposit was in time.

    It waits for as long as the grace lasts, and its workflow is started again to score the deposit.
    All recorded facts are judged, so that a later fact makes good what an earlier one missed.
    """
    if row.referee_id is None or row.signed_up_at is None or not is_reopenable(row, now=now):
        return False
    terms = await terms_with_rates(session, row, terms_of(row))
    recorded = await facts.facts_of_player(
        session, row.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
    )
    circumstances = await circumstances_of(session, row, terms)
    found = qualification(
        recorded, terms, signed_up_at=row.signed_up_at, circumstances=circumstances
    )
    if found is None and not without_rate(recorded, terms, signed_up_at=row.signed_up_at):
        return False
    await reopen(session, row, until=now + terms.lateness_grace, now=now)
    return True


def is_reopenable(row: ReferralRow, *, now: datetime) -> bool:
    """Return whether a referral has EXPIRED, and not too long ago."""
    return may_reopen(standing_of(row), now=now)


async def reopen(session: Session, row: ReferralRow, *, until: datetime, now: datetime) -> None:
    """Move a locked EXPIRED referral to SIGNED_UP, and start its workflow again."""
    row.reminded_until = now
    await enter_stage(
        session, row, Stage.SIGNED_UP, until=until, at=now, reason=ReasonCode.REPORTED_LATE
    )
    await deliveries.enqueue(session, row.id, deliveries.of_reopening(row.steps))


async def overlooked_referrals(
    session: ReadSession, *, now: datetime, after: UUID, limit: int
) -> Sequence[tuple[UUID, str]]:
    """Return EXPIRED referrals behind the id `after` that a deposit may re-open, and their players.

    Release 0.2 routed such deposits without effect.
    """
    values = {"since": now - REOPEN_WINDOW, "after": after, "limit": limit}
    found = await session.execute(_OVERLOOKED, values)
    return [(row.id, row.referee_id) for row in found]
