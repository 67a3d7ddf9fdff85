"""The check that nobody was credited who was known to be ineligible."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, text

from db.engine import ReadSession
from db.tables import FactRow
from domain.intake.facts import FactKind, StatusChange
from domain.rewards.eligibility import eligibility
from referrals.intake.facts import fact_of
from referrals.verification.invariant import Scope, scoped

UNCERTAINTY: Final = timedelta(minutes=1)
"""Time around a credit in which a fact may have been recorded and not been seen by the act."""

# What a wallet credits was decided when it was ordered: a player who is excluded while the wallet
# does not answer was credited before. Rewards that 0.2 credited went by its rules, in which
# `verified` ended an exclusion.
_SUSPECT_CREDITS: Final = """
    select w.id, r.referrer_id, r.referee_id, coalesce(o.created_at, t.recorded_at) as recorded_at
      from transfers t join rewards w on w.id = t.reward_id join referrals r on r.id = w.referral_id
      left join payment_orders o on o.referral_id = r.id and o.id::text = t.reference
     where t.movement in ('release', 'reinstate') and w.qualification_id is not null
       and $transfers(t.id)
       and exists (select from facts f
                    where f.kind = 'player' and f.player_id in (r.referrer_id, r.referee_id)
                      and f.body ->> 'status' in ('self_excluded', 'closed')
                      and f.heard_at < t.recorded_at)
"""

_Change = tuple[datetime, StatusChange]


async def find_ineligible_credits(session: ReadSession, scope: Scope) -> list[str]:
    """Return the ids of rewards that were credited while one of the pair was ineligible."""
    query = text(scoped(_SUSPECT_CREDITS, scope))
    needed = {name: scope.values[name] for name in query.compile().params}
    credits_ = (await session.execute(query, needed)).all()
    if not credits_:
        return []
    pairs = {player for row in credits_ for player in (row.referrer_id, row.referee_id)}
    changes = await _changes(session, pairs)
    return sorted({str(row.id) for row in credits_ if _went_wrong(row, changes)})


async def _changes(
    session: ReadSession, player_ids: Collection[str]
) -> Mapping[str, Sequence[_Change]]:
    """Return when each player's status changes were recorded, with the changes."""
    rows = await session.execute(
        select(FactRow.player_id, FactRow.heard_at, FactRow.body).where(
            FactRow.kind == FactKind.PLAYER, FactRow.player_id.in_(player_ids)
        )
    )
    found: dict[str, list[_Change]] = defaultdict(list)
    for row in rows:
        change = fact_of(FactKind.PLAYER, row.body)
        if isinstance(change, StatusChange):
            found[row.player_id].append((row.heard_at, change))
    return found


def _went_wrong(row: Row[Any], changes: Mapping[str, Sequence[_Change]]) -> bool:
    """Return whether a player was ineligible by all that the act may have seen."""
    seen_by = (row.recorded_at - UNCERTAINTY, row.recorded_at + UNCERTAINTY)
    return any(
        all(_was_ineligible(changes.get(player, ()), known_at) for known_at in seen_by)
        for player in (row.referrer_id, row.referee_id)
    )


def _was_ineligible(changes: Sequence[_Change], known_at: datetime) -> bool:
    known = (change for heard_at, change in changes if heard_at <= known_at)
    return bool(eligibility(known).reasons)
