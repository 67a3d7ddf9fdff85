"""Views of transfers, each with its entries and their accounts."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from db.engine import ReadSession
from db.tables import AccountRow, Entry, TransferRow
from domain.ledger.movements import Book, Movement
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One account's line of a transfer; amounts are positive, `direction` is "in" or "out"."""

    entry_id: int
    account_id: UUID
    account: Book
    player_id: str | None
    campaign_id: UUID | None
    amount: Money
    direction: str
    balance_after: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    transfer_id: UUID
    movement: Movement
    amount: Money
    reward_id: UUID | None
    referral_id: UUID | None
    reported_by: str | None
    request_id: str | None
    at: datetime
    recorded_at: datetime
    entries: tuple[EntryView, ...]


async def transfers_of_reward(
    session: ReadSession, reward_id: UUID, *, referral_id: UUID, player_id: str, limit: int
) -> Sequence[TransferView]:
    """Return a reward's transfers, oldest first, with what was recovered from it for other debts.

    A recovery names the reward that the debt comes from, and the referral whose income paid it.
    """
    paid_other_debts = and_(
        TransferRow.referral_id == referral_id,
        TransferRow.player_id == player_id,
        TransferRow.movement == Movement.RECOVER,
    )
    # Those of one posting have one time; their entries are numbered as they were posted.
    first_entry = (
        select(func.min(Entry.id)).where(Entry.transfer_id == TransferRow.id).scalar_subquery()
    )
    rows = await session.scalars(
        select(TransferRow)
        .where(or_(TransferRow.reward_id == reward_id, paid_other_debts))
        .order_by(TransferRow.at, TransferRow.recorded_at, first_entry)
        .limit(limit)
    )
    transfers = rows.all()
    entries = await _entries(session, [row.id for row in transfers])
    return [_view(row, entries[row.id]) for row in transfers]


async def _entries(
    session: ReadSession, transfer_ids: Collection[UUID]
) -> dict[UUID, list[EntryView]]:
    rows = await session.execute(
        select(Entry, AccountRow)
        .join(AccountRow, AccountRow.id == Entry.account_id)
        .where(Entry.transfer_id.in_(transfer_ids))
        .order_by(Entry.id)
    )
    found: dict[UUID, list[EntryView]] = defaultdict(list)
    for entry, account in rows:
        found[entry.transfer_id].append(_entry_view(entry, account))
    return found


def _view(row: TransferRow, entries: Sequence[EntryView]) -> TransferView:
    return TransferView(
        transfer_id=row.id,
        movement=row.movement,
        amount=Money(row.amount_minor, row.currency),
        reward_id=row.reward_id,
        referral_id=row.referral_id,
        reported_by=row.reported_by,
        request_id=row.request_id,
        at=row.at,
        recorded_at=row.recorded_at,
        entries=tuple(entries),
    )


def _entry_view(entry: Entry, account: AccountRow) -> EntryView:
    after = entry.balance_after_minor
    return EntryView(
        entry_id=entry.id,
        account_id=account.id,
        account=account.book,
        player_id=account.player_id or account.bonus_player_id,
        campaign_id=account.campaign_id,
        amount=Money(abs(entry.amount_minor), entry.currency),
        direction="in" if entry.amount_minor > 0 else "out",
        balance_after=None if after is None else Money(abs(after), entry.currency),
    )
