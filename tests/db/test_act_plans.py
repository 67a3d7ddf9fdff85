"""What an act asks of all facts or referrals takes a step into an index, wherever the rows are."""

import re
from typing import Any

from sqlalchemy import text

from db.engine import Database, Session
from referrals.fraud.conduct import CONDUCT
from referrals.reporting.recorded import RECORDED
from tests.db.filled_tables import insert
from tests.db.test_queue_plans import nodes

ROWS = 20_000
UUID = "gen_random_uuid()"
PARAMETERS = {
    "referral_id": ("uuid", UUID),
    "campaign_id": ("uuid", UUID),
    "referrer": ("varchar", "'a'"),
    "referee": ("varchar", "'b'"),
    "deposit": ("varchar", "'c'"),
    "at": ("timestamptz", "now()"),
    "kinds": ("varchar[]", "array['ip']"),
}


async def test_whether_withdrawals_are_known_is_no_search_through_all_facts(
    fresh_superuser: Database,
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await insert(session, "facts", ROWS, {"kind": "'deposit'"})
        await insert(session, "facts", ROWS // 10, {"kind": "'withdrawal'"}, first=ROWS)
        await session.execute(text("analyze facts"))

        assert await read_from_end_to_end(session, CONDUCT, "facts") == []
        await session.rollback()


async def test_whether_others_wait_for_money_is_no_search_through_all_referrals(
    fresh_superuser: Database,
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        given = {
            "campaign_id": "'6f1f42e4-0000-4000-8000-000000000000'",
            "awaits_funds": "n < 2000",
        }
        await insert(session, "referrals", ROWS, given)
        await session.execute(text("analyze referrals"))

        assert await read_from_end_to_end(session, RECORDED.text, "referrals") == []
        await session.rollback()


async def read_from_end_to_end(session: Session, statement: str, table: str) -> list[Any]:
    """Return the nodes that read a whole table in a plan that is made for any parameters."""
    names = list(dict.fromkeys(re.findall(r"(?<!:):(\w+)", statement)))
    places = {name: f"${place}" for place, name in enumerate(names, start=1)}
    sql = re.sub(r"(?<!:):(\w+)", lambda match: places[match[1]], statement)
    types, values = zip(*(PARAMETERS[name] for name in names), strict=True)
    await session.execute(text("set local plan_cache_mode = force_generic_plan"))
    await session.execute(text(f"prepare look ({', '.join(types)}) as {sql}".replace(":", r"\:")))
    explain = f"explain (format json, analyze) execute look ({', '.join(values)})"
    plan = await session.scalar(text(explain.replace(":", r"\:")))
    return [
        node
        for node in nodes(plan[0]["Plan"])
        if node.get("Relation Name") == table and node["Node Type"] == "Seq Scan"
    ]
