"""Promises of the landing page, made only where the campaign and the jurisdiction allow them."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.link.landing.jurisdictions import must_conceal, parse_jurisdiction
from tests.api.bodies import create_code, publish_campaign
from tests.api.link.landing_page import follow_link, parse_page
from tests.user_agents import IPHONE, LINK_PREVIEW, WINDOWS

ONTARIO = ("CA-ON",)


@pytest.mark.parametrize(
    ("listed", "trusted", "from_query", "is_concealed"),
    [
        ((), None, None, False),
        ((), "CA-ON", "CA-ON", False),
        (ONTARIO, "CA-ON", None, True),
        (ONTARIO, "CA-QC", None, False),
        (ONTARIO, None, None, True),
        (ONTARIO, None, "CA-QC", True),
        (ONTARIO, "CA-ON", "CA-QC", True),
        (ONTARIO, "CA-QC", "CA-ON", True),
        (ONTARIO, "CA", None, True),
        (ONTARIO, "US-CA", None, False),
        (("BR",), "BR-SP", None, True),
        (("BR",), "BR", None, True),
        (("BR", "CA-ON"), "CA-ON", None, True),
        (("US-N",), "US-NJ", None, False),
    ],
)
def test_conceals_where_any_listed_place_may_be_meant(
    listed: tuple[str, ...],
    trusted: str | None,
    from_query: str | None,
    is_concealed: bool,  # noqa: FBT001 # a column of the table
) -> None:
    assert must_conceal(listed, trusted=trusted, from_query=from_query) is is_concealed


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (" ca-on ", "CA-ON"),
        ("BR", "BR"),
        ("GB-ENG", "GB-ENG"),
        ("", None),
        ("unknown", None),
        ("CA-ON, CA-QC", None),
        ("CA_ON", None),
    ],
)
def test_reads_only_codes_of_iso_3166(given: str, place: str | None) -> None:
    assert parse_jurisdiction(given) == place


async def test_a_closed_offer_promises_nothing(client: AsyncClient, app: FastAPI) -> None:
    slug = await publish_campaign(client)
    code = await create_code(client, slug)
    await client.post(f"/v1/campaigns/{slug}/end", json={"reason": "over"})
    answer = await follow_link(app, f"/r/{code}", WINDOWS, **{"Accept-Language": "es"})
    assert answer.status_code == 410
    assert "Esta oferta ha terminado" in parse_page(answer.text).text
    assert "$" not in parse_page(answer.text).text
    assert parse_page(answer.text).links == ["https://book.example/signup?lang=en"]


@pytest.mark.parametrize(
    ("jurisdiction", "query", "is_promised"),
    [
        ("US-NJ", "", True),
        ("CA-QC", "", True),
        ("CA-ON", "", False),
        ("CA", "", False),
        ("", "", False),
        ("", "?jurisdiction=US-NJ", False),
        ("CA-ON", "?jurisdiction=US-NJ", False),
        ("US-NJ", "?jurisdiction=CA-ON", False),
        ("US-NJ", "?jurisdiction=nowhere", True),
    ],
)
async def test_nothing_is_promised_where_the_campaign_forbids_it(
    client: AsyncClient,
    app_with_mobile_apps: FastAPI,
    jurisdiction: str,
    query: str,
    is_promised: bool,  # noqa: FBT001 # a column of the table
) -> None:
    link = {"opens": "landing", "no_inducement_in": ["CA-ON"]}
    code = await create_code(client, await publish_campaign(client, link=link))
    headers = {"X-Visitor-Place": jurisdiction} if jurisdiction else {}
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}{query}", WINDOWS, **headers)
    page = parse_page(answer.text)
    promises = "$10" in page.text + page.meta["og:description"] + page.meta["description"]
    assert (promises, "The terms" in page.text) == (is_promised, is_promised)
    assert code in page.text


async def test_a_preview_of_such_a_campaign_promises_nothing_anywhere(
    client: AsyncClient, app_with_mobile_apps: FastAPI
) -> None:
    link = {"no_inducement_in": ["BR"]}
    code = await create_code(client, await publish_campaign(client, link=link))
    headers = {"X-Visitor-Place": "US-NJ"}
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}", LINK_PREVIEW, **headers)
    assert "$" not in parse_page(answer.text).text
    assert parse_page(answer.text).meta["og:description"] == (
        "Your invitation is ready. Continue below, or enter the code when you sign up."
    )


async def test_a_place_claimed_in_the_link_stays_in_other_languages(
    client: AsyncClient, app_with_mobile_apps: FastAPI
) -> None:
    code = await create_code(client)
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}?jurisdiction=ca-on", IPHONE)
    assert "?lang=es&jurisdiction=CA-ON" in parse_page(answer.text).links
