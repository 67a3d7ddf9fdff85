"""Row locks of players, and advisory locks of keys that have no row.

Every transaction takes its locks in one order, several of one kind sorted: a campaign or a rebind
that a person changes, players, links and clusters, matches, referrals, accounts. So no two wait for
each other in a circle. Players are locked here, those of an act with its referral in
referrals/lifecycle/act_locks.py, links in referrals/fraud/clusters.py, matches and
invitations in referrals/attribution/locks.py, referrals in referrals/lifecycle/stages.py, accounts
in referrals/ledger/posting.py.

Cases of reviewers and then their reviews (referrals/fraud/cases/) are locked after all of these; an
act locks no case.

Payment orders (referrals/wallet/) are locked under their player's lock, several in the order of
`seq`; a courier leases them without it, and waits for none. Webhooks and then their deliveries
(referrals/webhooks/) are locked in transactions that take none of the other locks.
"""

from typing import Final

from sqlalchemy import func, select, text

from db.engine import Session
from db.tables import Player

# The counts force missing rows to be inserted, in order, before any row is locked. A row inserted
# here is locked by its insertion and not visible to the second part. Where another transaction has
# just inserted one, which this statement cannot see, it locks none: all are locked in order then.
_INSERT_AND_LOCK: Final = text("""
    with added as (
        insert into players (player_id) select unnest(cast(:player_ids as varchar[]))
        on conflict do nothing returning player_id
    ), locked as (
        select player_id from players
        where player_id = any(:player_ids)
          and cardinality(cast(:player_ids as varchar[])) = (select count(*) from added)
            + (select count(*) from players where player_id = any(:player_ids))
        order by player_id for no key update
    )
    select (select count(*) from added) + (select count(*) from locked)
""")
# Inserts missing rows as the statement above, and locks those that nobody else has locked.
_INSERT_AND_TRY: Final = text("""
    with added as (
        insert into players (player_id) select unnest(cast(:player_ids as varchar[]))
        on conflict do nothing returning player_id
    ), locked as (
        select player_id from players where player_id = any(:player_ids)
           and (select count(*) from added) >= 0
        order by player_id for no key update skip locked
    )
    select player_id from added union all select player_id from locked
""")


async def lock_players(session: Session, *player_ids: str) -> None:
    """Lock players, in sorted order and until the transaction ends; insert missing ones."""
    ordered = sorted(set(player_ids))
    locked = await session.scalar(_INSERT_AND_LOCK, {"player_ids": ordered})
    if locked != len(ordered):
        await _lock_all(session, ordered)


async def try_lock_players(session: Session, *player_ids: str) -> frozenset[str]:
    """Lock those players whom no other transaction has locked, and return them; insert missing."""
    ordered = sorted(set(player_ids))
    return frozenset(await session.scalars(_INSERT_AND_TRY, {"player_ids": ordered}))


async def lock_key(session: Session, key: str) -> None:
    """Take the advisory lock of a key until the transaction ends."""
    hashed = func.hashtextextended(key, 0)
    await session.execute(select(func.pg_advisory_xact_lock(hashed)))


async def _lock_all(session: Session, player_ids: list[str]) -> None:
    """Lock rows of which another transaction inserted one that the first statement cannot see."""
    await session.execute(
        select(Player.player_id)
        .where(Player.player_id.in_(player_ids))
        .order_by(Player.player_id)
        .with_for_update(key_share=True)
    )
