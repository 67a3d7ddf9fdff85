"""Shards of a campaign's balance: a spender locks one of them, and all where none has enough.

The account's own row holds a part of the balance, and a process of an earlier release knows this
part alone. The rest is in `budget_shards`; where these rows have none, the balance is gathered.

What brings money locks the account's row, and what is refused holds it with every shard until the
transaction ends. So money does not come between a refusal and the wait that it causes, just as
with one row. Locks are taken in one order: the account's row, then the shards by number. Who waits
for one shard holds no other, unless the transaction spends a second time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import AccountRow, BudgetShard
from domain.ledger.movements import Account
from domain.ledger.shards import part_of, spread

_FITTING: Final = """
    from budget_shards where account_id = :account_id and balance_minor >= :minor
   order by (shard + :start) % :shards limit 1
"""
_TAKE_FREE: Final = text(f"""
    select shard, balance_minor {_FITTING} for no key update skip locked
""")
_TAKE_NEXT: Final = text(f"""
    select shard, balance_minor from budget_shards
     where account_id = :account_id and shard = (select shard {_FITTING})
       for no key update
""")  # noqa: S608 - made of constants
# A row that had enough when a statement began, and has too little when it is locked, stays locked.
# Who holds one may not wait for the account's row.
_MARK: Final = text("savepoint before_shards")
_UNLOCK: Final = text("rollback to savepoint before_shards")
_CLOSE: Final = text("""
    update budget_shards set balance_minor = null
     where account_id = :account_id and balance_minor is not null
""")


@dataclass(frozen=True, slots=True)
class Spread:
    """The number of shards of an account's balance; it is open while they have a part."""

    shards: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Locked parts of an account's balance, in minor units."""

    own_minor: int | None = None
    """In the account's row; None where it is not locked."""
    shards: dict[int, int] = field(default_factory=dict)
    is_whole: bool = False
    """True where no other part exists."""
    count: int = 1
    """Number of shards as it stands under the lock of the account's row."""

    @property
    def minor(self) -> int:
        return (self.own_minor or 0) + sum(self.shards.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An amount to add to the locked parts of a balance; negative for a spender."""

    account: Account
    parts: Parts
    minor: int
    gathers: bool

    @property
    def after_minor(self) -> int:
        return self.parts.minor + self.minor

    @property
    def is_covered(self) -> bool:
        return self.after_minor >= 0

    async def store_whole(self, session: Session) -> None:
        """Add it to a balance whose parts are all locked; `part_values` says what others need.

        The balance is spread if each shard can pay several such spenders.
        """
        if not self.parts.is_whole:
            return
        count = self.parts.count
        each_minor = part_of(self.after_minor, shards=count, spent_minor=-self.minor)
        if each_minor and not self.gathers:
            if any(shard >= count for shard in self.parts.shards):
                await session.execute(_CLOSE, {"account_id": self.account.id})
            await _spread(session, self.account.id, self.after_minor, each_minor, count)
        else:
            await _gather(session, self.account.id, self.parts, self.after_minor)

    async def leave(self, session: Session) -> None:
        """Add nothing. A whole balance is gathered, so that the next refusal locks one row."""
        if self.parts.is_whole:
            await _gather(session, self.account.id, self.parts, self.parts.minor)


async def take(
    session: Session, account: Account, minor: int, kept: Spread, *, start: int, gathers: bool
) -> Change:
    """Lock parts of a balance to add `minor` units to; for a spender, a shard that has enough.

    Locks all parts where no shard has enough, or where the balance is to be gathered. `start` says
    which shard is tried first.
    """
    parts = await _take(session, account.id, minor, kept, start=start, gathers=gathers)
    return Change(account=account, parts=parts, minor=minor, gathers=gathers)


def part_values(changes: Iterable[Change]) -> dict[str, Any]:
    """Return what is left in the parts of changes that lock a part alone, for one statement."""
    left = [each for each in changes if not each.parts.is_whole]
    of_shards = [each for each in left if each.parts.own_minor is None]
    own = [each for each in left if each.parts.own_minor is not None]
    return {
        "sharded_ids": [each.account.id for each in of_shards],
        "shards": [shard for each in of_shards for shard in each.parts.shards],
        "shard_minors": [each.after_minor for each in of_shards],
        "own_ids": [each.account.id for each in own],
        "own_minors": [each.after_minor for each in own],
    }


async def lock_whole(session: Session, account_id: UUID) -> Parts:
    """Lock all parts of a balance, so that nobody else spends of it or adds to it."""
    return await _lock_rest(session, account_id, await _lock_own(session, account_id))


async def set_shards(session: Session, account: Account, count: int) -> None:
    """Gather a balance; the next spender spreads it over so many shards, or none where it is 1."""
    parts = await lock_whole(session, account.id)
    await _gather(session, account.id, parts, parts.minor)
    statement = update(AccountRow).where(AccountRow.id == account.id).values(shards=count)
    await session.execute(statement, execution_options={"synchronize_session": False})


async def _take(
    session: Session, account_id: UUID, minor: int, kept: Spread, *, start: int, gathers: bool
) -> Parts:
    is_of_one = minor < 0 and not gathers
    shards = kept.shards
    wanted: dict[str, Any] = {"account_id": account_id, "minor": -minor, "shards": shards}
    wanted["start"] = start % shards
    if is_of_one and kept.is_open and (taken := await _take_or_wait(session, wanted)):
        return taken
    own = await _lock_own(session, account_id)
    if minor > 0 and not gathers:
        return own
    # Another spender may have spread meanwhile what there is.
    if is_of_one and (taken := await _take_one(session, _TAKE_FREE, wanted)):
        return taken
    return await _lock_rest(session, account_id, own)


async def _take_or_wait(session: Session, wanted: dict[str, Any]) -> Parts | None:
    """Lock a shard that is free, or wait for one; hold none where it has too little by then."""
    # Changes that were flushed behind the savepoint would be undone with it.
    with session.no_autoflush:
        await session.execute(_MARK)
        for query in (_TAKE_FREE, _TAKE_NEXT):
            if taken := await _take_one(session, query, wanted):
                return taken
            await session.execute(_UNLOCK)
    return None


async def _take_one(session: Session, query: TextClause, wanted: dict[str, Any]) -> Parts | None:
    found = (await session.execute(query, wanted)).one_or_none()
    if found is None or (found.balance_minor or 0) < wanted["minor"]:
        return None
    return Parts(shards={found.shard: found.balance_minor})


async def _lock_own(session: Session, account_id: UUID) -> Parts:
    """Lock the account's row; the number of shards may have changed since it was named."""
    query = select(AccountRow.balance_minor, AccountRow.shards).where(AccountRow.id == account_id)
    row = (await session.execute(query.with_for_update(key_share=True))).one()
    return Parts(own_minor=row.balance_minor, count=row.shards or 1)


async def _lock_rest(session: Session, account_id: UUID, own: Parts) -> Parts:
    """Lock the shards that have a part; the account's row is locked, so that no others get one."""
    query = select(BudgetShard.shard, BudgetShard.balance_minor)
    query = query.where(
        BudgetShard.account_id == account_id, BudgetShard.balance_minor.is_not(None)
    )
    query = query.order_by(BudgetShard.shard).with_for_update(key_share=True)
    minors = {row.shard: row.balance_minor or 0 for row in await session.execute(query)}
    return replace(own, shards=minors, is_whole=True)


async def _gather(session: Session, account_id: UUID, parts: Parts, minor: int) -> None:
    """Keep a balance whose parts are all locked in the account's row."""
    if parts.shards:
        await session.execute(_CLOSE, {"account_id": account_id})
    if parts.own_minor != minor:
        await _set_own(session, account_id, minor)


async def _spread(
    session: Session, account_id: UUID, whole_minor: int, each_minor: int, shards: int
) -> None:
    own_minor, minors = spread(whole_minor, each_minor, shards=shards)
    rows = [
        {"account_id": account_id, "shard": shard, "balance_minor": minor}
        for shard, minor in enumerate(minors)
    ]
    statement = insert(BudgetShard).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[BudgetShard.account_id, BudgetShard.shard],
            set_={"balance_minor": statement.excluded.balance_minor},
        )
    )
    await _set_own(session, account_id, own_minor)


async def _set_own(session: Session, account_id: UUID, minor: int) -> None:
    statement = update(AccountRow).where(AccountRow.id == account_id).values(balance_minor=minor)
    await session.execute(statement, execution_options={"synchronize_session": False})
