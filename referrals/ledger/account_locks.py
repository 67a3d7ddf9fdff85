"""Locks of accounts: all in the order of their ids, and balances that are spread after them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import Session
from domain.ledger.movements import DERIVED_BALANCE_BOOKS, Account
from domain.money import RewardKind
from referrals.ledger import shards
from referrals.ledger.shards import Spread

# Lists come through a sub-select: what they hold is then unknown to the planner, which would make a
# plan for every number of accounts, each time, for longer than the statement takes.
_KEPT: Final = "cast((select cast(:kept as uuid[])) as uuid[])"
_IDS: Final = "cast((select cast(:ids as uuid[])) as uuid[])"
# Accounts whose balance is spread are named, and not locked: `shards` locks a part of the balance.
_NAME_SPREAD: Final = f"""
    select id, cast(null as bigint) as balance_minor, shards,
           exists (select from budget_shards s
                    where s.account_id = accounts.id and s.balance_minor is not null) as is_open
      from accounts where id = any({_KEPT}) and shards is not null
"""  # noqa: S608 - made of constants
# Creates the missing accounts before it locks the others: the counts make the second step wait
# for the first. A row just created is locked by its insert, and not visible to the second step.
# Where another transaction has just created one, which this statement cannot see, the second step
# locks none: all are locked in their order then. None that exists is inserted, which would wait for
# whoever changes its balance.
_CREATE_AND_LOCK_ACCOUNTS: Final = text(f"""
    with created as (
        insert into accounts (id, book, currency, campaign_id, player_id, bonus_player_id)
        select * from unnest(
            {_IDS}, (select cast(:books as varchar[])), (select cast(:currencies as varchar[])),
            (select cast(:campaign_ids as uuid[])), (select cast(:player_ids as varchar[])),
            (select cast(:bonus_player_ids as varchar[]))
        ) as wanted (id)
        where not exists (select from accounts where accounts.id = wanted.id)
        on conflict do nothing returning id, balance_minor
    ), locked as (
        select id, balance_minor from accounts
        where id = any({_KEPT}) and shards is null
          and cardinality({_IDS}) = (select count(*) from created)
            + (select count(*) from accounts where id = any({_IDS}))
        order by id for no key update
    )
    select id, balance_minor, cast(null as smallint) as shards, false as is_open
      from created where id = any({_KEPT})
    union all
    select id, balance_minor, null, false from locked
    union all
    {_NAME_SPREAD}
""")  # noqa: S608 - made of constants
_LOCK_ACCOUNTS: Final = text(f"""
    with locked as (
        select id, balance_minor from accounts
        where id = any({_KEPT}) and shards is null order by id for no key update
    )
    select id, balance_minor, cast(null as smallint) as shards, false as is_open from locked
    union all
    {_NAME_SPREAD}
""")  # noqa: S608 - made of constants
_MAX_LOCK_ATTEMPTS: Final = 3
"""Accounts are created once, and spread once for the first time, so two attempts suffice."""


async def lock_accounts(
    session: Session, accounts: Iterable[Account], *, whole: bool = False
) -> dict[Account, int | None]:
    """Lock accounts in id order, creating missing ones; return balances, None for derived ones.

    A balance that is spread is None as well, and not locked, unless it is to be locked `whole`.
    """
    locked = await lock(session, accounts)
    if whole:
        for account in locked.spread:
            locked.balances[account] = (await shards.lock_whole(session, account.id)).minor
    return locked.balances


@dataclass(frozen=True, slots=True)
class Locked:
    """Balances of locked accounts, in minor units, and those that are spread and not locked."""

    balances: dict[Account, int | None]
    spread: dict[Account, Spread]


async def lock(session: Session, accounts: Iterable[Account]) -> Locked:
    """Lock accounts in id order, creating missing ones, but for those that are spread."""
    ordered = sorted(set(accounts), key=lambda account: account.id)
    kept = [account.id for account in ordered if account.book not in DERIVED_BALANCE_BOOKS]
    values = {
        "ids": [account.id for account in ordered],
        "books": [account.book.value for account in ordered],
        "currencies": [account.currency for account in ordered],
        "campaign_ids": [account.campaign_id for account in ordered],
        "player_ids": [_owner(account, RewardKind.CASH) for account in ordered],
        "bonus_player_ids": [_owner(account, RewardKind.BONUS_BET) for account in ordered],
        "kept": kept,
    }
    rows = (await session.execute(_CREATE_AND_LOCK_ACCOUNTS, values)).all()
    attempts = 1
    while len(rows) != len(kept) and attempts < _MAX_LOCK_ATTEMPTS:
        # Another transaction created or spread some meanwhile.
        rows = (await session.execute(_LOCK_ACCOUNTS, {"kept": kept})).all()
        attempts += 1
    found = {row.id: row for row in rows}
    balances: dict[Account, int | None] = dict.fromkeys(ordered)
    spread: dict[Account, Spread] = {}
    for account in ordered:
        row = found.get(account.id)
        if row is not None and row.shards is not None:
            spread[account] = Spread(row.shards, row.is_open)
        elif account.book not in DERIVED_BALANCE_BOOKS:
            balances[account] = found[account.id].balance_minor
    return Locked(balances, spread)


def _owner(account: Account, kind: RewardKind) -> str | None:
    return account.player_id if account.kind is kind else None
