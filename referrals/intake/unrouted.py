"""The inbox: facts that are not routed yet, leased and drained per player."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from db.engine import ReadSession, Session
from domain.intake.facts import Fact, FactKind
from referrals.intake.facts import fact_of

_DRAIN = text("""
    with drained as (delete from inbox where player_id = :player_id returning kind, event_id)
    select facts.kind, facts.body, clock_timestamp() as drained_at
    from facts join drained using (kind, event_id)
    order by facts.occurred_at, facts.event_id
""")
# Materialized, so that advisory locks are tried in order and only until `limit` are held: otherwise
# the planner may try one for every row, and lease players that nobody then routes.
_LEASE = text("""
    with waiting as materialized (
        select player_id from inbox where player_id <> all(cast(:excluded as varchar[]))
        order by id limit :seen
    ), leased as materialized (
        select player_id from waiting
        where pg_try_advisory_xact_lock(hashtext('inbox'), hashtext(player_id))
        limit :limit
    )
    select player_id,
           not exists (select from referrals
                        where referee_id = player_id and stage <> 'LOST')
           and not exists (select from referrals where referrer_id = player_id)
           and not exists (select from inbox where inbox.player_id = leased.player_id
                            and kind <> all(cast(:unremarkable as varchar[]))) as may_be_quiet
    from leased
""")
# From the signups with the tokens, of which there are few, to the inbox, where many facts may wait.
# Token by token: the planner knows nothing of them, expects one signup in two hundred for each, and
# for all at once would read every signup there ever was.
WAITS: Final = text("""
    select exists (
        select from unnest(cast(:tokens as text[])) as given (token)
        cross join lateral (
            select player_id, event_id from facts
             where kind = 'signup' and body ->> 'referral_token' is not null
               and body ->> 'referral_token' = given.token
            union all
            select player_id, event_id from facts
             where kind = 'signup' and body ->> 'cookie_token' is not null
               and body ->> 'cookie_token' = given.token
        ) as presented
        cross join lateral (
            select from inbox
             where inbox.player_id = presented.player_id
               and inbox.kind = 'signup' and inbox.event_id = presented.event_id
             limit 1
        ) as waiting
    )
""")
UNREMARKABLE: Final = sorted(
    {FactKind.DEPOSIT, FactKind.CHARGEBACK, FactKind.WAGER, FactKind.WITHDRAWAL}
)
"""Facts that decide nothing about a player without a referral."""
LOOKAHEAD_FACTOR: Final = 8
"""Facts looked at per fact to lease: so many couriers find work beyond what others have leased."""


class LeasedPlayer(NamedTuple):
    """A player who is leased."""

    player_id: str
    may_be_quiet: bool
    """True if, a moment ago, no referral named the player, and only UNREMARKABLE facts waited."""


class Drained(NamedTuple):
    """Facts that were taken out of a player's inbox, in the order in which they happened."""

    facts: tuple[Fact, ...]
    at: datetime
    """Time of the database, under the player's lock."""


class Lease(NamedTuple):
    """Players who are leased together."""

    players: Sequence[LeasedPlayer]
    is_full: bool
    """True if there were as many facts as one lease takes, so that more may wait."""


async def lease_players(
    session: ReadSession, *, limit: int, excluding: Collection[str] = ()
) -> Lease:
    """Lease the players of up to `limit` facts, oldest first, that no other transaction leases.

    The lease ends with the transaction. It only spares couriers the same work: the lock on the
    player is what makes facts be routed once. Players in `excluding` are skipped.
    """
    values = {
        "excluded": list(excluding),
        "seen": limit * LOOKAHEAD_FACTOR,
        "limit": limit,
        "unremarkable": UNREMARKABLE,
    }
    rows = (await session.execute(_LEASE, values)).all()
    players = {row.player_id: LeasedPlayer(*row) for row in rows}
    return Lease([*players.values()], is_full=len(rows) == limit)


async def drain(session: Session, player_id: str) -> Drained | None:
    """Empty a locked player's inbox and return its facts; None where none are left in it."""
    rows = (await session.execute(_DRAIN, {"player_id": player_id})).all()
    if not rows:
        return None
    found = tuple(fact_of(FactKind(row.kind), row.body) for row in rows)
    return Drained(found, at=rows[0].drained_at)


async def has_unrouted_signup(session: ReadSession, tokens: Sequence[str]) -> bool:
    """Return whether a signup with one of these referral tokens waits in the inbox."""
    return (await session.execute(WAITS, {"tokens": list(tokens)})).scalar_one() is True
