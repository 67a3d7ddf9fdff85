"""Posting: transfers are written once, all or none, and never changed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict
from uuid import UUID

from sqlalchemy import select, text

from db.engine import ReadSession, Session
from db.reporters import Reporter, reporter_of
from db.tables import TransferRow
from domain.ledger.movements import MAY_BE_NEGATIVE, Account, Transfer
from domain.money import LARGEST_MINOR
from referrals.ledger import shards
from referrals.ledger.account_locks import Locked, lock
from referrals.ledger.shards import Change

_KNOWN: Final = text("select id from transfers where id = any(cast(:ids as uuid[]))")
# One statement, so that accounts stay locked for as few round trips as can be.
_WRITE: Final = text("""
    with posted as (
        insert into transfers (
            id, movement, amount_minor, currency, campaign_id, player_id, reward_id, referral_id,
            resolves_hold_id, reference, reported_by, request_id, at
        )
        select id, movement, amount_minor, currency, campaign_id, player_id, reward_id,
               referral_id, resolves_hold_id, reference, :reported_by, :request_id, :at
          from unnest(
                cast(:new_ids as uuid[]), cast(:movements as varchar[]),
                cast(:amounts as bigint[]), cast(:new_currencies as varchar[]),
                cast(:campaign_ids as uuid[]), cast(:player_ids as varchar[]),
                cast(:reward_ids as uuid[]), cast(:referral_ids as uuid[]),
                cast(:resolved_ids as uuid[]), cast(:references as varchar[])
               ) with ordinality as transfer (
                id, movement, amount_minor, currency, campaign_id, player_id, reward_id,
                referral_id, resolves_hold_id, reference, place
               )
         order by place
    ), entered as (
        insert into entries (transfer_id, account_id, currency, amount_minor, balance_after_minor)
        select transfer_id, account_id, currency, amount_minor, balance_after_minor
          from unnest(
                cast(:transfer_ids as uuid[]), cast(:account_ids as uuid[]),
                cast(:currencies as varchar[]), cast(:minors as bigint[]),
                cast(:balances as bigint[])
               ) with ordinality as entry (
                transfer_id, account_id, currency, amount_minor, balance_after_minor, place
               )
         order by place
    ), parted as (
        update budget_shards set balance_minor = part.minor
          from unnest(
                cast(:sharded_ids as uuid[]), cast(:shards as smallint[]),
                cast(:shard_minors as bigint[])
               ) as part (account_id, shard, minor)
         where budget_shards.account_id = part.account_id and budget_shards.shard = part.shard
    )
    update accounts set balance_minor = changed.minor
      from unnest(
            cast(:kept_ids as uuid[]) || cast(:own_ids as uuid[]),
            cast(:kept_minors as bigint[]) || cast(:own_minors as bigint[])
           ) as changed (id, minor)
     where accounts.id = changed.id
""")


class PostingOutcome(StrEnum):
    POSTED = "posted"
    ALREADY_POSTED = "already"
    INSUFFICIENT = "insufficient"


class EntryValues(TypedDict):
    """Columns of one entry."""

    transfer_id: UUID
    account_id: UUID
    currency: str
    amount_minor: int
    balance_after_minor: int | None


class BalanceTooLargeError(Exception):
    """A posting would bring an account beyond the largest amount; nothing of it was written."""


async def post(
    session: Session,
    transfers: Sequence[Transfer],
    *,
    at: datetime,
    reference: str | None = None,
    gathers: bool = False,
    are_new: bool = False,
) -> PostingOutcome:
    """Post all of the transfers, or none if their net effect brings an account below zero.

    A transfer whose id is known is not posted again; `are_new` says that the caller has seen, under
    a lock without which nobody posts them, that none is known. Accounts are locked in the order of
    their ids, and parts of balances that are spread after them, or with `gathers` all their parts;
    the caller must hold the locks of players and referrals already. Raises BalanceTooLargeError,
    before anything is written, for a balance beyond the largest amount.
    """
    locked = await lock(session, _accounts(transfers))
    new = transfers if are_new else await _unknown(session, transfers)
    if not new:
        return PostingOutcome.ALREADY_POSTED
    changes = await _take_shards(session, new, locked, gathers=gathers)
    entries = _entries(new, locked.balances)
    if not (_are_covered(locked.balances) and all(each.is_covered for each in changes)):
        for each in changes:
            await each.leave(session)
        return PostingOutcome.INSUFFICIENT
    _check_bounds(entries, changes)
    values = _transfer_values(new, at=at, reference=reference, by=reporter_of(session))
    values |= _entry_values(entries) | _balance_values(locked.balances)
    await session.execute(_WRITE, values | shards.part_values(changes))
    for each in changes:
        await each.store_whole(session)
    return PostingOutcome.POSTED


async def find_posted(
    session: ReadSession,
    ids: Sequence[UUID],
    *,
    reference: str,
    player_id: str | None = None,
    campaign_id: UUID | None = None,
) -> TransferRow | UUID:
    """Return the owner's transfer with this reference, or a free id to post it under.

    `ids` are the ids that it may have, the preferred one first. The caller holds a lock under
    which nobody else takes one of them for something else.
    """
    wanted = (player_id, campaign_id, reference)
    rows = (await session.scalars(select(TransferRow).where(TransferRow.id.in_(ids)))).all()
    for row in rows:
        if (row.player_id, row.campaign_id, row.reference) == wanted:
            return row
    taken = {row.id for row in rows}
    return next(id_ for id_ in ids if id_ not in taken)


async def _take_shards(
    session: Session, transfers: Sequence[Transfer], locked: Locked, *, gathers: bool
) -> list[Change]:
    """Lock what the transfers change of balances that are spread, the accounts in id order."""
    net: Counter[Account] = Counter()
    for _, account, minor in _ends(transfers) if locked.spread else ():
        net[account] += minor
    return [
        await shards.take(
            session, account, net[account], kept, start=transfers[0].id.int, gathers=gathers
        )
        for account, kept in locked.spread.items()
        if net[account]
    ]


async def _unknown(session: Session, transfers: Sequence[Transfer]) -> list[Transfer]:
    ids = set(await session.scalars(_KNOWN, {"ids": [transfer.id for transfer in transfers]}))
    return [transfer for transfer in transfers if transfer.id not in ids]


def _accounts(transfers: Iterable[Transfer]) -> set[Account]:
    return {account for t in transfers for arrow in t.arrows for account in arrow}


def _entries(
    transfers: Iterable[Transfer], balances: dict[Account, int | None]
) -> list[EntryValues]:
    """Return the transfers' entries, updating `balances`.

    What an account receives stands before what it gives, so that no balance in between is below
    zero where the last one is not; for a debt it is the other way round.
    """
    entries: list[EntryValues] = []
    for transfer, account, minor in sorted(_ends(transfers), key=_is_second):
        after_minor = balances[account]
        if after_minor is not None:
            after_minor += minor
            balances[account] = after_minor
        entries.append(
            {
                "transfer_id": transfer.id,
                "account_id": account.id,
                "currency": account.currency,
                "amount_minor": minor,
                "balance_after_minor": after_minor,
            }
        )
    return entries


def _is_second(end: tuple[Transfer, Account, int]) -> bool:
    _, account, minor = end
    return (minor < 0) is not (account.book in MAY_BE_NEGATIVE)


def _are_covered(balances: dict[Account, int | None]) -> bool:
    return all(
        minor is None or minor >= 0 or account.book in MAY_BE_NEGATIVE
        for account, minor in balances.items()
    )


def _check_bounds(entries: Iterable[EntryValues], changes: Iterable[Change]) -> None:
    balances = [(entry["account_id"], entry["balance_after_minor"]) for entry in entries]
    balances += [(change.account.id, change.after_minor) for change in changes]
    for account_id, minor in balances:
        if minor is not None and abs(minor) > LARGEST_MINOR:
            raise BalanceTooLargeError(f"account {account_id} would hold {minor} minor units")


def _ends(transfers: Iterable[Transfer]) -> Iterator[tuple[Transfer, Account, int]]:
    for transfer in transfers:
        for source, target in transfer.arrows:
            yield transfer, source, -transfer.amount.minor
            yield transfer, target, transfer.amount.minor


def _transfer_values(
    transfers: Sequence[Transfer], *, at: datetime, reference: str | None, by: Reporter
) -> dict[str, object]:
    return {
        "new_ids": [transfer.id for transfer in transfers],
        "movements": [transfer.movement.value for transfer in transfers],
        "amounts": [transfer.amount.minor for transfer in transfers],
        "new_currencies": [transfer.amount.currency for transfer in transfers],
        "campaign_ids": [transfer.campaign_id for transfer in transfers],
        "player_ids": [transfer.player_id for transfer in transfers],
        "reward_ids": [transfer.reward_id for transfer in transfers],
        "referral_ids": [transfer.referral_id for transfer in transfers],
        "resolved_ids": [transfer.resolves_hold_id for transfer in transfers],
        "references": [transfer.reference or reference for transfer in transfers],
        "reported_by": by.name,
        "request_id": by.request_id,
        "at": at,
    }


def _entry_values(entries: Sequence[EntryValues]) -> dict[str, object]:
    return {
        "transfer_ids": [entry["transfer_id"] for entry in entries],
        "account_ids": [entry["account_id"] for entry in entries],
        "currencies": [entry["currency"] for entry in entries],
        "minors": [entry["amount_minor"] for entry in entries],
        "balances": [entry["balance_after_minor"] for entry in entries],
    }


def _balance_values(balances: dict[Account, int | None]) -> dict[str, object]:
    kept = {account.id: minor for account, minor in balances.items() if minor is not None}
    return {"kept_ids": list(kept), "kept_minors": list(kept.values())}
