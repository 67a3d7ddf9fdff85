"""Readers of the outbox: each has a name, a cursor that is stored, and one active process.

A loop that hands every event on, once:

    reader = OutboxReader(database, "webhooks", start=Start.NOW)

    async def run_batch() -> bool:
        cursor = await reader.claim()
        if cursor is None:  # another process reads under this name
            return False
        events = await reader.read_after(cursor, limit=100)
        if events:
            async with database.transaction() as session:
                ...  # write what follows from the events
                await reader.advance(session, events[-1].position)
        return len(events) == 100

`advance` in the transaction that writes what follows makes each event count once. Whoever calls
something outside instead advances after its answer, and sends the same event again after a crash.
`await reader.release()` on stopping lets the next process begin at once.

An event is returned only when every transaction that may still write one before it has ended
(`pg_snapshot_xmin`), so that none is ever passed over; events with the same key keep their order.
A transaction that stays open in any database of the cluster delays all readers until it ends.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import text

from db.engine import Database, Session, StatementExecutor

LEASE_S: Final = 5.0
"""Seconds after its last `claim` until another process may take over from one that is gone."""
_RENEWALS: Final = 4
"""Renewals within the time of a lease; between them its holder asks nothing."""

_LEASE: Final = text("""
    insert into outbox_readers as known (name, holder, leased_until)
    values (:name, :holder, clock_timestamp() + make_interval(secs => :lease_s))
    on conflict (name) do update
        set holder = excluded.holder, leased_until = excluded.leased_until
        where known.holder = excluded.holder or known.leased_until < clock_timestamp()
    returning xmax = 0 as is_new
""")
_RELEASE: Final = text("""
    update outbox_readers set leased_until = clock_timestamp()
    where name = :name and holder = :holder
""")
# What is in flight may end before or after the start; what has ended is passed over.
_START_NOW: Final = text("""
    insert into outbox_cursors (name, epoch, xid, seq)
    select :name, last.epoch, last.xid, last.seq
      from unnest(cast(:epochs as bigint[])) as known (epoch)
     cross join lateral (
        select epoch, xid, seq from outbox
         where epoch = known.epoch and epoch <> outbox_epoch()
         order by xid desc, seq desc limit 1
     ) as last
    union all
    select :name, outbox_epoch(), pg_snapshot_xmin(pg_current_snapshot()), 0
""")
# Each epoch is found by one step into the index.
_POSITIONS: Final = text("""
    with recursive epochs as (
        (select epoch from outbox order by epoch limit 1)
        union all
        select (select epoch from outbox where epoch > epochs.epoch order by epoch limit 1)
          from epochs where epoch is not null
    )
    select known.epoch, coalesce(cursors.xid, '0')::text as xid, coalesce(cursors.seq, 0) as seq
      from (select epoch from epochs where epoch is not null union select outbox_epoch()) as known
      left join outbox_cursors as cursors on cursors.name = :name and cursors.epoch = known.epoch
     order by known.epoch = outbox_epoch(), known.epoch
""")
# Nothing is in flight in the epoch of a cluster that this one was restored from.
READ_AFTER: Final = text("""
    select id, aggregatetype, aggregateid, type, payload::text as value, headers::text as headers,
           schema_version, created_at, epoch, xid::text as xid, seq
      from outbox
     where epoch = :epoch
       and (xid, seq) > (cast(cast(:xid as text) as xid8), :seq)
       and xid < case when :epoch = outbox_epoch() then pg_snapshot_xmin(pg_current_snapshot())
                      else '18446744073709551615'::xid8 end
     order by outbox.xid, outbox.seq -- not the text that is returned
     limit :limit
""")
_ADVANCE: Final = text("""
    with held as (
        select name from outbox_readers where name = :name and holder = :holder for update
    ), moved as (
        insert into outbox_cursors as known (name, epoch, xid, seq)
        select name, :epoch, cast(cast(:xid as text) as xid8), :seq from held
        on conflict (name, epoch) do update
            set xid = excluded.xid, seq = excluded.seq, advanced_at = clock_timestamp()
            where (known.xid, known.seq) < (excluded.xid, excluded.seq)
    )
    select count(*) from held
""")


class Start(Enum):
    """The place where a reader begins that has never read before."""

    BEGINNING = auto()
    NOW = auto()


class LeaseLostError(Exception):
    """Another process reads under this name now; nothing was changed."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Position of an event within an epoch; those of different epochs cannot be compared."""

    epoch: int
    xid: int
    seq: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a reader in each epoch: those of earlier clusters first, the present one last.

    Transaction ids count anew in a cluster that a dump was restored into, so that positions of
    two clusters cannot be compared. Each epoch is read to its end before the next.
    """

    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """One event as it was written."""

    id: UUID
    aggregatetype: str
    key: str
    type: str
    value: str
    """The JSON text that is the message's value on Kafka, byte for byte."""
    headers: str
    schema_version: int
    created_at: datetime
    position: Position

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.value)
        return payload


@dataclass(slots=True)
class OutboxReader:
    """A reader under one name; see the module's docstring for its use."""

    database: Database
    name: str
    start: Start = Start.BEGINNING
    lease_s: float = LEASE_S
    holder: UUID = field(default_factory=uuid4)
    _cursor: Cursor | None = field(default=None, init=False)
    """The stored cursor, while nobody but this reader can have moved it."""
    _renew_at_s: float = field(default=-math.inf, init=False)

    async def claim(self) -> Cursor | None:
        """Take or renew the lease and return the stored cursor; None while another holds it.

        Asks the database when a fourth of the lease is over, or the cursor was moved.
        """
        if time.monotonic() < self._renew_at_s:
            if self._cursor is None:
                async with self.database.autocommit() as executor:
                    self._cursor = await self._load_cursor(executor)
            return self._cursor
        self._cursor = None
        # The lease begins after this, so that it is never believed to last longer than it does.
        claimed_s = time.monotonic()
        async with self.database.transaction() as session:
            lease = {"name": self.name, "holder": self.holder, "lease_s": self.lease_s}
            taken = (await session.execute(_LEASE, lease)).one_or_none()
            if taken is None:
                return None
            if taken.is_new and self.start is Start.NOW:
                written = await self._load_cursor(session)
                epochs = [position.epoch for position in written.positions]
                await session.execute(_START_NOW, {"name": self.name, "epochs": epochs})
            self._cursor = await self._load_cursor(session)
        self._renew_at_s = claimed_s + self.lease_s / _RENEWALS
        return self._cursor

    async def _load_cursor(self, executor: StatementExecutor) -> Cursor:
        rows = await executor.execute(_POSITIONS, {"name": self.name})
        return Cursor(tuple(Position(row.epoch, int(row.xid), row.seq) for row in rows))

    async def read_after(self, cursor: Cursor, *, limit: int) -> Sequence[OutboxEvent]:
        """Return up to `limit` events behind the cursor, in order and of one epoch."""
        async with self.database.autocommit() as executor:
            for after in cursor.positions:
                values = {"epoch": after.epoch, "xid": str(after.xid), "seq": after.seq}
                rows = (
                    (await executor.execute(READ_AFTER, {**values, "limit": limit}))
                    .mappings()
                    .all()
                )
                if rows:
                    return [_event(row) for row in rows]
        return ()

    async def advance(self, session: Session, position: Position) -> None:
        """Store that everything up to `position` is done; never moves backwards.

        Raises LeaseLostError when another process has taken over, whose work this would repeat.
        """
        self._cursor = None
        values = {"epoch": position.epoch, "xid": str(position.xid), "seq": position.seq}
        held = await session.scalar(_ADVANCE, {**values, "name": self.name, "holder": self.holder})
        if not held:
            raise LeaseLostError(f"{self.name} is read by another process")

    async def release(self) -> None:
        """Let another process take over at once."""
        self._renew_at_s = -math.inf
        async with self.database.transaction() as session:
            await session.execute(_RELEASE, {"name": self.name, "holder": self.holder})


def _event(row: Any) -> OutboxEvent:  # noqa: ANN401 - a mapping of the query's columns
    return OutboxEvent(
        id=row["id"],
        aggregatetype=row["aggregatetype"],
        key=row["aggregateid"],
        type=row["type"],
        value=row["value"],
        headers=row["headers"],
        schema_version=row["schema_version"],
        created_at=row["created_at"],
        position=Position(row["epoch"], int(row["xid"]), row["seq"]),
    )
