"""Rejections of credited referrals: a late link's takes the reward back, a sample's nothing."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from db.tables import AuditRow, Clawback, Delivery, OutboxRow
from domain.fraud.cases import CaseKind
from domain.intake.facts import Choice, TakeBack
from domain.ledger.movements import Movement
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from referrals.ledger.spending import spend
from tests import state
from tests.activities.referral_acts import LATER, ReferralActs
from tests.api.bodies import assert_problem
from tests.api.v1.cases.steps import credited, decide, doubt, show
from tests.builders import NOW, TERMS, chargeback, unique, usd
from tests.state import Balances

MUCH = 50_001
RACES = int(os.environ.get("CASE_RACES", "5"))
NOTED = text("""
    select (select count(*) from unlinked_rows where relation = 'clawbacks' and row_key = :key)
         + (select count(*) from chain_links where relation = 'clawbacks' and row_key = :key)
""")
SECOND_PERSON = {"status": "second_person_required"}


async def test_rejecting_a_late_link_takes_the_reward_back_once(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    case = await doubt(client, acts)
    assert case["takes_back"] == [{"minor": 1000, "currency": "USD"}]

    for _ in range(2):
        rejected = await decide(client, case, "reject")
        assert (rejected.status_code, rejected.json()["takes_back"]) == (200, [])
        assert await acts.wake() is Stage.REVERSED

    assert await was_woken(acts, case)
    assert await acts.referrer_balances() == Balances()
    assert (await state.movements(database, acts.row.id)).count(Movement.REVERSE) == 1
    assert await state.reason(database, acts.row.id) == ReasonCode.REVIEWER_REJECTED.text
    assert [event["reason_code"] for event in await told(database, acts)] == ["reviewer_rejected"]
    assert_problem(await decide(client, case, "approve"), 409, "already_decided")
    assert await violations(database, acts) == []


async def test_approving_a_late_link_leaves_the_reward(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    case = await doubt(client, acts)

    assert (await decide(client, case, "approve")).status_code == 200

    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000


async def test_rejecting_a_sample_takes_nothing_back(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    case = await doubt(client, acts, kind=CaseKind.SAMPLE)
    assert case["takes_back"] == []

    assert (await decide(client, case, "reject")).status_code == 200

    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
async def test_a_chargeback_beside_a_rejection_takes_nothing_twice(
    client: AsyncClient, database: Database, *, is_first: bool
) -> None:
    acts, paid = await credited(database)
    case = await doubt(client, acts)
    if is_first:
        await acts.receives(chargeback(paid))
        assert await acts.wake() is Stage.REVERSED
    assert (await decide(client, case, "reject")).status_code == 200
    assert await acts.wake() is Stage.REVERSED
    if not is_first:
        await acts.receives(chargeback(paid))
        assert await acts.wake() is Stage.REVERSED

    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON))
    assert await acts.wake() is Stage.REVERSED

    assert await acts.referrer_balances() == Balances()
    moved = await state.movements(database, acts.row.id)
    assert (moved.count(Movement.REVERSE), moved.count(Movement.REINSTATE)) == (1, 0)
    assert await violations(database, acts) == []


async def test_a_reinstated_reward_is_taken_back_by_a_rejection(
    client: AsyncClient, database: Database
) -> None:
    acts, paid = await credited(database)
    for kind in (TakeBack.CHARGEBACK, TakeBack.CHARGEBACK_WON):
        await acts.receives(chargeback(paid, kind))
        await acts.wake()
    case = await doubt(client, acts)

    assert (await decide(client, case, "reject")).status_code == 200
    assert await acts.wake() is Stage.REVERSED

    assert await acts.referrer_balances() == Balances()
    assert (await state.movements(database, acts.row.id)).count(Movement.REVERSE) == 2
    assert await violations(database, acts) == []


async def test_what_was_spent_is_owed_after_a_rejection(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    async with database.transaction() as session:
        player = acts.row.referrer_id
        await spend(session, player_id=player, amount=usd(700), reference=unique("bet"), at=NOW)
    case = await doubt(client, acts)

    assert (await decide(client, case, "reject")).status_code == 200
    assert await acts.wake() is Stage.REVERSED

    assert await acts.referrer_balances() == Balances(owed=-700)
    assert await violations(database, acts) == []


async def test_a_settled_reward_is_taken_back_as_well(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    settled_at = LATER + TERMS.chargeback_window + timedelta(days=1)
    await acts.rewards.settle_referral(await acts.act_request(at=settled_at))
    assert (await acts.stored_row()).stage is Stage.SETTLED
    case = await doubt(client, acts)

    assert (await decide(client, case, "reject")).status_code == 200

    assert await acts.wake(at=settled_at) is Stage.REVERSED
    assert await acts.referrer_balances() == Balances()


async def test_much_money_is_taken_back_by_two_people(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database, minor=MUCH)
    case = await doubt(client, acts)

    for _ in range(2):
        first = await decide(client, case, "reject")
        assert (first.status_code, first.json()) == (202, SECOND_PERSON)
        assert await acts.wake() is Stage.REWARDED
    (given,) = (await show(client, case))["approvals"]
    assert given["decision"] == "reject"
    second = await decide(second_reviewer, case, "reject")

    assert (second.status_code, second.json()["status"]) == (200, "decided")
    assert await acts.wake() is Stage.REVERSED
    assert await violations(database, acts) == []


async def test_a_first_approval_is_not_a_rejection(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database, minor=MUCH)
    case = await doubt(client, acts)
    assert (await decide(client, case, "reject")).status_code == 202

    assert (await decide(second_reviewer, case, "approve")).status_code == 200

    assert await acts.wake() is Stage.REWARDED


async def test_a_second_case_about_the_same_referral_takes_nothing_more(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    case = await doubt(client, acts)
    assert (await decide(client, case, "reject")).status_code == 200
    other = await doubt(client, acts, link="phone")
    assert other["case_id"] != case["case_id"]

    assert (await decide(client, other, "reject")).status_code == 200

    assert await acts.wake() is Stage.REVERSED
    query = select(Clawback).where(Clawback.referral_id == acts.row.id)
    async with database.reading() as session:
        (recorded,) = await session.scalars(query)
    assert recorded.case_id == UUID(case["case_id"])
    assert await acts.referrer_balances() == Balances()


async def test_a_rejection_outlasts_an_entry_of_the_deny_list_that_would_end(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    case = await doubt(client, acts)
    player = acts.row.referrer_id
    ends = {"expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    entry = {"kind": "player", "value": player, "reason": "for a day", **ends}
    assert (await client.post("/v1/lists/deny", json=entry)).status_code == 201

    assert (await decide(client, case, "reject")).status_code == 200

    query = {"kind": "player", "value": player}
    (listed,) = (await client.get("/v1/lists/deny", params=query)).json()["items"]
    assert (listed["reason"], listed["expires_at"]) == ("looked into it", None)


async def test_of_a_rejection_and_a_chargeback_at_once_the_reward_is_taken_back_once(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    """CASE_RACES=500 plays it longer."""
    for _ in range(RACES):
        acts, paid = await credited(database)
        case = await doubt(client, acts)
        await acts.receives(chargeback(paid))
        answers = await asyncio.gather(
            decide(client, case, "reject"), decide(second_reviewer, case, "reject"),
            acts.wake(), acts.wake(),
        )  # fmt: skip
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        assert await acts.wake() is Stage.REVERSED
        assert (await state.movements(database, acts.row.id)).count(Movement.REVERSE) == 1
        assert await acts.referrer_balances() == Balances()


async def test_audit_and_evidence_name_what_a_rejection_took_back(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    case = await doubt(client, acts)
    await decide(client, case, "reject")

    query = select(AuditRow.details).where(
        AuditRow.subject == f"case:{case['case_id']}", AuditRow.action == f"case.{Choice.REJECT}"
    )
    async with database.reading() as session:
        assert await session.scalar(query) == {"takes_back": [str(acts.row.id)]}
        key = {"key": str(acts.row.id)}
        assert await session.scalar(NOTED, key) >= 1
    evidence = (await client.get(f"/v1/rewards/{case['rewards'][0]}/evidence")).json()
    assert evidence["qualification"]["due"]["minor"] == 0
    assert {"case.reject"} <= {entry["action"] for entry in evidence["audit"]}


async def test_the_database_keeps_clawbacks_as_they_were_written(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await credited(database)
    assert (await decide(client, await doubt(client, acts), "reject")).status_code == 200

    for change in ("update clawbacks set reason = ''", "delete from clawbacks"):
        with pytest.raises(DBAPIError):
            async with database.transaction() as session:
                await session.execute(text(change))


async def was_woken(acts: ReferralActs, case: dict[str, Any]) -> bool:
    query = select(Delivery.id).where(Delivery.event_id == f"clawback/{case['case_id']}")
    async with acts.database.reading() as session:
        return await session.scalar(query) is not None


async def told(database: Database, acts: ReferralActs) -> list[dict[str, Any]]:
    query = select(OutboxRow.payload).where(OutboxRow.aggregateid == str(acts.row.id))
    async with database.reading() as session:
        return [one for one in await session.scalars(query) if one["type"] == "RewardReversed"]


async def violations(database: Database, acts: ReferralActs) -> list[str]:
    """Return the invariants that the referral violates; those of other tests' may be open."""
    violated = await state.violated_invariants(database, as_of=NOW)
    return [name for name, rows in violated.items() if str(acts.row.id) in rows]
