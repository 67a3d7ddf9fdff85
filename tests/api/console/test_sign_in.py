"""Tests of signing in to the console: links, sessions, roles and forged forms."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow
from referrals.access.console.roles import PERMISSIONS, Permission, Role
from tests.api.bodies import unique
from tests.api.console.signed_in import browser_of, link_token, signed_in

PAGES = {
    "/console": Permission.SEE_REPORTS,
    "/console/cases": Permission.SEE_CASES,
    "/console/referrals": Permission.SEE_REFERRALS,
    "/console/campaigns": Permission.SEE_CAMPAIGNS,
    "/console/ledger": Permission.SEE_LEDGER,
    "/console/operations": Permission.SEE_OPERATIONS,
}


async def test_a_link_signs_in_once_and_leaves_the_address_bar(
    app: FastAPI, database: Database
) -> None:
    token = await link_token(database, role=Role.REVIEWER, name=unique("Rita"))
    async with browser_of(app) as browser:
        first = await browser.get(f"/console/sign-in?token={token}")
        assert first.status_code == 303
        assert token not in first.headers["location"]
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "secure" in cookie
        assert (await browser.get(first.headers["location"])).status_code == 200
    async with browser_of(app) as thief:
        second = await thief.get(f"/console/sign-in?token={token}")
        assert second.status_code == 410
        assert "used up" in second.text
        assert "set-cookie" not in second.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "Mozilla/5.0 (compatible; SkypeUriPreview) Preview/0.5"},
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Sec-Purpose": "prefetch"},
    ],
    ids=["a chat", "another chat", "a browser ahead"],
)
async def test_a_preview_neither_signs_in_nor_uses_the_link_up(
    app: FastAPI, database: Database, headers: dict[str, str]
) -> None:
    token = await link_token(database, role=Role.REVIEWER, name=unique("Rita"))
    async with browser_of(app) as browser:
        preview = await browser.get(f"/console/sign-in?token={token}", headers=headers)
        assert preview.status_code == 401
        assert "set-cookie" not in preview.headers
        person = await browser.get(f"/console/sign-in?token={token}")
    assert person.status_code == 303


async def test_audits_who_signed_in_and_how(app: FastAPI, database: Database) -> None:
    name = unique("Rita")
    async with signed_in(app, database, role=Role.SUPPORT, name=name):
        pass
    async with database.reading() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.actor == name))).all()
    assert [(row.action, row.details, row.reason) for row in rows] == [
        ("console.sign_in", {"role": "support"}, "signed in by a link")
    ]


@pytest.mark.parametrize("path", PAGES)
async def test_shows_nothing_to_people_who_are_not_signed_in(app: FastAPI, path: str) -> None:
    async with browser_of(app) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 401
    assert "Sign in" in answer.text


@pytest.mark.parametrize("role", list(Role))
async def test_shows_each_role_the_pages_of_its_work_and_no_other(
    app: FastAPI, database: Database, role: Role
) -> None:
    async with signed_in(app, database, role=role, name=unique("Rita")) as operator:
        for path, permission in PAGES.items():
            expected = 200 if permission in PERMISSIONS[role] else 403
            assert (await operator.opens(path)).status_code == expected, path


async def test_every_answer_has_a_policy_that_allows_nothing_inline(
    app: FastAPI, database: Database
) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as operator:
        for path in (*PAGES, "/console/cases/not-a-uuid"):
            answer = await operator.opens(path)
            policy = answer.headers["content-security-policy"]
            for directive in ("default-src", "base-uri", "form-action", "frame-ancestors"):
                assert directive in policy
            assert "unsafe" not in policy
            assert " style=" not in answer.text
            assert " onclick=" not in answer.text


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_refuses_a_form_without_the_token_of_the_session(
    app: FastAPI, database: Database, token: str
) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as operator:
        answer = await operator.browser.post("/console/sign-out", data={"csrf_token": token})
        assert answer.status_code == 403
        assert (await operator.opens("/console")).status_code == 200


async def test_refuses_a_form_with_the_token_of_another_session(
    app: FastAPI, database: Database
) -> None:
    async with (
        signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as first,
        signed_in(app, database, role=Role.ADMIN, name=unique("Eve")) as second,
    ):
        foreign = second.browser.cookies["referrals_console"]
        page = await first.opens("/console")
        token = page.text.partition('name="csrf_token" value="')[2][:64]
        second.browser.cookies.set("referrals_console", foreign)
        answer = await second.browser.post("/console/sign-out", data={"csrf_token": token})
        assert answer.status_code == 403


async def test_refuses_a_form_from_another_origin(app: FastAPI, database: Database) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as operator:
        page = await operator.opens("/console")
        token = page.text.partition('name="csrf_token" value="')[2][:64]
        answer = await operator.browser.post(
            "/console/sign-out",
            data={"csrf_token": token},
            headers={"Origin": "https://elsewhere.example"},
        )
        assert answer.status_code == 403


async def test_signing_out_ends_the_session_for_a_kept_cookie(
    app: FastAPI, database: Database
) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as operator:
        kept = operator.browser.cookies["referrals_console"]
        assert (await operator.sends("/console/sign-out", seen_on="/console")).status_code == 303
        operator.browser.cookies.set("referrals_console", kept, domain="console.test")
        assert (await operator.opens("/console")).status_code == 401
