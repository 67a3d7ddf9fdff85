"""Payment orders as a reconciliation reads them, and how ledger and rewards agree with them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text

from db.engine import ReadSession
from db.tables import PaymentOrderRow
from domain.wallet.orders import OrderStatus
from referrals.wallet.differences import Difference, DifferenceKind

# What the transfers of each order moved in and out of the player's `available`. A transfer is
# recorded at the beginning of its transaction, a little before its order is resolved.
_LEDGER: Final = text("""
    with moved as (
        select t.reference, sum(e.amount_minor) as minor
          from transfers t join entries e on e.transfer_id = t.id
          join accounts a on a.id = e.account_id and a.book = 'available'
         where t.recorded_at >= cast(:since as timestamptz) - interval '1 hour'
           and t.movement in ('release', 'reverse', 'reinstate', 'recover')
           and t.reference is not null
         group by t.reference
    ), posted as (
        select o.id, o.kind, o.resolved_at as at, o.posted_minor, o.reward_id, o.booked_at,
               coalesce(m.minor, 0) as moved_minor
          from payment_orders o left join moved m on m.reference = o.id::text
         where o.status = 'posted' and o.resolved_at >= :since and o.resolved_at < :until
    )
    select id, at, 'not_booked' as kind from posted
     where booked_at is null and at < :booked_before
    union all
    select id, at, 'ledger_differs' from posted
     where booked_at is not null
       and moved_minor <> case kind when 'reversal' then -posted_minor else posted_minor end
    union all
    select p.id, p.at, 'reward_differs' from posted p join rewards w on w.id = p.reward_id
     where p.booked_at is not null and w.status not in ('ISSUED', 'REVERSED', 'VOID')
""")
# Credits from before the first order were made without a wallet.
_WITHOUT_ORDER: Final = text("""
    select t.id, t.recorded_at as at from transfers t
     where t.movement in ('release', 'reinstate') and t.reference is null
       and t.recorded_at >= greatest(
               :since,
               (select coalesce(min(created_at), 'infinity') from payment_orders)
           )
       and t.recorded_at < :until
""")


async def first_order_at(session: ReadSession) -> datetime | None:
    """Return when the first payment order was written, if there is one."""
    found: datetime | None = await session.scalar(select(func.min(PaymentOrderRow.created_at)))
    return found


async def count_pending(session: ReadSession) -> int:
    query = select(func.count()).where(PaymentOrderRow.status == OrderStatus.PENDING)
    return await session.scalar(query) or 0


async def orders_by_id(
    session: ReadSession, ids: Collection[UUID]
) -> Mapping[UUID, PaymentOrderRow]:
    rows = await session.scalars(select(PaymentOrderRow).where(PaymentOrderRow.id.in_(ids)))
    return {row.id: row for row in rows}


async def posted_orders(
    session: ReadSession, *, since: datetime, until: datetime, after: UUID, limit: int
) -> Sequence[PaymentOrderRow]:
    """Return orders that the wallet was called for and has posted, in the order of their ids."""
    query = select(PaymentOrderRow).where(
        PaymentOrderRow.status == OrderStatus.POSTED,
        PaymentOrderRow.amount_minor > 0,
        PaymentOrderRow.resolved_at >= since,
        PaymentOrderRow.resolved_at < until,
        PaymentOrderRow.id > after,
    )
    return (await session.scalars(query.order_by(PaymentOrderRow.id).limit(limit))).all()


async def ledger_differences(
    session: ReadSession, *, since: datetime, until: datetime, booked_before: datetime
) -> list[Difference]:
    """Return where the ledger or a reward disagrees with what the wallet has posted."""
    period = {"since": since, "until": until}
    rows = await session.execute(_LEDGER, {**period, "booked_before": booked_before})
    found = [
        Difference(kind=DifferenceKind(row.kind), reference=str(row.id), at=row.at, order_id=row.id)
        for row in rows
    ]
    credits_ = await session.execute(_WITHOUT_ORDER, period)
    return [
        *found,
        *(
            Difference(kind=DifferenceKind.CREDIT_WITHOUT_ORDER, reference=str(row.id), at=row.at)
            for row in credits_
        ),
    ]
