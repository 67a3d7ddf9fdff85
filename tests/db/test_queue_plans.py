"""Batches of a queue take as many steps as they have rows, however empty it was when planned."""

import re
from typing import Any

import pytest
from sqlalchemy import TextClause, text

from db import rate_windows
from db.engine import Database
from referrals.chain import linking
from referrals.fraud.routing import quiet_players, signup_assessments
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
