"""Quiet players: nobody referred them, they refer nobody, and their facts say nothing new."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from db import locks
from db.engine import Session
from domain.intake.facts import FactKind
from referrals.fraud.link_values import HARD, SAID_VALUES, WRITTEN_KINDS
from referrals.fraud.link_writing import REFRESH_AFTER

UNREMARKABLE: Final = sorted(
    {FactKind.DEPOSIT, FactKind.CHARGEBACK, FactKind.WAGER, FactKind.WITHDRAWAL}
)
"""Facts that decide nothing about a player without a referral."""

# A value that is not linked yet, or whose link would be written again, keeps its player from being
# quiet; so does one whose strength could change, and one under an earlier key.
_DROP: Final = text(f"""
    with quiet as materialized (
        select player_id from unnest(cast(:player_ids as varchar[])) as given (player_id)
         where not exists (select from referrals
                            where referee_id = given.player_id and stage <> 'LOST')
           and not exists (select from referrals where referrer_id = given.player_id)
           and not exists (
                select from inbox join facts using (kind, event_id)
                 where inbox.player_id = given.player_id
                   and (inbox.kind <> all(cast(:unremarkable as varchar[]))
                        or coalesce(facts.matching, '{{}}') ? 'earlier'
                        or exists (
                            select from ({SAID_VALUES}) as said
                             where not exists (
                                select from identity_links as known
                                 where known.kind = said.kind and known.value = said.value
                                   and known.player_id = given.player_id
                                   and (known.is_strong
                                        or known.kind <> all(cast(:strengthened as varchar[])))
                                   and facts.occurred_at >= known.first_seen_at
                                   and facts.occurred_at
                                       <= known.last_seen_at + cast(:refresh_after as interval)
                             ))))
    ), dropped as (
        delete from inbox using quiet where inbox.player_id = quiet.player_id
    )
    select player_id from quiet
""")  # noqa: S608 - made of a constant of ours


async def drop_quiet(session: Session, player_ids: Sequence[str]) -> frozenset[str]:
    """Empty the inboxes of those players that are quiet, and return them.

    Two statements however many there are: the locks, and everything that is decided under them.
    A player whom another transaction has locked is left out.
    """
    locked = await locks.try_lock_players(session, *player_ids)
    if not locked:
        return frozenset()
    values = {
        "player_ids": sorted(locked),
        "unremarkable": UNREMARKABLE,
        "kinds": WRITTEN_KINDS,
        "strengthened": [*HARD, "device_id"],
        "refresh_after": REFRESH_AFTER,
    }
    return frozenset(await session.scalars(_DROP, values))
