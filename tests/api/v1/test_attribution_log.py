"""The attribution log: an outcome for every attempt, and each decision made again from it."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from db.engine import Database
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
from tests.api.bodies import (
    create_code,
    publish_campaign,
    signup,
    unique,
)


async def outcome_of(client: AsyncClient, player_id: str) -> str:
    """Return the outcome of the last attempt, after deciding it again with the same result."""
    attempt = (await attribution_log(client, player_id))[-1]
    shown = (await client.get(f"/v1/attributions/{attempt['attempt_id']}")).json()
    again = shown["decided_again"]
    assert again is None or again["agrees"], shown
    outcome: str = attempt["outcome"]
    return outcome


async def test_a_bound_signup_lists_every_touch_that_was_judged(
    client: AsyncClient, database: Database
) -> None:
    visitor, first = unique("visitor"), await create_code(client)
    second, typed = await create_code(client), await create_code(client)
    await click(client, first, visitor)
    link = await click(client, second, visitor)

    player = await sign_up(
        client, database, age=NO_TIME_AGO, referral_token=link["referral_token"], code=typed
    )

    assert await outcome_of(client, player) == "bound"
    attribution = (await referral_of(client, player))["attribution"]
    assert (attribution["method"], attribution["confidence"]) == ("typed_code", 1.0)
    weighed = {(one["code"], one["method"], one["outcome"]) for one in attribution["candidates"]}
    assert weighed == {
        (first, "referral_token", "outranked"),
        (second, "referral_token", "outranked"),
        (typed, "typed_code", "won"),
    }


async def test_the_first_touch_wins_where_the_campaign_says_so(
    client: AsyncClient, database: Database
) -> None:
    order = [{"methods": ["referral_token"], "touch": "first"}]
    slug = await publish_campaign(
        client, starts_at="2020-01-01T00:00:00Z", attribution={"order": order}
    )
    visitor, first = unique("visitor"), await create_code(client, slug)
    await click(client, first, visitor)
    last = await click(client, await create_code(client, slug), visitor)

    player = await sign_up(client, database, age=NO_TIME_AGO, referral_token=last["referral_token"])

    assert await outcome_of(client, player) == "bound"
    assert (await referral_of(client, player))["code"] == first
    lost = (await client.get(f"/v1/referrals/{last['referral_id']}")).json()
    assert (lost["stage"], lost["timeline"][-1]["reason"]) == ("LOST", "superseded")


async def test_a_cookie_counts_less_than_a_link(client: AsyncClient, database: Database) -> None:
    cookie = await click(client, await create_code(client))
    link = await click(client, await create_code(client))

    both = await sign_up(
        client,
        database,
        age=NO_TIME_AGO,
        referral_token=link["referral_token"],
        cookie_token=cookie["referral_token"],
    )

    assert (await referral_of(client, both))["referral_id"] == link["referral_id"]
    lost = (await client.get(f"/v1/referrals/{cookie['referral_id']}")).json()
    assert lost["stage"] == "LOST"


async def test_a_cookie_alone_binds_with_less_confidence(
    client: AsyncClient, database: Database
) -> None:
    cookie = await click(client, await create_code(client))

    player = await sign_up(client, database, age=NO_TIME_AGO, cookie_token=cookie["referral_token"])

    attribution = (await referral_of(client, player))["attribution"]
    assert (attribution["method"], attribution["confidence"]) == ("cookie", 0.9)
    (weighed,) = attribution["candidates"]
    assert (weighed["campaign"], weighed["confidence"]) == ("default", 0.9)


async def test_a_token_in_both_query_and_cookie_counts_as_a_link(
    client: AsyncClient, database: Database
) -> None:
    link = await click(client, await create_code(client))
    token = link["referral_token"]

    player = await sign_up(
        client, database, age=NO_TIME_AGO, referral_token=token, cookie_token=token
    )

    attribution = (await referral_of(client, player))["attribution"]
    assert (attribution["method"], attribution["confidence"]) == ("referral_token", 1.0)
    assert [one["outcome"] for one in attribution["candidates"]] == ["won"]


async def test_a_token_in_both_counts_as_the_cookie_where_a_campaign_takes_nothing_else(
    client: AsyncClient, database: Database
) -> None:
    policy = {"order": [{"methods": ["cookie"]}]}
    campaign = await publish_campaign(client, starts_at="2020-01-01T00:00:00Z", attribution=policy)
    token = (await click(client, await create_code(client, campaign)))["referral_token"]

    player = await sign_up(
        client, database, age=NO_TIME_AGO, referral_token=token, cookie_token=token
    )

    assert await outcome_of(client, player) == "bound"
    assert (await referral_of(client, player))["attribution"]["method"] == "cookie"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, "no_touch"),
        ({"code": "NOBODYS"}, "unknown_code"),
        ({"code": "a whole sentence " * 9}, "unknown_code"),
        ({"referral_token": "forged"}, "forged_token"),
        ({"cookie_token": "forged"}, "forged_token"),
    ],
)
async def test_a_signup_that_belongs_to_nobody(
    client: AsyncClient, database: Database, fields: dict[str, Any], outcome: str
) -> None:
    player = await sign_up(client, database, **fields)
    assert await outcome_of(client, player) == outcome


async def test_a_players_own_code_is_a_self_referral(
    client: AsyncClient, database: Database
) -> None:
    player = unique("player")
    code = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]

    await sign_up(client, database, player_id=player, code=code)

    assert await outcome_of(client, player) == "self"


async def test_a_players_own_code_does_not_cost_the_friend_whose_link_they_followed(
    client: AsyncClient, database: Database
) -> None:
    player = unique("player")
    own = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]
    link = await click(client, await create_code(client))

    await sign_up(
        client,
        database,
        age=NO_TIME_AGO,
        player_id=player,
        code=own,
        referral_token=link["referral_token"],
    )

    assert await outcome_of(client, player) == "bound"
    assert (await referral_of(client, player))["referral_id"] == link["referral_id"]


async def test_a_player_who_signed_up_before_is_an_existing_player(
    client: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, age=timedelta(days=400))

    await sign_up(client, database, player_id=player, code=await create_code(client))

    assert await outcome_of(client, player) == "existing_player"
    items = (await client.get("/v1/referrals", params={"player_id": player})).json()["items"]
    assert items == []


async def test_a_player_who_was_referred_before_is_an_existing_player(
    client: AsyncClient, database: Database
) -> None:
    first = await create_code(client)
    player = await sign_up(client, database, code=first)

    await sign_up(
        client, database, age=NO_TIME_AGO, player_id=player, code=await create_code(client)
    )

    assert await outcome_of(client, player) == "existing_player"
    assert (await referral_of(client, player))["code"] == first


async def test_codes_of_paused_and_ended_campaigns_bind_nobody(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, starts_at="2020-01-01T00:00:00Z")
    code = await create_code(client, slug)
    for step, outcome in (("pause", "campaign_paused"), ("end", "campaign_ended")):
        await client.post(f"/v1/campaigns/{slug}/{step}")
        player = await sign_up(client, database, age=NO_TIME_AGO, code=code)
        assert await outcome_of(client, player) == outcome


async def test_a_method_that_the_campaign_leaves_out_is_not_accepted(
    client: AsyncClient, database: Database
) -> None:
    order = [{"methods": ["referral_token"]}]
    slug = await publish_campaign(
        client, starts_at="2020-01-01T00:00:00Z", attribution={"order": order}
    )
    code = await create_code(client, slug)

    player = await sign_up(client, database, code=code)

    assert await outcome_of(client, player) == "not_accepted"


async def test_a_touch_outside_its_methods_window_is_refused(
    client: AsyncClient, database: Database
) -> None:
    order = [{"methods": ["referral_token"], "window": "PT1S"}]
    slug = await publish_campaign(
        client, starts_at="2020-01-01T00:00:00Z", attribution={"order": order}
    )
    link = await click(client, await create_code(client, slug))
    body = signup(referral_token=link["referral_token"], occurred_at=ago(-timedelta(minutes=4)))

    assert (await client.post("/v1/events/signups", json=body)).status_code == 202
    await route(database, body["player_id"])

    assert await outcome_of(client, body["player_id"]) == "outside_window"


async def test_claims_are_late_or_rebind(client: AsyncClient, database: Database) -> None:
    late = await sign_up(client, database, age=timedelta(days=2))
    await claim(client, late, await create_code(client))
    changed = await sign_up(client, database, code=await create_code(client))
    await claim(client, changed, await create_code(client))

    assert await outcome_of(client, late) == "late_code"
    assert await outcome_of(client, changed) == "rebound"
