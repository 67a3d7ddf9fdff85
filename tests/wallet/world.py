"""A service with a wallet: referrals moved by their acts, and the courier's payments."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from courier.payer import Payer
from db.engine import Database
from db.tables import Delivery, PaymentOrderRow
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit, FactKind, TakeBack
from domain.lifecycle.referral import Stage
from domain.lifecycle.signals import LOOK
from domain.wallet.orders import OrderStatus
from integrations.wallet_http import HttpWallet
from referrals.intake import facts
from referrals.wallet.port import WalletUnclearError
from sandbox.sportsbook.accounts.running import RunningAccounts
from sandbox.sportsbook.polling import wait_until
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.api.v1.cases.steps import reject_late_link
from tests.builders import TERMS, Offer, chargeback, deposit

CALL_TIMEOUT_S = 30.0


@dataclass
class WalletWorld:
    """One database, one account service, and a courier that pays when the test says so."""

    database: Database
    accounts: RunningAccounts
    wallets: list[HttpWallet] = field(default_factory=list)
    minutes: int = 0
    """Number of acts run; each runs a minute after the one before."""

    async def referral(
        self,
        *,
        referrer_id: str | None = None,
        terms: Terms = TERMS,
        offer: Offer | None = None,
    ) -> ReferralActs:
        """Bring a new referral to its qualifying deposit, and let it be credited."""
        acts = await sign_up(
            self.database, terms=terms, referrer_id=referrer_id, offer=offer, has_wallet=True
        )
        await acts.receives(deposit(acts.referee_id))
        await acts.credit()
        return acts

    def terms(self, **changed: Any) -> Terms:  # noqa: ANN401 - any of the terms
        return replace(TERMS, **changed)

    def later(self, *, days: float = 0, minutes: float = 0) -> datetime:
        return LATER + timedelta(days=days, minutes=minutes)

    async def rewarded(self, *, referrer_id: str | None = None) -> ReferralActs:
        acts = await self.referral(referrer_id=referrer_id)
        assert await self.settle(acts) is Stage.REWARDED
        return acts

    async def charge_back(self, acts: ReferralActs, *, dispute: str | None = None) -> Stage:
        await acts.receives(chargeback(await _deposit_of(acts), dispute_id=dispute))
        return await self.wake(acts)

    async def win(self, acts: ReferralActs, *, dispute: str | None = None) -> Stage:
        paid = await _deposit_of(acts)
        await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON, dispute_id=dispute))
        return await self.wake(acts)

    async def reject(self, acts: ReferralActs) -> None:
        """Let a reviewer reject the referral, which a late link put in doubt."""
        await reject_late_link(acts)

    def wallet(self, *, timeout_s: float = CALL_TIMEOUT_S) -> HttpWallet:
        wallet = HttpWallet(self.accounts.url, token=self.accounts.token, timeout_s=timeout_s)
        self.wallets.append(wallet)
        return wallet

    def payer(self) -> Payer:
        return Payer(self.database, self.wallet())

    async def wake(self, acts: ReferralActs) -> Stage:
        self.minutes += 1
        return await acts.wake(at=LATER + timedelta(minutes=self.minutes))

    async def settle(self, acts: ReferralActs) -> Stage:
        """Pay everything, and run the referral's acts on the answers."""
        await self.pay_all()
        await self.wake(acts)
        await self.pay_all()
        return (await acts.stored_row()).stage

    async def pay_all(self, payer: Payer | None = None, *, rounds: int = 200) -> None:
        """Pay until no order is pending; time-outs are over at once.

        A round in which the wallet may not be called for a moment is no round: it is waited for.
        """
        payer = payer or self.payer()
        for _ in range(rounds):
            await wait_until(self._is_a_wallet_away, lambda away: not away, what="a wallet")
            await self.make_due()
            await pay(payer)
            if not await self.pending():
                return
        raise AssertionError(f"payments are still pending: {await self.pending()}")

    async def _is_a_wallet_away(self) -> bool:
        return any(wallet.is_away for wallet in self.wallets)

    async def make_due(self) -> None:
        async with self.database.transaction() as session:
            await session.execute(
                text("update payment_orders set next_attempt_at = now() where status = 'pending'")
            )

    async def orders(self, *, status: OrderStatus | None = None) -> Sequence[PaymentOrderRow]:
        query = select(PaymentOrderRow).order_by(PaymentOrderRow.seq)
        if status is not None:
            query = query.where(PaymentOrderRow.status == status)
        async with self.database.reading() as session:
            return (await session.scalars(query)).all()

    async def pending(self) -> list[UUID]:
        return [row.id for row in await self.orders(status=OrderStatus.PENDING)]

    async def looks(self, referral_id: UUID) -> list[str]:
        """Return the wake-ups of a referral by answers of the wallet."""
        query = select(Delivery.event_id).where(
            Delivery.referral_id == referral_id,
            Delivery.kind == LOOK,
            Delivery.event_id.like("payment/%"),
        )
        async with self.database.reading() as session:
            return list(await session.scalars(query))

    async def close(self) -> None:
        for wallet in self.wallets:
            await wallet.aclose()


async def pay(payer: Payer) -> bool:
    """Pay one batch; a wallet that is away is the test's own doing."""
    try:
        return await payer.pay()
    except WalletUnclearError:
        return True


async def _deposit_of(acts: ReferralActs) -> Deposit:
    async with acts.database.reading() as session:
        (paid,) = await facts.facts_of_player(session, acts.referee_id, FactKind.DEPOSIT)
    assert isinstance(paid, Deposit)
    return paid
