"""The locks of an act: its referral, and before it the players of the pair, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text

from db import locks
from db.engine import Session
from db.statements.stored_rows import stored
from db.tables import ReferralRow
from referrals.lifecycle.stages import pair_ids

# As db/locks.py locks players: missing ones are inserted, in order, before any row is locked, and
# the referral is locked after all of them. Where another transaction has just inserted a player,
# whom this statement cannot see, it locks no referral.
_LOCK: Final = text("""
    with wanted as materialized (
        select distinct player_id
          from referrals, unnest(array[referrer_id, referee_id]) as player_id
         where id = :referral_id and player_id is not null
    ), added as (
        insert into players (player_id) select player_id from wanted order by player_id
        on conflict do nothing returning player_id
    ), locked as (
        select player_id from players
         where player_id in (select player_id from wanted)
           and (select count(*) from wanted) = (select count(*) from added)
             + (select count(*) from players where player_id in (select player_id from wanted))
         order by player_id for no key update
    )
    select *, clock_timestamp() as clock from referrals
     where id = :referral_id
       and (select count(*) from wanted)
         = (select count(*) from added) + (select count(*) from locked)
       for no key update
""")
_LOCK_REFERRAL: Final = text("""
    select *, clock_timestamp() as clock from referrals where id = :referral_id for no key update
""")


@dataclass(frozen=True, slots=True)
class ActLocks:
    """A referral that is locked, and the database's clock meanwhile."""

    referral: ReferralRow
    clock: datetime


async def lock_pair(session: Session, referral_id: UUID) -> ActLocks | None:
    """Lock the players of a referral, in sorted order, and the referral; None for an unknown one.

    What was recorded meanwhile is seen by the next statement.
    """
    locked = await _lock(session, referral_id, _LOCK)
    if locked is not None:
        return locked
    players = await pair_ids(session, referral_id) or ()
    await locks.lock_players(session, *filter(None, players))
    return await lock_alone(session, referral_id)


async def lock_alone(session: Session, referral_id: UUID) -> ActLocks | None:
    """Lock a referral without its players; None for an unknown one."""
    return await _lock(session, referral_id, _LOCK_REFERRAL)


async def _lock(session: Session, referral_id: UUID, statement: TextClause) -> ActLocks | None:
    row = (await session.execute(statement, {"referral_id": referral_id})).one_or_none()
    return None if row is None else ActLocks(stored(session, ReferralRow, row), row.clock)
