"""What an offer promises is told only where the campaign and the time allow it."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.api.bodies import code_of_a_new_player, published
from tests.api.link.landing_page import PREVIEW, followed, told
from tests.api.link.test_platforms import IPHONE, WINDOWS


async def test_a_closed_offer_promises_nothing(client: AsyncClient, app: FastAPI) -> None:
    slug = await published(client)
    code = await code_of_a_new_player(client, slug)
    await client.post(f"/v1/campaigns/{slug}/end", json={"reason": "over"})
    answer = await followed(app, f"/r/{code}", WINDOWS, **{"Accept-Language": "es"})
    assert answer.status_code == 410
    assert "Esta oferta ha terminado" in told(answer.text).text
    assert "$" not in told(answer.text).text
    assert told(answer.text).links == ["https://book.example/signup?lang=en"]


@pytest.mark.parametrize(
    ("place", "query", "is_told"),
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
    with_apps: FastAPI,
    place: str,
    query: str,
    is_told: bool,  # noqa: FBT001 # a column of the table
) -> None:
    link = {"opens": "landing", "no_inducement_in": ["CA-ON"]}
    code = await code_of_a_new_player(client, await published(client, link=link))
    headers = {"X-Visitor-Place": place} if place else {}
    answer = await followed(with_apps, f"/r/{code}{query}", WINDOWS, **headers)
    page = told(answer.text)
    promises = "$10" in page.text + page.graph["og:description"] + page.graph["description"]
    assert (promises, "The terms" in page.text) == (is_told, is_told)
    assert code in page.text


async def test_a_preview_of_such_a_campaign_promises_nothing_anywhere(
    client: AsyncClient, with_apps: FastAPI
) -> None:
    link = {"no_inducement_in": ["BR"]}
    code = await code_of_a_new_player(client, await published(client, link=link))
    headers = {"X-Visitor-Place": "US-NJ"}
    answer = await followed(with_apps, f"/r/{code}", PREVIEW, **headers)
    assert "$" not in told(answer.text).text
    assert told(answer.text).graph["og:description"] == (
        "Your invitation is ready. Continue below, or enter the code when you sign up."
    )


async def test_a_place_claimed_in_the_link_stays_in_other_languages(
    client: AsyncClient, with_apps: FastAPI
) -> None:
    code = await code_of_a_new_player(client)
    answer = await followed(with_apps, f"/r/{code}?jurisdiction=ca-on", IPHONE)
    assert "?lang=es&jurisdiction=CA-ON" in told(answer.text).links
