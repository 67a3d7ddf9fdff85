"""Activity that compares the last days with the wallet, and names every difference in the log."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity

from activities.care.recorded import recorded_care
from db.clock import database_now
from db.engine import Database
from referrals.verification.care_runs import Care
from referrals.wallet.port import Wallet
from referrals.wallet.reconciliation import reconcile

MAX_DAYS: Final = 31

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """A request to compare the days before now."""

    days: int
    """Bounded by MAX_DAYS: whoever starts the workflow does not read the whole wallet."""


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """Number of transactions compared, and of differences of each kind."""

    transactions: int
    differences: dict[str, int]


class ReconciliationActivities:
    def __init__(self, database: Database, wallet: Wallet) -> None:
        self._database = database
        self._wallet = wallet

    @activity.defn
    async def reconcile_wallet(self, request: ReconcileRequest) -> ReconcileResult:
        """Compare rewards, ledger and wallet, and repair nothing.

        Raises WalletUnclearError, which Temporal retries, while the wallet does not answer.
        """
        async with recorded_care(self._database, Care.RECONCILIATION) as result:
            reconciled = await self._reconcile(request)
            result.findings = sum(reconciled.differences.values())
            result.details = {
                "transactions": reconciled.transactions,
                "differences": reconciled.differences,
            }
        return reconciled

    async def _reconcile(self, request: ReconcileRequest) -> ReconcileResult:
        async with self._database.reading() as session:
            now = await database_now(session)
        found = await reconcile(
            self._database,
            self._wallet,
            since=now - timedelta(days=min(max(request.days, 1), MAX_DAYS)),
            until=now,
        )
        for difference in found.differences:
            _log.error(
                "reconciliation_difference",
                kind=difference.kind,
                reference=difference.reference,
                age_s=round(difference.age.total_seconds()),
            )
        kinds = Counter(str(difference.kind) for difference in found.differences)
        _log.info("reconciled", transactions=found.transactions, differences=kinds.total())
        return ReconcileResult(found.transactions, dict(kinds))
