"""`explain`: what a referral would get, by which version, and why; nothing is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from db.engine import Database
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.limits.reading import read_limits
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.money import Money
from tests.activities.campaigns.test_currencies import begin, know_rate, paid_in, several
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.api.bodies import assert_problem
from tests.builders import NOW, TERMS, deposit, usd
from tests.state import offer_of

CARD = {"field": "deposit.method", "op": "eq", "value": "card"}
LARGE = {"field": "deposit.amount", "op": "gte", "value": {"minor": 2500, "currency": "USD"}}
TENTH = {"to": "referrer", "amount": {"percent": "10"}}


def terms(when: dict[str, Any] | None = None) -> Terms:
    rules = Rules(
        rewards=read_rewards([TENTH], "terms.rewards", currency="USD"),
        when=read_condition(when, "terms.when") if when else None,
    )
    return replace(TERMS, referrer_reward=usd(0), rules=rules)


async def ask(
    client: AsyncClient, acts: ReferralActs, *, language: str | None = None, **body: object
) -> dict[str, Any]:
    url = f"/v1/campaigns/{acts.row.campaign_slug}/explain"
    answer = await client.post(
        url,
        json={"referral_id": str(acts.row.id), **body},
        params={"language": language} if language else {},
    )
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_names_each_leaf_with_the_value_that_it_met(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database, terms=terms({"all": [CARD, LARGE]}))
    unjudged = await ask(client, acts)
    said = "All of these (deposit method is card; deposit amount is at least $25)"
    assert (unjudged["condition"], unjudged["conditions"]) == (said, [])
    await acts.receives(deposit(acts.referee_id, method="card"))

    shown = await ask(client, acts)
    assert (shown["version"], shown["qualifies"], shown["rewards"]) == (1, False, [])
    assert shown["conditions"] == [
        {
            "path": "terms.when.all[0]",
            "words": "deposit method is card",
            "field": "deposit.method",
            "value": "card",
            "holds": True,
        },
        {
            "path": "terms.when.all[1]",
            "words": "deposit amount is at least $25",
            "field": "deposit.amount",
            "value": {"minor": 1000, "currency": "USD"},
            "holds": False,
        },
    ]


@pytest.mark.parametrize(
    ("language", "rate", "paid", "words"),
    [
        ("de", "0.31", Money(9_000, "KWD"), "Einzahlungsbetrag ist mindestens 7,750\xa0KWD"),
        ("ja", "151.3", Money(4_000, "JPY"), "入金額が￥3,782以上である"),
    ],
)
async def test_says_each_leaf_in_the_asked_language_and_the_deposit_s_currency(
    client: AsyncClient,
    database: Database,
    *,
    language: str,
    rate: str,
    paid: Money,
    words: str,
) -> None:
    minor, currency = paid.minor, paid.currency
    await know_rate(database, currency, rate)
    when = read_condition({"all": [LARGE]}, "terms.when")
    budget = {currency: 1_000_000}
    acts = await begin(database, several(currency, when=when), **budget)
    await acts.receives(paid_in(acts, minor, currency))

    (leaf,) = (await ask(client, acts, language=language))["conditions"]
    assert (leaf["path"], leaf["words"]) == ("terms.when.all[0]", words)
    assert (leaf["value"], leaf["holds"]) == ({"minor": minor, "currency": currency}, True)
    assert (await ask(client, acts))["conditions"][0]["words"].startswith("deposit amount is at")


async def test_refuses_a_language_that_has_no_words(client: AsyncClient) -> None:
    answer = await client.post(
        "/v1/campaigns/default/explain",
        json={"referral_id": str(uuid4())},
        params={"language": "xx"},
    )
    assert_problem(answer, 422, "validation_failed", "language")


async def test_says_what_is_computed_of_the_deposit_that_qualifies(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database, terms=terms({"all": [CARD, LARGE]}))
    later = NOW + timedelta(hours=2)
    await acts.receives(
        deposit(acts.referee_id, minor=9000),
        deposit(acts.referee_id, minor=3000, method="card", at=later),
    )

    shown = await ask(client, acts)
    assert shown["qualifies"]
    assert all(leaf["holds"] for leaf in shown["conditions"])
    (reward,) = shown["rewards"]
    assert (reward["to"], reward["kind"], reward["amount"]["minor"]) == ("referrer", "cash", 300)
    assert reward["computation"]["base"] == {"minor": 3000, "currency": "USD"}


async def test_says_what_the_limits_leave(client: AsyncClient, database: Database) -> None:
    limits = read_limits(
        [
            {"of": "referrer", "per": "month", "rewards": 2},
            {"of": "campaign", "per": "campaign", "amount": {"minor": 1500, "currency": "USD"}},
        ],
        "terms.limits",
        currency="USD",
    )
    first = await sign_up(database, terms=replace(TERMS, rules=Rules(limits=limits)))
    async with database.reading() as session:
        offer = await offer_of(session, first.row)
    second = await sign_up(database, offer=offer, referrer_id=first.row.referrer_id)
    await first.receives(deposit(first.referee_id))
    await first.credit(at=datetime.now(UTC))

    money = {"minor": 1000, "currency": "USD"}
    assert (await ask(client, second))["limits"] == [
        {
            "of": "referrer",
            "per": "month",
            "used": {"rewards": 1, "amount": None},
            "left": {"rewards": 1, "amount": None},
        },
        {
            "of": "campaign",
            "per": "campaign",
            "used": {"rewards": None, "amount": money},
            "left": {"rewards": None, "amount": {**money, "minor": 500}},
        },
    ]


async def test_shows_a_flat_reward_as_it_is_promised(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))

    (reward,) = (await ask(client, acts))["rewards"]
    assert reward["amount"] == {"minor": 1000, "currency": "USD"}
    assert reward["computation"]["amount"] == {"flat": {"minor": 1000, "currency": "USD"}}


@pytest.mark.parametrize("version", [2, 2**31 - 1])
async def test_refuses_a_version_that_the_campaign_does_not_have(
    client: AsyncClient, database: Database, version: int
) -> None:
    acts = await sign_up(database)
    url = f"/v1/campaigns/{acts.row.campaign_slug}/explain"
    body = {"referral_id": str(acts.row.id), "version": version}
    assert_problem(await client.post(url, json=body), 422, "validation_failed", "version")


async def test_knows_only_the_referrals_of_its_campaign(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    for slug, referral in (("default", acts.row.id), (acts.row.campaign_slug, uuid4())):
        answer = await client.post(
            f"/v1/campaigns/{slug}/explain", json={"referral_id": str(referral)}
        )
        assert_problem(answer, 404, "unknown_referral")
