"""Recording of a wallet's answer: what it took is recovered, and a referral looks at a credit."""

from db import locks
from db.clock import database_now
from db.engine import Session
from db.tables import PaymentOrderRow, Reward
from domain.money import Money
from domain.wallet.orders import Direction
from referrals.lifecycle import deliveries
from referrals.lifecycle.stages import lock_referral
from referrals.rewards import booking
from referrals.rewards.booking import PaidOrder
from referrals.wallet import orders, sending
from referrals.wallet.port import PaymentRequest, Posted, Refused


async def record_payment(
    session: Session, request: PaymentRequest, outcome: Posted | Refused
) -> None:
    """Record the certain answer to an order, once; a second courier's answer changes nothing.

    A credit and its refusal are acted on by the referral's workflow, which this wakes. A debit is
    booked here; one that was refused stays owed, to be recovered from later rewards.
    """
    await locks.lock_players(session, request.player_id)
    row = await sending.record(session, request.reference, outcome)
    if row is None:
        return
    if request.direction is Direction.CREDIT:
        await deliveries.enqueue(session, row.referral_id, deliveries.of_payment(row.id))
    elif isinstance(outcome, Posted):
        await _book_debit(session, row, outcome.amount)


async def _book_debit(session: Session, row: PaymentOrderRow, taken: Money) -> None:
    referral = await lock_referral(session, row.referral_id)
    reward = await session.get_one(Reward, row.reward_id)
    if referral is None:
        raise RuntimeError(f"no referral {row.referral_id} is recorded")
    await booking.book_debit(
        session,
        referral,
        reward,
        PaidOrder(id=row.id, gross=Money(row.gross_minor, row.currency), posted=taken),
        at=await database_now(session),
    )
    await orders.mark_booked(session, [row.id])
