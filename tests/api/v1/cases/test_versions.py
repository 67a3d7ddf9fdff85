"""Decisions that name the version that was read."""

from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import update

from db.engine import Database
from db.tables import CaseRow, Review
from referrals.access.console.roles import Role
from tests.api.bodies import assert_problem, unique
from tests.api.console.signed_in import signed_in
from tests.api.v1.cases.steps import (
    URL,
    case_of,
    decide,
    file_cases,
    filed_case,
    hold,
    open_case,
    show,
)


async def doubt_more(database: Database, referral_id: UUID) -> None:
    """Raise the score of an open review, as another assessment of the attempt does."""
    async with database.transaction() as session:
        await session.execute(
            update(Review).where(Review.referral_id == referral_id).values(score=99)
        )


@pytest.mark.parametrize("decision", ["approve", "reject"])
async def test_a_case_that_another_referral_joined_is_not_decided_as_it_was_read(
    client: AsyncClient, database: Database, decision: str
) -> None:
    acts = await hold(database)
    await file_cases(database)
    read = await case_of(client, acts)
    await hold(database, referrer_id=acts.row.referrer_id)
    await file_cases(database)

    refused = await decide(client, read, decision, version=read["version"])
    assert_problem(refused, 409, "version_changed")
    now = await show(client, read)
    assert (now["status"], len(now["referrals"])) == ("open", 2)
    decided = await decide(client, read, decision, version=now["version"])
    assert decided.json()["decision"]["decision"] == decision
    repeated = await decide(client, read, decision, version=now["version"])
    assert repeated.json() == decided.json()


async def test_a_colleagues_note_and_a_higher_score_change_the_version_and_a_lease_does_not(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    acts = await hold(database)
    await file_cases(database)
    read = await case_of(client, acts)
    link = f"{URL}/{read['case_id']}"
    for act in ("claim", "claim", "release"):
        assert (await client.post(f"{link}/{act}")).json()["version"] == read["version"]
    await second_reviewer.post(f"{link}/notes", json={"text": "the passports are copies"})
    noted = await show(client, read)
    await doubt_more(database, acts.row.id)
    scored = await show(client, read)

    assert len({read["version"], noted["version"], scored["version"]}) == 3
    for stale in (read, noted):
        refused = await decide(client, read, "approve", version=stale["version"])
        assert_problem(refused, 409, "version_changed")
    accepted = await decide(client, read, "approve", version=scored["version"])
    assert accepted.status_code == 200


async def test_a_second_person_approves_the_version_that_the_first_one_read(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database, minor=50_001)
    first = await decide(client, case, "approve", version=case["version"])
    assert first.status_code == 202
    assert (await show(client, case))["version"] == case["version"]
    second = await decide(second_reviewer, case, "approve", version=case["version"])
    assert second.status_code == 200


async def test_a_review_that_was_assessed_again_is_not_decided_as_it_was_read(
    client: AsyncClient, database: Database
) -> None:
    acts = await hold(database)
    await file_cases(database)
    (review_id,) = (await case_of(client, acts))["reviews"]

    async def version() -> str:
        reviews = (await client.get("/v1/reviews", params={"limit": 200})).json()["items"]
        return str(next(one["version"] for one in reviews if one["review_id"] == review_id))

    link, body = f"/v1/reviews/{review_id}/decision", {"decision": "approve", "reason": "seen"}
    read = await version()
    await doubt_more(database, acts.row.id)
    assert_problem(await client.post(link, json=body | {"version": read}), 409, "version_changed")
    current = await version()
    decided = await client.post(link, json=body | {"version": current})
    assert (decided.json()["status"], decided.json()["score"]) == ("decided", 99)
    again = await client.post(link, json=body | {"version": read})
    assert again.json() == decided.json()


@pytest.mark.parametrize("version", ["", "0" * 31, "0" * 33, "G" * 32, 7, True], ids=repr)
async def test_refuses_what_is_not_a_version(client: AsyncClient, version: object) -> None:
    body = {"decision": "approve", "reason": "seen", "version": version}
    for kind in ("cases", "reviews"):
        answer = await client.post(f"/v1/{kind}/{UUID(int=7)}/decision", json=body)
        assert_problem(answer, 422, "validation_failed", "version")


async def test_the_console_decides_the_version_that_its_page_showed(
    app: FastAPI, database: Database
) -> None:
    acts = await hold(database)
    page = f"/console/cases/{await filed_case(database, acts.row.id)}"
    form = {"decision": "approve", "reason": "one household"}
    async with signed_in(app, database, role=Role.REVIEWER, name=unique("Rita")) as reviewer:
        stale = (await reviewer.opens(page)).text.partition('name="version" value="')[2][:32]
        await doubt_more(database, acts.row.id)
        for version in (stale, "1"):
            refused = await reviewer.sends(
                f"{page}/decision", seen_on=page, **form, version=version
            )
            assert refused.status_code == 409
            assert "This changed since you read it" in refused.text
        accepted = await reviewer.sends(f"{page}/decision", seen_on=page, **form)
    assert accepted.status_code == 303
    async with database.reading() as session:
        row = await session.get_one(CaseRow, UUID(page.rpartition("/")[2]))
    assert row.decision == "approve"
