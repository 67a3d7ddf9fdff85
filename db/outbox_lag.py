"""Lag of publishing: events that the relay has not published, WAL not confirmed by Debezium."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession

MAX_COUNTED: Final = 10_000
"""Bounds how many unpublished events are counted: more are too many, however many."""
RELAY: Final = "relay"
DEBEZIUM: Final = "debezium"
"""Names of readers: the publisher is the one that has held its lease last."""

# The relay's epochs are found by single steps into the index, as the reader finds them.
_BACKLOG: Final = text("""
    with recursive epochs as (
        (select epoch from outbox order by epoch limit 1)
        union all
        select (select epoch from outbox where epoch > epochs.epoch order by epoch limit 1)
          from epochs where epoch is not null
    ), publisher as (
        select name from outbox_readers where name in ('relay', 'debezium')
         order by leased_until desc limit 1
    ), behind as (
        select waiting.created_at
          from publisher cross join epochs
          left join outbox_cursors as cursors
            on cursors.name = publisher.name and cursors.epoch = epochs.epoch
         cross join lateral (
            select created_at from outbox
             where epoch = epochs.epoch
               and (xid, seq) > (coalesce(cursors.xid, '0'), coalesce(cursors.seq, 0))
             order by outbox.xid, outbox.seq
             limit :limit
         ) as waiting
         where publisher.name = 'relay' and epochs.epoch is not null
    )
    select count(*) as events,
           coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float as age_s
      from behind
""")
_SLOT: Final = text("""
    select active, wal_status,
           pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn)::bigint as lag_bytes
      from pg_replication_slots
     where slot_name = :slot and database = current_database()
""")


@dataclass(frozen=True, slots=True)
class OutboxLag:
    """Events that the relay has not published, at most MAX_COUNTED, and the age of the oldest.

    Both are zero while the relay is not the publisher.
    """

    events: int
    age_s: float


@dataclass(frozen=True, slots=True)
class SlotLag:
    """State of a replication slot, and the WAL that its reader has not confirmed, in bytes."""

    is_active: bool
    wal_status: str
    """`lost` when the server has removed WAL that the slot needs."""
    lag_bytes: int


async def load_outbox_lag(session: ReadSession) -> OutboxLag:
    row = (await session.execute(_BACKLOG, {"limit": MAX_COUNTED})).one()
    return OutboxLag(events=min(int(row.events), MAX_COUNTED), age_s=max(row.age_s, 0.0))


async def load_slot_lag(session: ReadSession, slot: str) -> SlotLag | None:
    """Return the state of a slot of this database, or None when there is no such slot."""
    row = (await session.execute(_SLOT, {"slot": slot})).one_or_none()
    if row is None:
        return None
    return SlotLag(row.active, row.wal_status or "unreserved", int(row.lag_bytes or 0))
