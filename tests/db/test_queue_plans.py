"""Batches of a queue take as many steps as they have rows, however empty it was when planned."""

import re
from typing import Any

import pytest
from sqlalchemy import TextClause, text

from db import rate_windows
from db.engine import Database
from referrals.chain import linking
from referrals.fraud.routing import quiet_players, signup_assessments
from referrals.reports import vitals
from referrals.webhooks import upkeep

ROWS = 2000
GENERIC_FROM = 6
"""Executions after which Postgres goes on with a plan that it made for any parameters."""


@pytest.mark.parametrize(
    ("statement", "table", "values", "types"),
    [
        (linking.TAKE, "unlinked_rows", {"limit": ROWS}, ["int"]),
        (
            signup_assessments.TAKE,
            "signups_to_assess",
            {"referral_ids": "array[gen_random_uuid()]"},
            ["uuid[]"],
        ),
        (
            upkeep.DELETE,
            "webhook_deliveries",
            {"kept_for": "interval '1 day'", "limit": ROWS},
            ["interval", "int"],
        ),
        (
            rate_windows.PRUNE,
            "rate_windows",
            {"before": "now()", "most": ROWS},
            ["timestamptz", "int"],
        ),
        (
            quiet_players.WAITING,
            "inbox",
            {"unremarkable": "array['deposit']", "player_ids": "array['a', 'b']"},
            ["varchar[]", "varchar[]"],
        ),
    ],
    ids=["linking", "assessing", "webhooks", "rate windows", "routing"],
)
async def test_a_batch_compares_no_row_with_every_other(
    fresh_superuser: Database,
    statement: TextClause,
    table: str,
    values: dict[str, Any],
    types: list[str],
) -> None:
    places = {name: f"${place}" for place, name in enumerate(values, start=1)}
    sql = re.sub(r"(?<!:):(\w+)", lambda match: places[match[1]], statement.text)
    execute = f"execute batch ({', '.join(map(str, values.values()))})"
    async with fresh_superuser.transaction() as session:
        await session.execute(text(f"delete from {table}"))  # noqa: S608 - a name of ours
        await session.execute(text(f"analyze {table}"))
        await session.execute(text(f"prepare batch ({', '.join(types)}) as {sql}"))
        for _ in range(GENERIC_FROM):
            await session.execute(text(execute))
        plan = await session.scalar(text(f"explain (format json) {execute}"))
        await session.rollback()

    assert not [node for node in nodes(plan[0]["Plan"]) if compares_all(node, table)], plan


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


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
        sql = vitals.LANES.text.replace(":limit", str(vitals.MAX_COUNTED)).replace("\\:", ":")
        plan = await session.scalar(text(f"explain (format json, analyze) {sql}"))
        await session.rollback()

    read = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "deliveries"]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in read) <= kinds * (
        per_kind + 2
    )
    assert not [node for node in read if node.get("Rows Removed by Filter")], read
    assert (lanes["updates"].waiting, lanes["invitations"].waiting) == (vitals.MAX_COUNTED,) * 2
    assert 60 <= lanes["updates"].age_s / 60 < 61
    assert 30 <= lanes["invitations"].age_s / 60 < 31
