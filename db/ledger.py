"""The ledger: transfers are posted once, whole, and never changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from db.engine import ReadSession, Session
from db.tables import AccountRow, Entry, TransferRow
from domain.ledger import APPEND_ONLY, MAY_BE_NEGATIVE, Account, Transfer

_STORE: Final = text("""
    update accounts set balance_minor = stored.minor
    from unnest(cast(:ids as uuid[]), cast(:minors as bigint[])) as stored (id, minor)
    where accounts.id = stored.id
""")


class Posting(StrEnum):
    POSTED = "posted"
    ALREADY = "already"
    INSUFFICIENT = "insufficient"


async def post(
    session: Session, transfers: Sequence[Transfer], *, at: datetime, reference: str | None = None
) -> Posting:
    """Post all of the transfers, or none where an account would fall below what it may hold.

    A transfer whose id is known changes nothing again. Accounts are locked in the order of their
    ids; the caller holds the locks of players and referrals already.
    """
    balances = await lock_accounts(session, _accounts(transfers))
    new = await _unknown(session, transfers)
    if not new:
        return Posting.ALREADY
    lines = _lines(new, balances)
    if lines is None:
        return Posting.INSUFFICIENT
    await session.execute(
        insert(TransferRow), [_row(transfer, at=at, reference=reference) for transfer in new]
    )
    await session.execute(insert(Entry), lines)
    await _store(session, balances)
    return Posting.POSTED


async def balance(session: ReadSession, account: Account) -> int:
    """Minor units in an account, zero for one that nobody has used yet."""
    if account.book in APPEND_ONLY:
        query = select(func.coalesce(func.sum(Entry.amount_minor), 0)).where(
            Entry.account_id == account.id
        )
    else:
        query = select(AccountRow.balance_minor).where(AccountRow.id == account.id)
    return int(await session.scalar(query) or 0)


async def lock_accounts(session: Session, accounts: Iterable[Account]) -> dict[Account, int | None]:
    """Lock accounts in id order, making those never used; None for a balance that is derived."""
    ordered = sorted(set(accounts), key=lambda account: account.id)
    values = [
        {
            "id": account.id,
            "book": account.book,
            "currency": account.currency,
            "campaign_id": account.campaign_id,
            "player_id": account.player_id,
            "balance_minor": 0,
        }
        for account in ordered
    ]
    await session.execute(upsert(AccountRow).values(values).on_conflict_do_nothing())
    rows = await session.execute(
        select(AccountRow.id, AccountRow.balance_minor)
        .where(AccountRow.id.in_([a.id for a in ordered if a.book not in APPEND_ONLY]))
        .order_by(AccountRow.id)
        .with_for_update(key_share=True)
    )
    held: dict[UUID, int] = {row.id: row.balance_minor for row in rows}
    return {account: held.get(account.id) for account in ordered}


async def _unknown(session: Session, transfers: Sequence[Transfer]) -> list[Transfer]:
    known = await session.scalars(
        select(TransferRow.id).where(TransferRow.id.in_([t.id for t in transfers]))
    )
    ids = set(known)
    return [transfer for transfer in transfers if transfer.id not in ids]


def _accounts(transfers: Iterable[Transfer]) -> set[Account]:
    return {account for t in transfers for arrow in t.arrows for account in arrow}


def _lines(
    transfers: Iterable[Transfer], balances: dict[Account, int | None]
) -> list[dict[str, object]] | None:
    """The entries of the transfers in order, moving `balances`; None when money is missing."""
    lines: list[dict[str, object]] = []
    for transfer in transfers:
        for source, target in transfer.arrows:
            for account, minor in (
                (source, -transfer.amount.minor),
                (target, transfer.amount.minor),
            ):
                after = balances[account]
                if after is not None:
                    after += minor
                    if after < 0 and account.book not in MAY_BE_NEGATIVE:
                        return None
                    balances[account] = after
                lines.append(
                    {
                        "transfer_id": transfer.id,
                        "account_id": account.id,
                        "currency": account.currency,
                        "amount_minor": minor,
                        "balance_after_minor": after,
                    }
                )
    return lines


def _row(transfer: Transfer, *, at: datetime, reference: str | None) -> dict[str, object]:
    return {
        "id": transfer.id,
        "movement": transfer.movement,
        "amount_minor": transfer.amount.minor,
        "currency": transfer.amount.currency,
        "campaign_id": transfer.campaign_id,
        "player_id": transfer.player_id,
        "reward_id": transfer.reward_id,
        "referral_id": transfer.referral_id,
        "resolves_hold_id": transfer.resolves_hold_id,
        "reference": reference,
        "at": at,
    }


async def _store(session: Session, balances: dict[Account, int | None]) -> None:
    kept = {account.id: minor for account, minor in balances.items() if minor is not None}
    await session.execute(_STORE, {"ids": list(kept), "minors": list(kept.values())})
