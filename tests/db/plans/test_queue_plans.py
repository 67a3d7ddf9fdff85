"""Batches of a queue take as many steps as they have rows, however empty it was when planned."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import TextClause, text

from db import rate_windows
from db.engine import Database
from referrals.chain import linking
from referrals.fraud.routing import quiet_players, signup_assessments
from referrals.intake.record_statements import RECORD
from referrals.reports import vitals
from referrals.webhooks import queue, upkeep
from tests.db.plans.filled_tables import insert
from tests.db.plans.reading import GENERIC_FROM, explain, nodes, prepare

ROWS = 2000


@pytest.mark.parametrize(
    ("statement", "table", "given"),
    [
        (linking.TAKE, "unlinked_rows", {"limit": ("int", str(ROWS))}),
        (
            signup_assessments.TAKE,
            "signups_to_assess",
            {"referral_ids": ("uuid[]", "array[gen_random_uuid()]")},
        ),
        (
            upkeep.DELETE,
            "webhook_deliveries",
            {"kept_for": ("interval", "interval '1 day'"), "limit": ("int", str(ROWS))},
        ),
        (
            rate_windows.PRUNE,
            "rate_windows",
            {"before": ("timestamptz", "now()"), "most": ("int", str(ROWS))},
        ),
        (
            quiet_players.WAITING,
            "inbox",
            {
                "unremarkable": ("varchar[]", "array['deposit']"),
                "player_ids": ("varchar[]", "array['a', 'b']"),
            },
        ),
    ],
    ids=["linking", "assessing", "webhooks", "rate windows", "routing"],
)
async def test_a_batch_compares_no_row_with_every_other(
    fresh_superuser: Database,
    statement: TextClause,
    table: str,
    given: dict[str, tuple[str, str]],
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text(f"delete from {table}"))  # noqa: S608 - a name of ours
        await session.execute(text(f"analyze {table}"))
        executed = await prepare(session, statement, given)
        for _ in range(GENERIC_FROM):
            await session.execute(executed)
        plan = await explain(session, executed, analyze=False)
        await session.rollback()

    assert not [node for node in nodes(plan) if compares_all(node, table)], plan


def compares_all(node: dict[str, Any], table: str) -> bool:
    """Return whether a node reads the table once for each row of another."""
    return node["Node Type"] == "Nested Loop" and any(
        inner.get("Relation Name") == table and inner["Node Type"] == "Seq Scan"
        for child in node["Plans"][1:]
        for inner in nodes(child)
    )


async def test_what_waits_is_counted_without_a_look_at_what_was_delivered(
    fresh_superuser: Database,
) -> None:
    kinds, per_kind = 3, 10 * ROWS
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await session.execute(text("delete from deliveries"))
        await session.execute(
            text("""
                insert into deliveries (referral_id, kind, event_id, acknowledged_at, created_at)
                select gen_random_uuid(), kind, gen_random_uuid(), acknowledged_at,
                       now() - make_interval(mins => age)
                  from (values (0, 'deposit', now(), 90), (1, 'look', null, 0),
                               (2, 'signup', null, 60), (3, 'invitation', null, 30))
                       as part (place, kind, acknowledged_at, age)
                 cross join generate_series(1, :rows)
                 order by place
            """),
            {"rows": per_kind},
        )
        await session.execute(text("analyze deliveries"))
        lanes = await vitals.load_lanes(session)
        limit = {"limit": ("int", str(vitals.MAX_COUNTED))}
        executed = await prepare(session, vitals.LANES, limit)
        plan = await explain(session, executed, analyze=True)
        await session.rollback()

    read = [node for node in nodes(plan) if node.get("Relation Name") == "deliveries"]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in read) <= kinds * (
        per_kind + 2
    )
    assert not [node for node in read if node.get("Rows Removed by Filter")], read
    assert (lanes["updates"].waiting, lanes["invitations"].waiting) == (vitals.MAX_COUNTED,) * 2
    assert 60 <= lanes["updates"].age_s / 60 < 61
    assert 30 <= lanes["invitations"].age_s / 60 < 31


async def test_a_batch_of_facts_copies_and_compares_none_for_each(
    fresh_superuser: Database,
) -> None:
    ids = [f"fact-{number}" for number in range(500)]
    nothing = [None] * len(ids)
    given = {
        "kind": array("varchar[]", ["deposit"] * len(ids)),
        "event_id": array("varchar[]", ids),
        "player_id": array("varchar[]", ids),
        "occurred_at": array("timestamptz[]", ["2026-03-01"] * len(ids)),
        "body": array("text[]", ["{}"] * len(ids)),
        "fingerprint": array("varchar[]", ids),
        "reported_by": array("varchar[]", nothing),
        "request_id": array("varchar[]", nothing),
        "matching": array("text[]", nothing),
        "code": array("varchar[]", nothing),
        "body_if_unknown": array("text[]", nothing),
        "fingerprint_if_unknown": array("varchar[]", nothing),
        "door": ("varchar", "'http'"),
        "route": ("boolean", "true"),
    }
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local plan_cache_mode = force_generic_plan"))
        executed = await prepare(session, RECORD, given)
        plan = await explain(session, executed, analyze=True)
        await session.rollback()

    assert plan["Actual Rows"] == len(ids)
    assert plan["Temp Written Blocks"] == 0, plan
    assert max(map(looked_at, nodes(plan))) <= 2 * len(ids), plan


async def test_a_lease_reads_a_window_however_much_of_one_key_waits(
    fresh_superuser: Database,
) -> None:
    webhook_id, waiting = "6f1f42e4-0000-4000-8000-000000000000", 100_000
    of_webhook = {"webhook_id": f"'{webhook_id}'", "status": "'pending'"}
    given = {
        "webhook_ids": ("uuid[]", f"array['{webhook_id}']::uuid[]"),
        "widths": ("integer[]", "array[8]"),
        "window": ("bigint", str(queue.WINDOW)),
        "slots": ("bigint", "100"),
        "lasting": ("interval", "interval '25 seconds'"),
    }
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await insert(session, "webhook_deliveries", waiting, of_webhook | {"key": "'BUSY'"})
        await insert(session, "webhook_deliveries", ROWS, of_webhook | {"key": "'other-' || n"})
        await session.execute(text("analyze webhook_deliveries"))
        await session.execute(text("set local plan_cache_mode = force_generic_plan"))
        executed = await prepare(session, queue.LEASE, given)
        plan = await explain(session, executed, analyze=True)
        await session.rollback()

    read = [node for node in nodes(plan) if node.get("Relation Name") == "webhook_deliveries"]
    assert not [node for node in read if node["Node Type"] == "Seq Scan"], read
    assert sum(map(looked_at, read)) <= 5 * queue.WINDOW, read


def array(kind: str, values: Sequence[str | None]) -> tuple[str, str]:
    """Return a type, and an array of it as SQL."""
    shown = ("null" if one is None else f"'{one}'" for one in values)
    return kind, f"array[{', '.join(shown)}]::{kind}"


def looked_at(node: dict[str, Any]) -> float:
    """Return how many rows a node took and returned, or left out."""
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])
