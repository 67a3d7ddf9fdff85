"""Tests of search and tables at the console: what is pasted, filters, pages and CSV."""

import csv
import io
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.console.formats import show_money
from api.console.tables import Column, Row, Table, csv_answer
from db.engine import Database
from domain.lifecycle.referral import Stage
from referrals.access.console.roles import Role
from referrals.localisation.formats import Sum
from tests.api.bodies import create_code, deposit, publish_campaign, unique
from tests.api.console.signed_in import signed_in
from tests.api.staged_referrals import referral_at_stage


async def test_finds_whatever_one_pastes(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    staged = await referral_at_stage(client, database, to=Stage.REWARDED, code=code)
    reward_id = await _reward_id(client, staged.referral_id)
    paid = deposit(player_id=staged.referee_id)
    assert (await client.post("/v1/events/deposits", json=paid)).status_code == 202
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as support:
        for pasted in (staged.referrer_id, code.lower(), f"https://refer.example/r/{code}"):
            page = await support.opens(f"/console/search?q={pasted}")
            assert str(staged.referral_id) in page.text, pasted
        for pasted in (paid["deposit_id"], paid["event_id"]):
            page = await support.opens(f"/console/search?q={pasted}")
            assert f"/console/referrals/{staged.referral_id}" in page.text, pasted
        opened = await support.opens(f"/console/search?q={staged.referral_id}")
        assert opened.headers["location"] == f"/console/referrals/{staged.referral_id}"
        opened = await support.opens(f"/console/search?q={reward_id}")
        assert opened.headers["location"] == f"/console/ledger/rewards/{reward_id}"
        nothing = await support.opens("/console/search?q=nobody-has-this-id")
        assert "Nothing has the id" in nothing.text


async def test_a_csv_has_the_filtered_rows_and_no_formula(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    staged = await referral_at_stage(client, database, to=Stage.SIGNED_UP)
    await referral_at_stage(client, database, to=Stage.SIGNED_UP)
    name = f"=cmd|{unique('Ada')}"
    async with signed_in(app, database, role=Role.ADMIN, name=name) as admin:
        path = f"/console/referrals?player={staged.referee_id}&format=csv"
        answer = await admin.opens(path)
        assert answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(row["Referral"], row["Referee"], row["Stage"]) for row in rows] == [
            (str(staged.referral_id), staged.referee_id, "SIGNED_UP")
        ]
        audit = await admin.opens("/console/ledger/audit?action=console.sign_in&format=csv")
        assert f"'{name}" in audit.text
        assert f"\n{name}" not in audit.text


@pytest.mark.parametrize("start", ["=", "@", "\n=", " =", "\u00a0+", "\uff1d", "\uff0b"])
def test_a_csv_has_no_cell_that_a_spreadsheet_would_run(start: str) -> None:
    cell = f"{start}HYPERLINK(1)"
    table = Table(name="notes", columns=[Column("Note")], rows=[Row((cell,))], empty="")

    (_, (written,)) = csv.reader(io.StringIO(bytes(csv_answer(table).body).decode(), newline=""))

    assert written == f"'{cell}"


def test_a_csv_with_more_to_come_is_named_incomplete() -> None:
    table = Table(name="audit", columns=[Column("Who")], rows=[Row(("Ada",))], empty="")

    for cursor, name in ((None, "audit.csv"), ("next", "audit-incomplete.csv")):
        disposition = csv_answer(table, next_cursor=cursor).headers["content-disposition"]
        assert disposition == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    "query", ["stage=HELDX", "stage=held", f"player={'p' * 201}", "code=ann%00"]
)
async def test_a_filter_that_nothing_can_match_shows_not_everything(
    app: FastAPI, database: Database, query: str
) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as admin:
        answer = await admin.opens(f"/console/referrals?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.text


async def test_a_slash_behind_the_console_leads_to_it(app: FastAPI, database: Database) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as admin:
        answer = await admin.opens("/console/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


async def test_pages_follow_each_other_without_a_row_twice(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    made = {
        str((await referral_at_stage(client, database, to=Stage.SIGNED_UP, code=code)).referral_id)
        for _ in range(27)
    }
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as admin:
        first = (await admin.opens(f"/console/referrals?code={code}")).text
        link = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        second = (await admin.opens(link.replace("&amp;", "&"))).text
    shown = [{one for one in made if one in page} for page in (first, second)]
    assert [len(page) for page in shown] == [25, 2]
    assert shown[0] | shown[1] == made


async def _reward_id(client: AsyncClient, referral_id: object) -> str:
    shown = (await client.get(f"/v1/referrals/{referral_id}")).json()
    return str(shown["rewards"][0]["reward_id"])


@pytest.mark.parametrize(
    ("minor", "text"),
    [(10**16, "$100,000,000,000,000.00"), (-(10**16), "\N{MINUS SIGN}$100,000,000,000,000.00")],
)
def test_shows_sums_that_are_larger_than_one_amount_may_be(minor: int, text: str) -> None:
    assert show_money(Sum(minor, "USD")) == text


async def test_the_days_of_a_campaign_are_those_of_its_zone_as_in_the_report(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    zone = "Pacific/Kiritimati" if datetime.now(UTC).hour >= 11 else "Etc/GMT+12"
    slug = await publish_campaign(client, time_zone=zone)
    code = await create_code(client, campaign=slug)
    await referral_at_stage(client, database, to=Stage.SIGNED_UP, code=code)
    reported = (await client.get(f"/v1/reports/funnel?campaign={slug}")).json()["rows"]
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as marketer:
        answer = await marketer.opens(f"/console?campaign={slug}&format=csv")

    days = list(csv.DictReader(io.StringIO(answer.text)))
    assert days[0]["Day"] != f"{datetime.now(UTC):%Y-%m-%d}"
    assert [(row["Day"], row["Signups"]) for row in days] == [
        (row["day"], str(row["signups"])) for row in reported
    ]
