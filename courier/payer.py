"""Payment orders to the wallet: looked up where their outcome is open, sent, and recorded."""

import asyncio
import math
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from courier.record_payment import record_payment
from courier.work_loop import MAX_BACKOFF_S, MAX_OUTAGE_BACKOFF_S, backoff_s
from db.engine import Database
from referrals.wallet import sending
from referrals.wallet.port import (
    NotFound,
    PaymentRequest,
    Posted,
    Refused,
    Wallet,
    WalletAwayError,
    WalletContradictsError,
    WalletUnclearError,
)
from referrals.wallet.sending import LeasedOrder

BATCH_SIZE: Final = 16
"""Orders of as many players that are paid at once."""
OUTAGE_BATCH_SIZE: Final = 2
"""Orders that probe a wallet that is away: one of them may be at fault itself."""
MAX_CONCURRENT_TRANSACTIONS: Final = 3
"""Transactions of a batch, so that other loops find connections; no call holds one."""
LEASE_DURATION: Final = timedelta(seconds=60)
"""Longer than three calls and the transactions around them may take."""

MEASURE_INTERVAL_S: Final = 10.0
"""Seconds between two looks at the age of the oldest order."""

log = structlog.get_logger()


class Payer:
    """Pays due orders, those of one player one after another.

    An order without a certain answer is tried again for ever, after a growing delay, and only after
    the wallet was asked what it has posted under the order's reference.
    """

    def __init__(
        self, database: Database, wallet: Wallet, *, registry: CollectorRegistry | None = None
    ) -> None:
        self._database = database
        self._wallet = wallet
        self._batch_size = BATCH_SIZE
        self._contradictions = Counter(
            "referrals_wallet_contradictions",
            "Answers of the wallet with another amount, player or reference than asked for.",
            registry=registry or CollectorRegistry(),
        )
        self._oldest_age_s = Gauge(
            "referrals_wallet_oldest_order_seconds",
            "Age of the oldest payment order that the wallet has not answered; 0 for none.",
            registry=registry or CollectorRegistry(),
        )
        self._measured_s = -math.inf
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_TRANSACTIONS)

    async def pay(self) -> bool:
        """Pay one batch and return whether more may be due.

        Raises WalletAwayError when the wallet answered none of the orders.
        """
        await self._measure()
        if self._wallet.is_away:
            # Orders that were never leased can still be cancelled.
            return False
        async with self._database.transaction() as session:
            leased = await sending.lease(session, limit=self._batch_size, lasting=LEASE_DURATION)
        results = await asyncio.gather(*map(self._pay, leased), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Exception):
                raise result
        self._raise_outage(leased, [r for r in results if isinstance(r, Exception)])
        return bool(leased)

    async def _measure(self) -> None:
        if time.monotonic() - self._measured_s < MEASURE_INTERVAL_S:
            return
        async with self._database.reading() as session:
            self._oldest_age_s.set(await sending.oldest_age_s(session))
        self._measured_s = time.monotonic()

    async def _pay(self, order: LeasedOrder) -> None:
        """Pay one order; re-raise its fault after having put it off."""
        try:
            await self._pay_once(order)
        except Exception as fault:
            await self._put_off(order, fault)
            raise

    async def _pay_once(self, order: LeasedOrder) -> None:
        async with self._slots, self._database.transaction() as session:
            request = await sending.fix(session, order)
        if request is None:
            return
        outcome = await self._ask(request, is_repeated=order.attempts > 1)
        async with self._slots, self._database.transaction() as session:
            await record_payment(session, request, outcome)
        _log_outcome(request, outcome)

    async def _ask(self, request: PaymentRequest, *, is_repeated: bool) -> Posted | Refused:
        if not request.amount.minor:
            # The player owes as much as there is to credit, or has nothing that could be taken.
            return Posted(request.amount)
        if is_repeated:
            found = await self._wallet.find(request)
            if not isinstance(found, NotFound):
                return found
        outcome = await self._wallet.post(request)
        if isinstance(outcome, Refused) and is_repeated:
            # An earlier call may have been posted after the look-up.
            found = await self._wallet.find(request)
            return outcome if isinstance(found, NotFound) else found
        return outcome

    async def _put_off(self, order: LeasedOrder, fault: Exception) -> None:
        max_s = MAX_OUTAGE_BACKOFF_S if isinstance(fault, WalletAwayError) else MAX_BACKOFF_S
        delay_s = backoff_s(order.attempts, max_s=max_s)
        _log_fault(order, fault)
        if isinstance(fault, WalletContradictsError):
            self._contradictions.inc()
        async with self._slots, self._database.transaction() as session:
            await sending.reschedule(session, order.id, delay_s=delay_s, fault=_told(fault))

    def _raise_outage(self, leased: Sequence[LeasedOrder], faults: Sequence[Exception]) -> None:
        away = next((fault for fault in faults if isinstance(fault, WalletAwayError)), None)
        if away is not None and len(faults) == len(leased):
            self._batch_size = OUTAGE_BATCH_SIZE
            raise away
        self._batch_size = BATCH_SIZE


def _told(fault: Exception) -> str:
    return str(fault) if isinstance(fault, WalletUnclearError) else type(fault).__name__


def _log_fault(order: LeasedOrder, fault: Exception) -> None:
    values = {"order_id": str(order.id), "attempts": order.attempts, "error": _told(fault)}
    if isinstance(fault, WalletContradictsError):
        log.error("wallet_contradicts", **values)
    elif isinstance(fault, WalletUnclearError):
        log.warning("payment_unclear", **values)
    else:
        log.error("payment_failed", **values)


def _log_outcome(request: PaymentRequest, outcome: Posted | Refused) -> None:
    is_posted = isinstance(outcome, Posted)
    log.info(
        "payment_posted" if is_posted else "payment_refused",
        order_id=str(request.reference),
        kind=request.kind,
        reward_id=str(request.reward_id),
    )
