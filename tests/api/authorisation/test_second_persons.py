"""Second persons: one who has two keys, a session and many spellings is one person everywhere."""

import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from db.tables import ApprovalRow, PersonRow
from domain.people import person_id_of
from referrals.access.audit import Actor
from referrals.access.console.roles import Role
from tests.api.attribution_steps import sign_up
from tests.api.bodies import assert_problem, campaign, create_code, unique
from tests.api.console.signed_in import signed_in
from tests.api.v1.cases.steps import open_case
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

MUCH: Final = 50_001
"""Minor units above the limit of one person."""
REASON: Final = {"reason": "a test"}
SENT: Final = {**REASON, "decision": "approve"}
"""Fields of the console's forms, beside those that the pages give."""
Begun = tuple[str, dict[str, Any]]
"""Path and body with which another person finishes what one has begun."""
Beginning = Callable[[AsyncClient, Database], Awaitable[Begun]]


@pytest.fixture
def name() -> str:
    return unique("Zoë Straße")


def spellings(name: str) -> list[str]:
    return [
        name.upper(),
        f"  {name.replace(' ', chr(0xA0) * 2)} ",
        unicodedata.normalize("NFD", name),
        name.replace("Z", "\uff3a"),
        f"{name[:2]}\u200b{name[2:]}",
    ]


async def key_of(database: Database, owner: str) -> str:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["admin"], actor=actor)


@pytest.fixture
async def person(app: FastAPI, database: Database, name: str) -> AsyncIterator[AsyncClient]:
    async with caller(app, await key_of(database, name)) as client:
        yield client


async def propose_rebind(client: AsyncClient, database: Database) -> Begun:
    player = await sign_up(client, database)
    body = {"player_id": player, "code": await create_code(client), **REASON}
    proposed = await client.post("/v1/attributions/rebinds", json=body)
    path = f"/v1/attributions/rebinds/{proposed.json()['rebind_id']}/decision"
    return path, {"decision": "approve", **REASON}


async def draft_campaign(client: AsyncClient, _: Database) -> Begun:
    slug = unique("two")
    assert (await client.post("/v1/campaigns", json=campaign(slug=slug))).status_code == 201
    return f"/v1/campaigns/{slug}/publish", REASON


async def draft_rule_set(client: AsyncClient, _: Database) -> Begun:
    body = {"based_on": "1", "weights": {"denied": 90}, **REASON}
    version = (await client.post("/v1/rule-sets", json=body)).json()["version"]
    window = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    report = await client.post(f"/v1/rule-sets/{version}/backtest", json=window)
    assert report.status_code == 200, report.text
    return f"/v1/rule-sets/{version}/publish", REASON


async def approve_case(client: AsyncClient, database: Database) -> Begun:
    case = await open_case(client, database, minor=MUCH)
    begun = f"/v1/cases/{case['case_id']}/decision", {"decision": "approve", **REASON}
    assert (await client.post(begun[0], json=begun[1])).status_code == 202
    return begun


BEGINNINGS: Final = (propose_rebind, draft_campaign, draft_rule_set, approve_case)


@pytest.mark.parametrize("begin", BEGINNINGS, ids=lambda begin: begin.__name__)
async def test_no_spelling_of_a_name_is_a_second_person_and_another_one_is(
    app: FastAPI, database: Database, person: AsyncClient, name: str, begin: Beginning
) -> None:
    path, body = await begin(person, database)
    for spelling in spellings(name):
        async with caller(app, await key_of(database, spelling)) as same:
            refused = await same.post(path, json=body)
        # A first approval of a case is repeated; what was proposed is refused.
        assert refused.status_code == (202 if begin is approve_case else 403), refused.text
        said = refused.json()
        assert "second_person_required" in {said.get("code"), said.get("status")}

    other = unique("Ben")
    async with caller(app, await key_of(database, other)) as second:
        done = await second.post(path, json=body)
    assert done.status_code == 200, done.text
    async with database.reading() as session:
        query = select(ApprovalRow).where(ApprovalRow.person_id == person_id_of(other))
        approval = (await session.scalars(query)).one()
        names = await session.scalars(
            select(PersonRow.name).where(PersonRow.id == approval.proposer_id)
        )
        assert names.all() == [name]


async def test_a_key_and_a_session_of_one_person_are_one_person(
    app: FastAPI, database: Database, person: AsyncClient, name: str
) -> None:
    publication, _ = await draft_campaign(person, database)
    decision, _ = await approve_case(person, database)
    slug, case_id = publication.split("/")[3], decision.split("/")[3]
    forms = {
        f"/console/campaigns/{slug}/publish": f"/console/campaigns/{slug}",
        f"/console/cases/{case_id}/decision": f"/console/cases/{case_id}",
    }
    for spelling in spellings(name)[:3]:
        async with signed_in(app, database, role=Role.ADMIN, name=spelling) as same:
            for form, page in forms.items():
                refused = await same.sends(form, seen_on=page, **SENT)
                asked = refused.headers.get("location", "")
                is_asked = asked.endswith("done=second")
                assert is_asked or "Another person has to do this" in refused.text
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ben")) as second:
        for form, page in forms.items():
            done = await second.sends(form, seen_on=page, **SENT)
            assert done.status_code == 303, done.text
    assert (await person.get(f"/v1/campaigns/{slug}")).json()["status"] == "published"
    assert (await person.get(f"/v1/cases/{case_id}")).json()["status"] == "decided"


async def test_the_database_takes_no_approval_of_a_persons_own_proposal(
    database: Database, person: AsyncClient, name: str
) -> None:
    await approve_case(person, database)
    insert = text("""
        insert into approvals (id, subject, action, content, person, person_id, proposer_id,
                               approved_by, reason, at)
        select gen_random_uuid(), 'case:1', 'approve', 'x', person, id, id, name, 'none', now()
          from people where id = :person
    """)
    with pytest.raises(DBAPIError, match="ck_approvals_two_people"):
        async with database.transaction() as session:
            await session.execute(insert, {"person": person_id_of(name)})


async def test_a_person_repeats_a_decision_in_another_spelling(
    app: FastAPI, database: Database, person: AsyncClient
) -> None:
    path, body = await propose_rebind(person, database)
    second = unique("Ben")
    answers = []
    for spelling in (second, second.upper()):
        async with caller(app, await key_of(database, spelling)) as client:
            answers.append(await client.post(path, json=body))
    assert [answer.status_code for answer in answers] == [200, 200]
    async with caller(app, await key_of(database, unique("third"))) as client:
        assert_problem(await client.post(path, json=body), 409, "already_decided")
