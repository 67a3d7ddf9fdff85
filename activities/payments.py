"""Payments: what the wallet was asked to credit for a referral, and what becomes of its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from activities import computing
from activities.locked_referrals import LockedReferral
from db.tables import PaymentOrderRow, Review, Reward
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from domain.wallet.orders import OrderKind, OrderStatus
from referrals.rewards import booking
from referrals.rewards import transfers as rewards
from referrals.rewards.booking import PaidOrder
from referrals.wallet import orders
from referrals.wallet.orders import NewOrder

RECHECK_INTERVAL: Final = timedelta(days=1)
"""Time after which a referral that waits for its payment looks again, were a wake-up lost."""
QUALIFIED: Final = "qualified"
CHARGEBACK_WON: Final = "chargeback_won"
RAISED: Final = "raised"
NOT_ISSUED: Final = "not_issued"
"""Reasons that are sent to the wallet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The credits that the wallet was asked for and the ledger has not booked yet."""

    rewards: Sequence[Reward] = ()
    latest: Mapping[UUID, PaymentOrderRow]
    """The newest order of each reward, where there is one."""
    written: Sequence[PaymentOrderRow] = ()
    """All orders of the referral."""

    @property
    def pending(self) -> list[PaymentOrderRow]:
        return [row for row in self.latest.values() if row.status is OrderStatus.PENDING]

    @property
    def refused(self) -> list[PaymentOrderRow]:
        return [row for row in self.latest.values() if row.status is OrderStatus.REFUSED]

    @property
    def paid(self) -> dict[UUID, PaidOrder]:
        """The orders that the wallet has posted, by reward."""
        return {
            reward_id: PaidOrder(
                id=row.id,
                gross=Money(row.gross_minor, row.currency),
                posted=Money(row.posted_minor, row.currency),
            )
            for reward_id, row in self.latest.items()
            if row.posted_minor is not None
        }

    @property
    def is_complete(self) -> bool:
        """True where the wallet has posted the credits of all rewards."""
        return bool(self.rewards) and all(reward.id in self.paid for reward in self.rewards)

    def is_bookable(self, stage: Stage) -> bool:
        """Return whether the ledger can book what the wallet has posted at a stage.

        A REVERSED referral is REWARDED again as a whole; a reward that rises is booked alone.
        """
        return self.is_complete if stage is Stage.REVERSED else bool(self.paid)

    def asks(self, more: Mapping[UUID, int]) -> bool:
        """Return whether each open order asks for what its reward lacks, in minor units."""
        return all(row.gross_minor == max(0, more[row.reward_id]) for row in self.pending)

    def unused_approval(self, approvals: Sequence[Review]) -> Review | None:
        """Return an approval to try a refused payment again that no order rests on yet."""
        used = {row.review_id for row in self.written}
        about = [r for r in approvals if HoldReason.PAYMENT_REFUSED in r.reasons]
        return next((review for review in reversed(about) if review.id not in used), None)


NO_PAYMENT: Final = Payment(latest={})


async def find_payment(locked: LockedReferral) -> Payment:
    """Return the credits that a referral waits for; before it is HELD there are none.

    One that is REWARDED or SETTLED may wait for the rest of a reward that has risen.
    """
    stage, awaits = locked.referral.stage, locked.referral.awaits_funds
    may_rise = awaits and stage in {Stage.REWARDED, Stage.SETTLED}
    if stage not in {Stage.HELD, Stage.REVERSED} and not may_rise:
        return NO_PAYMENT
    written = await orders.orders_of_referral(locked.session, locked.referral.id)
    if not written:
        return NO_PAYMENT
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    kind = OrderKind.REWARD if stage is Stage.HELD else OrderKind.REINSTATEMENT
    cycles = {reward.id: reward.cycle for reward in known}
    latest = {
        row.reward_id: row
        for row in written
        if row.kind is kind and row.cycle == cycles[row.reward_id] and row.booked_at is None
    }
    return Payment(rewards=known, latest=latest, written=written)


async def withdraw(locked: LockedReferral, payment: Payment) -> bool:
    """Cancel what was not sent yet; return False while the wallet may still post something."""
    return await orders.cancel(locked.session, [row.id for row in payment.pending])


async def order_rewards(
    locked: LockedReferral, written: Sequence[Reward], payment: Payment, *, approval: Review | None
) -> None:
    """Order the credit of what is due of held rewards by now."""
    await order_credits(
        locked,
        await computing.due_when_ordered(locked, written, is_begun=bool(payment.paid)),
        payment,
        kind=OrderKind.REWARD,
        reason=QUALIFIED,
        approval=approval,
    )


async def order_credits(
    locked: LockedReferral,
    unpaid: Mapping[Reward, int],
    payment: Payment,
    *,
    kind: OrderKind,
    reason: str,
    approval: Review | None = None,
) -> None:
    """Order the credit of each reward, in minor units, that the wallet has not posted yet.

    One of nothing is resolved without a call.
    """
    review_id = approval.id if approval else None
    await orders.write(
        locked.session,
        *(
            _new_order(
                locked, reward, minor, payment, kind=kind, reason=reason, review_id=review_id
            )
            for reward, minor in unpaid.items()
            if reward.id not in payment.paid
        ),
    )


async def order_debits(locked: LockedReferral, owing: Mapping[Reward, int], *, reason: str) -> None:
    """Order the debit of what is about to be booked as owed of each reward, in minor units."""
    await orders.write(
        locked.session,
        *(
            _new_order(locked, reward, minor, NO_PAYMENT, kind=OrderKind.REVERSAL, reason=reason)
            for reward, minor in owing.items()
        ),
    )


async def take_back_paid(locked: LockedReferral, unpaid: Sequence[Reward]) -> Sequence[Reward]:
    """Book what the wallet has credited of rewards that come to nothing, and order it back.

    Returns the other rewards, of which the wallet has posted nothing.
    """
    payment = await find_payment(locked)
    paid = [reward for reward in unpaid if reward.id in payment.paid]
    if paid:
        session, referral = locked.session, locked.referral
        await booking.book_credits(session, referral, paid, payment.paid, at=locked.now)
        await mark_booked(locked, payment)
        owing = {reward: payment.paid[reward.id].gross.minor for reward in paid}
        owing = {reward: minor for reward, minor in owing.items() if minor}
        await order_debits(locked, owing, reason=NOT_ISSUED)
        await booking.owe(session, referral, owing, at=locked.now)
        booking.set_status(paid, RewardStatus.VOID, at=locked.now)
    return [reward for reward in unpaid if reward.id not in payment.paid]


async def mark_booked(locked: LockedReferral, payment: Payment) -> None:
    await orders.mark_booked(locked.session, [order.id for order in payment.paid.values()])


def _new_order(
    locked: LockedReferral,
    reward: Reward,
    gross_minor: int,
    payment: Payment,
    *,
    kind: OrderKind,
    reason: str,
    review_id: UUID | None = None,
) -> NewOrder:
    before = [
        row.attempt
        for row in payment.written
        if (row.reward_id, row.kind, row.cycle) == (reward.id, kind, reward.cycle)
    ]
    return NewOrder(
        player_id=reward.player_id,
        referral_id=locked.referral.id,
        reward_id=reward.id,
        kind=kind,
        cycle=reward.cycle,
        attempt=max(before, default=0) + 1,
        reason=reason,
        gross=Money(gross_minor, reward.currency),
        review_id=review_id,
    )
