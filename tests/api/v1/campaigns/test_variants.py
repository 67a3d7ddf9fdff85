"""Variants over HTTP: written, published, promised by click and by code, explained and counted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from db.engine import Database
from domain.campaigns.variants import PromisedRewards, Variant, variant_of
from referrals.campaigns.variants import variants_json
from referrals.campaigns.versions import terms_from
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.api.bodies import assert_problem, campaign, publish_campaign, terms, unique
from tests.builders import TERMS, a_player_id, an_offer, deposit, usd

URL = "/v1/campaigns"
USD_15 = {"minor": 1500, "currency": "USD"}
USD_5 = {"minor": 500, "currency": "USD"}
BONUS = [{"to": "referrer", "kind": "bonus_bet", "amount": {"flat": USD_15}}]
WRITTEN = [
    {"name": "control", "weight": 20, "terms": None},
    {
        "name": "fifteen",
        "weight": 50,
        "terms": {"referrer_reward": USD_15, "referee_reward": USD_5},
    },
    {"name": "bonus", "weight": 30, "terms": {"rewards": BONUS}},
]
SHOWN = [
    {"name": "control", "weight": 20, "terms": None},
    {
        "name": "fifteen",
        "weight": 50,
        "terms": {"referrer_reward": USD_15, "referee_reward": USD_5, "rewards": None},
    },
    {
        "name": "bonus",
        "weight": 30,
        "terms": {"referrer_reward": None, "referee_reward": None, "rewards": BONUS},
    },
]
VARIANTS = (
    Variant(name="control", weight=50),
    Variant(
        name="fifteen",
        weight=50,
        promised=PromisedRewards(referrer_reward=usd(1500), referee_reward=None, rewards=()),
    ),
)


def player_under(slug: str, name: str, variants: Sequence[Variant] = VARIANTS) -> str:
    """Return a new player whose invitations are of a variant."""
    while True:
        player_id = a_player_id()
        found = variant_of(variants, slug, player_id)
        if found is not None and found.name == name:
            return player_id


async def versions_of(client: AsyncClient, slug: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get(f"{URL}/{slug}/versions")).json()["items"]
    return items


async def test_shows_variants_as_a_later_put_may_send_them_again(client: AsyncClient) -> None:
    slug = await publish_campaign(client, variants=WRITTEN)
    shown = (await client.get(f"{URL}/{slug}")).json()
    assert shown["variants"] == SHOWN

    again = campaign(slug=slug, variants=shown["variants"])
    assert (await client.put(f"{URL}/{slug}", json=again)).status_code == 200
    (_, proposed) = await versions_of(client, slug)
    assert (proposed["status"], proposed["changes"]) == ("proposed", [])


async def test_names_what_a_version_changes_of_each_variant(client: AsyncClient) -> None:
    slug = await publish_campaign(client, variants=WRITTEN)
    changed = [
        {**WRITTEN[0], "weight": 50},
        {**WRITTEN[1], "weight": 50, "terms": {"referrer_reward": USD_15}},
    ]
    answer = await client.put(f"{URL}/{slug}", json=campaign(slug=slug, variants=changed))
    assert answer.status_code == 200, answer.text

    (_, proposed) = await versions_of(client, slug)
    cash = [
        {"to": to, "kind": "cash", "amount": {"flat": money}}
        for to, money in (("referrer", USD_15), ("referee", USD_5))
    ]
    bonus = [{"to": "referrer", "kind": "bonus_bet", "amount": {"flat": USD_15}}]
    assert proposed["changes"] == [
        {"field": "variants.control.weight", "before": 20, "after": 50},
        {"field": "variants.fifteen.rewards", "before": cash, "after": cash[:1]},
        {"field": "variants.bonus.weight", "before": 30, "after": None},
        {"field": "variants.bonus.rewards", "before": bonus, "after": None},
    ]


@pytest.mark.parametrize(
    ("variants", "field"),
    [
        ([{"name": "a", "weight": 60}, {"name": "b", "weight": 41}], "variants"),
        ([{"name": "a", "weight": 50}, {"name": "a", "weight": 50}], "variants[1].name"),
        ([{"name": "a", "weight": 100}], "variants.0.weight"),
        ([{"name": "A b", "weight": 50}, {"name": "b", "weight": 50}], "variants.0.name"),
        (
            [
                {"name": "a", "weight": 50},
                {"name": "b", "weight": 50, "terms": {"rewards": [{"to": "nobody"}]}},
            ],
            "variants[1].terms.rewards[0].to",
        ),
        (
            [
                {"name": "a", "weight": 50, "terms": {"hold_period": "P1D"}},
                {"name": "b", "weight": 50},
            ],
            "variants.0.terms.hold_period",
        ),
        (
            [
                {"name": "a", "weight": 50, "terms": {}},
                {"name": "b", "weight": 50},
            ],
            "variants[0].terms.referrer_reward",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_refuses_variants_with_the_path_of_the_fault(
    client: AsyncClient, variants: list[dict[str, Any]], field: str
) -> None:
    answer = await client.post(URL, json=campaign(variants=variants))
    assert_problem(answer, 422, "validation_failed", field)


async def test_variants_whose_cost_the_budget_does_not_cover_are_not_published(
    client: AsyncClient,
) -> None:
    budget = {"minor": 1000 * 60, "currency": "USD"}
    # Half of 100 referrals cost 10.00 and half 15.00: 1,250.00 in all.
    body = campaign(budget=budget, expected_rewards=100, variants=[
        {"name": "control", "weight": 50},
        {"name": "fifteen", "weight": 50, "terms": {"referrer_reward": USD_15}},
    ])  # fmt: skip
    assert (await client.post(URL, json=body)).status_code == 201
    answer = await client.post(f"{URL}/{body['slug']}/publish")
    assert_problem(answer, 422, "validation_failed", "budget.minor")
    assert "125000" in answer.text


async def test_a_link_promises_what_the_variant_of_its_owner_says(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(
        client, terms=terms(), variants=[{**WRITTEN[0], "weight": 50}, WRITTEN[1]]
    )
    promised: dict[str, Any] = {}
    for name in ("control", "fifteen"):
        body = {"player_id": player_under(slug, name), "campaign": slug}
        code = (await client.post("/v1/codes", json=body)).json()["code"]
        promised[name] = (await client.get(f"/v1/codes/{code}")).json()["headline"]
        click = {"code": code, "visitor_id": unique("visitor"), "platform": "ios"}
        first = (await client.post("/v1/clicks", json=click)).json()["referral_id"]
        assert (await client.post("/v1/clicks", json=click)).json()["referral_id"] == first
        referral = (await client.get(f"/v1/referrals/{first}")).json()
        assert referral["variant"] == name
        assert await _events(database, first) == [
            ("CodeClicked", name), ("ReferralInvited", name), ("CodeClicked", name),
        ]  # fmt: skip
        assert await _promised_minor(database, first) == {"control": 1000, "fifteen": 1500}[name]
    assert "$10" in promised["control"]
    assert "$15" in promised["fifteen"]


async def _events(database: Database, referral_id: str) -> list[tuple[str, str]]:
    query = text("""
        select type, payload ->> 'variant' from outbox where aggregateid = :id order by seq
    """)
    async with database.reading() as session:
        found = await session.execute(query, {"id": referral_id})
        return [(type_, variant) for type_, variant in found]


async def _promised_minor(database: Database, referral_id: str) -> int:
    query = text("select terms -> 'referrer_reward' -> 'minor' from referrals where id = :id")
    async with database.reading() as session:
        return int(await session.scalar(query, {"id": referral_id}) or 0)


async def play(database: Database) -> dict[str, ReferralActs]:
    """Credit one typed code of each variant."""
    async with database.transaction() as session:
        offer = await an_offer(session, variants=VARIANTS)
    played: dict[str, ReferralActs] = {}
    for variant in VARIANTS:
        referrer_id = player_under(offer.campaign.slug, variant.name)
        acts = await sign_up(database, offer=offer, referrer_id=referrer_id)
        await acts.receives(deposit(acts.referee_id))
        await acts.credit()
        played[variant.name] = acts
    return played


async def test_pays_a_typed_code_what_its_variant_promised(
    client: AsyncClient, database: Database
) -> None:
    played = await play(database)
    paid = {}
    for name, acts in played.items():
        referral = (await client.get(f"/v1/referrals/{acts.row.id}")).json()
        assert referral["variant"] == name
        paid[name] = [reward["amount"]["minor"] for reward in referral["rewards"]]
    assert paid == {"control": [1000], "fifteen": [1500]}


async def test_the_funnel_has_a_row_for_each_variant(
    client: AsyncClient, database: Database
) -> None:
    slug = (await play(database))["control"].row.campaign_slug
    answer = await client.get("/v1/reports/funnel", params={"by": "variant", "campaign": slug})
    assert answer.status_code == 200, answer.text
    rows = [
        (row["campaign"], row["variant"], row["invitations"], row["rewarded"], row["cost"])
        for row in answer.json()["rows"]
    ]
    assert rows == [
        (slug, "control", 1, 1, [{"minor": 1000, "currency": "USD"}]),
        (slug, "fifteen", 1, 1, [{"minor": 1500, "currency": "USD"}]),
    ]


async def test_explains_a_referral_by_its_variant_and_by_that_of_another_version(
    client: AsyncClient, database: Database
) -> None:
    acts = (await play(database))["fifteen"]
    slug, referrer_id = acts.row.campaign_slug, acts.row.referrer_id
    own = await _explain(client, acts)
    assert own == (1, "fifteen", [1500])

    twenty = {"referrer_reward": {"minor": 2000, "currency": "USD"}}
    body = campaign(slug=slug, budget={"minor": 100_000, "currency": "USD"}, variants=[
        {"name": "twenty", "weight": 99, "terms": twenty}, {"name": "rest", "weight": 1},
    ])  # fmt: skip
    assert (await client.put(f"{URL}/{slug}", json=body)).status_code == 200
    name = variant_of(
        [Variant(name="twenty", weight=99), Variant(name="rest", weight=1)], slug, referrer_id
    )
    assert name is not None
    expected = {"twenty": 2000, "rest": 1000}[name.name]
    assert await _explain(client, acts, version=2) == (2, name.name, [expected])


async def _explain(
    client: AsyncClient, acts: ReferralActs, **body: object
) -> tuple[int, str, list[int]]:
    url = f"{URL}/{acts.row.campaign_slug}/explain"
    answer = await client.post(url, json={"referral_id": str(acts.row.id), **body})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    minors = [reward["amount"]["minor"] for reward in shown["rewards"]]
    return shown["version"], shown["variant"], minors


async def test_simulates_each_referrer_by_their_variant(
    client: AsyncClient, database: Database
) -> None:
    slug = (await play(database))["control"].row.campaign_slug
    period = {"from": "2026-02-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    by_live = (await client.post(f"{URL}/{slug}/simulate", json=period)).json()
    both = {"rewards": 2, "cost": [{"minor": 2500, "currency": "USD"}]}
    assert by_live["before"] == by_live["after"] == both
    assert by_live["changed"] == []

    body = campaign(slug=slug, budget={"minor": 100_000, "currency": "USD"})
    assert (await client.put(f"{URL}/{slug}", json=body)).status_code == 200
    without = (await client.post(f"{URL}/{slug}/simulate", json=period)).json()
    assert without["live"] == both
    assert without["after"] == {"rewards": 2, "cost": [{"minor": 2000, "currency": "USD"}]}
    assert without["changed_total"] == 1


def test_stores_the_whole_terms_of_a_variant_beside_its_name() -> None:
    # Any release that reads these terms pays what was promised, without knowing of variants.
    stored = variants_json(TERMS, VARIANTS)
    assert stored is not None
    (control, fifteen) = stored
    assert (control["name"], control["terms"]) == ("control", None)
    assert fifteen["terms"]["referrer_reward"] == USD_15
    assert terms_from(fifteen["terms"]) == replace(TERMS, referrer_reward=usd(1500))
    assert variants_json(TERMS, ()) is None
