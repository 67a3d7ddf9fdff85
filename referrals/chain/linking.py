"""Linking: takes new rows, in batches, behind the newest link of the chain.

One transaction at a time links, under an advisory lock that no act takes.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import func, select, text

from db.engine import Database, ReadSession, Session
from db.migrations import revisions
from db.tables import ChainLink
from referrals.chain import canonical
from referrals.chain.checkpoints import Checkpoint
from referrals.chain.rows import (
    CoveredRow,
    Key,
    Leaf,
    fix_formats,
    leaf_of,
    load_rows,
    load_salts,
)

BATCH_ROWS: Final = 2000
"""Rows that one transaction links."""
SALT_BYTES: Final = 32
# A later schema may have columns whose values this release would leave out of a row's leaf: such
# rows wait for a process that knows them.
_WAITS: Final = text("""
    select exists (select from unlinked_rows)
       and (select version_num = any(cast(:known as text[])) from alembic_version)
""")
_LOCK: Final = "select pg_try_advisory_xact_lock(hashtextextended('hash chain', 0))"
# In the order in which they were noted, as far as that is known: the chain needs no other order.
# Ids are an array, as in other batches of a queue: a join that was planned while the queue was
# empty compares every row with every other once it is not.
TAKE: Final = text("""
    with taken as (
        delete from unlinked_rows
         where id = any(array(select id from unlinked_rows order by id limit :limit))
        returning id, relation, row_key
    )
    select relation, row_key from taken group by relation, row_key order by min(id)
""")
_LINKED: Final = text("""
    select relation, row_key
    from unnest(cast(:relations as text[]), cast(:row_keys as text[])) as key (relation, row_key)
    where exists (select from chain_links as link
                   where link.relation = key.relation and link.row_key = key.row_key)
""")
_ADD_SALTS: Final = text("""
    insert into subject_salts (subject, salt)
    select * from unnest(cast(:subjects as varchar[]), cast(:salts as bytea[]))
    on conflict do nothing
""")
_ADD: Final = text("""
    insert into chain_links (seq, relation, row_key, leaf, commitment, hash, linked_at)
    select *, :linked_at from unnest(
        cast(:seqs as bigint[]), cast(:relations as text[]), cast(:row_keys as text[]),
        cast(:leaves as bytea[]), cast(:commitments as bytea[]), cast(:hashes as bytea[])
    )
""")


class Head(NamedTuple):
    """The newest link: its number, or 0, and its hash."""

    seq: int
    hash: bytes


async def link_new_rows(database: Database, *, limit: int = BATCH_ROWS) -> int:
    """Link up to `limit` rows; return their number, 0 where another process is linking.

    Also 0 under a schema that this release does not know.
    """
    if not await database.finds(_WAITS, {"known": list(revisions.KNOWN)}):
        return 0
    async with database.transaction() as session:
        if not await session.scalar(text(_LOCK)):
            return 0
        return await link_rows(session, limit=limit)


async def link_rows(session: Session, *, limit: int) -> int:
    """Link up to `limit` rows under the lock that the caller has taken; return their number."""
    taken = [Key(*row) for row in await session.execute(TAKE, {"limit": limit})]
    if taken:
        await _link(session, taken)
    return len(taken)


async def newest_checkpoint(session: ReadSession) -> Checkpoint | None:
    """Return an unsigned checkpoint of the newest link, or None while there is none."""
    query = select(ChainLink).order_by(ChainLink.seq.desc()).limit(1)
    newest = await session.scalar(query)
    if newest is None:
        return None
    linked_at = newest.linked_at.astimezone(UTC).isoformat()
    return Checkpoint(seq=newest.seq, hash=newest.hash.hex(), linked_at=linked_at)


async def load_head(session: ReadSession) -> Head:
    query = select(ChainLink.seq, ChainLink.hash).order_by(ChainLink.seq.desc()).limit(1)
    found = (await session.execute(query)).one_or_none()
    return Head(*found) if found else Head(0, canonical.GENESIS)


async def _link(session: Session, taken: Sequence[Key]) -> None:
    await fix_formats(session)
    linked = await _linked(session, taken)
    keys = [key for key in taken if key not in linked]
    rows = await load_rows(session, keys)
    salts = await _salts(session, {row.subject for row in rows.values() if row.has_personal})
    leaves = [(key, _leaf(key, rows, salts)) for key in keys]
    if leaves:
        await _add(session, leaves)


def _leaf(key: Key, rows: Mapping[Key, CoveredRow], salts: Mapping[str, bytes]) -> Leaf:
    row = rows.get(key)
    return Leaf(canonical.MISSING, None) if row is None else leaf_of(key, row, salts)


async def _linked(session: Session, keys: Sequence[Key]) -> Collection[Key]:
    values = {
        "relations": [relation for relation, _ in keys],
        "row_keys": [row_key for _, row_key in keys],
    }
    return {Key(*row) for row in await session.execute(_LINKED, values)}


async def _salts(session: Session, subjects: Collection[str | None]) -> dict[str, bytes]:
    known = sorted(subject for subject in subjects if subject is not None)
    if not known:
        return {}
    fresh = {"subjects": known, "salts": [secrets.token_bytes(SALT_BYTES) for _ in known]}
    await session.execute(_ADD_SALTS, fresh)
    return await load_salts(session, known)


async def _add(session: Session, leaves: Sequence[tuple[Key, Leaf]]) -> None:
    head = await load_head(session)
    linked_at: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    hashes, before = [], head.hash
    for place, (_, made) in enumerate(leaves, start=1):
        before = canonical.link(before, seq=head.seq + place, leaf=made.leaf, linked_at=linked_at)
        hashes.append(before)
    values = {
        "seqs": list(range(head.seq + 1, head.seq + len(leaves) + 1)),
        "relations": [relation for (relation, _), _ in leaves],
        "row_keys": [row_key for (_, row_key), _ in leaves],
        "leaves": [made.leaf for _, made in leaves],
        "commitments": [made.commitment for _, made in leaves],
        "hashes": hashes,
        "linked_at": linked_at,
    }
    await session.execute(_ADD, values)
