"""A player's page: support sees there why the signup was attributed, or to nobody."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.console.attributions import SENTENCES
from db.engine import Database
from domain.attribution.policy import Refusal
from referrals.access.console.roles import Role
from tests.api.attribution_steps import sign_up
from tests.api.bodies import create_code, unique
from tests.api.console.signed_in import signed_in


def test_every_outcome_has_a_sentence() -> None:
    assert set(Refusal) <= SENTENCES.keys()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("NOSUCH99", "Nobody has the code that was typed."),
        (None, "The signup came without a code and without a token of a link."),
    ],
)
async def test_support_sees_why_a_player_was_attributed_to_nobody(
    app: FastAPI, client: AsyncClient, database: Database, typed: str | None, sentence: str
) -> None:
    player = await sign_up(client, database, age=timedelta(0), code=typed)
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as support:
        page = (await support.opens(f"/console/players/{player}")).text
    assert sentence in page
    assert "This player is in no referral." in page


async def test_support_sees_to_whom_a_player_was_attributed(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, age=timedelta(0), code=code)
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as support:
        page = (await support.opens(f"/console/players/{player}")).text
    assert "The player belongs to this referral." in page
    assert f"typed code {code} won" in page


async def test_a_search_by_a_mail_address_says_that_nobody_is_found_by_it(
    app: FastAPI, database: Database
) -> None:
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as support:
        page = (await support.opens("/console/search?q=ann%40example.com")).text
    assert "only hashes of them are kept" in page
