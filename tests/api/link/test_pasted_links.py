"""Links with what chats, scanners and people make of them."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.api.bodies import create_code
from tests.api.first_opens import unique_ip
from tests.fixtures.api_client import browser


@pytest.mark.parametrize("around", [".", ",", ")", "%E2%80%9D", "%22", "%3E", "*", "!", "…"])
async def test_a_link_works_with_what_a_chat_adds_to_it(
    client: AsyncClient, app: FastAPI, around: str
) -> None:
    code = await create_code(client)
    async with browser(app) as visitor:
        answer = await visitor.get(f"/r/{code}{around}")
    assert answer.status_code == 302
    assert "referral_token=" in answer.headers["location"]


@pytest.mark.parametrize("query", ["&utm_source=sms", "%3Futm_source=sms", "&amp;lang=es", "&gt;"])
async def test_a_link_works_with_a_query_that_was_added_wrongly(
    client: AsyncClient, app: FastAPI, query: str
) -> None:
    code = await create_code(client)
    async with browser(app) as visitor:
        answer = await visitor.get(f"/r/{code}{query}")
    assert "referral_token=" in answer.headers["location"]


@pytest.mark.parametrize("before", ["/R/", "//r/", "/r//", "/r/%E2%80%9E", "/r/&quot;"])
async def test_a_link_works_as_qr_codes_and_templates_write_it(
    client: AsyncClient, app: FastAPI, before: str
) -> None:
    code = await create_code(client)
    async with browser(app) as visitor:
        answer = await visitor.get(f"https://refer.example{before}{code}")
    assert "referral_token=" in answer.headers["location"]


async def test_sixty_links_with_a_full_stop_lock_no_household_out(
    client: AsyncClient, app: FastAPI
) -> None:
    code = await create_code(client)
    async with browser(app, ip=unique_ip()) as visitor:
        dotted = {(await visitor.get(f"/r/{code}.")).status_code for _ in range(61)}
        plain = await visitor.get(f"/r/{code}")
    assert (dotted, plain.status_code) == ({302}, 302)
