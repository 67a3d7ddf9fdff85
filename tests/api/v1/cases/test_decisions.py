"""Decisions on cases: once, by the right people, for every referral of the case."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text

from db.engine import Database
from domain.lifecycle.referral import Stage
from referrals.fraud.cases.standing import attend
from tests.api.bodies import assert_problem
from tests.api.v1.cases.steps import (
    URL,
    case_of,
    decide,
    file_cases,
    hold,
    open_case,
    show,
)

RACES: Final = int(os.environ.get("CASE_RACES", "10"))
RACE_TIMEOUT_S: Final = 3
"""Bound of one race, on a machine that others use as well."""
_COPY: Final = text("""
    with new as (
        select number, gen_random_uuid() as case_id, gen_random_uuid() as referral_id,
               gen_random_uuid() as review_id
        from generate_series(1, :number) as number
    ), templates as (
        select cases as one_case, referrals as referral, reviews as review,
               case_referrals as placed
        from cases
        join case_referrals on case_referrals.case_id = cases.id
        join reviews on reviews.id = case_referrals.review_id
        join referrals on referrals.id = reviews.referral_id
        where cases.id = cast(:case_id as uuid)
    ), referral as (
        insert into referrals select (jsonb_populate_record(referral, jsonb_build_object(
            'id', referral_id, 'referee_id', 'copy-' || referral_id))).*
        from templates, new
    ), one_case as (
        insert into cases select (jsonb_populate_record(one_case, jsonb_build_object(
            'id', case_id, 'subject', 'copy-' || case_id))).*
        from templates, new
    ), review as (
        insert into reviews select (jsonb_populate_record(review, jsonb_build_object(
            'id', review_id, 'referral_id', referral_id, 'case_id', case_id))).*
        from templates, new
    ), placed as (
        insert into case_referrals select (jsonb_populate_record(placed, jsonb_build_object(
            'id', gen_random_uuid(), 'referral_id', referral_id, 'review_id', review_id,
            'case_id', case_id))).*
        from templates, new
    )
    select case_id from new
""")
_DECISIONS: Final = text("""
    with given as (select unnest(cast(:case_ids as uuid[])) as id)
    select
        (select count(*) from audit join given on subject = 'case:' || given.id
         where action in ('case.approve', 'case.reject')) as audited,
        (select count(*) from reviews join cases on cases.id = reviews.case_id
         join given on given.id = cases.id
         where reviews.status = 'decided' and reviews.decision = cases.decision) as reviewed,
        (select count(*) from cases join given using (id) where status = 'decided') as decided
""")
MUCH: Final = 50_001
"""Minor units above the limit of one person."""
SECOND_PERSON: Final = {"status": "second_person_required"}


@pytest.mark.parametrize(
    ("decision", "stage"), [("approve", Stage.REWARDED), ("reject", Stage.REJECTED)]
)
async def test_a_decision_counts_for_every_referral_of_the_case(
    client: AsyncClient, database: Database, decision: str, stage: Stage
) -> None:
    first = await hold(database)
    second = await hold(database, referrer_id=first.row.referrer_id)
    await file_cases(database)
    case = await case_of(client, first)

    decided = await decide(client, case, decision)

    assert (decided.status_code, decided.json()["status"]) == (200, "decided")
    assert decided.json()["decision"]["decision"] == decision
    assert decided.json()["decision"]["reason"] == "looked into it"
    assert [await acts.wake() for acts in (first, second)] == [stage, stage]


async def test_a_decision_is_made_once(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database)
    first = await decide(client, case, "approve")

    assert (await decide(client, case, "approve")).json() == first.json()
    assert (await decide(second_reviewer, case, "approve")).json() == first.json()
    assert_problem(await decide(second_reviewer, case, "reject"), 409, "already_decided")
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    extended = await decide(client, case, "extend", until=until)
    assert_problem(extended, 409, "already_decided")
    claim = await client.post(f"{URL}/{case['case_id']}/claim")
    assert_problem(claim, 409, "already_decided")


async def test_nobody_but_the_holder_decides_a_claimed_case(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database)
    await client.post(f"{URL}/{case['case_id']}/claim")

    assert_problem(await decide(second_reviewer, case, "reject"), 409, "claimed")
    assert (await decide(client, case, "reject")).status_code == 200


async def test_an_extension_moves_the_time_and_leaves_the_status(
    client: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database)
    await client.post(f"{URL}/{case['case_id']}/claim")
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)

    for _ in range(2):
        extended = await decide(client, case, "extend", until=until.isoformat())
        assert extended.status_code == 200, extended.text
        assert datetime.fromisoformat(extended.json()["due_at"]) == until
        assert (extended.json()["status"], extended.json()["decision"]) == ("claimed", None)


async def test_much_money_needs_a_second_person(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    acts = await hold(database, minor=MUCH)
    await file_cases(database)
    case = await case_of(client, acts)

    for _ in range(2):
        first = await decide(client, case, "approve")
        assert (first.status_code, first.json()) == (202, SECOND_PERSON)
        assert await acts.wake() is Stage.HELD
    assert len((await show(client, case))["approvals"]) == 1
    second = await decide(second_reviewer, case, "approve")

    assert (second.status_code, second.json()["status"]) == (200, "decided")
    assert await acts.wake() is Stage.REWARDED


async def test_one_person_may_reject_much_money_and_approve_up_to_the_limit(
    client: AsyncClient, database: Database
) -> None:
    much = await open_case(client, database, minor=MUCH)
    limit = await open_case(client, database, minor=MUCH - 1)

    assert (await decide(client, much, "reject")).status_code == 200
    assert (await decide(client, limit, "approve")).status_code == 200


async def test_a_referral_that_joined_since_needs_both_approvals_anew(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    acts = await hold(database, minor=MUCH)
    await file_cases(database)
    case = await case_of(client, acts)
    assert (await decide(client, case, "approve")).status_code == 202
    await hold(database, referrer_id=acts.row.referrer_id)
    await file_cases(database)

    assert (await decide(second_reviewer, case, "approve")).status_code == 202
    assert (await decide(client, case, "approve")).status_code == 200


async def test_a_review_of_much_money_needs_a_second_person_too(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database, minor=MUCH)
    url = f"/v1/reviews/{case['reviews'][0]}/decision"
    body = {"decision": "approve", "reason": "a family"}

    first = await client.post(url, json=body)
    assert (first.status_code, first.json()) == (202, SECOND_PERSON)
    assert (await second_reviewer.post(url, json=body)).status_code == 200


async def test_much_money_is_not_approved_by_one_person_in_small_parts(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    first = await hold(database, minor=MUCH // 2)
    await hold(database, minor=MUCH // 2 + 1, referrer_id=first.row.referrer_id)
    await file_cases(database)
    case = await case_of(client, first)
    body = {"decision": "approve", "reason": "a family"}

    for review in case["reviews"]:
        url = f"/v1/reviews/{review}/decision"
        assert (await client.post(url, json=body)).status_code == 202
        assert (await second_reviewer.post(url, json=body)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"decision": "maybe"}, "decision"),
        ({"reason": " "}, "reason"),
        ({"reason": "a@b.co " * 71}, "reason"),
        ({"decision": "extend"}, "until"),
        ({"decision": "extend", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"decision": "extend", "until": "2099-01-01T00:00:00Z"}, "until"),
        ({"until": "2099-01-01T00:00:00Z"}, "until"),
        ({"reviewer": "me"}, "reviewer"),
    ],
)
async def test_refuses_an_invalid_decision(
    client: AsyncClient, fields: dict[str, Any], field: str
) -> None:
    body = {"decision": "approve", "reason": "r", **fields}
    refused = await client.post(f"{URL}/{UUID(int=7)}/decision", json=body)
    assert_problem(refused, 422, "validation_failed", field)


@pytest.mark.timeout(60 + RACES * RACE_TIMEOUT_S)
async def test_of_decisions_at_once_one_counts(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    """CASE_RACES=500 plays it longer."""
    case = await open_case(client, database)
    copies = await copies_of(database, case, number=RACES)

    for copy in copies:
        answers = await race(copy, client, second_reviewer, database)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200, 409], [answer.text for answer in answers]
        refusal = next(answer for answer in answers if answer.status_code == 409)
        assert refusal.json()["code"] == "already_decided"

    assert await decisions_on(database, copies) == RACES


async def copies_of(
    database: Database, case: dict[str, Any], *, number: int
) -> list[dict[str, Any]]:
    """Return copies of an open case, each with a copy of its referral and review."""
    template = {"case_id": case["case_id"], "number": number}
    async with database.transaction() as session:
        copied = [*await session.scalars(_COPY, template)]
    return [{**case, "case_id": str(case_id)} for case_id in copied]


async def decisions_on(database: Database, cases: list[dict[str, Any]]) -> int:
    """Return how many decisions the audit has of cases, whose reviews say the same."""
    async with database.reading() as session:
        values = {"case_ids": [case["case_id"] for case in cases]}
        counted = (await session.execute(_DECISIONS, values)).one()
    assert counted.audited == counted.reviewed == counted.decided
    decided: int = counted.audited
    return decided


async def race(
    case: dict[str, Any], client: AsyncClient, other: AsyncClient, database: Database
) -> tuple[Response, Response]:
    """Let two reviewers decide differently while the case falls due."""

    async def expire() -> None:
        async with database.transaction() as session:
            due_at = datetime.fromisoformat(case["due_at"])
            await attend(session, UUID(case["case_id"]), now=due_at)

    one, two, _ = await asyncio.gather(
        decide(client, case, "approve"), decide(other, case, "reject"), expire()
    )
    return one, two
