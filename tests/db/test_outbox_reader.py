"""Readers of the outbox: nothing passed over, each key in order, one active process per name."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import text

from db.engine import Database, Session
from db.outbox_reader import READ_AFTER, Cursor, LeaseLostError, OutboxReader, Position, Start
from tests.db.outbox_writers import write, write_one
from tests.events import moved


async def test_returns_events_once_and_in_the_order_of_writing(fresh_database: Database) -> None:
    reader = OutboxReader(fresh_database, "relay")
    written = [await write_one(fresh_database) for _ in range(5)]

    assert await _read_and_advance(reader, limit=3) == written[:3]
    assert await _read_and_advance(reader, limit=3) == written[3:]
    assert await _read_and_advance(reader, limit=3) == []


async def test_orders_positions_as_numbers(fresh_database: Database) -> None:
    """Read across 999 and 1000, which are the other way round as texts."""
    written = await _write_at(fresh_database, xids=(998, 999, 1000, 1001))
    reader = OutboxReader(fresh_database, "relay")

    assert await _read_and_advance(reader, limit=2) == written[:2]
    assert await _read_and_advance(reader, limit=2) == written[2:]


async def test_reads_the_value_as_postgres_writes_it(fresh_database: Database) -> None:
    await write_one(fresh_database, "a-key")
    reader = OutboxReader(fresh_database, "relay")

    (event,) = await reader.read_after(await _claim(reader), limit=1)

    assert event.key == "a-key"
    assert event.payload["note"] == "Größe €"
    assert "Größe €" in event.value


async def test_each_name_has_a_place_of_its_own(fresh_database: Database) -> None:
    written = [await write_one(fresh_database) for _ in range(2)]
    relay = OutboxReader(fresh_database, "relay")
    webhooks = OutboxReader(fresh_database, "webhooks", start=Start.NOW)

    assert await _read_and_advance(webhooks) == []
    assert await _read_and_advance(relay) == written
    new = await write_one(fresh_database)

    assert await _read_and_advance(webhooks) == [new]
    assert await _read_and_advance(relay) == [new]


async def test_waits_for_a_transaction_that_began_before(fresh_database: Database) -> None:
    reader = OutboxReader(fresh_database, "relay")
    async with fresh_database.transaction() as slow:
        first = await write(slow, "slow")
        second = await write_one(fresh_database, "quick")

        assert await _read_and_advance(reader) == []
    assert await _read_and_advance(reader) == [first, second]


async def test_an_idle_database_keeps_no_event_back(fresh_database: Database) -> None:
    """Keep positions below those of transactions to come."""
    async with fresh_database.transaction() as early:
        await _take_transaction_id(early)
        await write_one(fresh_database)
        last = await write(early, "early")
    reader = OutboxReader(fresh_database, "relay", start=Start.BEGINNING)
    cursor = await _claim(reader)

    events = await reader.read_after(cursor, limit=10)

    assert [event.id for event in events][-1] == last
    assert len(events) == 2


async def test_keeps_the_order_of_acts_that_waited_for_a_lock(fresh_database: Database) -> None:
    """Write second from the older transaction, while another one is still open."""
    reader = OutboxReader(fresh_database, "relay")
    async with fresh_database.transaction() as waiting, fresh_database.transaction() as other:
        await _take_transaction_id(waiting)
        await write(other, "other")
        first = await write_one(fresh_database, "referral")
        second = await write(waiting, "referral")
        await waiting.commit()
        assert await _read_and_advance(reader) == []
    ids = await _read_and_advance(reader)

    assert len(ids) == 3
    assert ids.index(first) < ids.index(second)


async def test_a_second_process_waits_until_the_first_releases(fresh_database: Database) -> None:
    first = OutboxReader(fresh_database, "relay")
    second = OutboxReader(fresh_database, "relay")
    assert await first.claim() is not None
    assert await second.claim() is None

    await first.release()

    assert await second.claim() is not None
    assert await first.claim() is None


async def test_takes_over_from_a_process_that_is_gone(fresh_database: Database) -> None:
    gone = OutboxReader(fresh_database, "relay", lease_s=0)
    await write_one(fresh_database)
    events = await gone.read_after(await _claim(gone), limit=10)
    successor = OutboxReader(fresh_database, "relay")

    assert await _read_and_advance(successor) == [event.id for event in events]
    with pytest.raises(LeaseLostError):
        async with fresh_database.transaction() as session:
            await gone.advance(session, events[-1].position)


async def test_never_moves_backwards(fresh_database: Database) -> None:
    reader = OutboxReader(fresh_database, "relay")
    await write_one(fresh_database)
    await write_one(fresh_database)
    first, second = await reader.read_after(await _claim(reader), limit=10)
    for event in (second, first):
        async with fresh_database.transaction() as session:
            await reader.advance(session, event.position)

    assert await _read_and_advance(reader) == []


async def test_what_is_rolled_back_is_read_again(fresh_database: Database) -> None:
    reader = OutboxReader(fresh_database, "webhooks")
    event_id = await write_one(fresh_database)
    events = await reader.read_after(await _claim(reader), limit=10)
    async with fresh_database.transaction() as session:
        await reader.advance(session, events[-1].position)
        await session.rollback()

    assert await _read_and_advance(reader) == [event_id]


async def test_reads_what_an_earlier_cluster_left_and_then_its_own(
    fresh_database: Database,
) -> None:
    """Read past a restore, after which transaction ids begin anew, far below those of the rows."""
    reader = OutboxReader(fresh_database, "relay")
    done, left = await _write_at(fresh_database, xids=(900_001, 900_002), epoch=7)
    await reader.claim()
    async with fresh_database.transaction() as session:
        await reader.advance(session, Position(7, 900_001, 1_000_000))
    new = await write_one(fresh_database)

    assert done not in (left, new)
    assert await _read_and_advance(reader) == [left]
    assert await _read_and_advance(reader) == [new]


async def test_reads_ahead_of_the_stored_cursor(fresh_database: Database) -> None:
    reader = OutboxReader(fresh_database, "relay")
    written = [await write_one(fresh_database) for _ in range(3)]
    cursor = await _claim(reader)
    first = await reader.read_after(cursor, limit=2)

    rest = await reader.read_after(moved(cursor, first[-1].position), limit=2)

    assert [event.id for event in (*first, *rest)] == written


async def test_finds_what_follows_by_the_index(fresh_superuser: Database) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(
            text("""
                insert into outbox (id, aggregatetype, aggregateid, type, payload)
                select gen_random_uuid(), 'referral', n::text, 'ReferralInvited', '{}'
                  from generate_series(1, 20000) as n
            """)
        )
        await session.execute(text("analyze outbox"))
        last = (await session.execute(text("select epoch, max(seq) from outbox group by 1"))).one()
        values = {"epoch": last.epoch, "xid": "1000000", "seq": last.max, "limit": 100}
        plan = "\n".join(await session.scalars(text(f"explain {READ_AFTER.text}"), values))

    assert "Index Scan using ix_outbox_position" in plan
    assert "Sort" not in plan


async def _claim(reader: OutboxReader) -> Cursor:
    cursor = await reader.claim()
    assert cursor is not None
    return cursor


async def _read_and_advance(reader: OutboxReader, *, limit: int = 100) -> Sequence[UUID]:
    events = await reader.read_after(await _claim(reader), limit=limit)
    if events:
        async with reader.database.transaction() as session:
            await reader.advance(session, events[-1].position)
    return [event.id for event in events]


async def _write_at(database: Database, *, xids: Sequence[int], epoch: int = 0) -> Sequence[UUID]:
    insert = text("""
        insert into outbox (id, aggregatetype, aggregateid, type, payload, epoch, xid)
        values (gen_random_uuid(), 'referral', 'a-key', 'T', '{}', :epoch,
                cast(cast(:xid as text) as xid8))
        returning id
    """)
    async with database.transaction() as session:
        return [
            (await session.execute(insert, {"epoch": epoch, "xid": str(xid)})).scalar_one()
            for xid in xids
        ]


async def _take_transaction_id(session: Session) -> None:
    await session.execute(text("select pg_current_xact_id()"))
