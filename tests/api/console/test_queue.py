"""The review queue as reviewers work on it together, and the short ids that its tables show."""

import re
from html import unescape
from uuid import UUID

from fastapi import FastAPI

from db.engine import Database
from db.tables import CaseRow
from referrals.access.console.roles import Role
from tests.api.bodies import unique
from tests.api.console.signed_in import Operator, signed_in
from tests.api.held_rewards import held_for_review
from tests.api.v1.cases.steps import filed_case

CASE_LINK = re.compile(r'href="/console/cases/([0-9a-f-]{36})"')
NEXT_LINK = re.compile(r'href="([^"]*cursor=[^"]*)"')


async def cases_from(reviewer: Operator, path: str) -> list[str]:
    """Return the cases of a list in its order, page by page."""
    found: list[str] = []
    while True:
        page = (await reviewer.opens(path)).text
        found += CASE_LINK.findall(page)
        following = [link for link in NEXT_LINK.findall(page) if "format=csv" not in link]
        if not following:
            return list(dict.fromkeys(found))
        path = unescape(following[-1])


async def test_a_case_that_somebody_claimed_offers_no_decision_to_others(
    app: FastAPI, database: Database
) -> None:
    acts, _ = await held_for_review(database)
    page = f"/console/cases/{await filed_case(database, acts.row.id)}"
    first, second = unique("Rita"), unique("Rolf")
    async with (
        signed_in(app, database, role=Role.REVIEWER, name=first) as one,
        signed_in(app, database, role=Role.REVIEWER, name=second) as other,
    ):
        await one.sends(f"{page}/claim", seen_on=page)
        own, others = (await one.opens(page)).text, (await other.opens(page)).text
        await one.sends(f"{page}/decision", seen_on=page, decision="reject", reason="one person")
        decided = (await other.opens(page)).text

    assert "Give it back" in own
    assert f"{first} works on this case until" in others
    assert 'value="approve"' not in others
    assert "> due " in others
    assert "> due " not in decided


async def test_the_queue_has_the_oldest_first_page_by_page(
    app: FastAPI, database: Database
) -> None:
    opened = []
    for _ in range(3):
        acts, _ = await held_for_review(database)
        opened.append(str(await filed_case(database, acts.row.id)))
    async with signed_in(app, database, role=Role.REVIEWER, name=unique("Rita")) as reviewer:
        queue = await cases_from(reviewer, "/console/cases")
        every = await cases_from(reviewer, "/console/cases?status=")

    async with database.reading() as session:
        rows = [await session.get_one(CaseRow, UUID(case)) for case in opened]
    oldest_first = [str(row.id) for row in sorted(rows, key=lambda row: (row.opened_at, row.id))]
    assert [case for case in queue if case in opened] == oldest_first
    assert [case for case in every if case in opened] == oldest_first[::-1]


async def test_a_short_id_of_a_table_is_found(app: FastAPI, database: Database) -> None:
    acts, _ = await held_for_review(database)
    case_id = await filed_case(database, acts.row.id)
    async with signed_in(app, database, role=Role.REVIEWER, name=unique("Rita")) as reviewer:
        for id_, page in ((acts.row.id, "referrals"), (case_id, "cases")):
            found = await reviewer.opens(f"/console/search?q={str(id_)[:8]}")
            assert found.headers["location"] == f"/console/{page}/{id_}"


async def test_a_status_that_no_case_has_shows_none(app: FastAPI, database: Database) -> None:
    async with signed_in(app, database, role=Role.REVIEWER, name=unique("Rita")) as reviewer:
        refused = await reviewer.opens("/console/cases?status=bogus")
        assert refused.status_code == 422
        assert "Must be one of open, claimed, decided" in refused.text
        assert (await reviewer.opens("/console/cases?status=decided")).status_code == 200


async def test_a_reason_that_masks_make_too_long_decides_nothing(
    app: FastAPI, database: Database
) -> None:
    acts, _ = await held_for_review(database)
    case_id = await filed_case(database, acts.row.id)
    page = f"/console/cases/{case_id}"
    async with signed_in(app, database, role=Role.REVIEWER, name=unique("Rita")) as reviewer:
        given = {"decision": "reject", "reason": "a@b.co " * 71}
        refused = await reviewer.sends(f"{page}/decision", seen_on=page, **given)
        assert refused.status_code == 422
        assert "fewer mail addresses" in refused.text
    async with database.reading() as session:
        assert (await session.get_one(CaseRow, case_id)).decision is None
