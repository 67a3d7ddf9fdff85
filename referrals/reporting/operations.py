"""Work that waits or fails, one row each: deliveries to workflows, deadlines, payment orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position
from db.tables import Delivery, PaymentOrderRow, ReferralRow
from domain.lifecycle.referral import OPEN_STAGES, Stage
from domain.money import Money
from domain.wallet.orders import OrderKind, OrderStatus

MAX_ROWS: Final = 50
"""Rows of each list, the longest waiting first; a metric counts the rest."""

MOST_COUNTED: Final = 1000
"""Deferred referrals that are counted; more are said to be more."""
_LANE: Final[ColumnElement[int]] = literal_column("((kind = 'invitation')::int)")
"""As the index of lanes has them: updates first, because players wait for those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDelivery:
    """A fact that its workflow has not acknowledged."""

    referral_id: UUID
    kind: str
    event_id: str
    attempts: int
    since: datetime
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueReferral:
    referral_id: UUID
    stage: Stage
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """A payment order as the wallet was asked for it."""

    order_id: UUID
    player_id: str
    reward_id: UUID
    kind: OrderKind
    status: OrderStatus
    amount: Money
    attempts: int
    trouble: str | None
    """The refusal, or why the last call had no certain answer."""
    created_at: datetime


async def count_deferred(session: ReadSession) -> int:
    """Return how many referrals wait for money or a new period, MOST_COUNTED at most."""
    some = select(ReferralRow.id).where(ReferralRow.stage == Stage.DEFERRED).limit(MOST_COUNTED)
    return await session.scalar(select(func.count()).select_from(some.subquery())) or 0


async def waiting_deliveries(session: ReadSession) -> Sequence[WaitingDelivery]:
    query = (
        select(Delivery)
        .where(Delivery.acknowledged_at.is_(None))
        # As the index of lanes has them: updates first, because players wait for those.
        .order_by(_LANE, Delivery.next_attempt_at, Delivery.id)
        .limit(MAX_ROWS)
    )
    return [
        WaitingDelivery(
            referral_id=row.referral_id,
            kind=row.kind,
            event_id=row.event_id,
            attempts=row.attempts,
            since=row.created_at,
            next_attempt_at=row.next_attempt_at,
        )
        for row in await session.scalars(query)
    ]


async def overdue_referrals(session: ReadSession) -> Sequence[OverdueReferral]:
    query = (
        select(ReferralRow)
        .where(ReferralRow.stage.in_(OPEN_STAGES), ReferralRow.until < func.now())
        .order_by(ReferralRow.until, ReferralRow.id)
        .limit(MAX_ROWS)
    )
    return [
        OverdueReferral(referral_id=row.id, stage=row.stage, until=row.until)
        for row in await session.scalars(query)
    ]


async def list_orders(
    session: ReadSession, page_request: PageRequest, *, status: OrderStatus | None
) -> Page[OrderView]:
    """Return a page of payment orders, newest first."""
    query = select(PaymentOrderRow)
    if status is not None:
        query = query.where(PaymentOrderRow.status == status)
    query = paging.newest_first(
        query, page_request, at=PaymentOrderRow.created_at, id_=PaymentOrderRow.id
    )
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, page_request, lambda row: Position(row.created_at, row.id))
    return page.map(lambda items: [_order_view(row) for row in items])


def _order_view(row: PaymentOrderRow) -> OrderView:
    minor = row.gross_minor if row.amount_minor is None else row.amount_minor
    return OrderView(
        order_id=row.id,
        player_id=row.player_id,
        reward_id=row.reward_id,
        kind=row.kind,
        status=row.status,
        amount=Money(minor, row.currency),
        attempts=row.attempts,
        trouble=row.refusal or row.fault,
        created_at=row.created_at,
    )
