"""The full terms by place: shown, reported as accepted on either side, recorded on the referral."""

from typing import Any

import pytest
from httpx import AsyncClient

from courier.route_player import route_player
from db.engine import Database
from domain.campaigns.terms_texts import TermsText, text_for
from tests.activities.referral_acts import LATER
from tests.api.bodies import assert_problem, campaign, publish_campaign, signup, unique
from tests.builders import TOKENS

NEW_JERSEY = {
    "jurisdiction": "US-NJ",
    "version": "nj-2026-03",
    "url": "https://book.example/terms/nj",
}
ELSEWHERE = {"jurisdiction": "*", "version": "2026-01", "url": "https://book.example/terms"}
TEXTS = [NEW_JERSEY, ELSEWHERE]


@pytest.mark.parametrize(
    ("place", "version"),
    [("US-NJ", "nj"), ("US-NY", "us"), ("US", "us"), ("BR", "any"), (None, "any")],
)
def test_a_place_has_its_own_text_else_its_countrys_else_the_one_for_elsewhere(
    place: str | None, version: str
) -> None:
    texts = [
        TermsText(jurisdiction=jurisdiction, version=name, url="https://book.example")
        for jurisdiction, name in (("US", "us"), ("US-NJ", "nj"), ("*", "any"))
    ]
    found = text_for(texts, place)
    assert found is not None
    assert found.version == version
    assert text_for(texts[:2], "BR") is None


async def test_records_what_both_players_were_shown_and_accepted(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, link={"terms_texts": TEXTS})
    code = await _code(client, slug, accepted_terms="2026-01", jurisdiction="BR")
    offer = (await client.get(f"/v1/codes/{code}")).json()
    assert offer["terms_texts"] == TEXTS

    # The friend accepted a text that is not the one of their place, and both are kept.
    referral = await _sign_up(client, database, code, accepted_terms="2026-01")
    accepted = referral["accepted_terms"]
    assert accepted["referee"] == {
        "version": "2026-01",
        "shown": "nj-2026-03",
        "jurisdiction": "US-NJ",
        "at": "2026-03-01T12:00:00Z",
    }
    assert {name: accepted["referrer"][name] for name in ("version", "shown", "jurisdiction")} == {
        "version": "2026-01",
        "shown": "2026-01",
        "jurisdiction": "BR",
    }


async def test_an_invitation_keeps_what_its_referrer_had_accepted_by_then(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client, link={"terms_texts": TEXTS})
    player_id = unique("referrer")
    code = await _code(client, slug, player_id=player_id)
    before = await _click(client, code)
    await _code(client, slug, player_id=player_id, accepted_terms="nj-1", jurisdiction="US-NJ")
    between = await _click(client, code)
    await _code(client, slug, player_id=player_id, accepted_terms="nj-2026-03")
    # Asking without an acceptance takes none back.
    await _code(client, slug, player_id=player_id)
    after = await _click(client, code)

    assert before["accepted_terms"] == {"referrer": None, "referee": None}
    versions = [one["accepted_terms"]["referrer"]["version"] for one in (between, after)]
    assert versions == ["nj-1", "nj-2026-03"]


async def test_a_signup_that_reports_no_acceptance_records_none(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, link={"terms_texts": TEXTS})
    referral = await _sign_up(client, database, await _code(client, slug))
    assert referral["accepted_terms"] == {"referrer": None, "referee": None}


async def test_the_page_of_a_link_leads_to_the_text_of_the_visitors_place(
    client: AsyncClient,
) -> None:
    link = {"opens": "landing", "terms_texts": TEXTS, "terms_url": "https://book.example/old"}
    slug = await publish_campaign(client, link=link)
    code = await _code(client, slug)
    browser = {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    }
    for place, url in (("US-NJ", NEW_JERSEY["url"]), ("BR", ELSEWHERE["url"])):
        page = await client.get(f"/r/{code}", params={"jurisdiction": place}, headers=browser)
        assert f'href="{url}"' in page.text
        assert "book.example/old" not in page.text


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ([NEW_JERSEY, NEW_JERSEY], "link.terms_texts[1].jurisdiction"),
        ([NEW_JERSEY | {"version": "a b"}], "link.terms_texts.0.version"),
        ([NEW_JERSEY | {"url": "http://book.example"}], "link.terms_texts.0.url"),
    ],
    ids=["twice", "version", "url"],
)
async def test_refuses_texts_with_the_path_of_the_fault(
    client: AsyncClient, texts: list[dict[str, Any]], field: str
) -> None:
    answer = await client.post("/v1/campaigns", json=campaign(link={"terms_texts": texts}))
    assert_problem(answer, 422, "validation_failed", field)


async def _code(client: AsyncClient, slug: str, **changes: object) -> str:
    body = {"player_id": unique("referrer"), "campaign": slug, **changes}
    answer = await client.post("/v1/codes", json=body)
    assert answer.is_success, answer.text
    code: str = answer.json()["code"]
    return code


async def _click(client: AsyncClient, code: str) -> dict[str, Any]:
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "ios"}
    clicked = (await client.post("/v1/clicks", json=click)).json()
    return await _referral(client, referral_id=clicked["referral_id"])


async def _referral(client: AsyncClient, *, referral_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/v1/referrals/{referral_id}")).json()
    return found


async def _sign_up(
    client: AsyncClient, database: Database, code: str, **changes: object
) -> dict[str, Any]:
    body = signup(occurred_at="2026-03-01T12:00:00Z", code=code, **changes)
    answer = await client.post("/v1/events/signups", json=body)
    assert answer.status_code == 202, answer.text
    player_id = body["player_id"]
    async with database.transaction() as session:
        await route_player(session, player_id, tokens=TOKENS, now=LATER)
    listed = await client.get("/v1/referrals", params={"player_id": player_id, "role": "referee"})
    (found,) = listed.json()["items"]
    return await _referral(client, referral_id=found["referral_id"])
