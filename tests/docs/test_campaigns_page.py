"""The calls of docs/campaigns.md that make the first campaign."""

import json
import re
from typing import Final

import pytest
from fastapi import FastAPI

from api.v1.schemas.campaigns import CampaignIn
from db.engine import Database
from domain.money import Money
from referrals.access.audit import Actor
from tests import ROOT
from tests.api.bodies import unique
from tests.docs.snippets import code_blocks
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

CALL: Final = re.compile(
    r'curl -sS "\$API(?P<path>[^"]+)" -H "Authorization: Bearer \$(?P<key>\w+)"'
    r" -H \"Content-Type: application/json\" \\\n  -d '(?P<body>[^']+)'"
)
SCOPES: Final = {
    "MARKETER_KEY": "campaigns:write",
    "APPROVER_KEY": "campaigns:publish",
    "WEB_KEY": "codes:write",
}


async def test_the_first_campaign_is_made_as_the_page_says(
    app: FastAPI, database: Database
) -> None:
    slug = unique("first")  # the tests have a campaign `default` already
    (block,) = code_blocks(ROOT / "docs/campaigns.md", "sh")
    answers = []
    for call in CALL.finditer(block):
        path = call["path"].replace("/default/", f"/{slug}/")
        body = json.loads(call["body"])
        if path == "/v1/codes":
            body |= {"campaign": slug}
        elif path == "/v1/campaigns":
            body |= {"slug": slug}
        async with caller(app, await key_of(database, call["key"])) as client:
            answer = await client.post(path, json=body)
            answers.append((path, answer.status_code))

    assert answers == [
        ("/v1/campaigns", 201),
        (f"/v1/campaigns/{slug}/publish", 200),
        ("/v1/codes", 201),
    ]


@pytest.mark.parametrize(("currency", "minor"), [("USD", 1000), ("EUR", 0), ("JPY", 0)])
def test_four_fields_have_a_minimum_deposit_in_dollars_alone(currency: str, minor: int) -> None:
    page = (ROOT / "docs/campaigns.md").read_text()
    assert "`minimum_deposit` is $10" in page
    assert "there is **no minimum deposit**" in page
    offer = json.loads(code_blocks(ROOT / "docs/campaigns.md", "json")[0])
    for amount in (offer["budget"], offer["terms"]["referrer_reward"]):
        amount["currency"] = currency
    terms = CampaignIn.model_validate(offer).to_draft().terms
    assert terms.minimum_deposit == Money(minor, currency)


async def key_of(database: Database, name: str) -> str:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        return await create_key(session, owner=unique(name), scopes=[SCOPES[name]], actor=actor)
