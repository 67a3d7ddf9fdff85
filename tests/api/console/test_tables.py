"""Tests of search and tables at the console: what is pasted, filters, pages and CSV."""

import csv
import io

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.console.formats import show_money
from db.engine import Database
from domain.lifecycle.referral import Stage
from referrals.access.console.roles import Role
from referrals.localisation.formats import Sum
from tests.api.bodies import create_code, deposit, unique
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
        assert [(row["Referee"], row["Stage"]) for row in rows] == [
            (staged.referee_id, "SIGNED_UP")
        ]
        audit = await admin.opens("/console/ledger/audit?action=console.sign_in&format=csv")
        assert f"'{name}" in audit.text
        assert f"\n{name}" not in audit.text


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
