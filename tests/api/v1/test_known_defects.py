"""Defects known from other referral systems, tried here as far as they concern attribution.

Those of money are tried with the ledger and the workflows. Each docstring names a defect.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import unquote
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from courier.route_player import route_player
from db.engine import Database
from db.tables import TouchRow
from tests.api.attribution_steps import (
    NO_TIME_AGO,
    ago,
    attribution_log,
    claim,
    click,
    referral_of,
    route,
    sign_up,
)
from tests.api.bodies import create_code, signup, unique
from tests.api.first_opens import (
    BROWSER_TRAITS,
    NO_MATCH_ANSWER,
    PHONE_TRAITS,
    follow_link,
    play_install,
    resolve,
    unique_ip,
)
from tests.builders import TOKENS
from tests.fixtures.api_client import browser
from tests.user_agents import safari

KEYED_HASH = re.compile(r"hm\d+:[0-9a-f]{64}")
"""A hash under the key of a version, of which other tests have several."""


async def codes_of_referrals(client: AsyncClient, player_id: str) -> Sequence[str]:
    query = {"player_id": player_id, "role": "referee"}
    items = (await client.get("/v1/referrals", params=query)).json()["items"]
    return [item["code"] for item in items if item["stage"] != "LOST"]


async def test_two_referrers_never_hold_one_friend(client: AsyncClient, database: Database) -> None:
    """Refute the defect: no unique key, so that one player belonged to two referrers."""
    codes = [await create_code(client) for _ in range(6)]
    body = signup(occurred_at=ago(timedelta(hours=1)))
    assert (await client.post("/v1/events/signups", json=body)).status_code == 202
    player = body["player_id"]

    await asyncio.gather(route(database, player), *(claim(client, player, code) for code in codes))

    assert len(await codes_of_referrals(client, player)) == 1


async def test_nobody_refers_themselves(client: AsyncClient, database: Database) -> None:
    """Refute the defect: a check for self-referrals that was missing or off by default."""
    player = unique("player")
    code = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]

    await sign_up(client, database, player_id=player, code=code)

    assert (await attribution_log(client, player))[-1]["outcome"] == "self"


async def test_a_signup_of_an_old_player_that_is_sent_again_makes_no_referral(
    client: AsyncClient, database: Database
) -> None:
    """Refute the defect: a second signup event of an old player, with a code, made a referral."""
    player = await sign_up(client, database, age=timedelta(days=300))

    await sign_up(client, database, player_id=player, code=await create_code(client))

    assert await codes_of_referrals(client, player) == []


async def test_no_redirect_url_contains_personal_data(app: FastAPI, client: AsyncClient) -> None:
    """Refute the defect: names and mail addresses, only encoded, in the query of a redirect."""
    referrer = unique("referrer")
    code = (await client.post("/v1/codes", json={"player_id": referrer})).json()["code"]
    async with browser(app) as visitor:
        answer = await visitor.get(f"/r/{code}")

    location = unquote(answer.headers["location"])
    assert "referral_token=" in location
    assert referrer not in location
    assert code not in location


async def test_which_touch_counts_is_decided_here_and_not_by_the_browsers_cookie(
    client: AsyncClient, database: Database
) -> None:
    """Refute the defect: a cookie that is overwritten forgets the first touch."""
    visitor, first = unique("visitor"), await create_code(client)
    await click(client, first, visitor)
    last = await click(client, await create_code(client), visitor)

    player = await sign_up(client, database, age=NO_TIME_AGO, cookie_token=last["referral_token"])

    weighed = (await referral_of(client, player))["attribution"]["candidates"]
    assert {first, (await referral_of(client, player))["code"]} == {one["code"] for one in weighed}


@pytest.mark.parametrize("cookie", ["ANN:7", "ANN", "e30.e30.e30"])
async def test_an_unsigned_cookie_is_forged(
    client: AsyncClient, database: Database, cookie: str
) -> None:
    """Refute the defect: an unsigned cookie `code:session` that anybody could write."""
    player = await sign_up(client, database, cookie_token=cookie)

    assert (await attribution_log(client, player))[-1]["outcome"] == "forged_token"


async def test_of_two_links_behind_one_address_none_is_guessed(client: AsyncClient) -> None:
    """Refute the defect: the first key that a scan returned was credited."""
    address = unique_ip()
    for _ in range(2):
        await follow_link(client, await create_code(client), ip=address, **BROWSER_TRAITS)

    assert await resolve(client, ip=address, **PHONE_TRAITS) == NO_MATCH_ANSWER


async def test_an_address_alone_matches_nothing(client: AsyncClient) -> None:
    """Refute the defect: offices, dorms and carriers share an address."""
    address = unique_ip()
    await follow_link(client, await create_code(client), ip=address)

    assert await resolve(client, ip=address) == NO_MATCH_ANSWER


async def test_an_address_in_a_visitors_header_is_not_believed(
    app: FastAPI, client: AsyncClient
) -> None:
    """Refute the defect: X-Forwarded-For was believed from any sender."""
    code, own, claimed = await create_code(client), unique_ip(), unique_ip()
    headers = {"Accept-Language": "en-US", "X-Forwarded-For": claimed}
    agent = safari(system="18_5", version="18.5")
    async with browser(app, agent, ip=own, **headers) as phone:
        assert (await phone.get(f"/r/{code}")).status_code in {200, 302}

    assert await resolve(client, ip=claimed, **PHONE_TRAITS) == NO_MATCH_ANSWER
    assert (await resolve(client, ip=own, **PHONE_TRAITS))["code"] == code


async def test_a_signup_whose_first_try_failed_is_not_a_duplicate(
    client: AsyncClient, database: Database
) -> None:
    """Refute the defect: a mark set before the work made the retry look like a duplicate."""
    code, body = await create_code(client), signup()
    body["code"] = code
    await client.post("/v1/events/signups", json=body)

    with pytest.raises(ConnectionError):
        await _route_and_lose_connection(database, body["player_id"])
    assert await codes_of_referrals(client, body["player_id"]) == []
    await route(database, body["player_id"])

    assert await codes_of_referrals(client, body["player_id"]) == [code]


async def test_an_address_is_kept_as_a_keyed_hash(client: AsyncClient, database: Database) -> None:
    """Refute the defect: a plain SHA-256 of an IPv4 address is reversed by trying all of them."""
    address = "198.51.100.77"
    await follow_link(client, await create_code(client), ip=address)

    async with database.reading() as session:
        kept = set(await session.scalars(select(TouchRow.ip).where(TouchRow.ip.is_not(None))))

    assert len(kept) > 0
    assert all(KEYED_HASH.fullmatch(one) for one in kept if one)
    assert f"hm1:{sha256(address.encode()).hexdigest()}" not in kept


async def test_where_a_private_relay_hides_the_address_the_typed_code_still_works(
    client: AsyncClient, database: Database
) -> None:
    """Refute the defect: links matched by address fail behind a private relay."""
    code = await create_code(client)
    await follow_link(client, code, ip=unique_ip(), **BROWSER_TRAITS)

    assert await resolve(client, ip=unique_ip(), **PHONE_TRAITS) == NO_MATCH_ANSWER
    player = await sign_up(client, database)
    assert (await claim(client, player, code)).json()["outcome"] == "bound"


async def test_a_reinstalled_app_refers_nobody_new(client: AsyncClient, database: Database) -> None:
    """Refute the defect: Play reports the same install referrer for 90 days, on every install."""
    device, token = str(uuid4()), await follow_link(client, await create_code(client))
    first = await resolve(client, device_id=device, **play_install(token))
    await sign_up(
        client,
        database,
        age=NO_TIME_AGO,
        referral_token=first["referral_token"],
        device_id=device,
    )

    again = await resolve(client, device_id=device, **play_install(token))

    assert first["method"] == "install_referrer"
    assert again == NO_MATCH_ANSWER


async def _route_and_lose_connection(database: Database, player_id: str) -> None:
    async with database.transaction() as session:
        await route_player(session, player_id, tokens=TOKENS, now=datetime.now(UTC))
        raise ConnectionError
