"""The check of the chain: links against each other, rows against links, and checkpoints."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text

from db.engine import Database, ReadSession
from db.tables import ChainLink, Erasure
from referrals.chain import canonical
from referrals.chain.checkpoints import Checkpoint
from referrals.chain.coverage import COVERED
from referrals.chain.rows import (
    CoveredRow,
    Key,
    fix_formats,
    leaf_of,
    leaf_with,
    load_rows,
    load_salts,
)

BATCH_LINKS: Final = 2000
"""Links held in memory at a time."""
MAX_FAULTS: Final = 20
"""Upper limit of differences that are named; one is enough to fail."""
STATEMENT_TIMEOUT_S: Final = 300
_WAITING: Final = text("select count(*) from unlinked_rows")
LET_GO: Final = frozenset({"timeline", "touches", "outbox"})
"""Relations whose rows retention may let go of."""
MIN_AGE: Final = timedelta(days=60)
"""Age of a link below which nobody may let go of its row."""
# A batch that a record names again changes nothing: the later time is the weaker condition.
_LET_GO_LINKS: Final = text("""
    select seq, max(let_go_at) as let_go_at
      from let_go g
     cross join unnest(g.links * int8multirange(int8range(:first, :last, '[]'))) as span
     cross join generate_series(lower(span), upper(span) - 1) as seq
     where g.links && int8range(:first, :last, '[]')
     group by seq
""")


@dataclass(frozen=True, slots=True)
class Fault:
    """A difference, with the number of its link; None where it has no link."""

    seq: int | None
    relation: str
    row_key: str
    sentence: str

    def __str__(self) -> str:
        place = f"link {self.seq}: " if self.seq is not None else ""
        return f"{place}{self.relation} {self.row_key} {self.sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    links: int
    waiting: int
    """Rows that are not linked yet."""
    checkpoints: int
    faults: tuple[Fault, ...]
    """In the order of the chain; those without a link come last."""

    @property
    def ok(self) -> bool:
        return not self.faults


@dataclass(slots=True)
class _Walk:
    """The place in the chain that the check has reached."""

    seq: int = 0
    hash: bytes = canonical.GENESIS


async def check_chain(database: Database, checkpoints: Sequence[Checkpoint] = ()) -> ChainReport:
    """Check the whole chain over one snapshot, and every checkpoint against it."""
    async with database.snapshot() as session:
        await session.execute(
            text(f"set local statement_timeout = '{STATEMENT_TIMEOUT_S * 1000}ms'")
        )
        return await check(session, checkpoints)


async def check(session: ReadSession, checkpoints: Sequence[Checkpoint] = ()) -> ChainReport:
    """Check as `check_chain` does, in a transaction whose statements have one snapshot."""
    await fix_formats(session)
    walk, faults = _Walk(), list[Fault]()
    due = sorted(checkpoints, key=lambda checkpoint: checkpoint.seq)
    async for batch in _batches(session):
        compared = await _compare(session, batch)
        for link in batch:
            faults += _faults_of(link, walk, compared)
            while due and due[0].seq <= link.seq:
                faults += _checkpoint_faults(link, due.pop(0))
        if len(faults) >= MAX_FAULTS:
            break
    else:
        faults += [_cut_off(checkpoint) for checkpoint in due]
        faults += await _before_the_first(session)
        faults += await _unlinked(session)
    return ChainReport(
        links=walk.seq,
        waiting=(await session.execute(_WAITING)).scalar_one(),
        checkpoints=len(checkpoints),
        faults=tuple(faults[:MAX_FAULTS]),
    )


async def _batches(session: ReadSession) -> AsyncIterator[Sequence[ChainLink]]:
    after = 0
    while True:
        query = select(ChainLink).where(ChainLink.seq > after).order_by(ChainLink.seq)
        batch = (await session.scalars(query.limit(BATCH_LINKS))).all()
        if not batch:
            return
        yield batch
        after = batch[-1].seq
        session.expunge_all()


async def _compare(session: ReadSession, batch: Sequence[ChainLink]) -> "_Comparison":
    rows = await load_rows(session, [Key(link.relation, link.row_key) for link in batch])
    subjects = {row.subject for row in rows.values() if row.subject is not None}
    erased = select(Erasure.player_id).where(Erasure.player_id.in_(subjects))
    ends = {"first": batch[0].seq, "last": batch[-1].seq}
    return _Comparison(
        rows,
        let_go={row.seq: row.let_go_at for row in await session.execute(_LET_GO_LINKS, ends)},
        salts=await load_salts(session, subjects),
        erased=frozenset(await session.scalars(erased)),
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The rows of a batch of links, as they are now."""

    rows: Mapping[Key, CoveredRow]
    let_go: Mapping[int, datetime]
    """Times at which rows of these links were let go of, as records say that are linked, too."""
    salts: Mapping[str, bytes]
    erased: frozenset[str]

    def difference(self, link: ChainLink) -> str | None:
        """Return what a row differs in from its link, or None."""
        if link.relation not in COVERED:
            # A link whose row was deleted could be renamed, and nothing would look for the row.
            return "is of a relation that this release does not know"
        if link.leaf == canonical.MISSING:
            return "was gone before it was linked"
        key = Key(link.relation, link.row_key)
        row = self.rows.get(key)
        if link.seq in self.let_go:
            return self._fault_of_let_go(link, row)
        if row is None:
            return "was deleted"
        return None if self._is_as_linked(key, row, link) else self._change(key, row, link)

    def _fault_of_let_go(self, link: ChainLink, row: CoveredRow | None) -> str | None:
        if row is not None:
            return "was let go of and is there again"
        if link.relation not in LET_GO or self.let_go[link.seq] - MIN_AGE < link.linked_at:
            return "was deleted: retention may not let go of it"
        return None

    def _change(self, key: Key, row: CoveredRow, link: ChainLink) -> str | None:
        is_same_without = leaf_with(key, row, link.commitment) == link.leaf
        if not is_same_without:
            return "was changed"
        if row.subject in self.erased or row.is_let_go or self._has_lost_touch(row):
            return "has personal values after the erasure" if row.has_personal else None
        if row.has_personal and row.subject not in self.salts:
            return "has lost its salt without an erasure"
        return "was changed in its personal values"

    def _is_as_linked(self, key: Key, row: CoveredRow, link: ChainLink) -> bool:
        """Return whether the row has its leaf; one that was reported after an erasure has, too."""
        if row.has_personal and row.subject not in self.salts:
            return False
        return leaf_of(key, row, self.salts).leaf == link.leaf

    def _has_lost_touch(self, row: CoveredRow) -> bool:
        """Return whether the row was erased that has no player of its own."""
        is_without_player = "/" in (row.subject or "")
        return is_without_player and not row.has_personal and row.subject not in self.salts


def _faults_of(link: ChainLink, walk: _Walk, compared: _Comparison) -> list[Fault]:
    found = []
    if link.seq != walk.seq + 1:
        found.append(_fault(link, f"follows a gap: link {walk.seq + 1} is missing"))
    expected = canonical.link(walk.hash, seq=link.seq, leaf=link.leaf, linked_at=link.linked_at)
    if expected != link.hash:
        found.append(_fault(link, "does not follow the link before it"))
    difference = compared.difference(link)
    if difference is not None:
        found.append(_fault(link, difference))
    walk.seq, walk.hash = link.seq, link.hash
    return found


def _fault(link: ChainLink, sentence: str) -> Fault:
    return Fault(link.seq, link.relation, link.row_key, sentence)


def _checkpoint_faults(link: ChainLink, checkpoint: Checkpoint) -> list[Fault]:
    if (checkpoint.seq, checkpoint.hash) == (link.seq, link.hash.hex()):
        return []
    sentence = f"differs from the checkpoint of {checkpoint.linked_at}: the chain was rewritten"
    return [_fault(link, sentence)]


def _cut_off(checkpoint: Checkpoint) -> Fault:
    sentence = f"is missing: the chain was cut off behind the checkpoint of {checkpoint.linked_at}"
    return Fault(checkpoint.seq, "chain_links", str(checkpoint.seq), sentence)


async def _before_the_first(session: ReadSession) -> list[Fault]:
    """Return links that no walk reaches, with which planted rows would seem to be linked."""
    query = select(ChainLink).where(ChainLink.seq < 1).order_by(ChainLink.seq)
    found = await session.scalars(query.limit(MAX_FAULTS))
    return [_fault(link, "stands before the first link: it was planted") for link in found]


async def _unlinked(session: ReadSession) -> list[Fault]:
    found = []
    for coverage in COVERED.values():
        keys = await session.scalars(coverage.unlinked, {"limit": MAX_FAULTS})
        found += [Fault(None, coverage.name, key, "is in no link: it was planted") for key in keys]
    return found
