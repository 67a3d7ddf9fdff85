"""Payment orders on their way to the wallet: leased, fixed, answered, or sent again later."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update

from db import locks
from db.clock import database_now
from db.engine import ReadSession, Session
from db.tables import PaymentOrderRow, Reward
from domain.ledger.movements import Account, Book
from domain.money import Money, RewardKind
from domain.wallet.orders import Direction, OrderStatus, PlayerMoney, amount_to_send
from referrals.ledger import balances
from referrals.wallet.orders import NOW
from referrals.wallet.port import PaymentRequest, Posted, Refused

MAX_TEXT_LENGTH: Final = 200
"""Characters kept of a wallet's reason or fault."""

# The first pending order of each player, those that are due the longest first. An order that keeps
# failing is due later each time, so that it never stands before those of others.
_LEASE: Final = text("""
    with due as (
        select o.id from payment_orders o
         where o.status = 'pending' and o.next_attempt_at <= clock_timestamp()
           and not exists (select from payment_orders e
                            where e.player_id = o.player_id and e.status = 'pending'
                              and e.seq < o.seq)
         order by o.next_attempt_at, o.seq
         limit :limit
           for update skip locked
    )
    update payment_orders set attempts = attempts + 1,
           next_attempt_at = clock_timestamp() + make_interval(secs => :lease_s)
     where id in (select id from due)
    returning id, player_id, attempts
""")


@dataclass(frozen=True, slots=True)
class LeasedOrder:
    """An order that no other courier sends until the lease ends."""

    id: UUID
    player_id: str
    attempts: int
    """1 where it was never sent before."""


async def lease(session: Session, *, limit: int, lasting: timedelta) -> tuple[LeasedOrder, ...]:
    """Lease up to `limit` due orders, at most one of each player: the player's first."""
    values = {"limit": limit, "lease_s": lasting.total_seconds()}
    rows = await session.execute(_LEASE, values)
    return tuple(LeasedOrder(row.id, row.player_id, row.attempts) for row in rows)


async def fix(session: Session, order: LeasedOrder) -> PaymentRequest | None:
    """Lock the player, fix the amount if this is the first time, and return what to send.

    Returns None for an order that another courier has resolved meanwhile.
    """
    await locks.lock_players(session, order.player_id)
    row = await _pending(session, order.id)
    if row is None:
        return None
    kind = await kind_of(session, row)
    if row.amount_minor is None:
        gross = Money(row.gross_minor, row.currency)
        money = await _money_of(session, row, kind)
        row.amount_minor = amount_to_send(row.kind, gross, money).minor
    return request_of(row, kind)


async def record(
    session: Session, order_id: UUID, outcome: Posted | Refused
) -> PaymentOrderRow | None:
    """Record the wallet's certain answer; return None when another courier recorded one first.

    The caller has locked the player.
    """
    row = await _pending(session, order_id)
    if row is None:
        return None
    now = await database_now(session)
    if isinstance(outcome, Posted):
        row.status, row.posted_minor = OrderStatus.POSTED, outcome.amount.minor
    else:
        row.status, row.refusal = OrderStatus.REFUSED, _shortened(outcome.reason)
    row.resolved_at, row.fault = now, None
    await session.flush()
    return row


async def reschedule(session: Session, order_id: UUID, *, delay_s: float, fault: str) -> None:
    """Make an order without a certain answer due again after a delay."""
    due_at = NOW + func.make_interval(0, 0, 0, 0, 0, 0, delay_s)
    await session.execute(
        update(PaymentOrderRow)
        .where(PaymentOrderRow.id == order_id, PaymentOrderRow.status == OrderStatus.PENDING)
        .values(next_attempt_at=due_at, fault=_shortened(fault))
    )


async def oldest_age_s(session: ReadSession) -> float:
    """Return the age in seconds of the oldest pending order, zero where there is none."""
    query = select(func.min(PaymentOrderRow.created_at), NOW).where(
        PaymentOrderRow.status == OrderStatus.PENDING
    )
    oldest_at, now = (await session.execute(query)).one()
    return float((now - oldest_at).total_seconds()) if oldest_at else 0.0


def request_of(row: PaymentOrderRow, kind: RewardKind = RewardKind.CASH) -> PaymentRequest:
    """Return what is asked of the wallet; RuntimeError for an order without a fixed amount.

    A look-up needs no kind.
    """
    if row.amount_minor is None:
        raise RuntimeError(f"the amount of payment order {row.id} is not fixed")
    return PaymentRequest(
        reference=row.id,
        player_id=row.player_id,
        amount=Money(row.amount_minor, row.currency),
        kind=row.kind,
        reason=row.reason,
        reward_id=row.reward_id,
        reward_kind=kind,
    )


async def _pending(session: Session, order_id: UUID) -> PaymentOrderRow | None:
    query = select(PaymentOrderRow).where(
        PaymentOrderRow.id == order_id, PaymentOrderRow.status == OrderStatus.PENDING
    )
    return await session.scalar(query.with_for_update().execution_options(populate_existing=True))


async def kind_of(session: ReadSession, row: PaymentOrderRow) -> RewardKind:
    """Return the kind of the balance that an order moves."""
    found = await session.scalar(select(Reward.kind).where(Reward.id == row.reward_id))
    return found or RewardKind.CASH


async def _money_of(session: ReadSession, row: PaymentOrderRow, kind: RewardKind) -> PlayerMoney:
    player_id, currency = row.player_id, row.currency
    available = Account(book=Book.AVAILABLE, currency=currency, player_id=player_id, kind=kind)
    owed = Account(book=Book.OWED, currency=currency, player_id=player_id, kind=kind)
    return PlayerMoney(
        available_minor=await balances.balance_minor(session, available),
        owed_minor=-await balances.balance_minor(session, owed),
        reserved_minor=await _reserved_minor(session, row, kind),
    )


async def _reserved_minor(session: ReadSession, row: PaymentOrderRow, kind: RewardKind) -> int:
    """Return how much of the debt posted orders recover that the ledger has not booked yet."""
    rows = await session.scalars(
        select(PaymentOrderRow)
        .join(Reward, Reward.id == PaymentOrderRow.reward_id)
        .where(
            PaymentOrderRow.player_id == row.player_id,
            PaymentOrderRow.currency == row.currency,
            func.coalesce(Reward.kind, RewardKind.CASH) == kind,
            PaymentOrderRow.status == OrderStatus.POSTED,
            PaymentOrderRow.booked_at.is_(None),
        )
    )
    return sum(_recovers_minor(row) for row in rows)


def _recovers_minor(row: PaymentOrderRow) -> int:
    posted_minor = row.posted_minor or 0
    is_credit = row.kind.direction is Direction.CREDIT
    return row.gross_minor - posted_minor if is_credit else posted_minor


def _shortened(told: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in told).strip()
    return printable[:MAX_TEXT_LENGTH] or "unspecified"
