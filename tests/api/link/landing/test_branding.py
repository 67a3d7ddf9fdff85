"""Logo, terms and helplines on the pages of a campaign's link."""

from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.api.bodies import assert_problem, campaign, create_code, publish_campaign
from tests.api.link.landing_page import follow_link, parse_page
from tests.fixtures.api_client import caller
from tests.user_agents import IPHONE, LINK_PREVIEW, WINDOWS

LOGO = "https://book.example/logo.svg?v=2&dark"
TERMS = "https://book.example/terms?offer=spring"
NEW_JERSEY = {
    "jurisdiction": "US-NJ",
    "text": "Gambling problem? Call 1-800-GAMBLER.",
    "phone": "1-800-426-2537",
    "url": "https://www.1800gambler.net/",
}
ELSEWHERE = {"text": "Worried <b>about</b> betting?", "phone": "+44 808 8020 133"}
BRANDED = {"logo_url": LOGO, "terms_url": TERMS, "helplines": [NEW_JERSEY, ELSEWHERE]}


@pytest.mark.parametrize("agent", [IPHONE, WINDOWS, LINK_PREVIEW])
async def test_a_page_shows_logo_terms_and_helplines(
    client: AsyncClient, app_with_mobile_apps: FastAPI, agent: str
) -> None:
    slug = await publish_campaign(client, link={"opens": "landing", **BRANDED})
    answer = await follow_link(app_with_mobile_apps, f"/r/{await create_code(client, slug)}", agent)
    page = parse_page(answer.text)
    assert LOGO in page.loaded
    assert {TERMS, "tel:18004262537", "tel:+448088020133", NEW_JERSEY["url"]} <= set(page.links)
    assert "US-NJ: Gambling problem? Call 1-800-GAMBLER." in page.text
    assert "Worried <b>about</b> betting?" in page.text
    policy = answer.headers["content-security-policy"]
    assert "img-src data: https://book.example" in policy.split("; ")


@pytest.mark.parametrize(
    ("place", "query", "numbers"),
    [
        ("US-NJ", "", ["tel:18004262537"]),
        ("GB", "", ["tel:+448088020133"]),
        ("GB", "?jurisdiction=US-NJ", ["tel:+448088020133"]),
        ("", "?jurisdiction=US-NJ", ["tel:18004262537"]),
        ("", "", ["tel:18004262537", "tel:+448088020133"]),
    ],
)
async def test_a_visitor_sees_the_helplines_of_their_place(
    client: AsyncClient, app_with_mobile_apps: FastAPI, place: str, query: str, numbers: list[str]
) -> None:
    slug = await publish_campaign(client, link={"opens": "landing", **BRANDED})
    path = f"/r/{await create_code(client, slug)}{query}"
    headers = {"X-Visitor-Place": place} if place else {}
    answer = await follow_link(app_with_mobile_apps, path, WINDOWS, **headers)
    assert [url for url in parse_page(answer.text).links if url.startswith("tel:")] == numbers


async def test_a_closed_offer_keeps_its_logo_terms_and_helplines(
    client: AsyncClient, app: FastAPI
) -> None:
    slug = await publish_campaign(client, link=BRANDED)
    code = await create_code(client, slug)
    await client.post(f"/v1/campaigns/{slug}/end", json={"reason": "over"})
    answer = await follow_link(app, f"/r/{code}", WINDOWS)
    page = parse_page(answer.text)
    assert answer.status_code == 410
    assert LOGO in page.loaded
    assert {TERMS, "tel:18004262537"} <= set(page.links)


async def test_a_page_without_a_logo_names_the_site_and_loads_nothing(
    client: AsyncClient, app: FastAPI
) -> None:
    code = await create_code(client, await publish_campaign(client, link={"opens": "landing"}))
    answer = await follow_link(app, f"/r/{code}", WINDOWS)
    assert parse_page(answer.text).loaded == ["data:,"]
    assert "img-src data:" in answer.headers["content-security-policy"].split("; ")


async def test_an_unknown_code_leads_where_links_of_the_default_campaign_do(
    app: FastAPI, client: AsyncClient
) -> None:
    destination = (await client.get("/v1/campaigns/default")).json()["destination"]
    for path in ("/r/NOSUCHCODE", "/r/", "/r"):
        answer = await follow_link(app, path, IPHONE)
        assert (answer.status_code, parse_page(answer.text).links) == (404, [destination])


async def test_a_campaign_shows_its_branding_as_it_was_written(client: AsyncClient) -> None:
    body = campaign(link=BRANDED)
    written = await client.post("/v1/campaigns", json=body)
    assert written.json()["link"] == {
        "opens": "destination",
        "no_inducement_in": [],
        "logo_url": LOGO,
        "terms_url": TERMS,
        "helplines": [NEW_JERSEY, {"jurisdiction": "*", "url": None, **ELSEWHERE}],
        "terms_texts": [],
    }
    again = await client.put(
        f"/v1/campaigns/{body['slug']}", json={**body, "link": written.json()["link"]}
    )
    assert again.json()["link"] == written.json()["link"]


@pytest.mark.parametrize(
    ("field", "link"),
    [
        ("link.logo_url", {"logo_url": "http://book.example/logo.png"}),
        ("link.logo_url", {"logo_url": "https://a;script-src/logo.png"}),
        ("link.logo_url", {"logo_url": "https://a,b/logo.png"}),
        ("link.logo_url", {"logo_url": "https://'unsafe-inline'/x"}),
        ("link.logo_url", {"logo_url": "data:image/png;base64,AAAA"}),
        ("link.terms_url", {"terms_url": "javascript:alert(1)"}),
        ("link.terms_url", {"terms_url": ""}),
        ("link.helplines.0.phone", {"helplines": [{**ELSEWHERE, "phone": "1-800-GAMBLER"}]}),
        ("link.helplines.0.phone", {"helplines": [{**ELSEWHERE, "phone": "٠٨٠٠"}]}),
        ("link.helplines.0.text", {"helplines": [{**ELSEWHERE, "text": " "}]}),
        ("link.helplines.0.url", {"helplines": [{**ELSEWHERE, "url": "ftp://help.example"}]}),
        ("link.helplines.1", {"helplines": [ELSEWHERE, "116 123"]}),
        ("link.helplines", {"helplines": [ELSEWHERE] * 101}),
    ],
)
async def test_what_a_page_could_not_show_is_refused(
    client: AsyncClient, field: str, link: dict[str, Any]
) -> None:
    answer = await client.post("/v1/campaigns", json=campaign(link=link))
    assert_problem(answer, 422, "validation_failed", field)


@pytest.mark.parametrize("jurisdiction", ["US_NJ", "us-nj", "**", "", "New Jersey"])
async def test_a_helpline_is_of_a_jurisdiction(client: AsyncClient, jurisdiction: str) -> None:
    link = {"helplines": [{**ELSEWHERE, "jurisdiction": jurisdiction}]}
    answer = await client.post("/v1/campaigns", json=campaign(link=link))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "link.helplines.0.jurisdiction"


async def test_logo_and_terms_are_on_the_allowed_hosts(
    client: AsyncClient, settings: Settings, database: Database, approver_key: str
) -> None:
    link = {"logo_url": "https://cdn.book.example/logo.svg", "terms_url": "https://else.example/"}
    body = campaign(link=link)
    assert (await client.post("/v1/campaigns", json=body)).status_code == 201
    strict = build_app(settings.model_copy(update={"destination_hosts": "book.example"}), database)
    async with caller(strict, approver_key) as approver:
        answer = await approver.post(f"/v1/campaigns/{body['slug']}/publish")
    assert_problem(answer, 422, "validation_failed", "link.terms_url")
    assert len(answer.json()["errors"]) == 1
