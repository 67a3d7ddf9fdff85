"""Content of the landing page for persons and for link previews."""

import re
import struct

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from tests.api.bodies import create_code, publish_campaign, terms
from tests.api.link.landing_page import (
    REFEREE_REWARD,
    follow_link,
    parse_page,
    touch_methods,
)
from tests.user_agents import IPHONE, LINK_PREVIEW, WINDOWS


@pytest.mark.parametrize("agent", [LINK_PREVIEW, IPHONE])
async def test_a_page_loads_nothing_and_allows_nothing_else(
    client: AsyncClient, app_with_mobile_apps: FastAPI, agent: str
) -> None:
    code = await create_code(client)
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}", agent)
    assert parse_page(answer.text).loaded == ["data:,"]
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    for source in ("style-src", "script-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy[source])
    assert not re.search(r'\s(?:style|on\w+)="', answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(answer.content) < 16_384


async def test_no_url_of_the_page_contains_personal_data(
    client: AsyncClient, app_with_mobile_apps: FastAPI
) -> None:
    player = {"player_id": "player-named-nobody", "vanity": "NOBODY-CODE"}
    given = await client.post("/v1/codes", json=player)
    answer = await follow_link(
        app_with_mobile_apps, f"/r/{given.json()['code']}?email=a@b.example", IPHONE
    )
    for hidden in ("player-named-nobody", "a@b.example", answer.cookies["visitor"], "127.0.0.1"):
        assert hidden not in answer.text


async def test_a_link_preview_shows_the_offer_and_gets_no_token(
    client: AsyncClient, app_with_mobile_apps: FastAPI, database: Database
) -> None:
    code = await create_code(client, await publish_campaign(client, terms=terms(**REFEREE_REWARD)))
    answer = await follow_link(
        app_with_mobile_apps, f"/r/{code}", LINK_PREVIEW, **{"Accept-Language": "fr"}
    )
    page = parse_page(answer.text)
    assert answer.status_code == 200
    assert page.meta["og:title"] == "Une invitation sur book.example vous attend"
    assert page.meta["og:url"] == f"https://refer.example/r/{code}"
    assert page.meta["og:type"] == "website"
    assert page.meta["og:locale"] == "fr_FR"
    assert page.meta["og:image"] == "https://refer.example/invitation.png"
    assert page.meta["twitter:card"] == "summary_large_image"
    assert page.meta["og:description"].startswith("5,50")
    assert "referral_token" not in answer.text
    assert "set-cookie" not in answer.headers
    assert await touch_methods(database, code) == []


async def test_the_picture_of_a_preview_is_the_same_for_everybody(app: FastAPI) -> None:
    answer = await follow_link(app, "/invitation.png", LINK_PREVIEW)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert "set-cookie" not in answer.headers
    width, height = struct.unpack(">II", answer.content[16:24])
    assert (answer.content[:8], width, height) == (b"\x89PNG\r\n\x1a\n", 1200, 630)
    assert len(answer.content) < 65_536


async def test_a_page_speaks_the_language_asked_for(
    client: AsyncClient, app_with_mobile_apps: FastAPI
) -> None:
    code = await create_code(client)
    german = {"Accept-Language": "de"}
    asked = await follow_link(app_with_mobile_apps, f"/r/{code}", IPHONE, **german)
    wished = await follow_link(app_with_mobile_apps, f"/r/{code}?lang=pt", IPHONE, **german)
    unknown = await follow_link(app_with_mobile_apps, "/r/NOSUCHCODE", WINDOWS, **german)
    for answer, language, sentence in (
        (asked, "de", "Du bist zu book.example eingeladen"),
        (wished, "pt", "Você recebeu um convite para book.example"),
        (unknown, "de", "Diesen Code kennen wir nicht"),
    ):
        assert (parse_page(answer.text).language, answer.headers["content-language"]) == (
            language,
        ) * 2
        assert sentence in parse_page(answer.text).text
    assert {"?lang=en", "?lang=es", "?lang=pt", "?lang=fr", "?lang=de"} <= set(
        parse_page(asked.text).links
    )
