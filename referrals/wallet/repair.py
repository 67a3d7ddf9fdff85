"""Repairs of differences that can be made safely, each with its row in the audit."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from db import locks
from db.engine import Database, ReadSession, Session
from db.tables import PaymentOrderRow
from domain.wallet.orders import Direction, OrderStatus
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.lifecycle import deliveries
from referrals.wallet.differences import Difference, DifferenceKind
from referrals.wallet.port import Posted, Wallet, WalletContradictsError
from referrals.wallet.reconciliation import Reconciliation
from referrals.wallet.sending import kind_of, request_of


async def repair(
    database: Database, wallet: Wallet, found: Reconciliation, actor: Actor
) -> Reconciliation:
    """Repair what is safe, and return the reconciliation with what was repaired marked so."""
    repairs = _Repairs(database, wallet, actor)
    differences = [
        replace(difference, is_repaired=await repairs.repair(difference))
        for difference in found.differences
    ]
    return replace(found, differences=tuple(differences))


@dataclass(frozen=True, slots=True)
class _Repairs:
    """The safe repairs; each returns whether the difference is mended."""

    database: Database
    wallet: Wallet
    actor: Actor

    async def repair(self, difference: Difference) -> bool:
        safely = {
            DifferenceKind.MISSING_IN_WALLET: self.send_again,
            DifferenceKind.NOT_RECORDED: self.record_late,
            DifferenceKind.NOT_BOOKED: self.book,
        }.get(difference.kind)
        if safely is None or difference.order_id is None:
            return False
        async with self.database.reading() as session:
            order = await session.get_one(PaymentOrderRow, difference.order_id)
        # A debit takes what is there at its time: another one may take another amount.
        if order.kind.direction is not Direction.CREDIT:
            return False
        try:
            return await safely(order)
        except WalletContradictsError:
            return False

    async def send_again(self, order: PaymentOrderRow) -> bool:
        """Send a credit that the wallet has lost again, under the reference that it had."""
        async with self.database.reading() as session:
            kind = await kind_of(session, order)
        is_sent = isinstance(await self.wallet.post(request_of(order, kind)), Posted)
        async with self.database.transaction() as session:
            await self._write_audit(session, order, "send_again", {"is_posted": is_sent})
        return is_sent

    async def record_late(self, order: PaymentOrderRow) -> bool:
        """Record a credit that was refused at first and that the wallet has posted after all.

        Not where the reward was ordered again since: it was paid twice, which people must settle.
        """
        answer = await self.wallet.find(request_of(order))
        if not isinstance(answer, Posted):
            return False
        async with self.database.transaction() as session:
            await locks.lock_players(session, order.player_id)
            row = await session.get_one(PaymentOrderRow, order.id, with_for_update=True)
            if row.status is not OrderStatus.REFUSED or await _was_ordered_again(session, row):
                return False
            row.status, row.refusal = OrderStatus.POSTED, None
            row.posted_minor = answer.amount.minor
            await session.flush()
            await _wake(session, row)
            await self._write_audit(session, row, "record_late", {})
        return True

    async def book(self, order: PaymentOrderRow) -> bool:
        """Wake the referral's workflow once more: its act books what the wallet has posted."""
        async with self.database.transaction() as session:
            await _wake(session, order)
            await self._write_audit(session, order, "wake", {})
        return True

    async def _write_audit(
        self, session: Session, order: PaymentOrderRow, act: str, details: dict[str, Any]
    ) -> None:
        await audit.write(
            session,
            self.actor,
            action=f"reconcile.{act}",
            subject=f"payment_order:{order.id}",
            details=details,
        )


async def _was_ordered_again(session: ReadSession, row: PaymentOrderRow) -> bool:
    later = await session.scalars(
        select(PaymentOrderRow.id).where(
            PaymentOrderRow.reward_id == row.reward_id,
            PaymentOrderRow.kind == row.kind,
            PaymentOrderRow.cycle == row.cycle,
            PaymentOrderRow.attempt > row.attempt,
        )
    )
    return later.first() is not None


async def _wake(session: Session, order: PaymentOrderRow) -> None:
    await deliveries.enqueue(
        session, order.referral_id, deliveries.of_payment(order.id, step="reconciled")
    )
