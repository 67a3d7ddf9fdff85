"""Spending of the in-app balance, and giving a spend back."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select

from db import locks
from db.engine import ReadSession, Session
from db.reporters import NOBODY, Reporter, note_caller
from db.tables import TransferRow
from domain.derived_ids import derived_id
from domain.ledger.movements import Movement, Transfer
from domain.money import Money
from referrals.ledger import posting as ledger
from referrals.ledger.posting import PostingOutcome, find_posted

REST: Final = "rest"
"""Stands for the amount in the id of an UNSPEND that gives back all that is left."""


class SpendOutcome(StrEnum):
    SPENT = "spent"
    INSUFFICIENT = "insufficient"
    CONFLICT = "conflict"


class UnspendOutcome(StrEnum):
    GIVEN_BACK = "given_back"
    UNKNOWN_SPEND = "unknown_spend"
    OTHER_CURRENCY = "other_currency"
    EXCEEDS_SPEND = "exceeds_spend"


async def spend(
    session: Session,
    *,
    player_id: str,
    amount: Money,
    reference: str,
    at: datetime,
    by: Reporter = NOBODY,
) -> SpendOutcome:
    """Spend once per player and reference; the same reference with another amount is a CONFLICT.

    `by` is the caller, whom the transfer names.
    """
    note_caller(session, by)
    await locks.lock_players(session, player_id)
    # Two players' names may meet in the id of release 0.2, so their own locks do not suffice.
    await locks.lock_key(session, str(_id_of_0_2(player_id, reference)))
    posted = await _find_spend(session, player_id, reference)
    if isinstance(posted, TransferRow):
        is_same = Money(posted.amount_minor, posted.currency) == amount
        return SpendOutcome.SPENT if is_same else SpendOutcome.CONFLICT
    transfer = Transfer(id=posted, movement=Movement.SPEND, amount=amount, player_id=player_id)
    posting = await ledger.post(session, [transfer], at=at, reference=reference)
    is_spent = posting is PostingOutcome.POSTED
    return SpendOutcome.SPENT if is_spent else SpendOutcome.INSUFFICIENT


async def unspend(
    session: Session,
    *,
    player_id: str,
    amount: Money | None,
    reference: str,
    at: datetime,
    by: Reporter = NOBODY,
) -> UnspendOutcome:
    """Give a spend back, once per reference and amount; without an amount, all that is left of it.

    Never gives back more than was spent under the reference. `by` is the caller, whom the transfer
    names.
    """
    note_caller(session, by)
    await locks.lock_players(session, player_id)
    spent = await _find_spend(session, player_id, reference)
    if not isinstance(spent, TransferRow):
        return UnspendOutcome.UNKNOWN_SPEND
    if amount is not None and amount.currency != spent.currency:
        return UnspendOutcome.OTHER_CURRENCY
    given_back = await _given_back(session, player_id, reference)
    left_minor = spent.amount_minor - sum(given_back)
    minor = left_minor if amount is None else amount.minor
    if (amount is None and not left_minor) or (amount is not None and minor in given_back):
        return UnspendOutcome.GIVEN_BACK
    if minor > left_minor:
        return UnspendOutcome.EXCEEDS_SPEND
    which = REST if amount is None else str(minor)
    transfer = Transfer(
        id=derived_id(NAMESPACE_OID, Movement.UNSPEND, player_id, reference, which),
        movement=Movement.UNSPEND,
        amount=Money(minor, spent.currency),
        player_id=player_id,
    )
    await ledger.post(session, [transfer], at=at, reference=reference)
    return UnspendOutcome.GIVEN_BACK


async def _find_spend(session: ReadSession, player_id: str, reference: str) -> TransferRow | UUID:
    """Return the spend, or the id to post it under.

    That is the id of release 0.2, by which a process of that release knows a repeated spend, unless
    another player's spend has it.
    """
    ids = (
        _id_of_0_2(player_id, reference),
        derived_id(NAMESPACE_OID, Movement.SPEND, player_id, reference),
    )
    return await find_posted(session, ids, player_id=player_id, reference=reference)


def _id_of_0_2(player_id: str, reference: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"spend:{player_id}:{reference}")


async def _given_back(session: ReadSession, player_id: str, reference: str) -> list[int]:
    """Return the minor units of each time that some of a spend was given back."""
    query = select(TransferRow.amount_minor).where(
        TransferRow.player_id == player_id,
        TransferRow.reference == reference,
        TransferRow.movement == Movement.UNSPEND,
    )
    return list(await session.scalars(query))
