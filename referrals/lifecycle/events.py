"""Parts of a referral's events that make them complete: a consumer needs to ask for nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db import outbox
from db.engine import ReadSession, Session
from db.tables import ReferralRow
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage

# What the act has posted so far has the transaction's time, and nobody else acts for this referral
# meanwhile. The rewards' players are in the index of transfers. A recovery names the reward that
# the debt comes from, which may be another referral's. What a payment order asked less for than was
# reserved was never credited.
#
# What is owed of a reward that is taken back is what its player has spent of it; with a wallet all
# of it is owed at first, and what was spent is not known. Amounts are null where there is nothing.
MONEY: Final = """
    with posted as (
        select reward_id, movement, amount_minor, reference from transfers
         where player_id = any(select player_id from rewards where referral_id = :id)
           and recorded_at = now() and referral_id = :id
    ), told as (
        select r.id, r.reward_type, r.kind, r.player_id, r.currency, r.status,
               case when :stage = 'REVERSED' then (
                        select coalesce(sum(amount_minor), 0) from posted
                         where reward_id = r.id
                           and (movement = 'owe' or movement = 'reverse' and reference is null))
                    else coalesce(r.due_minor, r.amount_minor) end as minor
          from rewards r where r.referral_id = :id
    ), totals as (
        select sum(amount_minor) filter (where movement = 'owe') as owed,
               sum(amount_minor) filter (where movement = 'recover') as recovered,
               (select min(currency) from told) as currency
          from posted
    ), shown as (
        select case when owed > 0
                    then jsonb_build_object('minor', owed, 'currency', currency) end as owed,
               case when recovered > 0
                    then jsonb_build_object('minor', recovered, 'currency', currency) end
               as recovered
          from totals
    )
    select jsonb_build_object(
               'rewards', coalesce((
                   select jsonb_agg(jsonb_build_object(
                       'reward_id', id, 'reward_type', reward_type,
                       'kind', coalesce(kind, 'cash'), 'player_id', player_id,
                       'amount', jsonb_build_object('minor', minor, 'currency', currency),
                       'status', status) order by reward_type, kind nulls first)
                     from told), '[]'),
               'owed', owed, 'recovered', recovered,
               'spent', case when not exists (
                   select from payment_orders where referral_id = :id) then owed end)
      from shown
"""
"""One value: the rewards of a referral `id` that enters a stage, and the debts of that act."""
_MONEY: Final = text(MONEY)
_DEFERRED_UNTIL: Final = text("""
    select until from holds
     where referral_id = :referral_id and reason in ('limit', 'tax') and cleared_at is null
""")


async def deferred_until(session: ReadSession, row: ReferralRow) -> dict[str, Any]:
    """Return the first instant of the period for which a referral waits that is DEFERRED."""
    if row.stage is not Stage.DEFERRED:
        return {}
    until = await session.scalar(_DEFERRED_UNTIL, {"referral_id": row.id})
    return {"deferred_until": until.isoformat() if until else None}


async def write_qualified(
    session: Session, row: ReferralRow, *, event_id: UUID, at: datetime
) -> None:
    """Write that a referral qualifies, once per `event_id`."""
    type_ = "ReferralQualified"
    payload = outbox.payload_of(event_id=event_id, type_=type_, referral=row, at=at)
    await outbox.write_of_referral(session, row, event_id=event_id, type_=type_, payload=payload)


async def write_adjusted(
    session: Session,
    row: ReferralRow,
    before: Mapping[UUID, int],
    *,
    event_id: UUID,
    reason: ReasonCode | None,
    at: datetime,
) -> None:
    """Write that rewards of a referral were adjusted, once per `event_id`.

    `before` is what stood of each of them, in minor units.
    """
    type_ = "RewardAdjusted"
    payload = outbox.payload_of(
        event_id=event_id,
        type_=type_,
        referral=row,
        at=at,
        reason_code=reason,
        reason=reason.text if reason else None,
    )
    payload |= await session.scalar(_MONEY, {"id": row.id, "stage": row.stage.value})
    for reward in payload["rewards"]:
        minor = before[UUID(reward["reward_id"])]
        reward["amount_before"] = reward["amount"] | {"minor": minor}
    await outbox.write_of_referral(session, row, event_id=event_id, type_=type_, payload=payload)
