"""Acts take a step into an index for what they ask of all facts, or of all referrals."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause, text

from db.engine import Database, Session
from referrals.campaigns.funds_queue import AHEAD, WAKE
from referrals.fraud.conduct import CONDUCT
from referrals.intake import unrouted
from referrals.reporting.recorded import RECORDED
from tests.db.plans.filled_tables import insert
from tests.db.plans.reading import explain, nodes, prepare

ROWS = 20_000
UUID = "gen_random_uuid()"
Parameters = Mapping[str, tuple[str, str]]
PARAMETERS: Parameters = {
    "referral_id": ("uuid", UUID),
    "campaign_id": ("uuid", UUID),
    "referrer": ("varchar", "'a'"),
    "referee": ("varchar", "'b'"),
    "deposit": ("varchar", "'c'"),
    "at": ("timestamptz", "now()"),
    "kinds": ("varchar[]", "array['ip']"),
    "account_id": ("uuid", UUID),
    "leaving_id": ("uuid", UUID),
    "currency": ("varchar", "'USD'"),
    "currencies": ("varchar[]", "array['USD']"),
    "is_for_all": ("boolean", "false"),
    "is_moved": ("boolean", "false"),
    "is_new": ("boolean", "true"),
    "kind": ("varchar", "'look'"),
    "event_id": ("varchar", "'funds/1'"),
    "signal": ("varchar", "'look'"),
    "limit": ("int", "100"),
    "tokens": ("text[]", "array['token7', 'of nobody']"),
}


async def test_whether_withdrawals_are_known_is_no_search_through_all_facts(
    fresh_superuser: Database,
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await insert(session, "facts", ROWS, {"kind": "'deposit'"})
        await insert(session, "facts", ROWS // 10, {"kind": "'withdrawal'"}, first=ROWS)
        await session.execute(text("analyze facts"))

        assert await read_from_end_to_end(session, text(CONDUCT), "facts") == []
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

        assert await read_from_end_to_end(session, RECORDED, "referrals") == []
        await session.rollback()


async def test_those_that_wait_for_money_are_woken_without_a_search_through_all_that_others_had(
    fresh_superuser: Database,
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        campaign_id = "'6f1f42e4-0000-4000-8000-000000000000'"
        given = {
            "id": "md5(n::text)::uuid",
            "campaign_id": campaign_id,
            "awaits_funds": "n < 200",
            "awaits_funds_since": "now()",
            "stage": "case when n < 3 then 'REVERSED' else 'DEFERRED' end",
        }
        await insert(session, "referrals", ROWS, given)
        of_referral = {"referral_id": "md5(n::text)::uuid", "currency": "'USD'"}
        await insert(session, "rewards", ROWS, of_referral)
        await insert(session, "deliveries", ROWS, of_referral | {"kind": "'look'"})
        await insert(session, "holds", ROWS, of_referral | {"cleared_at": "now()"})
        await session.execute(text("analyze referrals, rewards, deliveries, holds"))
        asked = {**PARAMETERS, "campaign_id": ("uuid", campaign_id)}

        assert await read_from_end_to_end(session, WAKE, "deliveries", asked) == []
        await session.execute(text("deallocate asked"))
        assert await read_from_end_to_end(session, AHEAD, "holds", asked) == []
        await session.rollback()


async def test_a_signup_that_waits_is_sought_by_its_tokens_alone(
    fresh_superuser: Database,
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        body = "jsonb_build_object('referral_token', 'token' || n)"
        await insert(session, "facts", ROWS, {"kind": "'signup'", "body": body})
        await insert(session, "facts", ROWS, {"kind": "'deposit'"}, first=ROWS)
        await session.execute(text("analyze facts"))

        scans = await scans_of(session, unrouted.WAITS, "facts")
        await session.rollback()

    assert sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in scans) == 1
    assert not [scan for scan in scans if scan.get("Rows Removed by Filter")], scans


async def read_from_end_to_end(
    session: Session, statement: TextClause, table: str, given: Parameters = PARAMETERS
) -> list[Any]:
    """Return the nodes that read a whole table in a plan that is made for any parameters."""
    scans = await scans_of(session, statement, table, given)
    return [scan for scan in scans if scan["Node Type"] == "Seq Scan"]


async def scans_of(
    session: Session, statement: TextClause, table: str, given: Parameters = PARAMETERS
) -> list[Any]:
    """Return the nodes that read a table in a plan that is made for any parameters."""
    await session.execute(text("set local plan_cache_mode = force_generic_plan"))
    executed = await prepare(session, statement, given)
    plan = await explain(session, executed, analyze=True)
    return [node for node in nodes(plan) if node.get("Relation Name") == table]
