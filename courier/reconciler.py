"""The command `reconcile`: compares rewards, ledger and wallet once, and prints the differences."""

import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

import uvloop

from courier.verifier import explain
from db.engine import Database
from db.faults import DATABASE_FAULTS
from integrations.wallet_http import HttpWallet
from referrals.access.audit import Actor
from referrals.wallet.differences import Difference
from referrals.wallet.port import WalletUnclearError
from referrals.wallet.reconciliation import Reconciliation, reconcile
from referrals.wallet.repair import repair
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import WalletSettings

GREEN: Final = 0
DIFFERENCES: Final = 1


def main(
    settings: WalletSettings, *, since: str | None, until: str | None, repair_as: Actor | None
) -> int:
    """Reconcile once and return the exit code; times are RFC 3339, those without offset are UTC."""
    try:
        period = (_parse(since), _parse(until))
        found = uvloop.run(_reconcile(settings, period, repair_as))
    except (ValueError, WalletUnclearError) as fault:
        return _refuse(str(fault))
    except DATABASE_FAULTS as fault:
        return _refuse(explain(fault))
    _print(found)
    return DIFFERENCES if found.open else GREEN


async def _reconcile(
    settings: WalletSettings,
    period: tuple[datetime | None, datetime | None],
    repair_as: Actor | None,
) -> Reconciliation:
    if settings.wallet_url is None or settings.wallet_token is None:
        raise ValueError("no wallet is configured: set REFERRALS_WALLET_URL and _WALLET_TOKEN")
    since, until = period
    token = settings.wallet_token.get_secret_value()
    async with (
        Database.open(settings.database_url) as database,
        aclosing(HttpWallet(settings.wallet_url, token=token)) as wallet,
    ):
        found = await reconcile(database, wallet, since=since, until=until)
        if repair_as is None:
            return found
        return await repair(database, wallet, found, repair_as)


def _parse(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError as fault:
        raise ValueError(f"not a time of RFC 3339: {given}") from fault
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _refuse(reason: str) -> int:
    print(f"could not reconcile: {reason}", file=sys.stderr)  # noqa: T201
    return COULD_NOT_RUN


def _print(found: Reconciliation) -> None:
    """Print a line for the period and one for each difference, for people and for grep."""
    lines = [
        (
            f"from {found.since.isoformat()} to {found.until.isoformat()}:"
            f" {found.transactions} transactions of the wallet, {found.in_flight} orders in flight,"
            f" {len(found.differences)} differences"
        ),
        *map(_line, found.differences),
    ]
    print("\n".join(lines))  # noqa: T201


def _line(difference: Difference) -> str:
    age = str(difference.age).partition(".")[0]
    repaired = ", repaired" if difference.is_repaired else ""
    kind = f"{difference.kind}  {difference.reference}  {age} old{repaired}"
    return f"{kind}: {difference.kind.text}"
