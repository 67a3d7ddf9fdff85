"""Changes since a time, and the time up to which a snapshot has settled."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from referrals.verification.invariant import Changes

# Rows have the times at which their transactions began.
_CHANGED: Final = text("""
    with posted as (
        select id, reward_id, referral_id from transfers where recorded_at >= :since
    ), touched as (
        select referral_id as id from timeline where recorded_at >= :since
        union select referral_id from deliveries where created_at >= :since
        union select referral_id from posted where referral_id is not null
        union select w.referral_id from posted p join rewards w on w.id = p.reward_id
    )
    select array(select id from posted) as transfers,
           array(select distinct e.account_id from posted p join entries e on e.transfer_id = p.id)
               as accounts,
           array(select id from touched) as referrals,
           array(select player_id from facts where heard_at >= :since
                 union select r.referee_id from touched t join referrals r on r.id = t.id
                  where r.referee_id is not null) as players
""")

# A delivery that is not acted on yet keeps the position before it, so that the run after its act
# looks at its referral again. Invitations move no money and may wait for days.
_POSITION: Final = text("""
    select now() as now,
           least(now() - cast(:settling as interval), min(created_at)) as position
      from deliveries
     where kind <> 'invitation'
       and created_at >= coalesce(cast(:since as timestamptz), '-infinity')
       and (acknowledged_at is null or acknowledged_at > now() - cast(:settling as interval))
""")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database's clock at a snapshot, and the time before which all was written and settled."""

    now: datetime
    position: datetime


async def load_snapshot(
    session: ReadSession, *, settling: timedelta, since: datetime | None
) -> Snapshot:
    """Return a snapshot's times; nothing older than `since` was on its way."""
    row = (await session.execute(_POSITION, {"settling": settling, "since": since})).one()
    return Snapshot(row.now, row.position)


async def load_changes(session: ReadSession, since: datetime) -> Changes:
    row = (await session.execute(_CHANGED, {"since": since})).one()
    return Changes(
        since=since,
        transfers=row.transfers,
        accounts=row.accounts,
        referrals=row.referrals,
        players=row.players,
    )
