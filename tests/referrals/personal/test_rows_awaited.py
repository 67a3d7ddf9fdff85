"""Rows that somebody waits for, or that nothing proves, are kept however old they are."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from sqlalchemy import text

from db.engine import Database, Session
from referrals.personal.retention import count_old, let_go
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, open_database
from tests.referrals.personal.ended_referrals import ACTOR, CUTOFF, Ended, an_ended_database

KINDS: Final = ("invitations", "outbox")
_A_WEBHOOK: Final = """
    insert into webhook_deliveries (id, webhook_id, event_id, type, key, next_attempt_at)
    select gen_random_uuid(), gen_random_uuid(), id, type, aggregateid, now()
      from outbox where aggregateid = cast(cast(:id as uuid) as text) limit 1
"""
_LINKED_LATELY: Final = """
    update chain_links set linked_at = now() - interval '90 days'
     where row_key in (select cast(id as text) from outbox
                        where aggregateid = cast(cast(:id as uuid) as text))
"""
_NOT_LINKED: Final = """
    delete from chain_links
     where row_key in (select cast(id as text) from outbox
                        where aggregateid = cast(cast(:id as uuid) as text))
"""
_NOT_ANNOUNCED: Final = """
    delete from outbox where aggregateid = cast(cast(:id as uuid) as text) and type like 'Referral%'
"""
_READER: Final = """
    insert into outbox_readers (name, holder, leased_until)
    values ('%s', gen_random_uuid(), now() + interval '%s seconds')
"""
_AT_ITS_END: Final = """
    insert into outbox_cursors (name, epoch, xid, seq)
    select '%s', epoch, xid, seq from outbox order by epoch, outbox.xid desc, seq desc limit 1
"""
_AT_ITS_BEGINNING: Final = _AT_ITS_END.replace(" desc", "")
KEEPING: Final = {
    "a webhook is pending": (_A_WEBHOOK,),
    "they were linked lately": (_LINKED_LATELY,),
    "they are not linked": (_NOT_LINKED,),
    "a stage change lacks its event": (_NOT_ANNOUNCED,),
    "a reader has not begun": (_READER % ("a reader", 0),),
    "a reader is behind": (_READER % ("a reader", 0), _AT_ITS_BEGINNING % "a reader"),
    "the relay is behind": (_READER % ("relay", 2), _READER % ("debezium", 1)),
}
LETTING: Final = {
    "every reader is past them": (
        _READER % ("relay", 0),
        _AT_ITS_END % "relay",
        _READER % ("a reader", 0),
        _AT_ITS_END % "a reader",
    ),
    "debezium publishes": (_READER % ("relay", 1), _READER % ("debezium", 2)),
}


@pytest.fixture(scope="module")
async def old(
    postgres: PostgresCluster, template_database: str
) -> AsyncIterator[tuple[Database, Ended]]:
    async with (
        database_copy(postgres, template_database) as copy,
        open_database(copy.application) as application,
        open_database(copy.superuser) as superuser,
    ):
        yield superuser, await an_ended_database(application, superuser)


async def gone_after(old: tuple[Database, Ended], kind: str, statements: tuple[str, ...]) -> int:
    """Return how many rows a batch lets go of after the statements, and take all of it back."""
    superuser, ended = old
    async with Session(superuser.engine) as session:
        await session.execute(text("set local session_replication_role = replica"))
        for statement in statements:
            query = text(statement)
            values = {"id": ended.nothing} if ":id" in statement else {}
            await session.execute(query, values)
        await session.execute(text("set local session_replication_role = origin"))
        counted = await count_old(session, kind, before=CUTOFF)
        rows = await let_go(session, kind, ACTOR, before=CUTOFF)
        assert rows == counted
        await session.rollback()
    return rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("because", KEEPING)
async def test_rows_are_kept(old: tuple[Database, Ended], because: str, kind: str) -> None:
    assert await gone_after(old, kind, KEEPING[because]) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("because", LETTING)
async def test_rows_are_let_go_of(old: tuple[Database, Ended], because: str, kind: str) -> None:
    assert await gone_after(old, kind, LETTING[because]) > 0
