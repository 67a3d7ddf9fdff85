"""Codes claimed after the signup, under the schedules and policies of campaigns."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from db.engine import Database
from db.tables import Campaign
from domain.campaigns.terms import CampaignStatus
from tests.api.attribution_steps import (
    claim,
    click,
    referral_of,
    sign_up,
)
from tests.api.bodies import (
    assert_problem,
    campaign,
    create_code,
    publish_campaign,
    terms,
)


async def test_a_campaign_says_how_long_a_code_may_be_typed(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(
        client, starts_at="2020-01-01T00:00:00Z", attribution={"claim_grace": "PT1M"}
    )
    code = await create_code(client, slug)

    player = await sign_up(client, database, age=timedelta(minutes=2))

    assert_problem(await claim(client, player, code), 409, "late_code")


async def test_a_link_goes_before_the_code_where_the_campaign_orders_it(
    client: AsyncClient, database: Database
) -> None:
    order = [{"methods": ["referral_token"]}, {"methods": ["typed_code"]}]
    slug = await publish_campaign(
        client, starts_at="2020-01-01T00:00:00Z", attribution={"order": order}
    )
    link = await click(client, await create_code(client, slug))
    player = await sign_up(
        client, database, age=timedelta(0), referral_token=link["referral_token"]
    )

    answer = await claim(client, player, await create_code(client, slug))

    assert_problem(answer, 409, "outranked")
    assert (await referral_of(client, player))["referral_id"] == link["referral_id"]


async def test_refuses_a_code_whose_campaign_was_over_at_the_signup(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, starts_at="2020-01-01T00:00:00Z", terms=terms())
    code = await create_code(client, slug)
    await client.post(f"/v1/campaigns/{slug}/pause")
    player = await sign_up(client, database, age=timedelta(0))

    assert_problem(await claim(client, player, code), 410, "campaign_paused")
    await client.post(f"/v1/campaigns/{slug}/end")
    assert_problem(await claim(client, player, code), 410, "campaign_ended")


@pytest.mark.parametrize("steps", [("pause",), ("end",), ("pause", "end")])
async def test_a_campaign_open_at_the_signup_counts_although_the_claim_arrives_late(
    client: AsyncClient, database: Database, steps: tuple[str, ...]
) -> None:
    slug = await publish_campaign(client, starts_at="2020-01-01T00:00:00Z", terms=terms())
    code = await create_code(client, slug)
    late = await sign_up(client, database)
    for step in steps:
        assert (await client.post(f"/v1/campaigns/{slug}/{step}")).status_code == 200
    typed = await sign_up(client, database, code=code)

    assert (await claim(client, late, code)).json()["outcome"] == "bound"
    assert {(await referral_of(client, one))["code"] for one in (late, typed)} == {code}


async def test_a_campaign_that_was_never_published_was_never_open(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, starts_at="2020-01-01T00:00:00Z", terms=terms())
    code = await create_code(client, slug)
    async with database.transaction() as session:
        await session.execute(
            update(Campaign).where(Campaign.slug == slug).values(status=CampaignStatus.DRAFT)
        )
    assert (await client.post(f"/v1/campaigns/{slug}/end")).status_code == 200

    player = await sign_up(client, database)

    assert_problem(await claim(client, player, code), 410, "campaign_ended")


async def test_a_policy_names_each_method_once_and_only_those_that_signups_bring(
    client: AsyncClient,
) -> None:
    twice = [{"methods": ["cookie"]}, {"methods": ["cookie", "clipboard"]}]
    for order, field in (
        (twice, "attribution.order"),
        ([], "attribution.order"),
        ([{"methods": ["manual"]}], "attribution.order.0.methods.0"),
        ([{"methods": ["cookie"], "window": "P0D"}], "attribution.order.0.window"),
    ):
        body = campaign(attribution={"order": order})
        assert_problem(
            await client.post("/v1/campaigns", json=body), 422, "validation_failed", field
        )


async def test_a_campaign_shows_its_policy_and_its_link(client: AsyncClient) -> None:
    link = {"opens": "landing", "no_inducement_in": ["CA-ON", "BR"]}
    slug = await publish_campaign(client, link=link, attribution={"match_window": "PT1H"})

    campaign_shown = (await client.get(f"/v1/campaigns/{slug}")).json()

    assert campaign_shown["link"] == {
        "opens": "landing",
        "no_inducement_in": ["BR", "CA-ON"],
        "logo_url": None,
        "terms_url": None,
        "helplines": [],
        "terms_texts": [],
    }
    assert campaign_shown["attribution"]["match_window"] == "PT1H"
    assert campaign_shown["attribution"]["claim_grace"] == "P1D"
    first = campaign_shown["attribution"]["order"][0]
    assert first == {"methods": ["typed_code"], "touch": "last", "window": None}
