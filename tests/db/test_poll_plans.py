"""Polls look at one row, however much is done, and whatever waited when they were planned."""

from typing import Any

import pytest
from sqlalchemy import TextClause, text

from db.engine import Database, Session
from referrals.fraud import late_links
from referrals.fraud.cases import deliveries, filing
from referrals.notifications import handing_on
from referrals.webhooks import queue
from tests.db.test_queue_plans import GENERIC_FROM, nodes

DONE = 20_000
WAITING = 1_000
VALUES = {
    "uuid": "gen_random_uuid()",
    "text": "'t' || n",
    "character varying": "'t' || n",
    "timestamp with time zone": "now() - interval '1 hour'",
    "integer": "n",
    "bigint": "n",
    "boolean": "false",
    "jsonb": "'{}'::jsonb",
    "ARRAY": "'{}'",
    "bytea": "'\\x00'::bytea",
}
"""A value of each type for row `n`."""


@pytest.mark.parametrize(
    ("poll", "table", "waiting", "done"),
    [
        (
            handing_on.IS_DUE,
            "notifications",
            {"status": "'pending'"},
            {"status": "'handed_on'"},
        ),
        (
            deliveries.IS_DUE,
            "case_deliveries",
            {"acknowledged_at": "null"},
            {"acknowledged_at": "now()"},
        ),
        (
            filing.IS_WAITING,
            "reviews",
            {"status": "'open'", "currency": "'USD'"},
            {"status": "'approved'"},
        ),
        (filing.IS_WAITING, "case_requests", {"filed_at": "null"}, {"filed_at": "now()"}),
        (
            late_links.IS_WAITING,
            "cluster_merges",
            {"followed_at": "null"},
            {"followed_at": "now()"},
        ),
        (
            queue.IS_DUE,
            "webhook_deliveries",
            {"status": "'pending'", "webhook_id": "(select id from webhooks limit 1)"},
            {"status": "'delivered'", "finished_at": "now()"},
        ),
    ],
    ids=["messages", "cases", "reviews", "doubts", "links", "webhooks"],
)
async def test_a_poll_reads_no_more_than_what_is_due(
    fresh_superuser: Database,
    poll: TextClause,
    table: str,
    waiting: dict[str, str],
    done: dict[str, str],
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await insert(session, "webhooks", 1, {"disabled_at": "null", "deleted_at": "null"})
        await insert(session, table, DONE, waiting | done)
        await insert(session, table, WAITING, waiting, first=DONE)
        await session.execute(text(f"analyze {table}"))
        await session.execute(text(f"prepare poll as {poll.text}"))
        for _ in range(GENERIC_FROM):
            assert await session.scalar(text("execute poll")) is True
        changes = ", ".join(f"{column} = {value}" for column, value in done.items())
        await session.execute(text(f"update {table} set {changes}"))  # noqa: S608 - ours

        assert await session.scalar(text("execute poll")) is not True
        plan = await session.scalar(text("explain (format json, analyze) execute poll"))
        await session.rollback()

    read = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == table]
    assert not [node for node in read if node["Node Type"] == "Seq Scan"], read
    assert sum(node.get("Rows Removed by Filter", 0) for node in read) == 0, read


async def insert(
    session: Session, table: str, rows: int, given: dict[str, Any], *, first: int = 0
) -> None:
    """Insert rows without their guards; columns that are not given have a value of their type."""
    checks = await session.scalars(
        text("""
            select quote_ident(conname) from pg_constraint
             where conrelid = cast(:table as regclass) and contype = 'c'
        """),
        {"table": table},
    )
    for check in checks:
        await session.execute(text(f"alter table {table} drop constraint {check}"))
    columns = await session.execute(
        text("""
            select column_name, data_type from information_schema.columns
             where table_schema = 'public' and table_name = :table
               and ((is_nullable = 'NO' and column_default is null and is_identity = 'NO')
                    or column_name = any(:given))
        """),
        {"table": table, "given": list(given)},
    )
    values = {name: given.get(name, VALUES[kind]) for name, kind in columns}
    await session.execute(
        text(
            f"insert into {table} ({', '.join(values)}) "  # noqa: S608 - names of ours
            f"select {', '.join(values.values())} "
            f"from generate_series({first}, {first + rows - 1}) as n"
        )
    )
