"""Reconciliation: rewards, ledger and wallet compared over a period, each difference named."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from db.clock import database_now
from db.engine import Database
from db.tables import PaymentOrderRow
from domain.money import Money
from domain.wallet.orders import OrderStatus
from referrals.wallet import order_views
from referrals.wallet.differences import Difference, DifferenceKind
from referrals.wallet.port import (
    NotFound,
    Refused,
    Wallet,
    WalletContradictsError,
    WalletTransaction,
)
from referrals.wallet.sending import request_of

BOOKING_GRACE: Final = timedelta(minutes=10)
"""Time that the ledger may take to book what the wallet has posted."""
MARGIN: Final = timedelta(days=1)
"""Time before the first order that is compared too: nothing may have been posted in it."""
ORDER_BATCH_SIZE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The comparison of one period; `until` is exclusive."""

    since: datetime
    until: datetime
    transactions: int
    """Number of the wallet's transactions in the period."""
    in_flight: int
    """Orders without a certain answer, which are not differences."""
    differences: tuple[Difference, ...]

    @property
    def open(self) -> tuple[Difference, ...]:
        return tuple(found for found in self.differences if not found.is_repaired)


async def reconcile(
    database: Database,
    wallet: Wallet,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Reconciliation:
    """Compare what was posted in a period, by default from a day before the first order until now.

    Raises WalletUnclearError when the wallet does not answer, and DATABASE_FAULTS.
    """
    async with database.reading() as session:
        now = await database_now(session)
        begun_at = await order_views.first_order_at(session)
    since, until = since or (begun_at or now) - MARGIN, min(until or now, now)
    found: list[Difference] = []
    seen: Counter[str] = Counter()
    async for page in _pages(wallet, since, until):
        found += await _compare_page(database, page, seen)
    found += await _find_missing(database, wallet, seen, since=since, until=until)
    async with database.snapshot() as session:
        found += await order_views.ledger_differences(
            session, since=since, until=until, booked_before=now - BOOKING_GRACE
        )
        in_flight = await order_views.count_pending(session)
    return Reconciliation(
        since=since,
        until=until,
        transactions=seen.total(),
        in_flight=in_flight,
        differences=tuple(_aged(found, now)),
    )


async def _pages(
    wallet: Wallet, since: datetime, until: datetime
) -> AsyncIterator[Sequence[WalletTransaction]]:
    cursor: str | None = None
    passed: set[str] = set()
    while True:
        page = await wallet.list_transactions(since=since, until=until, cursor=cursor)
        yield page.items
        cursor = page.next_cursor
        if cursor is None or cursor in passed:
            return
        passed.add(cursor)


async def _compare_page(
    database: Database, page: Sequence[WalletTransaction], seen: Counter[str]
) -> list[Difference]:
    ids = [id_ for id_ in map(_order_id, page) if id_ is not None]
    async with database.reading() as session:
        orders = await order_views.orders_by_id(session, ids)
    found: list[Difference] = []
    for listed in page:
        seen[listed.reference] += 1
        if seen[listed.reference] > 1:
            found.append(_difference(DifferenceKind.LISTED_TWICE, listed))
        elif listed.status == OrderStatus.POSTED:
            found += _compare(listed, orders)
    return found


def _compare(listed: WalletTransaction, orders: Mapping[UUID, PaymentOrderRow]) -> list[Difference]:
    id_ = _order_id(listed)
    order = orders.get(id_) if id_ else None
    if order is None:
        return [_difference(DifferenceKind.UNKNOWN_HERE, listed)]
    if order.status in {OrderStatus.REFUSED, OrderStatus.CANCELLED}:
        return [_difference(DifferenceKind.NOT_RECORDED, listed, order)]
    is_open = order.status is OrderStatus.PENDING
    minor = order.amount_minor if is_open else order.posted_minor
    is_partial = is_open and order.kind.allows_partial and listed.amount.minor < (minor or 0)
    is_same = listed.amount == Money(minor or 0, order.currency)
    rules = (
        (DifferenceKind.AMOUNT_DIFFERS, is_same or is_partial),
        (DifferenceKind.PLAYER_DIFFERS, listed.player_id == order.player_id),
        (DifferenceKind.DIRECTION_DIFFERS, listed.direction == order.kind.direction),
    )
    return [_difference(kind, listed, order) for kind, holds in rules if not holds]


async def _find_missing(
    database: Database,
    wallet: Wallet,
    seen: Mapping[str, int],
    *,
    since: datetime,
    until: datetime,
) -> list[Difference]:
    """Look up the posted orders of the period that the wallet did not list in it."""
    found: list[Difference] = []
    after = UUID(int=0)
    while True:
        async with database.reading() as session:
            orders = await order_views.posted_orders(
                session, since=since, until=until, after=after, limit=ORDER_BATCH_SIZE
            )
        for order in orders:
            if str(order.id) not in seen:
                found += await _look_up(wallet, order)
        if len(orders) < ORDER_BATCH_SIZE:
            return found
        after = orders[-1].id


async def _look_up(wallet: Wallet, order: PaymentOrderRow) -> list[Difference]:
    try:
        answer = await wallet.find(request_of(order))
    except WalletContradictsError:
        return [_of_order(DifferenceKind.AMOUNT_DIFFERS, order)]
    if isinstance(answer, NotFound | Refused):
        return [_of_order(DifferenceKind.MISSING_IN_WALLET, order)]
    is_same = answer.amount.minor == order.posted_minor
    return [] if is_same else [_of_order(DifferenceKind.AMOUNT_DIFFERS, order)]


def _order_id(listed: WalletTransaction) -> UUID | None:
    try:
        return UUID(listed.reference)
    except ValueError:
        return None


def _difference(
    kind: DifferenceKind, listed: WalletTransaction, order: PaymentOrderRow | None = None
) -> Difference:
    return Difference(
        kind=kind,
        reference=listed.reference,
        at=listed.posted_at,
        order_id=order.id if order else None,
    )


def _of_order(kind: DifferenceKind, order: PaymentOrderRow) -> Difference:
    return Difference(
        kind=kind,
        reference=str(order.id),
        at=order.resolved_at or order.created_at,
        order_id=order.id,
    )


def _aged(found: Iterable[Difference], now: datetime) -> list[Difference]:
    """Return the differences, the oldest first, each with its age."""
    return [
        replace(difference, age=max(timedelta(), now - difference.at))
        for difference in sorted(found, key=lambda d: (d.at, d.reference, d.kind))
    ]
