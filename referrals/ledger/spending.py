"""Spending of the in-app balance."""

from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select

from db import locks
from db.engine import Session
from db.tables import TransferRow
from domain.ledger.movements import Movement, Transfer
from domain.money import Money
from referrals.ledger import posting as ledger
from referrals.ledger.posting import PostingOutcome


class SpendOutcome(StrEnum):
    SPENT = "spent"
    INSUFFICIENT = "insufficient"
    CONFLICT = "conflict"


async def spend(
    session: Session, *, player_id: str, amount: Money, reference: str, at: datetime
) -> SpendOutcome:
    """Spend once per player and reference; the same reference with another amount is a CONFLICT."""
    transfer = Transfer(
        id=uuid5(NAMESPACE_OID, f"spend:{player_id}:{reference}"),
        movement=Movement.SPEND,
        amount=amount,
        player_id=player_id,
    )
    await locks.lock_players(session, player_id)
    posting = await ledger.post(session, [transfer], at=at, reference=reference)
    if posting is PostingOutcome.INSUFFICIENT:
        return SpendOutcome.INSUFFICIENT
    if (
        posting is PostingOutcome.ALREADY_POSTED
        and await posted_amount(session, transfer.id) != amount
    ):
        return SpendOutcome.CONFLICT
    return SpendOutcome.SPENT


async def posted_amount(session: Session, transfer_id: UUID) -> Money | None:
    query = select(TransferRow.amount_minor, TransferRow.currency)
    row = (await session.execute(query.where(TransferRow.id == transfer_id))).one_or_none()
    return Money(row.amount_minor, row.currency) if row else None
