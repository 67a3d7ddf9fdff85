"""Polls look at one row, however much is done, and whatever waited when they were planned."""

import pytest
from sqlalchemy import TextClause, text

from db.engine import Database
from referrals.fraud import late_links
from referrals.fraud.cases import deliveries, filing
from referrals.notifications import handing_on
from referrals.webhooks import queue
from tests.db.plans.filled_tables import insert
from tests.db.plans.reading import GENERIC_FROM, explain, nodes, prepare

DONE = 20_000
WAITING = 1_000


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
        executed = await prepare(session, poll, {})
        for _ in range(GENERIC_FROM):
            assert await session.scalar(executed) is True
        changes = ", ".join(f"{column} = {value}" for column, value in done.items())
        await session.execute(text(f"update {table} set {changes}"))  # noqa: S608 - ours

        assert await session.scalar(executed) is not True
        plan = await explain(session, executed, analyze=True)
        await session.rollback()

    read = [node for node in nodes(plan) if node.get("Relation Name") == table]
    assert not [node for node in read if node["Node Type"] == "Seq Scan"], read
    assert sum(node.get("Rows Removed by Filter", 0) for node in read) == 0, read
